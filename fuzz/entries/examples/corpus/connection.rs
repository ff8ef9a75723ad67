//! Streams of one peer of a server.

use crate::{Case, framed};

/// Flags of the peer.
const APART: u8 = 0;
const TOGETHER: u8 = 1;
const ENDS_AT_ONCE: u8 = 2;
const GONE: u8 = 4;

/// All in one piece.
const WHOLE: &[u8] = &[0];
/// Byte by byte.
const BYTES: &[u8] = &[1, 0];
/// 40 bytes at a time, more or less a frame.
const FRAMES: &[u8] = &[1, 39];
/// 1, 3 and 2 bytes in turn.
const UNEVEN: &[u8] = &[3, 0, 2, 1];

const ROOMS: &str = r#"{"type":"CSRooms"}"#;
const JOIN: &str = r#"{"type":"CSJoinRoom","roomId":1}"#;
const LEAVE: &str = r#"{"type":"CSLeaveRoom"}"#;
const CREATE: &str = r#"{"type":"CSCreateRoom","title":"games"}"#;
const NAME: &str = r#"{"type":"CSName","name":"김철수"}"#;
const CHAT: &str = r#"{"type":"CSChat","text":"안녕"}"#;
const CHAT_OF_PYTHON: &str = r#"{"type": "CSChat", "text": "\uc548\ub155"}"#;
const SHUTDOWN: &str = r#"{"type":"CSShutdown"}"#;

fn frames(payloads: &[&str]) -> Vec<u8> {
    payloads.iter().flat_map(framed).collect()
}

fn case(name: &'static str, flags: u8, pieces: &[u8], takes: &[u8], stream: &[u8]) -> Case {
    Case(name, [&[flags], pieces, takes, stream].concat())
}

pub(crate) fn cases() -> Vec<Case> {
    [visits(), framing(), foreign(), payloads(), slow()].into_iter().flatten().collect()
}

fn visits() -> Vec<Case> {
    let visit = frames(&[NAME, JOIN, CHAT, CHAT_OF_PYTHON, ROOMS, LEAVE, CHAT, CREATE, LEAVE]);
    let stay = frames(&[JOIN, CHAT, CHAT, CHAT]);
    vec![
        case("visit", APART, FRAMES, WHOLE, &visit),
        case("visit-in-one-piece", TOGETHER, WHOLE, WHOLE, &visit),
        case("visit-together", TOGETHER, FRAMES, WHOLE, &visit),
        case("p3-visit-byte-by-byte", TOGETHER, BYTES, WHOLE, &visit),
        case("p4-eof-mid-frame-in-a-room", APART, WHOLE, WHOLE, &stay[..stay.len() - 4]),
        case("p5-reset-mid-frame-in-a-room", GONE, FRAMES, WHOLE, &stay[..stay.len() - 4]),
        case("s1-chat-in-no-room", APART, WHOLE, WHOLE, &frames(&[CHAT, JOIN, LEAVE, CHAT])),
        case("s2-join-leave-join", TOGETHER, WHOLE, WHOLE, &frames(&[JOIN, LEAVE, JOIN, JOIN])),
        case("s9-end-behind-a-chat", TOGETHER | ENDS_AT_ONCE, WHOLE, WHOLE, &stay),
        case("s9-reset-behind-a-chat", TOGETHER | ENDS_AT_ONCE | GONE, FRAMES, WHOLE, &stay),
        case("shutdown-by-a-guest", APART, WHOLE, WHOLE, &frames(&[SHUTDOWN, JOIN, SHUTDOWN])),
        case("nothing-said", APART, WHOLE, WHOLE, b""),
        case("o7-nothing-said-end-at-once", TOGETHER | ENDS_AT_ONCE, WHOLE, WHOLE, b""),
    ]
}

fn framing() -> Vec<Case> {
    let empty = framed("").repeat(100);
    let proven = [framed(JOIN), empty.clone(), framed(CHAT)].concat();
    let spaces = [framed(ROOMS), framed(vec![b' '; 65_535]), framed(ROOMS)].concat();
    vec![
        case("p1-empty-frames", APART, WHOLE, WHOLE, &empty),
        case("p1-empty-frames-in-a-room", APART, FRAMES, WHOLE, &proven),
        case("p1-empty-frames-together", TOGETHER, WHOLE, WHOLE, &proven),
        case("p2-65535-spaces", APART, WHOLE, WHOLE, &spaces),
        case("p6-99-of-100-bytes", APART, WHOLE, WHOLE, &[&[0, 100][..], &[b' '; 99]].concat()),
    ]
}

fn foreign() -> Vec<Case> {
    let http = [b"POST / HTTP/1.1\r\n\r\n".to_vec(), frames(&[JOIN, CHAT])].concat();
    let little = [&[18, 0][..], ROOMS.as_bytes()].concat();
    let four = [&[0, 0, 0, 18][..], ROOMS.as_bytes()].concat();
    let proven = [framed(ROOMS), http.clone()].concat();
    vec![
        case("p8-http-post", APART, WHOLE, WHOLE, &http),
        case("p8-http-byte-by-byte", APART, BYTES, WHOLE, &http),
        case("p8-http-end-at-once", ENDS_AT_ONCE, WHOLE, WHOLE, &http),
        case("p8-tls-hello", APART, WHOLE, WHOLE, b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"),
        case("p8-ssh-banner", APART, UNEVEN, WHOLE, b"SSH-2.0-OpenSSH_9.2\r\n"),
        case("p8-http-behind-a-command", APART, WHOLE, WHOLE, &proven),
        case("p9-little-endian", APART, WHOLE, WHOLE, &little),
        case("p9-four-bytes", APART, WHOLE, WHOLE, &four),
    ]
}

fn payloads() -> Vec<Case> {
    let bad = ["null", "[]", r#"{"type":"x"}"#, r#"{"type":"CSChat"}"#, "{", r#"{"type":1}"#];
    let mut budget = frames(&[JOIN]);
    budget.extend(frames(&bad).repeat(4));
    budget.extend(frames(&[CHAT]));
    let controls = [JOIN, r#"{"type":"CSChat","text":"\u001b[2J"}"#, CHAT];
    let names = [
        JOIN,
        r#"{"type":"CSName","name":"user1"}"#,
        r#"{"type":"CSName","name":"USER2"}"#,
        r#"{"type":"CSName","name":"\u202e"}"#,
        r#"{"type":"CSName","name":"\"\\"}"#,
        CHAT,
    ];
    let long = |n: usize| format!(r#"{{"type":"CSChat","text":"{}"}}"#, "x".repeat(n));
    let (fits, too_long) = (long(65_450), long(65_480));
    let mut not_utf8 = framed(JOIN);
    not_utf8.extend(framed(b"{\"type\":\"CSChat\",\"text\":\"\xff\"}"));
    not_utf8.extend(framed(CHAT));
    vec![
        case("j1-bad-first-frame", APART, WHOLE, WHOLE, &frames(&["null", JOIN])),
        case("j3-not-utf8", APART, WHOLE, WHOLE, &not_utf8),
        case("bad-frames-up-to-the-budget", APART, FRAMES, WHOLE, &budget),
        case("bad-frames-in-one-piece", TOGETHER, WHOLE, WHOLE, &budget),
        case("s4-names", TOGETHER, FRAMES, WHOLE, &frames(&names)),
        case("s5-controls", APART, WHOLE, WHOLE, &frames(&controls)),
        case("p11-long-texts", TOGETHER, WHOLE, WHOLE, &frames(&[JOIN, &fits, &too_long])),
    ]
}

fn slow() -> Vec<Case> {
    let lists = frames(&[JOIN, CHAT, ROOMS, CHAT, ROOMS, LEAVE, ROOMS, JOIN, CHAT]);
    let title = format!(r#"{{"type":"CSCreateRoom","title":"{}"}}"#, "방".repeat(100));
    let mut flood = frames(&[&title]);
    flood.extend(framed(ROOMS).repeat(2_500));
    vec![
        case("o5-takes-byte-by-byte", TOGETHER, FRAMES, BYTES, &lists),
        case("o5-takes-unevenly", APART, WHOLE, UNEVEN, &lists),
        case("o7-takes-byte-by-byte-end-at-once", TOGETHER | ENDS_AT_ONCE, WHOLE, BYTES, &lists),
        case("r5-asks-and-takes-little", TOGETHER, WHOLE, BYTES, &flood),
        case("r5-asks-and-takes-little-in-a-room", APART, &[1, 100], FRAMES, &flood),
    ]
}
