//! The decoder on valid and invalid streams, in chunks of all kinds.

mod chunking;
mod violations;

use super::*;

/// The longest message in these tests.
const MAX_MESSAGE: usize = 1_000;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A client's frame with any first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_masked(&mut out, Opcode::Text, MASK, payload);
    out[0] = first;
    out
}

/// What a decoder has returned: events in `Debug` form, and the violation at the end, if any.
type Returned = Vec<Result<String, Violation>>;

/// Feeds a chunk and takes what it returns.
fn feed(decoder: &mut Decoder, chunk: &[u8], returned: &mut Returned) {
    let mut chunk = chunk.to_vec();
    let mut events = decoder.feed(&mut chunk);
    take(&mut events, usize::MAX, returned);
    drop(events);
    assert_memory_follows(decoder);
    assert!(!decoder.has_rest());
    if decoder.is_between_messages() {
        assert_eq!((decoder.buffered(), decoder.capacity()), (0, 0), "nothing between messages");
    }
}

/// Takes at most `most` events.
fn take(events: &mut Events<'_>, most: usize, returned: &mut Returned) {
    for _ in 0..most {
        let Some(event) = events.next_event() else { return };
        returned.push(event.map(|event| format!("{event:?}")));
    }
}

fn assert_memory_follows(decoder: &Decoder) {
    let (buffered, capacity) = (decoder.buffered(), decoder.capacity());
    assert!(capacity <= 2 * buffered + 128, "{capacity} for {buffered}");
}

fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Returned {
    let mut decoder = Decoder::new(Peer::Client, MAX_MESSAGE);
    let mut returned = Vec::new();
    for chunk in chunks {
        feed(&mut decoder, chunk, &mut returned);
    }
    returned
}

/// The events, abbreviated: `t` text, `b` binary, `.` fragment, `i` ping, `o` pong, `c` close.
fn kinds(returned: &Returned) -> String {
    let kind = |returned: &Result<String, Violation>| match returned {
        Ok(event) if event.starts_with("Text") => 't',
        Ok(event) if event.starts_with("Binary") => 'b',
        Ok(event) if event.starts_with("Fragment") => '.',
        Ok(event) if event.starts_with("Ping") => 'i',
        Ok(event) if event.starts_with("Pong") => 'o',
        Ok(_) => 'c',
        Err(_) => '!',
    };
    returned.iter().map(kind).collect()
}

fn show(event: Event<'_>) -> Result<String, Violation> {
    Ok(format!("{event:?}"))
}

#[test]
fn messages_of_all_lengths_arrive() {
    for len in [0, 1, 7, 8, 9, 125, 126, 127, 999, MAX_MESSAGE] {
        let text = "x".repeat(len);
        let payload = text.as_bytes();
        for (first, event) in [(0x81, Event::Text(&text)), (0x82, Event::Binary(payload))] {
            let sent = frame(first, payload);
            assert_eq!(decode([&sent[..]]), [show(event)]);
            assert_eq!(decode(sent.chunks(1)), [show(event)]);
        }
    }
}

#[test]
fn a_message_of_a_whole_frame_is_borrowed_from_the_chunk() {
    let mut sent = frame(0x81, "안녕하세요".as_bytes());
    sent.extend(frame(0x89, b"ping"));
    let place = sent.as_ptr_range();
    let mut decoder = Decoder::new(Peer::Client, MAX_MESSAGE);
    let mut events = decoder.feed(&mut sent);
    let mut count = 0;
    while let Some(event) = events.next_event() {
        let payload = match event {
            Ok(Event::Text(text)) => text.as_bytes(),
            Ok(Event::Ping(payload)) => payload,
            event => panic!("{event:?}"),
        };
        assert!(place.contains(&payload.as_ptr()));
        count += 1;
    }
    drop(events);
    assert_eq!((count, decoder.capacity()), (2, 0));
}

#[test]
fn w6_control_frames_may_stand_between_fragments() {
    let sent = [
        frame(0x01, "안".as_bytes()),
        frame(0x89, b"1"),
        frame(0x00, b""),
        frame(0x8a, b"2"),
        frame(0x80, "녕".as_bytes()),
        frame(0x82, &[0xff]),
        frame(0x02, b""),
        frame(0x80, &[0xfe]),
    ];
    let expected = [
        Event::Fragment,
        Event::Ping(b"1"),
        Event::Fragment,
        Event::Pong,
        Event::Text("안녕"),
        Event::Binary(&[0xff]),
        Event::Fragment,
        Event::Binary(&[0xfe]),
    ]
    .map(show);
    let sent = sent.concat();
    assert_eq!(decode([&sent[..]]), expected);
    assert_eq!(decode(sent.chunks(1)), expected);
}

#[test]
fn the_frames_of_a_server_are_read_unmasked() {
    let mut sent = Vec::new();
    write_message(&mut sent, |out| out.extend_from_slice("안녕".as_bytes())).expect("it fits");
    write_message(&mut sent, |out| out.resize(out.len() + 300, b'x')).expect("it fits");
    write_pong(&mut sent, b"here");
    write_close(&mut sent, 1001, "the server stops");
    let mut returned = Vec::new();
    feed(&mut Decoder::new(Peer::Server, MAX_MESSAGE), &sent, &mut returned);
    let events = [Event::Text("안녕"), Event::Text(&"x".repeat(300)), Event::Pong];
    assert_eq!(
        returned,
        [&events[..], &[Event::Close(Some(1001))]]
            .concat()
            .into_iter()
            .map(show)
            .collect::<Vec<_>>()
    );
}

#[test]
fn events_left_for_later_come_first_and_a_partial_event_is_not_among_them() {
    let mut sent = [frame(0x81, b"one"), frame(0x81, b"two"), frame(0x81, b"three")].concat();
    let (first, last) = sent.split_at_mut(25);
    let mut decoder = Decoder::new(Peer::Client, MAX_MESSAGE);
    for (chunk, event, has_rest) in
        [(first, "one", true), (&mut [][..], "two", false), (last, "three", false)]
    {
        let mut events = decoder.feed(chunk);
        assert_eq!(events.next_event(), Some(Ok(Event::Text(event))));
        events.buffer_rest();
        assert_eq!(decoder.has_rest(), has_rest, "after {event}");
        assert_memory_follows(&decoder);
    }
    assert_eq!((decoder.buffered(), decoder.capacity()), (0, 0));
}

#[test]
fn w8_nothing_is_decoded_after_a_close() {
    let mut sent = frame(0x88, &[0x03, 0xe8]);
    sent.extend(frame(0x81, b"more"));
    assert_eq!(decode([&sent[..]]), [show(Event::Close(Some(1000)))]);
    assert_eq!(decode(sent.chunks(1)), [show(Event::Close(Some(1000)))]);
}

#[test]
fn w4_memory_follows_what_has_arrived_and_not_what_is_announced() {
    let mut decoder = Decoder::new(Peer::Client, usize::MAX);
    let header = [0x82, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, b'x'];
    let mut returned = Vec::new();
    feed(&mut decoder, &header, &mut returned);
    assert_eq!((returned.len(), decoder.buffered(), decoder.capacity()), (0, 1, 1));
    assert!(!decoder.is_between_messages());
    for _ in 0..100 {
        feed(&mut decoder, &[0; 1_000], &mut returned);
    }
    assert_eq!((returned.len(), decoder.buffered()), (0, 100_001));
}

/// Otherwise a message of many fragments would be copied once for each of them.
#[test]
fn w4_the_buffer_of_many_fragments_grows_by_doubling() {
    let mut decoder = Decoder::new(Peer::Client, 65_535);
    let mut returned = Vec::new();
    let mut capacities = vec![0];
    feed(&mut decoder, &frame(0x01, b"x"), &mut returned);
    for _ in 1..65_535 {
        feed(&mut decoder, &frame(0x00, b"x"), &mut returned);
        capacities.push(decoder.capacity());
    }
    capacities.dedup();
    assert!(capacities.len() < 20, "{capacities:?}");
    feed(&mut decoder, &frame(0x80, b""), &mut returned);
    assert_eq!((returned.len(), decoder.capacity()), (65_536, 0));
    assert_eq!(kinds(&returned[65_535..].to_vec()), "t");
}

#[test]
fn a_decoder_is_small() {
    assert!(size_of::<Decoder>() <= 144, "{} bytes", size_of::<Decoder>());
}
