//! A peer that means harm to the terminal.

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

#[test]
fn types_and_fields_that_are_not_known_are_ignored() {
    let (client, mut peer) = Client::piped("");
    peer.send(r#"{"type":"SCNew","what":[1,{}],"text":"not shown"}"#);
    peer.send(r#"{"type":"SCNew","text":5,"rooms":"none"}"#);
    peer.send(r#"{"type":"SCChat","new":{"a":[null]},"member":"bob","text":"shown"}"#);
    peer.close_after(&[]);
    assert_eq!(client.exit().succeeded(), ["bob: shown"]);
}
