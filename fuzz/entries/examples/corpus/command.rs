//! Payloads for the message parser.

use crate::Case;

pub(crate) fn cases() -> Vec<Case> {
    [valid(), shapes(), encoding(), keys(), room_ids(), values(), sizes()]
        .into_iter()
        .flatten()
        .collect()
}

fn texts<const N: usize>(cases: [(&'static str, &str); N]) -> Vec<Case> {
    cases.map(|(name, payload)| Case(name, payload.as_bytes().to_vec())).into()
}

fn valid() -> Vec<Case> {
    texts([
        ("valid-name", r#"{"type":"CSName","name":"김철수"}"#),
        ("valid-rooms", r#"{"type":"CSRooms"}"#),
        ("valid-create", r#"{"type":"CSCreateRoom","title":"games"}"#),
        ("valid-join", r#"{"type":"CSJoinRoom","roomId":3}"#),
        ("valid-leave", r#"{"type":"CSLeaveRoom"}"#),
        ("valid-chat", r#"{"type":"CSChat","text":"hello"}"#),
        ("valid-chat-of-python", r#"{"type": "CSChat", "text": "hello"}"#),
        ("valid-chat-escaped", r#"{"type": "CSChat", "text": "\uc548\ub155 \ud83d\ude00"}"#),
        ("valid-shutdown", r#"{"type":"CSShutdown"}"#),
        ("plain-chat-ends-escaped", r#"{"type":"CSChat","text":"a\"}"#),
        ("plain-chat-with-a-second-field", r#"{"type":"CSChat","text":"a","b":"c"}"#),
        ("plain-chat-with-a-line-break", "{\"type\":\"CSChat\",\"text\":\"a\nb\"}"),
        ("plain-chat-empty", r#"{"type":"CSChat","text":""}"#),
        ("plain-chat-no-end", r#"{"type":"CSChat","text":""#),
    ])
}

fn shapes() -> Vec<Case> {
    texts([
        ("j1-empty", ""),
        ("j1-blanks", " \t\r\n"),
        ("j1-null", "null"),
        ("j1-empty-object", "{}"),
        ("j1-number", "1"),
        ("j1-string", "\"CSRooms\""),
        ("j2-array", r#"["CSChat","hello"]"#),
        ("j9-second-object", r#"{"type":"CSRooms"}{"type":"CSRooms"}"#),
        ("j9-garbage-behind", r#"{"type":"CSRooms"}x"#),
        ("j9-bom", "\u{feff}{\"type\":\"CSRooms\"}"),
        ("j9-line-end-behind", "{\"type\":\"CSRooms\"}\r\n"),
        ("j9-truncated", r#"{"type":"CSRoo"#),
    ])
}

fn encoding() -> Vec<Case> {
    let mut cases = texts([
        ("j4-lone-surrogate", r#"{"type":"CSChat","text":"\ud800"}"#),
        ("j4-reversed-pair", r#"{"type":"CSChat","text":"\ude00\ud83d"}"#),
        ("j4-lone-surrogate-in-unknown-field", r#"{"type":"CSRooms","x":"\ud800"}"#),
    ]);
    let bytes: [(&str, &[u8]); 5] = [
        ("j3-invalid-in-value", b"{\"type\":\"CSChat\",\"text\":\"\xff\"}"),
        ("j3-invalid-in-unknown-field", b"{\"type\":\"CSRooms\",\"x\":\"\xff\"}"),
        ("j3-overlong", b"{\"type\":\"CSChat\",\"text\":\"\xc0\x80\"}"),
        ("j3-surrogate-bytes", b"{\"type\":\"CSChat\",\"text\":\"\xed\xa0\x80\"}"),
        ("j3-cut-in-a-character", b"{\"type\":\"CSChat\",\"text\":\"\xec\x95"),
    ];
    cases.extend(bytes.map(|(name, payload)| Case(name, payload.to_vec())));
    cases
}

fn keys() -> Vec<Case> {
    texts([
        ("j6-same-key-twice", r#"{"type":"CSChat","text":"a","text":"a"}"#),
        ("j6-escaped-key-twice", r#"{"type":"CSChat","text":"a","t\u0065xt":"b"}"#),
        ("j6-type-twice", r#"{"type":"CSRooms","type":"CSLeaveRoom"}"#),
        ("j6-unknown-key-twice", r#"{"type":"CSRooms","x":1,"x":2}"#),
        ("j8-unknown-type", r#"{"type":"CSNothing"}"#),
        ("j8-no-type", r#"{"text":"a"}"#),
        ("j8-type-is-a-number", r#"{"type":1}"#),
        ("j8-wrong-case", r#"{"type":"csrooms"}"#),
        ("j8-further-fields", r#"{"type":"CSRooms","x":{"y":[1,null,true,-1.5e3]}}"#),
        ("j8-field-missing", r#"{"type":"CSChat"}"#),
        ("j8-field-of-a-wrong-kind", r#"{"type":"CSChat","text":["a"]}"#),
        ("j11-keys-in-another-order", r#"{"text":"a","type":"CSChat"}"#),
        ("j11-escapes-in-keys", r#"{"\u0074ype":"CSRooms"}"#),
    ])
}

fn room_ids() -> Vec<Case> {
    texts([
        ("j7-float", r#"{"type":"CSJoinRoom","roomId":1.0}"#),
        ("j7-exponent", r#"{"type":"CSJoinRoom","roomId":1e0}"#),
        ("j7-negative", r#"{"type":"CSJoinRoom","roomId":-1}"#),
        ("j7-minus-0", r#"{"type":"CSJoinRoom","roomId":-0}"#),
        ("j7-0", r#"{"type":"CSJoinRoom","roomId":0}"#),
        ("j7-leading-0", r#"{"type":"CSJoinRoom","roomId":01}"#),
        ("j7-1e400", r#"{"type":"CSJoinRoom","roomId":1e400}"#),
        ("j7-null", r#"{"type":"CSJoinRoom","roomId":null}"#),
        ("j7-2-to-the-64", r#"{"type":"CSJoinRoom","roomId":18446744073709551616}"#),
        ("j7-2-to-the-64-less-1", r#"{"type":"CSJoinRoom","roomId":18446744073709551615}"#),
        ("j7-digits-in-a-string", r#"{"type":"CSJoinRoom","roomId":"3"}"#),
        ("j7-zeros-in-a-string", r#"{"type":"CSJoinRoom","roomId":"003"}"#),
        ("j7-plus-in-a-string", r#"{"type":"CSJoinRoom","roomId":"+3"}"#),
        ("j7-blank-in-a-string", r#"{"type":"CSJoinRoom","roomId":" 1"}"#),
        ("j7-empty-string", r#"{"type":"CSJoinRoom","roomId":""}"#),
    ])
}

fn values() -> Vec<Case> {
    texts([
        ("s4-empty-name", r#"{"type":"CSName","name":""}"#),
        ("s4-blank-name", r#"{"type":"CSName","name":" \u3000"}"#),
        ("s4-33-characters", &format!(r#"{{"type":"CSName","name":"{}"}}"#, "한".repeat(33))),
        ("s4-32-characters", &format!(r#"{{"type":"CSName","name":"{}"}}"#, "한".repeat(32))),
        ("s4-nul", r#"{"type":"CSName","name":"a\u0000"}"#),
        ("s4-c1", "{\"type\":\"CSName\",\"name\":\"a\u{9b}\"}"),
        ("s4-bidi", r#"{"type":"CSName","name":"a\u202eb"}"#),
        ("s4-zero-width", r#"{"type":"CSName","name":"\u200b"}"#),
        ("s4-line-separator-in-title", r#"{"type":"CSCreateRoom","title":"a\u2028b"}"#),
        ("s5-escape-sequence", r#"{"type":"CSChat","text":"\u001b[2J"}"#),
        ("s5-c1-raw", "{\"type\":\"CSChat\",\"text\":\"\u{9b}2J\"}"),
        ("s5-del-raw", "{\"type\":\"CSChat\",\"text\":\"\u{7f}\"}"),
        ("s5-carriage-return", r#"{"type":"CSChat","text":"a\rb"}"#),
        ("s5-tab-and-line-break", r#"{"type":"CSChat","text":"a\tb\nc"}"#),
        ("s5-bidi", r#"{"type":"CSChat","text":"a\u202eb"}"#),
    ])
}

fn sizes() -> Vec<Case> {
    let chat = |text: &str| format!(r#"{{"type":"CSChat","text":"{text}"}}"#).into_bytes();
    let nested = |open: &str, times: usize| {
        format!(r#"{{"type":"CSRooms","x":{}"#, open.repeat(times)).into_bytes()
    };
    let closed = |times: usize| {
        format!(r#"{{"type":"CSRooms","x":{}{}}}"#, "[".repeat(times), "]".repeat(times))
    };
    vec![
        Case("j5-depth-of-arrays", nested("[", 20_000)),
        Case("j5-depth-of-objects", nested("{\"a\":", 6_000)),
        Case("j5-depth-closed", closed(10_000).into_bytes()),
        Case("j10-escapes", chat(&"\\u0000".repeat(2_000))),
        Case("j10-quotes", chat(&"\\\"".repeat(32_000))),
        Case(
            "j10-digits",
            format!(r#"{{"type":"CSJoinRoom","roomId":{}}}"#, "9".repeat(9_000)).into(),
        ),
        Case("j10-long-key", format!(r#"{{"{}":1,"type":"CSRooms"}}"#, "k".repeat(9_000)).into()),
        Case("p11-text-that-just-fits", chat(&"x".repeat(65_535 - 30))),
        Case("p11-text-that-fits-no-name", chat(&"x".repeat(65_535 - 28))),
    ]
}
