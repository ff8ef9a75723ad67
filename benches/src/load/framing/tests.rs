//! The stream of each protocol, whole and cut in every way.

use super::*;
use crate::load::token::TOKEN_LEN;

#[derive(Debug, PartialEq, Eq, Clone)]
enum Seen {
    Message(u32),
    Other(Vec<u8>),
}

fn text(counter: u32) -> String {
    let mut text = vec![b'x'; 64];
    Token { talker: 1, counter, sent: 5 }.write(&mut text);
    String::from_utf8(text).expect("tokens are ASCII")
}

/// Feeds `stream` in chunks of `size`, keeping the rest of each like a connection.
fn feed<F: Framing>(stream: &[u8], size: usize) -> Vec<Seen> {
    let (mut kept, mut seen, mut hint) = (Vec::new(), Vec::new(), 0);
    for chunk in stream.chunks(size) {
        kept.extend_from_slice(chunk);
        let used = scan::<F>(&kept, &mut hint, |found| {
            seen.push(match found {
                Found::Message(token) => Seen::Message(token.counter),
                Found::Other(frame) => Seen::Other(frame.to_vec()),
            });
        });
        kept.drain(..used.expect("a good stream"));
    }
    assert!(kept.is_empty(), "the stream ends with a frame");
    seen
}

fn check<F: Framing>(frames: &[(Vec<u8>, Seen)]) {
    let stream: Vec<u8> = frames.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
    let wanted: Vec<Seen> = frames.iter().map(|(_, seen)| seen.clone()).collect();
    for size in [1, 2, 3, 7, TOKEN_LEN, 100, stream.len()] {
        assert_eq!(feed::<F>(&stream, size), wanted, "chunks of {size}");
    }
}

fn message(bytes: impl Into<Vec<u8>>, counter: u32) -> (Vec<u8>, Seen) {
    (bytes.into(), Seen::Message(counter))
}

fn other(bytes: impl Into<Vec<u8>>) -> (Vec<u8>, Seen) {
    let bytes = bytes.into();
    (bytes.clone(), Seen::Other(bytes))
}

fn framed(payload: &str) -> Vec<u8> {
    let mut frame = Vec::new();
    chat_proto::write_frame(&mut frame, |out| out.extend_from_slice(payload.as_bytes()))
        .expect("short enough");
    frame
}

fn in_message(payload: &str) -> Vec<u8> {
    let mut frame = Vec::new();
    chat_proto::websocket::write_message(&mut frame, |out| {
        out.extend_from_slice(payload.as_bytes());
    })
    .expect("short enough");
    frame
}

/// Checks a conversation of the chat in this framing.
fn check_chat<F: Framing>(framed: fn(&str) -> Vec<u8>) {
    let chat = |member: &str, counter, seq| {
        let text = text(counter);
        framed(&format!(
            r#"{{"type":"SCChat","member":"{member}","text":"{text}","roomId":1,"seq":{seq}}}"#
        ))
    };
    let notice = |payload: &str| (framed(payload), Seen::Other(payload.into()));
    check::<F>(&[
        notice(r#"{"type":"SCSystemMessage","text":"a ~ b","code":"room-entered"}"#),
        message(chat("user9", 0, 9), 0),
        message(chat("user10", 1, 10), 1),
        notice(""),
        notice(&"long".repeat(80)),
        message(chat("user10", 2, 11), 2),
    ]);
}

#[test]
fn chat_frames() {
    check_chat::<LengthPrefixed>(framed);
}

#[test]
fn chat_messages_of_a_websocket() {
    check_chat::<Messages>(in_message);
}

#[test]
fn redis_frames() {
    let publish =
        |counter| format!("*3\r\n$7\r\nmessage\r\n$6\r\nroom:1\r\n$64\r\n{}\r\n", text(counter));
    check::<Resp>(&[
        other("*3\r\n$9\r\nsubscribe\r\n$6\r\nroom:1\r\n:1\r\n"),
        other("+PONG\r\n"),
        message(publish(0), 0),
        message(publish(1), 1),
        other(":9\r\n"),
        other("-ERR no\r\n"),
        message(publish(2), 2),
    ]);
}

#[test]
fn nats_frames() {
    let msg = |counter| format!("MSG room.1 1 64\r\n{}\r\n", text(counter));
    check::<Nats>(&[
        other("INFO {\"max_payload\":1048576}\r\n"),
        other("PONG\r\n"),
        message(msg(0), 0),
        other("PING\r\n"),
        message(msg(1), 1),
        message(msg(2), 2),
        other("-ERR 'Slow Consumer'\r\n"),
    ]);
}

#[test]
fn an_invalid_frame_is_an_error() {
    let bad = |bytes: &[u8]| {
        [Resp::frame_len(bytes), Nats::frame_len(bytes)].map(|result| result.is_err())
    };
    assert!(bad(b"HTTP/1.1 400 Bad Request\r\n")[0]);
    assert!(bad(b"*x\r\n")[0]);
    assert!(bad(b"$99999999999999999999999\r\n")[0]);
    assert!(bad(b"MSG room.1 1 x\r\n")[1]);
    assert!(bad(b"MSG room.1 1 99999999999999999999999\r\n")[1]);
    assert!(bad(b"MSG \r\n")[1]);
    assert_eq!(bad(&vec![b'a'; MAX_LINE + 1]), [true, true]);
    for masked_extended_or_endless in
        [&[0x81, 0x80][..], &[0xc1, 0], &[0x81, 127, 1, 0, 0, 0, 0, 0, 0, 0]]
    {
        assert!(Messages::frame_len(masked_extended_or_endless).is_err());
    }
}
