//! Neither chunking nor leaving events for later changes what is returned.

use proptest::prelude::*;

use super::*;

/// A piece of a stream: mostly frames that may stand there, and some that may not.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof!["[a-z가-힣😀]{0,80}", "[a-z]{120,200}"];
    let text = text.prop_map(String::into_bytes);
    let bytes = prop::collection::vec(any::<u8>(), 0..12);
    let part = prop_oneof![3 => text.clone(), 1 => bytes.clone()];
    prop_oneof![
        6 => text.clone().prop_map(|text| frame(0x81, &text)),
        1 => bytes.clone().prop_map(|bytes| frame(0x82, &bytes)),
        4 => (text.clone(), any::<prop::sample::Index>(), any::<bool>()).prop_map(|(text, at, ping)| {
            let (first, second) = text.split_at(at.index(text.len() + 1));
            let between = if ping { frame(0x89, b"between") } else { Vec::new() };
            [frame(0x01, first), between, frame(0x80, second)].concat()
        }),
        2 => (0_u8..=1, bytes.clone()).prop_map(|(pong, bytes)| frame(0x89 + pong, &bytes)),
        1 => part.prop_map(|part| frame(0x00, &part)),
        1 => (any::<u8>(), bytes.clone()).prop_map(|(first, bytes)| frame(first, &bytes)),
        1 => (text.clone(), text.clone()).prop_map(|(before, after)| {
            frame(0x81, &[&before[..], b"\xff", &after].concat())
        }),
        1 => (0_u16..5_100).prop_map(|code| frame(0x88, &code.to_be_bytes())),
        1 => bytes,
    ]
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..8).prop_map(|pieces| pieces.concat())
}

/// Cuts a stream into chunks of these lengths, repeated.
fn cut<'a>(stream: &'a [u8], lens: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = stream;
    let mut chunks = Vec::new();
    for len in lens.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, after) = rest.split_at((*len).min(rest.len()));
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

proptest! {
    #[test]
    fn p3_what_is_returned_depends_on_the_bytes_alone(
        stream in stream(),
        lens in prop::collection::vec(1_usize..60, 1..12),
    ) {
        let mut decoder = Decoder::new(Peer::Client, MAX_MESSAGE);
        let (mut returned, mut fed) = (Vec::new(), 0);
        for chunk in cut(&stream, &lens) {
            feed(&mut decoder, chunk, &mut returned);
            fed += chunk.len();
            prop_assert_eq!(&returned, &decode([&stream[..fed]]), "after {} bytes", fed);
        }
        prop_assert_eq!(returned, decode(stream.chunks(1)), "byte by byte");
    }

    /// Taking a few events at a time and buffering the rest returns the same events.
    #[test]
    fn buffering_the_rest_never_matters(
        stream in stream(),
        lens in prop::collection::vec(1_usize..300, 1..12),
        most in prop::collection::vec(0_usize..4, 1..12),
    ) {
        let mut decoder = Decoder::new(Peer::Client, MAX_MESSAGE);
        let mut returned = Vec::new();
        let mut most = most.iter().cycle();
        for chunk in cut(&stream, &lens) {
            let had_rest = decoder.has_rest();
            let mut chunk = chunk.to_vec();
            let mut events = decoder.feed(&mut chunk);
            let before = returned.len();
            let most = *most.next().expect("it goes on for ever");
            take(&mut events, most, &mut returned);
            prop_assert!(returned.len() > before || !had_rest || most == 0, "a rest has an event");
            events.buffer_rest();
            assert_memory_follows(&decoder);
        }
        while decoder.has_rest() {
            let before = returned.len();
            let mut events = decoder.feed(&mut []);
            take(&mut events, 1, &mut returned);
            events.buffer_rest();
            assert_memory_follows(&decoder);
            prop_assert_eq!(returned.len(), before + 1, "a rest has an event");
        }
        prop_assert_eq!(returned, decode([&stream[..]]));
        if decoder.is_between_messages() {
            prop_assert_eq!((decoder.buffered(), decoder.capacity()), (0, 0));
        }
    }

    /// Events that nobody takes neither put the stream out of step nor lose a violation.
    #[test]
    fn skipped_events_leave_the_stream_in_step(
        stream in stream(),
        lens in prop::collection::vec(1_usize..60, 1..12),
    ) {
        let mut decoder = Decoder::new(Peer::Client, MAX_MESSAGE);
        for chunk in cut(&stream, &lens) {
            drop(decoder.feed(&mut chunk.to_vec()));
        }
        let mut returned = decode([&stream[..]]);
        returned.retain(Result::is_err);
        let mut late = Vec::new();
        feed(&mut decoder, &[], &mut late);
        prop_assert_eq!(late, returned);
    }

    #[test]
    fn messages_that_were_written_arrive(
        texts in prop::collection::vec("[a-z가-힣😀]{0,80}", 0..8),
        mask: [u8; 4],
        lens in prop::collection::vec(1_usize..200, 1..12),
    ) {
        let mut sent = Vec::new();
        for text in &texts {
            write_masked(&mut sent, Opcode::Text, mask, text.as_bytes());
        }
        let expected: Vec<_> = texts.iter().map(|text| show(Event::Text(text))).collect();
        prop_assert_eq!(decode(cut(&sent, &lens)), expected);
    }
}
