//! The rules about what a client may send.

use super::*;
use crate::frame::{HEADER_LEN, MAX_PAYLOAD};
use crate::values::ValueError;
use proptest::prelude::*;

fn parse(payload: &str) -> Result<Command, Rejection> {
    Command::parse(payload.as_bytes())
}

fn rename(name: &str) -> Command {
    Command::Rename(Name::new(name).expect("a name"))
}

fn chat(text: &str) -> Command {
    Command::Chat(Text::new(text).expect("a text"))
}

fn join(number: u64) -> Command {
    Command::Join(RoomId::new(number).expect("above 0"))
}

#[track_caller]
fn assert_bad_request(payload: &str) {
    let rejection = parse(payload).expect_err(payload);
    assert_eq!((rejection.code(), rejection.is_bad()), ("bad-request", true), "{payload}");
}

/// Python's `json.dumps` writes a space after `:` and `,`, and everything above ASCII as `\uXXXX`, in
/// surrogate pairs where UTF-16 needs them.
#[test]
fn the_exact_bytes_of_the_original_client() {
    let title = Title::new("스터디 방").expect("a title");
    for (payload, command) in [
        (r#"{"type": "CSName", "name": "\uc548 \ub155"}"#, rename("안 녕")),
        (r#"{"type": "CSRooms"}"#, Command::Rooms),
        (
            r#"{"type": "CSCreateRoom", "title": "\uc2a4\ud130\ub514 \ubc29"}"#,
            Command::Create(title),
        ),
        (r#"{"type": "CSJoinRoom", "roomId": 3}"#, join(3)),
        (r#"{"type": "CSLeaveRoom"}"#, Command::Leave),
        (
            r#"{"type": "CSChat", "text": "\ud83d\ude00 \"q\" \\ \n\t/ \u2028"}"#,
            chat("😀 \"q\" \\ \n\t/ \u{2028}"),
        ),
        (r#"{"type": "CSShutdown"}"#, Command::Shutdown),
    ] {
        assert_eq!(parse(payload), Ok(command), "{payload}");
    }
}

#[test]
fn j11_keys_come_in_any_order_escaped_and_among_unknown_ones() {
    for payload in [
        r#"{"text":"hi","type":"CSChat"}"#,
        r#"{"\u0074ype":"CSChat","te\u0078t":"hi"}"#,
        r#"{"new":[{"type":1}],"type":"CSChat","text":"hi","more":{"text":[]}}"#,
        r#"{"type":"CSChat","text":"hi","name":7,"roomId":"x","title":null}"#,
        " \t\r\n{\"type\":\"CSChat\",\"text\":\"hi\"} \r\n",
    ] {
        assert_eq!(parse(payload), Ok(chat("hi")), "{payload}");
    }
}

#[test]
fn j7_a_room_id_is_an_integer_or_a_string_of_digits() {
    for id in ["3", r#""3""#, r#""003""#] {
        assert_eq!(parse(&format!(r#"{{"type":"CSJoinRoom","roomId":{id}}}"#)), Ok(join(3)));
    }
    for id in [
        "0",
        r#""0""#,
        "1.0",
        "1e0",
        "-1",
        "-0",
        "null",
        "true",
        "18446744073709551616",
        r#""18446744073709551616""#,
        r#""x""#,
        r#"" 1""#,
        r#""+1""#,
        r#""""#,
        "[1]",
        "{}",
    ] {
        let payload = format!(r#"{{"type":"CSJoinRoom","roomId":{id}}}"#);
        assert_eq!(parse(&payload), Err(Rejection::WrongKind(Field::RoomId)), "{id}");
    }
    // Not JSON at all.
    assert_bad_request(r#"{"type":"CSJoinRoom","roomId":01}"#);
    assert_bad_request(r#"{"type":"CSJoinRoom","roomId":1e400}"#);
}

#[test]
fn j1_j2_anything_but_an_object_with_a_type_is_bad() {
    for payload in [
        "  ",
        "null",
        "{}",
        "[]",
        "\"x\"",
        "1",
        "true",
        r#"["CSRooms"]"#,
        r#"{"type":1}"#,
        r#"{"type":null}"#,
        r#"{"type":["CSRooms"]}"#,
        r#"["CSChat",null,null,null,"a"]"#,
    ] {
        assert_bad_request(payload);
    }
    assert_eq!(parse("").expect_err("empty").code(), "empty-frame");
}

#[test]
fn j8_unknown_types_are_told_apart() {
    for kind in ["CSDance", "csrooms", "", "SCChat", "CSRooms "] {
        assert_eq!(parse(&format!(r#"{{"type":"{kind}"}}"#)), Err(Rejection::UnknownType));
    }
}

#[test]
fn j8_missing_fields_and_wrong_kinds_name_the_field() {
    for (kind, key, field) in [
        ("CSName", "name", Field::Name),
        ("CSCreateRoom", "title", Field::Title),
        ("CSJoinRoom", "roomId", Field::RoomId),
        ("CSChat", "text", Field::Text),
    ] {
        let missing = parse(&format!(r#"{{"type":"{kind}"}}"#)).expect_err("missing");
        assert_eq!(missing, Rejection::Missing(field));
        assert!(missing.to_string().contains(key), "{missing}");
        for value in ["null", "[]", "{}", "true", "-1"] {
            let wrong = parse(&format!(r#"{{"type":"{kind}","{key}":{value}}}"#));
            assert_eq!(wrong, Err(Rejection::WrongKind(field)), "{value}");
        }
    }
}

#[test]
fn j6_a_key_that_comes_twice_is_bad() {
    for payload in [
        r#"{"type":"CSRooms","type":"CSRooms"}"#,
        r#"{"type":"CSRooms","type":"CSLeaveRoom"}"#,
        r#"{"type":"CSRooms","\u0074ype":"CSRooms"}"#,
        r#"{"type":"CSChat","text":"a","text":"b"}"#,
        r#"{"type":"CSRooms","text":"a","text":"b"}"#,
    ] {
        assert_bad_request(payload);
    }
}

#[test]
fn j3_bytes_that_are_not_utf_8_are_bad_anywhere() {
    for bytes in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x82"] {
        for (before, after) in [
            (&br#"{"type":"CSChat","text":""#[..], &br#""}"#[..]),
            (br#"{"type":"CSRooms","other":""#, br#""}"#),
            (br#"{"type":"CSRooms",""#, br#"":1}"#),
            (br#"{"type":"CSRooms"}"#, b""),
        ] {
            let payload = [before, bytes, after].concat();
            assert_eq!(Command::parse(&payload), Err(Rejection::InvalidUtf8), "{payload:?}");
        }
    }
}

#[test]
fn j4_lone_surrogates_in_a_field_are_bad() {
    for text in [r"\ud800", r"\udc00\ud800", r"\ud800x", r"\ud83d\ud83d"] {
        assert_bad_request(&format!(r#"{{"type":"CSChat","text":"{text}"}}"#));
    }
}

#[test]
fn j9_anything_but_space_after_the_object_is_bad() {
    for after in ["x", "{}", ",", "\0", "\u{feff}"] {
        assert_bad_request(&format!(r#"{{"type":"CSRooms"}}{after}"#));
    }
    assert_bad_request("\u{feff}{\"type\":\"CSRooms\"}");
    assert_eq!(parse("{\"type\":\"CSRooms\"}\r\n"), Ok(Command::Rooms));
}

#[test]
fn j5_depth_costs_no_stack() {
    let deep = "[".repeat(32_000);
    assert_bad_request(&format!(r#"{{"type":"CSRooms","other":{deep}"#));
    assert_bad_request(&format!(r#"{{"type":"CSRooms","text":{deep}"#));
    assert_bad_request(&r#"{"a":"#.repeat(10_000));
    let closed = format!(r#"{{"type":"CSRooms","a":{deep}{}}}"#, "]".repeat(32_000));
    assert_eq!(parse(&closed), Ok(Command::Rooms));
}

#[test]
fn a_value_that_breaks_a_rule_does_not_make_the_payload_bad() {
    for (payload, code) in [
        (r#"{"type":"CSName","name":""}"#, "bad-name"),
        (r#"{"type":"CSName","name":"a\u0000b"}"#, "bad-name"),
        (r#"{"type":"CSName","name":"a\u202eb"}"#, "bad-name"),
        (r#"{"type":"CSCreateRoom","title":""}"#, "bad-title"),
        (r#"{"type":"CSCreateRoom","title":"a\nb"}"#, "bad-title"),
        (r#"{"type":"CSChat","text":""}"#, "bad-text"),
        (r#"{"type":"CSChat","text":"\u001b[2J"}"#, "bad-text"),
    ] {
        let rejection = parse(payload).expect_err(payload);
        assert_eq!((rejection.code(), rejection.is_bad()), (code, false), "{payload}");
    }
}

#[test]
fn p2_the_largest_frame_is_read() {
    let head = r#"{"type":"CSChat","text":""#;
    let text = "x".repeat(MAX_PAYLOAD - head.len() - 2);
    assert_eq!(parse(&format!(r#"{head}{text}"}}"#)), Ok(chat(&text)));
    assert_bad_request(&" ".repeat(MAX_PAYLOAD));
    let escapes = r"\u0000".repeat(10_000);
    assert_eq!(
        parse(&format!(r#"{head}{escapes}"}}"#)),
        Err(Rejection::BadText(ValueError::Forbidden('\0')))
    );
    let digits = "9".repeat(60_000);
    assert_eq!(parse(&format!(r#"{{"type":"CSRooms","other":{digits}}}"#)), Ok(Command::Rooms));
    assert!(parse(&format!(r#"{{"type":"CSJoinRoom","roomId":{digits}}}"#)).is_err());
    let key = "k".repeat(60_000);
    assert_eq!(parse(&format!(r#"{{"{key}":1,"type":"CSRooms"}}"#)), Ok(Command::Rooms));
}

/// A rejection is sent back to the peer: it must not carry the peer's own words.
#[test]
fn a_rejection_echoes_nothing() {
    for payload in [
        r#"{"type":"CSChat","text":"ESCAPEME","text":"b"}"#,
        r#"{"type":"ESCAPEME"}"#,
        r#"{"type":{"ESCAPEME":1}}"#,
        r#"{"ESCAPEME":ESCAPEME}"#,
        r#"{"type":"CSJoinRoom","roomId":"ESCAPEME"}"#,
        "ESCAPEME",
    ] {
        let text = parse(payload).expect_err(payload).to_string();
        assert!(!text.contains("ESCAPEME"), "{text}");
    }
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        "[a-z0-9가-힣]{1,31}".prop_map(|name| rename(&name)),
        Just(Command::Rooms),
        "[a-z가-힣 \"\\\\]{0,90}x".prop_map(|t| Command::Create(Title::new(&t).expect("a title"))),
        (1u64..).prop_map(join),
        Just(Command::Leave),
        "(\\PC|[\n\t\"\\\\]){0,100}x".prop_map(|text| chat(&text)),
        Just(Command::Shutdown),
    ]
}

proptest! {
    /// The shortcut around serde finds what serde finds, or leaves the payload to serde.
    #[test]
    fn a_plain_chat_is_what_the_general_parser_makes_of_it(
        space in "[ ]?",
        text in "[a-z가-힣😀²\u{7f}\u{9b}\n\"\\\\,:{}]{0,20}",
    ) {
        let payload = format!("{{\"type\":{space}\"CSChat\",{space}\"text\":{space}\"{text}\"}}");
        // One more space disables the shortcut.
        let general = parse(&format!(" {payload}"));
        match general {
            // The column in the text differs.
            Err(Rejection::NotJson { .. }) => {
                let ours = parse(&payload).map_err(|rejection| rejection.code());
                prop_assert_eq!(ours, Err("bad-request"));
            }
            general => prop_assert_eq!(parse(&payload), general),
        }
    }

    #[test]
    fn what_a_client_writes_is_what_the_server_reads(command in command()) {
        let mut frame = Vec::new();
        command.write(&mut frame).expect("short enough");
        prop_assert_eq!(Command::parse(&frame[HEADER_LEN..]), Ok(command));
    }

    #[test]
    fn no_payload_makes_it_panic(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Command::parse(&payload);
    }

    #[test]
    fn no_near_json_makes_it_panic(payload in "[{}\\[\\]\":,a-z0-9\\\\ue.+-]{0,80}") {
        let _ = parse(&payload);
    }
}
