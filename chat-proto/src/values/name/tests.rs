//! The rules about names, for every character.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use unicode_security::skeleton;

use super::*;
use crate::values::Kind;
use crate::values::characters::tests::characters;

fn refused(name: &str) -> ValueError {
    Name::new(name).expect_err(name)
}

#[test]
fn a_name_has_1_to_32_characters_of_any_width() {
    assert_eq!(Name::new(""), Err(ValueError::Empty));
    for name in ["김", &"한".repeat(32), "Guido van Rossum", &"😀".repeat(32)] {
        assert!(Name::new(name).is_ok(), "{name}");
    }
    assert_eq!(Name::new(&"한".repeat(33)), Err(ValueError::TooLong { max: 32 }));
}

/// Separated by commas.
const TYPED: [&str; 6] = [
    "ㅇㅇ, ㅋㅋ, 김ㅎㅎ, ㄱ, ㅏ, ㅋㅋ^^, 김철수123, 철수~, ^^, -_-, ㅠ_ㅠ, 아이유님, ★철수★, 홍길동 Jr, 각\u{1100}\u{1161}",
    "❤\u{fe0f}, ❤, 1\u{fe0f}\u{20e3}, #\u{fe0f}\u{20e3}, 👨\u{200d}👩\u{200d}👧\u{200d}👦, 🇰🇷, 👋🏽, 🏳\u{fe0f}\u{200d}🌈, ☕, 🤔, 🫠, 김😀, ♥, ☆, \
     🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "J.R.R.Tolkien, O'Brien, O’Brien, kim_cs, jean-luc, C++, R&D, Tom & Jerry, no#1, xX_foo_Xx, \u{ff21}lice, ①, x²",
    "Νίκος, ΝΊΚΟΣ, straße, Дмитрий, İstanbul, Łukasz, Nguyễn Thị, ʻOkina, cafe\u{301}",
    "山田太郎, ジョン・スミス, スーパーマン, ひらがな漢字Latin, ㄅㄆㄇ字, 々, 〇, 丿, ノ",
    "علی\u{200c}رضا, محمد, ٣, דוד, שָׁלוֹם, नमस्ते, क्\u{200d}ष, สมชาย, ทำ, தமிழ், ᏣᎳᎩ, ᐃᓄᒃᑎᑐᑦ",
];

#[test]
fn v3_people_get_the_names_that_they_type() {
    for name in TYPED.iter().flat_map(|names| names.split(", ")) {
        assert_eq!(Name::new(name).map(|name| name.to_string()).as_deref(), Ok(name));
    }
}

#[test]
fn spaces_between_words_become_one_and_others_go() {
    for name in [" a b", "a  b ", "a\u{3000}b", "\u{a0}a\u{2009}\u{205f}b\u{1680}"] {
        assert_eq!(Name::new(name).as_ref().map(Name::as_str), Ok("a b"), "{name:?}");
    }
    for blank in [" ", "   ", "\u{3000}", "\u{a0}\u{2003}"] {
        assert_eq!(refused(blank), ValueError::Blank);
    }
    for c in ['\t', '\n', '\r', '\u{b}', '\u{85}', '\u{2028}', '\u{2029}'] {
        assert_eq!(refused(&format!("a{c}b")), ValueError::Forbidden(c));
    }
}

#[test]
fn v1_no_name_holds_what_makes_a_line_somebody_elses() {
    for (name, bad) in [
        ("alice:\u{a0}yes", ':'),
        ("alice： yes", '：'),
        ("alice∶ yes", '∶'),
        ("alice꞉ yes", '꞉'),
        ("aliceː yes", 'ː'),
        ("alice˸ yes", '˸'),
        ("alice׃ yes", '׃'),
        ("दुः", 'ः'),
        ("alice] yes", ']'),
        ("[alice", '['),
        ("<alice>", '<'),
        ("alice】", '】'),
        ("\"alice\"", '"'),
        ("“alice”", '“'),
        ("❝alice❞", '❝'),
        ("* alice", '*'),
        ("alice|", '|'),
        ("alice│", '│'),
        ("alice\\", '\\'),
        ("alice → bob", '→'),
        ("alice, bob", ','),
        ("alice! bob", '!'),
        ("alice。bob", '。'),
        ("⒜", '⒜'),
        ("…", '…'),
        ("‼️", '‼'),
    ] {
        assert_eq!(refused(name), ValueError::Forbidden(bad), "{name}");
    }
    for (name, bad) in [
        ("alice left. bob", '.'),
        ("alice left.", '.'),
        (".alice", '.'),
        ("'alice'", '\''),
        ("a..b", '.'),
        ("- alice", '-'),
        ("~", '~'),
        ("&", '&'),
        ("a &", '&'),
        ("😀.😀", '.'),
    ] {
        assert_eq!(refused(name), ValueError::Misplaced(bad), "{name}");
    }
}

#[test]
fn v2_a_name_is_of_one_script_or_of_those_that_belong_together() {
    for (name, bad) in [
        ("аlice", 'l'),
        ("alicе", 'е'),
        ("user١", '١'),
        ("user٥", '٥'),
        ("Νikos", 'i'),
        ("김а", 'а'),
        ("Иван 철수", '철'),
        ("かα", 'α'),
    ] {
        assert_eq!(refused(name), ValueError::MixedScripts(bad), "{name}");
    }
}

#[test]
fn v4_names_without_ink_are_refused() {
    for bad in [
        '\u{2800}',
        '\u{3164}',
        '\u{115f}',
        '\u{1160}',
        '\u{ffa0}',
        '\u{fe0f}',
        '\u{200d}',
        '\u{200b}',
        '\u{ad}',
        '\u{feff}',
        '\u{180e}',
        '\u{180f}',
        '\u{e0041}',
        '\u{e0100}',
        '\u{378}',
        '\u{fff9}',
        '\u{fffc}',
        '\u{13441}',
        '\u{1d159}',
        '\u{16fe4}',
        '\u{1bca0}',
        '\u{e000}',
        '\u{10ffff}',
        '\u{200e}',
        '\u{61c}',
    ] {
        for name in [bad.to_string(), format!("a{bad}"), format!("{bad}가"), format!("😀{bad}")]
        {
            // An emoji may have text style.
            if name != "😀\u{fe0f}" {
                assert_eq!(refused(&name), ValueError::Forbidden(bad), "{name:?}");
            }
        }
    }
    for mark in ['\u{301}', '\u{5b0}', '\u{93e}'] {
        for name in
            [mark.to_string(), format!("a {mark}"), format!("😀{mark}"), format!("a-{mark}")]
        {
            assert_eq!(refused(&name), ValueError::Misplaced(mark), "{name:?}");
        }
    }
}

#[test]
fn v4_a_letter_carries_at_most_4_marks() {
    assert!(Name::new(&("x".to_owned() + &"\u{301}".repeat(4))).is_ok());
    let zalgo = "x".to_owned() + &"\u{301}".repeat(5);
    assert_eq!(refused(&zalgo), ValueError::TooManyMarks { max: 4 });
}

#[test]
fn a_name_that_is_too_long_written_out_is_refused() {
    let refused = Err(ValueError::TooLongNormalized { max: 64 });
    assert!(Name::new(&"㍿".repeat(16)).is_ok(), "4 characters each");
    assert_eq!(Name::new(&"㍿".repeat(17)), refused);
}

/// A refusal names the character by its number, and never shows it.
#[test]
fn v3_a_refusal_names_the_rule_and_the_character() {
    for (name, said) in [
        ("a\u{200b}", "may not hold the invisible character U+200B"),
        ("\u{3164}", "may not hold the invisible character U+3164"),
        ("a:", "may not hold the colon or what looks like one, U+003A"),
        (
            "alice left. bob",
            "may hold the punctuation mark U+002E only between two letters or digits",
        ),
        ("\u{301}a", "may hold the combining mark U+0301 only on a letter"),
        ("ᚠ", "may not hold the letter, which is in use nowhere today, U+16A0"),
        ("\u{1b}[2J", "may not hold the control character U+001B"),
    ] {
        assert_eq!(refused(name).to_string(), said);
    }
}

#[test]
fn v1_v4_no_accepted_character_is_a_space_a_colon_or_invisible() {
    for c in characters().filter(|c| *c != ' ') {
        for name in [c.to_string(), format!("a{c}a"), format!("가{c}가")] {
            let Ok(name) = Name::new(&name) else { continue };
            if !name.as_str().contains(c) {
                assert_eq!(Kind::of(c), Kind::Space, "{c:?} has gone");
                continue;
            }
            let looks: String = skeleton(c.encode_utf8(&mut [0; 4])).collect();
            assert!(
                !looks.contains([':', ';', '[', ']', '(', ')', '{', '}', '"', ' ']),
                "{c:?} {looks}"
            );
            assert!(
                !matches!(c, '<' | '>' | '|' | '*' | '/' | '\\' | ',' | '!' | '?' | '@'),
                "{c:?}"
            );
            let kind = Kind::of(c);
            let is_style = matches!(c, '\u{fe0e}' | '\u{fe0f}');
            assert!(!matches!(kind, Kind::Control | Kind::BidiControl), "{c:?}");
            assert!(kind != Kind::Invisible || is_style, "{c:?} {name:?}");
            assert!(
                !matches!(kind, Kind::Space | Kind::Unassigned | Kind::ColonLike),
                "{c:?} {name:?}"
            );
        }
    }
}

/// Characters that have tricked somebody, among plain ones.
fn tricky() -> impl Strategy<Value = char> {
    let tricky: Vec<char> = characters()
        .filter(|&c| {
            let looks: String = skeleton(c.encode_utf8(&mut [0; 4])).collect();
            matches!(
                Kind::of(c),
                Kind::Space
                    | Kind::BidiControl
                    | Kind::Invisible
                    | Kind::Mark
                    | Kind::ColonLike
                    | Kind::Control
            ) || (looks.is_ascii() && !looks.is_empty())
        })
        .collect();
    prop_oneof![
        4 => select("abAB019 .-'&_~김ㅋ字かΝв😀🇰\u{200d}\u{fe0f}\u{20e3}".chars().collect::<Vec<_>>()),
        2 => select(tricky),
        1 => any::<char>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn v1_v2_v4_whatever_is_accepted_has_ink_and_single_spaces(chars in vec(tricky(), 1..10)) {
        let typed: String = chars.into_iter().collect();
        if let Ok(name) = Name::new(&typed) {
            let text = name.as_str();
            prop_assert!(text.split(' ').all(|word| word.chars().any(|c| !c.is_whitespace())));
            let is_odd_space = |c: char| c.is_whitespace() && c != ' ';
            prop_assert!(!text.contains(is_odd_space));
            prop_assert!(!skeleton(text).any(|c| matches!(c, ':' | '[' | ']' | '(' | ')')));
            prop_assert!(text.chars().any(|c| !matches!(Kind::of(c), Kind::Mark | Kind::Invisible | Kind::Space)));
            // What is accepted is accepted again, unchanged.
            prop_assert_eq!(Name::new(text), Ok(name.clone()));
            let keys = name.keys();
            prop_assert!(keys.iter().all(|key| key.as_str().chars().count() <= 8 * 64));
        } else if let Err(error) = Name::new(&typed) {
            let said = error.to_string();
            prop_assert!(said.is_ascii(), "{}", said);
        }
    }
}
