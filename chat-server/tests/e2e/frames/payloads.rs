//! Payloads that are not commands: each is answered, and has no other effect.

use crate::support::{RunningServer, frame, start};

/// A server whose budget for bad frames is never used up.
fn patient() -> RunningServer {
    RunningServer::with(|config| config.limits.bad_frames.burst = 100_000)
}

/// No bad payload is echoed, and nobody else hears of it. The transcripts in `docs/PROTOCOL.md` and the unit tests of
/// the parser cover each case in many more spellings.
#[test]
fn j1_j2_j3_j4_j6_j7_j8_j9_a_bad_payload_is_answered_by_its_code_and_not_echoed() {
    let server = patient();
    let ([mut member, mut client], _) = server.members();
    for (code, payload) in [
        ("bad-request", &b"Zq"[..]),
        ("bad-request", b"[{\"type\":\"CSRooms\"}]"),
        ("bad-request", br#"["CSChat",null,null,null,"Zq"]"#),
        ("bad-request", br#""{\"type\":\"CSRooms\"}""#),
        ("invalid-utf8", b"{\"type\":\"CSChat\",\"text\":\"Zq\xff\"}"),
        ("invalid-utf8", b"{\"type\":\"CSRooms\",\"Zq\":\"\xf4\x90\x80\x80\"}"),
        ("bad-request", br#"{"type":"CSChat","text":"\ud83dZq"}"#),
        ("bad-request", b"{\"type\":\"CSChat\",\"text\":\"Zq\n\"}"),
        ("bad-request", br#"{"type":"CSChat","text":"Zq","t\u0065xt":"Zq"}"#),
        ("bad-request", br#"{"type":"CSJoinRoom","roomId":"Zq"}"#),
        ("bad-request", br#"{"type":"CSJoinRoom","roomId":"\uff11"}"#),
        ("bad-request", br#"{"type":["Zq"]}"#),
        ("unknown-type", br#"{"type":"Zq\u001b[2J"}"#),
        ("unknown-type", br#"{"type":"SCChat","member":"Zq","text":"Zq"}"#),
        ("bad-request", br#"{"type":"CSLeaveRoom"}{"type":"CSLeaveRoom"}"#),
        ("bad-request", br#"{"type":"CSLeaveRoom"} // Zq"#),
        ("bad-request", "\u{a0}{\"type\":\"CSLeaveRoom\"}".as_bytes()),
    ] {
        client.send(payload);
        let text = client.expect_code(code).text;
        assert!(!text.contains("Zq"), "nothing of it is echoed: {text}");
        assert!(text.len() < 300 && !text.contains(char::is_control), "{text}");
    }
    client.expect_nothing();
    member.expect_nothing();
}

#[test]
fn j5_j10_neither_depth_nor_size_does_harm() {
    let server = patient();
    let ([mut a, mut b], _) = server.members();
    let digits = "7".repeat(60_000);
    for payload in [
        "[".repeat(65_535),
        r#"{"type":"#.to_owned() + &"[".repeat(60_000),
        r#"{"x":"#.to_owned() + &"[".repeat(60_000),
        r#"{"a":"#.repeat(13_000),
        format!(r#"{{"type":"CSChat","text":{}}}"#, "[".repeat(30_000) + &"]".repeat(30_000)),
        format!(r#"{{"type":"CSJoinRoom","roomId":{digits}}}"#),
        format!(r#"{{"type":"CSJoinRoom","roomId":"{digits}"}}"#),
        format!(r#"{{"type":"CSJoinRoom","roomId":1e{digits}}}"#),
        format!(r#"{{"{digits}":1}}"#),
    ] {
        a.send(&payload);
        a.expect_code("bad-request");
    }
    a.send(format!(r#"{{"type":"CSChat","text":"{}"}}"#, r"\u0000".repeat(10_000)));
    a.expect_code("bad-text");
    a.send(format!(r#"{{"type":"CSName","name":"{}"}}"#, r#"\""#.repeat(30_000)));
    a.expect_code("bad-name");
    a.send(format!(r#"{{"type":"CSChat","{digits}":0,"text":"still there"}}"#));
    b.expect_chat("user1", "still there");
    a.expect_nothing();
}

#[test]
fn a_bad_payload_between_two_commands_is_answered_in_its_place() {
    let server = start();
    let [mut client] = server.clients();
    let stream = [
        frame(r#"{"type":"CSCreateRoom","title":"x"}"#),
        frame(b"\xff"),
        frame(r#"{"type":"CSRooms"}"#),
        frame("[]"),
        frame(r#"{"type":"CSName","name":"\u0000"}"#),
        frame(r#"{"type":"CSLeaveRoom"}"#),
        frame(""),
        frame(r#"{"type":"CSNope"}"#),
    ];
    client.send_raw(&stream.concat());
    client.expect_code("room-created");
    client.expect_code("invalid-utf8");
    assert_eq!(client.expect_rooms().len(), 1);
    for code in ["bad-request", "bad-name", "room-left", "empty-frame", "unknown-type"] {
        client.expect_code(code);
    }
}
