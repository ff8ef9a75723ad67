//! Payloads that are no commands: their answers, and that nothing else happens.

use crate::support::{RunningServer, frame, start};

/// A server with a budget of bad frames that no test uses up.
fn patient() -> RunningServer {
    RunningServer::with(|config| config.limits.bad_frames.burst = 100_000)
}

/// Each payload is answered with this code, echoes nothing and tells nobody else.
fn check(code: &str, payloads: &[impl AsRef<[u8]>]) {
    let server = patient();
    let ([mut member, mut client], _) = server.members();
    for payload in payloads {
        client.send(payload);
        let text = client.expect_code(code).text;
        assert!(!text.contains("Zq"), "nothing of it is echoed: {text}");
        assert!(text.len() < 300 && !text.contains(char::is_control), "{text}");
    }
    client.expect_nothing();
    member.expect_nothing();
}

#[test]
fn j1_j2_anything_but_an_object_is_a_bad_request() {
    check(
        "bad-request",
        &[
            " ",
            "null",
            "{}",
            "[]",
            "\"x\"",
            "1",
            "true",
            "Zq",
            "{",
            "}",
            "{\"type\"",
            "'",
            r#"["CSRooms"]"#,
            r#"["CSChat",null,null,null,"Zq"]"#,
            r#"[{"type":"CSRooms"}]"#,
            r#""{\"type\":\"CSRooms\"}""#,
        ],
    );
}

#[test]
fn j9_only_space_may_surround_the_object() {
    check(
        "bad-request",
        &[
            r#"{"type":"CSLeaveRoom"}x"#,
            r#"{"type":"CSLeaveRoom"}{"type":"CSLeaveRoom"}"#,
            r#"{"type":"CSLeaveRoom"},"#,
            "\u{feff}{\"type\":\"CSLeaveRoom\"}",
            "{\"type\":\"CSLeaveRoom\"}\0",
            "\u{a0}{\"type\":\"CSLeaveRoom\"}",
            "\x0c{\"type\":\"CSLeaveRoom\"}",
            r#"{"type":"CSLeaveRoom",}"#,
            r#"{type:"CSLeaveRoom"}"#,
            r#"{'type':'CSLeaveRoom'}"#,
            r#"{"type":"CSLeaveRoom"} // Zq"#,
        ],
    );
    let server = start();
    let [mut client] = server.clients();
    client.send(" \t\r\n{\"type\" :\r\n\"CSLeaveRoom\"}\r\n");
    client.expect_code("not-in-room");
}

#[test]
fn j3_bytes_that_are_not_utf8_anywhere_are_invalid_utf8() {
    check(
        "invalid-utf8",
        &[
            &b"\xff"[..],
            b"{\"type\":\"CSChat\",\"text\":\"a\xff\"}",
            b"{\"type\":\"CSRooms\",\"\xc3\x28\":1}",
            b"{\"type\":\"CSRooms\",\"x\":\"\xc0\x80\"}",
            b"{\"type\":\"CSRooms\",\"x\":\"\xed\xa0\x80\"}",
            b"{\"type\":\"CSRooms\",\"x\":\"\xf4\x90\x80\x80\"}",
            b"{\"type\":\"CSRooms\"}\xe2\x82",
        ],
    );
}

#[test]
fn j4_a_lone_surrogate_is_a_bad_request() {
    check(
        "bad-request",
        &[
            r#"{"type":"CSChat","text":"\ud800"}"#,
            r#"{"type":"CSChat","text":"\udc00\ud800"}"#,
            r#"{"type":"CSChat","text":"\ud83dx"}"#,
            r#"{"type":"CSChat","text":"\ud83d\n"}"#,
            r#"{"type":"CS\ud800"}"#,
            r#"{"type":"CSChat","text":"\x41"}"#,
            r#"{"type":"CSChat","text":"\u12"}"#,
            "{\"type\":\"CSChat\",\"text\":\"a\nb\"}",
        ],
    );
}

#[test]
fn j8_an_unknown_type_is_answered_as_such() {
    check(
        "unknown-type",
        &[
            r#"{"type":""}"#,
            r#"{"type":"csrooms"}"#,
            r#"{"type":"CSRooms "}"#,
            r#"{"type":"SCChat","member":"Zq","text":"Zq"}"#,
            r#"{"type":"Zq\u001b[2J"}"#,
        ],
    );
}

#[test]
fn j8_a_field_missing_or_of_the_wrong_type_is_named() {
    let server = patient();
    let [mut client] = server.clients();
    for (payload, field) in [
        (r#"{}"#, "type"),
        (r#"{"Type":"CSRooms"}"#, "type"),
        (r#"{"type":1}"#, "type"),
        (r#"{"type":null}"#, "type"),
        (r#"{"type":["CSRooms"]}"#, "type"),
        (r#"{"type":"CSName"}"#, "name"),
        (r#"{"type":"CSName","name":1}"#, "name"),
        (r#"{"type":"CSName","name":null}"#, "name"),
        (r#"{"type":"CSCreateRoom","name":"x"}"#, "title"),
        (r#"{"type":"CSCreateRoom","title":[]}"#, "title"),
        (r#"{"type":"CSJoinRoom"}"#, "roomId"),
        (r#"{"type":"CSJoinRoom","roomid":1}"#, "roomId"),
        (r#"{"type":"CSChat"}"#, "text"),
        (r#"{"type":"CSChat","text":{"a":"b"}}"#, "text"),
        (r#"{"type":"CSChat","text":12}"#, "text"),
    ] {
        client.send(payload);
        let text = client.expect_code("bad-request").text;
        assert!(text.contains(&format!("\"{field}\"")), "{payload}: {text}");
    }
    assert_eq!(client.rooms(), []);
}

#[test]
fn j6_a_duplicate_key_is_a_bad_request() {
    check(
        "bad-request",
        &[
            r#"{"type":"CSChat","type":"CSChat","text":"Zq"}"#,
            r#"{"type":"CSChat","type":"CSLeaveRoom","text":"Zq"}"#,
            r#"{"type":"CSChat","text":"Zq","text":"Zq"}"#,
            r#"{"type":"CSChat","text":"Zq","t\u0065xt":"Zq"}"#,
        ],
    );
}

#[test]
fn j11_keys_come_in_any_order_escaped_and_beside_unknown_ones() {
    let server = start();
    let ([mut a, mut b], _) = server.members();
    for payload in [
        r#"{"type":"CSChat","text":"hello"}"#,
        r#"{"text":"hello","type":"CSChat"}"#,
        r#"{"\u0074ype":"CSCh\u0061t","te\u0078t":"h\u0065llo"}"#,
        r#"{"x":{"type":"CSShutdown","text":["no"]},"text":"hello","type":"CSChat","y":null}"#,
        r#"{"type":"CSChat","text":"hello","name":1,"title":{},"roomId":1.5}"#,
    ] {
        a.send(payload);
        b.expect_chat("user1", "hello");
    }
    a.expect_nothing();
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
