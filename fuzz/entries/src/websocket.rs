//! The WebSocket decoder: a stream has the same events, and breaks the protocol at the same byte, whatever the pieces
//! it arrives in.

mod reference;

use chat_proto::websocket::{self, Decoder, Event, Events, Opcode, Peer, Violation};

use crate::chunks::Chunks;

/// The longest message here: long enough for every form of length except the longest.
const MAX_MESSAGE: usize = 400;

/// The input is a byte, `s` for the stream of a server and any other for that of a client; the lengths of the pieces;
/// and then the stream.
///
/// - After each piece, the events and the violation are those that a plain reference finds in the bytes so far.
/// - A caller that takes one event per piece, and has the rest buffered, gets the same events.
/// - Events that nobody takes do not put the stream out of step, and a violation among them is still reported.
/// - Memory follows what is buffered. Between messages, there is none.
/// - The events, written again, decode to the same events.
///
/// # Panics
/// If a property is violated.
pub fn websocket(mut data: &[u8]) {
    let Some((peer, rest)) = data.split_first() else { return };
    let peer = if *peer == b's' { Peer::Server } else { Peer::Client };
    data = rest;
    let chunks = Chunks::take_from(&mut data);
    let stream = data;

    let expected = reference::read(stream, peer, MAX_MESSAGE);
    let mut decoder = Decoder::new(peer, MAX_MESSAGE);
    let (mut got, mut fed) = (Vec::new(), 0);
    for chunk in chunks.cut(stream) {
        let mut chunk = chunk.to_vec();
        fed += chunk.len();
        let mut events = decoder.feed(&mut chunk);
        take(&mut events, usize::MAX, &mut got);
        drop(events);
        assert!(!decoder.has_rest());
        check_memory(&decoder);
        let certain = expected.partition_point(|(at, _)| *at <= fed);
        let expected = expected[..certain].iter().map(|(_, event)| event);
        assert!(got.iter().eq(expected.clone()), "after {fed}: {got:?}, not {expected:?}");
    }

    let mut hesitant = Decoder::new(peer, MAX_MESSAGE);
    let mut taken = Vec::new();
    for chunk in chunks.cut(stream).chain(got.iter().map(|_| &[][..])) {
        let (before, had_rest) = (taken.len(), hesitant.has_rest());
        let mut chunk = chunk.to_vec();
        let mut events = hesitant.feed(&mut chunk);
        take(&mut events, 1, &mut taken);
        assert!(taken.len() > before || !had_rest, "a rest has an event");
        events.buffer_rest();
        check_memory(&hesitant);
    }
    assert_eq!((&taken, hesitant.has_rest()), (&got, false), "taken one by one");
    assert_eq!(hesitant.is_between_messages(), decoder.is_between_messages());

    let mut careless = Decoder::new(peer, MAX_MESSAGE);
    for chunk in chunks.cut(stream) {
        drop(careless.feed(&mut chunk.to_vec()));
    }
    let mut late = Vec::new();
    take(&mut careless.feed(&mut []), usize::MAX, &mut late);
    assert_eq!(late.first(), got.last().filter(|last| last.is_err()), "told late");

    written_again(got);
}

/// What a decoder returns, as owned bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owned {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Fragment,
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
}

fn take(events: &mut Events<'_>, most: usize, got: &mut Vec<Result<Owned, Violation>>) {
    for _ in 0..most {
        let Some(event) = events.next_event() else { return };
        got.push(event.map(|event| match event {
            Event::Text(text) => Owned::Text(text.as_bytes().to_vec()),
            Event::Binary(bytes) => Owned::Binary(bytes.to_vec()),
            Event::Fragment => Owned::Fragment,
            Event::Ping(payload) => Owned::Ping(payload.to_vec()),
            Event::Pong => Owned::Pong,
            Event::Close(code) => Owned::Close(code),
        }));
    }
}

fn check_memory(decoder: &Decoder) {
    let (buffered, capacity) = (decoder.buffered(), decoder.capacity());
    assert!(capacity <= 2 * buffered + 128, "{capacity} bytes of memory for {buffered}");
    if decoder.is_between_messages() && !decoder.has_rest() {
        assert_eq!((buffered, capacity), (0, 0), "between messages");
    }
}

/// Writes the events as a client and as a server, and decodes them.
fn written_again(got: Vec<Result<Owned, Violation>>) {
    let events: Vec<_> =
        got.into_iter().flatten().filter(|event| *event != Owned::Fragment).collect();
    let (mut masked, mut unmasked) = (Vec::new(), Vec::new());
    for event in &events {
        let (opcode, payload) = match event {
            Owned::Text(text) => {
                assert!(str::from_utf8(text).is_ok());
                (Opcode::Text, &text[..])
            }
            Owned::Binary(bytes) => (Opcode::Binary, &bytes[..]),
            Owned::Ping(payload) => (Opcode::Ping, &payload[..]),
            Owned::Pong => (Opcode::Pong, &[][..]),
            Owned::Close(None) => (Opcode::Close, &[][..]),
            Owned::Close(Some(code)) => (Opcode::Close, &code.to_be_bytes()[..]),
            Owned::Fragment => continue,
        };
        websocket::write_masked(&mut masked, opcode, *b"mask", payload);
        let start = unmasked.len();
        websocket::write_unmasked(&mut unmasked, opcode, payload);
        assert_eq!(websocket::message_len(&unmasked[start..]), Some(unmasked.len() - start));
    }
    for (peer, mut stream) in [(Peer::Client, masked), (Peer::Server, unmasked)] {
        let mut again = Vec::new();
        take(&mut Decoder::new(peer, MAX_MESSAGE).feed(&mut stream), usize::MAX, &mut again);
        let again: Result<Vec<_>, _> = again.into_iter().collect();
        assert_eq!(again.as_ref(), Ok(&events), "written again");
    }
}
