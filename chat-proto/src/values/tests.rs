//! The rules of each value, and the conversions that all of them share.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::command::Command;

#[test]
fn a_title_has_1_to_100_characters() {
    assert_eq!(Title::new(""), Err(ValueError::Empty));
    assert!(Title::new(&"글".repeat(100)).is_ok());
    assert_eq!(Title::new(&"글".repeat(101)), Err(ValueError::TooLong { max: 100 }));
}

#[test]
fn s4_names_and_titles_hold_no_control_separator_or_direction_character() {
    for c in [
        '\0', '\n', '\t', '\r', '\x1b', '\x7f', '\u{80}', '\u{9b}', '\u{9f}', '\u{2028}',
        '\u{2029}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}',
    ] {
        let label = format!("a{c}b");
        assert_eq!(Name::new(&label), Err(ValueError::Forbidden(c)));
        assert_eq!(Title::new(&label), Err(ValueError::Forbidden(c)));
        assert_eq!(OperatorText::new(&label), Err(ValueError::Forbidden(c)));
    }
}

#[test]
fn s4_blank_names_and_titles_are_refused() {
    for blank in [" ", "   ", "\u{3000}", "\u{a0}\u{2003}"] {
        assert_eq!(Name::new(blank), Err(ValueError::Blank));
        assert_eq!(Title::new(blank), Err(ValueError::Blank));
        assert_eq!(OperatorText::new(blank), Err(ValueError::Blank));
    }
}

#[test]
fn v4_titles_without_ink_are_refused() {
    for blank in ["\u{301}", " \u{301}\u{302}", "\u{5b0}", "\u{488}"] {
        assert_eq!(Title::new(blank), Err(ValueError::Blank), "{blank:?}");
    }
    for c in
        "\u{2800}\u{3164}\u{115f}\u{ffa0}\u{fe0f}\u{200d}\u{e0041}\u{ad}\u{200e}\u{378}\u{e000}"
            .chars()
    {
        assert_eq!(Title::new(&c.to_string()), Err(ValueError::Forbidden(c)), "{c:?}");
    }
    let zalgo = "x".to_owned() + &"\u{301}".repeat(5);
    assert_eq!(Title::new(&zalgo), Err(ValueError::TooManyMarks { max: 4 }));
}

#[test]
fn v2_no_two_titles_differ_by_what_nobody_sees() {
    for c in ["\u{200b}", "\u{feff}", "\u{2060}", "\u{180e}", "\u{fe0f}", "\u{200d}", "\u{e0061}"] {
        assert!(Title::new(&format!("te{c}a")).is_err(), "{c:?}");
    }
    // A joiner is visible where it joins.
    for title in [
        "방 \"2\": 게임 (3)",
        "차 🍵 👨\u{200d}👩\u{200d}👧 ❤\u{fe0f} 1\u{fe0f}\u{20e3}",
        "علی\u{200c}رضا",
        "क्\u{200d}ष",
        "cafe\u{301}",
        "a\u{3000}b",
        ":",
        "…",
    ] {
        assert_eq!(Title::new(title).map(|title| title.to_string()).as_deref(), Ok(title));
    }
}

#[test]
fn s5_a_text_holds_newline_and_tab_and_no_other_control() {
    assert_eq!(Text::new(""), Err(ValueError::Empty));
    assert!(Text::new("두 줄\n\t들여 쓴 줄, ² and ½ and \u{202e}").is_ok());
    for c in ['\0', '\r', '\x07', '\x1b', '\x7f', '\u{80}', '\u{9b}', '\u{9f}'] {
        assert_eq!(Text::new(&format!("a{c}")), Err(ValueError::Forbidden(c)));
    }
}

#[test]
fn o17_a_carriage_return_before_a_newline_is_part_of_it() {
    for (said, text) in [("one\r\ntwo", "one\ntwo"), ("\r\n", "\n"), ("a\r\n\r\nb\r\n", "a\n\nb\n")]
    {
        let text = Text::new(text);
        assert!(text.is_ok(), "{said:?}");
        assert_eq!(Text::new(said), text);
        assert_eq!(Text::try_from(said.to_owned()), text);
        let chat = serde_json::json!({"type": "CSChat", "text": said}).to_string();
        assert_eq!(Command::parse(chat.as_bytes()).ok(), text.ok().map(Command::Chat));
    }
    for said in ["one\rtwo", "one\n\rtwo", "one\r", "one\r\r\ntwo"] {
        assert_eq!(Text::new(said), Err(ValueError::Forbidden('\r')), "{said:?}");
    }
}

#[test]
fn a_room_id_is_any_integer_above_0_that_fits_64_bits() {
    assert_eq!(RoomId::try_from(1), Ok(RoomId::FIRST));
    assert_eq!(RoomId::new(0), Err(ValueError::NotARoomId));
    for digits in ["1", "007", "18446744073709551615"] {
        let room: RoomId = digits.parse().expect(digits);
        assert_eq!(u64::from(room).to_string(), digits.trim_start_matches('0'));
    }
    for other in ["", "0", "+1", "-1", " 1", "1.0", "x", "18446744073709551616"] {
        assert_eq!(other.parse::<RoomId>(), Err(ValueError::NotARoomId), "{other:?}");
    }
}

#[test]
fn an_error_never_shows_the_character() {
    let error = Name::new("\u{1b}[2J").expect_err("an escape is a control");
    assert_eq!(error.to_string(), "may not hold the control character U+001B");
}

#[test]
fn a_map_keyed_by_a_value_is_searched_by_str() {
    let names = HashMap::from([(Name::new("김").expect("a name"), 1)]);
    let texts = HashMap::from([(Text::new("a\n").expect("a text"), 2)]);
    assert_eq!((names.get("김"), texts.get("a\n")), (Some(&1), Some(&2)));
}

#[test]
fn display_pads() {
    let title = Title::new("tea").expect("a title");
    assert_eq!(
        format!("{title:>5}|{title:<4}|{title:.1}|{:03}", RoomId::FIRST),
        "  tea|tea |t|001"
    );
}

proptest! {
    #[test]
    fn escaped_len_is_what_serde_json_writes(text in "(\\PC|[\n\t\"\\\\²]){1,80}") {
        if let Ok(text) = Text::try_from(text) {
            let json = serde_json::to_string(&text).expect("a string is JSON");
            prop_assert_eq!(text.escaped_len() + 2, json.len());
        }
    }

    #[test]
    fn a_text_is_accepted_exactly_when_it_holds_no_other_control(text in any::<String>()) {
        let lines = text.replace("\r\n", "\n");
        let bad = lines.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
        prop_assert_eq!(Text::new(&text).is_ok(), !bad && !text.is_empty());
        prop_assert_eq!(text.parse(), Text::new(&text));
        prop_assert_eq!(Text::try_from(text.as_str()), Text::try_from(text));
    }
}
