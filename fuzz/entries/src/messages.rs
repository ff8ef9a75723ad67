//! Messages from a server: whole frames of a known type, without raw control characters.

use chat_proto::websocket::{Decoder, Event, Peer};
use chat_proto::{Framing, HEADER_LEN, Incoming, MAX_PAYLOAD};

/// Reads a stream of whole messages.
///
/// # Panics
/// If the stream ends in the middle of a message, or [`read`] rejects one.
pub(crate) fn read_all(framing: Framing, stream: &[u8]) -> Vec<Incoming> {
    match framing {
        Framing::Length => read_frames(stream),
        Framing::WebSocket => read_websocket(stream),
    }
}

fn read_websocket(stream: &[u8]) -> Vec<Incoming> {
    let mut decoder = Decoder::new(Peer::Server, MAX_PAYLOAD);
    let mut messages = Vec::new();
    let mut stream = stream.to_vec();
    let mut events = decoder.feed(&mut stream);
    while let Some(event) = events.next_event() {
        let Ok(Event::Text(payload)) = event else { panic!("{event:?} is no message") };
        messages.push(read(payload.as_bytes()));
    }
    drop(events);
    assert!(decoder.is_between_messages(), "half a message is left");
    messages
}

fn read_frames(stream: &[u8]) -> Vec<Incoming> {
    let mut rest = stream;
    let mut messages = Vec::new();
    while let Some((header, after)) = rest.split_first_chunk::<HEADER_LEN>() {
        let len = usize::from(u16::from_be_bytes(*header));
        let (payload, after) = after.split_at_checked(len).expect("a frame comes whole");
        messages.push(read(payload));
        rest = after;
    }
    assert!(rest.is_empty(), "half a header is left");
    messages
}

/// Reads one payload.
///
/// # Panics
/// If it is not a message, its type is none of the three that the original client knows, or it contains a character
/// that could garble a terminal.
pub(crate) fn read(payload: &[u8]) -> Incoming {
    assert!(!payload.iter().any(u8::is_ascii_control), "raw control character");
    let message = Incoming::parse(payload).expect("it is JSON");
    let kind = message.kind.as_str();
    assert!(matches!(kind, "SCSystemMessage" | "SCChat" | "SCRoomsResult"), "{kind}");
    assert_eq!(kind == "SCSystemMessage", message.code.is_some(), "a code on every notice");
    if kind == "SCChat" {
        let is_allowed = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        assert!(!message.text.is_empty() && message.text.chars().all(is_allowed));
    } else {
        assert!(is_label(&message.text), "{:?}", message.text);
    }
    assert!(is_label(&message.member), "{:?}", message.member);
    for room in &message.rooms {
        assert!(is_label(&room.title) && !room.title.is_empty(), "{:?}", room.title);
        assert!(room.members.iter().all(|name| is_label(name) && !name.is_empty()));
        assert!(room.members.len() <= room.member_count);
    }
    message
}

/// Whether a label is free of controls, line separators and bidi controls.
pub(crate) fn is_label(label: &str) -> bool {
    !label.chars().any(|c| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}
