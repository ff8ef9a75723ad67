//! Frames cut at any byte, and streams of other protocols.

use chat_proto::Incoming;

use crate::support::{Client, RunningServer, frame, start, stream_of};

const ROOMS: &str = r#"{"type": "CSRooms"}"#;
const LEAVE: &str = r#"{"type": "CSLeaveRoom"}"#;

/// A stream of three commands, and the codes of their answers.
fn three() -> (Vec<u8>, [&'static str; 3]) {
    let stream = stream_of([
        r#"{"type": "CSCreateRoom", "title": "\uac00 room"}"#,
        r#"{"type": "CSChat", "text": ""}"#,
        LEAVE,
    ]);
    (stream, ["room-created", "bad-text", "room-left"])
}

#[test]
fn p3_a_stream_split_at_any_byte_means_the_same() {
    let server = start();
    let (stream, codes) = three();
    for at in 0..=stream.len() {
        let mut client = Client::connect(server.address());
        // The answer to a whole frame proves that the server has read what came with it.
        client.send_raw(&[&frame(ROOMS)[..], &stream[..at]].concat());
        client.expect_rooms();
        client.send_raw(&stream[at..]);
        for code in codes {
            client.expect_code(code);
        }
        client.expect_nothing();
    }
}

#[test]
fn p3_many_frames_in_one_write_are_answered_in_order() {
    let server = start();
    let mut client = server.client();
    let (stream, codes) = three();
    let rounds = 4_000;
    client.send_raw(&stream.repeat(rounds));
    for round in 1..=rounds {
        for code in codes {
            let room = client.expect_code(code).room_id;
            assert!(room.is_none_or(|room| room == round as u64), "{code} of round {round}");
        }
    }
    client.expect_nothing();
}

/// The portions end inside frames, between frames, and at the end of the stream.
#[test]
fn p3_o11_a_stream_read_in_small_portions_means_the_same() {
    for portion in [1, 2, 3, 7, 64] {
        let server = RunningServer::with(|config| config.limits.read_per_turn = portion);
        let (stream, codes) = three();
        let mut clients: [Client; 3] = server.clients();
        for client in &mut clients {
            client.send_raw(&stream.repeat(20));
            client.end_sending();
        }
        for client in &mut clients {
            for _ in 0..20 {
                for code in codes {
                    client.expect_code(code);
                }
            }
            client.expect_end();
        }
    }
}

#[test]
fn p2_the_longest_frame_is_read_whole_and_in_pieces() {
    let server = start();
    let mut client = server.client();
    for len in [65_535, 65_534] {
        let padded = format!("{ROOMS:len$}");
        client.send(&padded);
        client.expect_rooms();
        let wordy = format!(r#"{{"ignored":"{}","type":"CSRooms"}}"#, "x".repeat(len - 31));
        assert_eq!(wordy.len(), len);
        for piece in frame(&wordy).chunks(1_000) {
            client.send_raw(piece);
        }
        client.expect_rooms();
        client.send(" ".repeat(len));
        client.expect_code("bad-request");
    }
    client.expect_nothing();
}

#[test]
fn p1_a_bad_frame_beyond_the_budget_is_answered_and_ends_the_connection() {
    let server = start();
    let mut watcher = server.client();
    for (bad, code) in [
        (frame(""), "empty-frame"),
        (frame("[]"), "bad-request"),
        (frame(r#"{"type": "CSNope"}"#), "unknown-type"),
        (frame(b"\xff"), "invalid-utf8"),
    ] {
        let mut client = server.client();
        client.send_raw(&bad.repeat(20));
        for _ in 0..20 {
            client.expect_code(code);
        }
        client.send_raw(&frame(LEAVE));
        client.expect_code("not-in-room");
        // Frames after the last answered one are not carried out.
        let create = frame(r#"{"type": "CSCreateRoom", "title": "late"}"#);
        client.send_raw(&[bad.repeat(20), create, bad.repeat(100)].concat());
        let mut answers = 0;
        while let Some(payload) = client.next_payload() {
            let message = Incoming::parse(&payload).expect("it is JSON");
            assert_eq!(message.code.as_deref(), Some(code));
            answers += 1;
        }
        assert!((1..=20).contains(&answers), "{answers}");
        assert_eq!(watcher.rooms(), []);
    }
}

#[test]
fn p1_a_read_full_of_empty_frames_is_answered_up_to_the_budget() {
    let server = start();
    let mut client = server.client();
    // The end arrives, whether or not the server has read everything.
    client.send_raw(&[0; 2 * 21_845]);
    for _ in 0..21 {
        client.expect_code("empty-frame");
    }
    client.expect_end();

    let mut client = Client::connect(server.address());
    client.send_raw(&[0; 2 * 10_000]);
    client.expect_code("empty-frame");
    client.expect_end();
}

#[test]
fn what_the_rules_refuse_costs_no_budget() {
    let server = RunningServer::with(|config| config.limits.bad_frames.burst = 1);
    let mut client = Client::connect(server.address());
    for _ in 0..50 {
        client.name("");
        client.expect_code("bad-name");
        client.chat("\0");
        client.expect_code("bad-text");
        client.join(7);
        client.expect_code("no-such-room");
        client.leave();
        client.expect_code("not-in-room");
    }
}

/// The first bytes of other protocols, and of common mistakes with ours.
fn foreign() -> Vec<(&'static str, Vec<u8>)> {
    let request = |line: &str, more: &str| {
        format!("{line} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n{more}\r\n").into_bytes()
    };
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    let little_endian = (ROOMS.len() as u16).to_le_bytes();
    let long = ROOMS.len() as u32;
    vec![
        ("HTTP GET", request("GET /", "")),
        ("HTTP POST", request("POST /", "Content-Length: 100000\r\n")),
        ("WebSocket", request("GET /chat", upgrade)),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x5b\x90\x9d\x9b\x72\x0b".to_vec()),
        ("SSH", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
        ("PROXY", b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n".to_vec()),
        ("telnet", b"\xff\xfd\x18\xff\xfd\x20".to_vec()),
        ("lines of JSON", format!("{ROOMS}\n").into_bytes()),
        ("little-endian length", [&little_endian[..], ROOMS.as_bytes()].concat()),
        ("4-byte length", [&long.to_be_bytes()[..], ROOMS.as_bytes()].concat()),
        ("4-byte little-endian length", [&long.to_le_bytes()[..], ROOMS.as_bytes()].concat()),
        ("a bad frame", frame(r#"{"type": "CSNope"}"#)),
        ("an array", frame("[]")),
    ]
}

/// A peer of another protocol is told about ours, and frames embedded in its stream are never carried out: neither
/// right after its first bytes, nor at the position where those bytes, read as a length, end a frame.
#[test]
fn p8_p9_a_peer_of_another_protocol_is_told_about_ours_and_closed() {
    let server = RunningServer::with(|config| config.web = None);
    let mut watcher = server.client();
    let create = frame(r#"{"type": "CSCreateRoom", "title": "smuggled"}"#).repeat(2_000);
    for (protocol, bytes) in foreign() {
        let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        let mut padded = bytes.clone();
        padded.resize((2 + length).max(bytes.len()), b'x');
        let embedded = [[&bytes[..], &create].concat(), [padded, create.clone()].concat()];
        for (stream, is_bare) in [(&bytes, true), (&embedded[0], false), (&embedded[1], false)] {
            let mut client = Client::connect(server.address());
            client.send_raw(stream);
            let text = client.receive().text;
            let helps = ["2-byte big-endian length", "one of CSName"];
            let helps = helps.iter().any(|help| text.contains(help));
            assert!(helps || !is_bare, "{protocol}: {text}");
            client.expect_end();
            assert_eq!(watcher.rooms(), [], "{protocol}");
        }
    }
}

#[test]
fn p10_frames_around_an_out_of_band_byte_are_read() {
    let server = start();
    let mut client = server.client();
    for _ in 0..200 {
        client.send_raw(&frame(LEAVE));
        client.send_urgent();
        client.send_raw(&frame(LEAVE));
        client.expect_code("not-in-room");
        client.expect_code("not-in-room");
    }
}
