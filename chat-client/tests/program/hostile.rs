//! A peer that attacks the terminal.

use crate::support::{Client, chat, system};

#[test]
fn s5_no_control_character_comes_through() {
    let (client, mut peer) = Client::piped("");
    // All C0 and C1 controls, DEL, separators and bidi controls, as JSON escapes.
    let controls: String = (0..=0x9f)
        .filter(|n| !(0x20..0x7f).contains(n) && *n != 0x0a)
        .chain([0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069])
        .map(|n| format!("\\u{n:04x}"))
        .collect();
    peer.send(&chat(&controls, &controls));
    peer.send(&system(&controls, "x"));
    peer.send(&format!(
        r#"{{"type":"SCRoomsResult","rooms":[{{"roomId":1,"title":"{controls}","members":["{controls}"]}}]}}"#
    ));
    peer.close_after(&[]);
    let output = client.exit().succeeded();
    assert_eq!(output.len(), 3);
    for line in output {
        assert!(line.contains(r"\u{1b}") && line.contains(r"\u{9b}"), "{line}");
        assert!(line.contains(r"\u{202e}") && line.contains(r"\u{2028}"), "{line}");
        assert!(line.is_ascii() && !line.contains(|c: char| c.is_control()), "{line}");
    }
}

/// Names in JSON, and as they are shown.
pub(crate) const IMPOSTORS: [(&str, &str); 9] = [
    (r"alice:\u00a0yes", r#""alice:\u{a0}yes""#),
    (r"alice\uff1a yes", "\"alice\u{ff1a} yes\""),
    (r"alice\u2236\u2009yes", "\"alice\u{2236}\\u{2009}yes\""),
    (r"alice:\u3000yes", r#""alice:\u{3000}yes""#),
    ("alice left. bob", r#""alice left. bob""#),
    (r"* alice left.\nbob", r#""* alice left.\u{a}bob""#),
    (r"\u202ealice\u2068", r#""\u{202e}alice\u{2068}""#),
    (r"\u0301\u2800", r#""\u{301}\u{2800}""#),
    ("chat-client", r#""chat-client""#),
];

#[test]
fn v1_no_name_passes_for_another_speaker_or_the_server() {
    let (client, mut peer) = Client::piped("");
    let mut expected = Vec::new();
    for (name, shown) in IMPOSTORS {
        peer.send(&chat(name, "hi"));
        peer.send(&format!(
            r#"{{"type":"SCSystemMessage","text":"{name} left.","code":"member-left","member":"{name}"}}"#
        ));
        expected.extend([format!("{shown}: hi"), format!("* {shown} left.")]);
    }
    peer.close_after(&[]);
    assert_eq!(client.exit().succeeded(), expected);
}

#[test]
fn types_and_fields_that_are_not_known_are_ignored() {
    let (client, mut peer) = Client::piped("");
    peer.send(r#"{"type":"SCNew","what":[1,{}],"text":"not shown"}"#);
    peer.send(r#"{"type":"SCNew","text":5,"rooms":"none"}"#);
    peer.send(r#"{"type":"SCChat","new":{"a":[null]},"member":"bob","text":"shown"}"#);
    peer.close_after(&[]);
    assert_eq!(client.exit().succeeded(), ["bob: shown"]);
}
