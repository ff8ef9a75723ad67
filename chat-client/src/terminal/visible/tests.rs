//! The rules of visible text, for every character.

use super::*;

/// Every assigned character, except that only the first of each 64 ideographs and syllables is taken, and some
/// unassigned ones.
fn all() -> impl Iterator<Item = char> {
    let is_one_of_many = |c: char| {
        matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' | '\u{E000}'..='\u{F8FF}' | '\u{17000}'..='\u{18CFF}' | '\u{20000}'..)
            && !matches!(c, '\u{E0000}'..='\u{E01FF}')
    };
    ('\0'..=char::MAX).filter(move |c| !is_one_of_many(*c) || u32::from(*c) % 64 == 0)
}

/// Everything that looks like a colon, by UTS 39's confusables and other tables.
pub(crate) const COLONS: [char; 21] = [
    ':', '\u{2D0}', '\u{2F8}', '\u{589}', '\u{5C3}', '\u{703}', '\u{704}', '\u{903}', '\u{A83}',
    '\u{1365}', '\u{16EC}', '\u{1803}', '\u{1809}', '\u{205A}', '\u{2236}', '\u{A4FD}', '\u{A789}',
    '\u{FE13}', '\u{FE30}', '\u{FE55}', '\u{FF1A}',
];

#[test]
fn names_that_people_have_are_plain() {
    for name in [
        "alice",
        "user17",
        "bob_b",
        "_x",
        "Guido van Rossum",
        "김철수",
        "김 철수",
        "ㅋㅋ",
        "ㅇㅇ",
        "ㄱ",
        "漢字",
        "ミラー",
        "佐々木",
        "Νίκος",
        "Иван",
        "דוד",
        "علي",
        "José",
        "Jose\u{301}",
        "Jean-Luc",
        "O'Brien",
        "J.R.R",
        "b-c",
        "C++",
        "Q&A",
        "tea?",
        "hi!",
        "스터디 방",
        "Nguyễn",
    ] {
        assert!(is_plain(name), "{name}");
        assert_eq!(Visible::name(name).as_str(), name);
    }
}

#[test]
fn v1_a_name_with_anything_else_is_in_quotes() {
    for (name, shown) in [
        ("", r#""""#),
        (" ", r#"" ""#),
        ("alice: yes", r#""alice: yes""#),
        ("alice:\u{a0}yes", r#""alice:\u{a0}yes""#),
        ("alice\u{ff1a} yes", r#""alice： yes""#),
        ("alice\u{2236}\u{2009}yes", r#""alice∶\u{2009}yes""#),
        ("alice left. bob", r#""alice left. bob""#),
        ("bob.", r#""bob.""#),
        ("a, b", r#""a, b""#),
        ("* bob", r#""* bob""#),
        ("-", r#""-""#),
        ("> x", r#""> x""#),
        ("!", r#""!""#),
        ("a  b", r#""a  b""#),
        (" a", r#"" a""#),
        ("a\"b", r#""a\"b""#),
        ("a\\b", r#""a\\b""#),
        ("a''", r#""a\'\'""#),
        ("a\u{201d}: x", r#""a\u{201d}: x""#),
        ("a\u{ff02}", r#""a\u{ff02}""#),
        ("a\u{2033}", r#""a\u{2033}""#),
        ("\u{301}a", r#""\u{301}a""#),
        ("a\nb\t", r#""a\u{a}b\u{9}""#),
        ("a\u{200b}b", r#""a\u{200b}b""#),
        ("a\u{200e}", r#""a\u{200e}""#),
        ("\u{3164}", r#""\u{3164}""#),
        ("\u{1433} no", "\"\u{1433} no\""),
        ("chat-client", r#""chat-client""#),
        ("\u{441}hat-client", "\"\u{441}hat-client\""),
        ("❤\u{fe0f}", "\"❤\u{fe0f}\""),
        ("tea (2)", r#""tea (2)""#),
    ] {
        assert_eq!(Visible::name(name).as_str(), shown, "{name:?}");
    }
    assert_eq!(Visible::word("Guido van Rossum").as_str(), "\"Guido van Rossum\"");
    assert_eq!(Visible::word("김철수").as_str(), "김철수");
}

#[test]
fn v1_texts_are_shown_as_people_write_them() {
    for text in [
        "안녕하세요 ☕ \"따옴표\"",
        "❤️ 1️⃣ 👨‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇰🇷",
        "naïve cafe\u{301}",
        "می‌خواهم",
        "नमस्ते दुनिया",
        "สวัสดี",
        "שלום\u{200f}!",
        "a\u{a0}b\u{3000}c",
        r"\u{1b}",
        "“quotes” — and ‘more’…",
        "\u{110b}\u{1161}",
    ] {
        assert_eq!(Visible::text(text).as_str(), text);
    }
}

#[test]
fn v1_marks_need_a_base_of_their_own_and_are_few() {
    assert_eq!(Visible::text("\u{301}a").as_str(), r"\u{301}a");
    assert_eq!(Visible::text("\u{20e3}").as_str(), r"\u{20e3}");
    assert_eq!(Visible::text("\u{fe0f}x").as_str(), r"\u{fe0f}x");
    let zalgo = format!("e{}", "\u{300}".repeat(9));
    assert_eq!(Visible::text(&zalgo).as_str(), format!("e{}\\u{{300}}", "\u{300}".repeat(8)));
    // Nor is there a base after a number.
    assert_eq!(Visible::text("\u{1b}\u{301}").as_str(), r"\u{1b}\u{301}");
    assert_eq!(Visible::text("a\u{e0041}").as_str(), r"a\u{e0041}");
}

#[test]
fn v1_every_character_is_ink_space_or_a_number() {
    for c in all() {
        let text = Visible::text(&format!("a{c}"));
        let as_is = !text.as_str().contains("\\u{");
        let invisible = c.is_control()
            || matches!(c, '\u{200B}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
            || matches!(c, '\u{AD}' | '\u{2800}' | '\u{3164}' | '\u{FFF9}'..='\u{FFFB}')
            || matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{E0000}'..='\u{E007F}' | '\u{F0000}'..)
            || matches!(c, '\u{378}' | '\u{50000}' | '\u{FFFE}');
        assert!(!(as_is && invisible), "{c:?}");
        assert_eq!(Visible::text(text.as_str()), text, "{c:?} is shown as it was shown");
    }
}

#[test]
fn v1_no_character_ends_a_name_but_our_marks() {
    for c in all() {
        for name in [format!("alice{c}"), format!("alice{c} yes"), format!("{c}")] {
            let shown = Visible::name(&name);
            let inner = shown.as_str().strip_prefix('"').map(|rest| &rest[..rest.len() - 1]);
            let Some(inner) = inner else {
                let is_colon = COLONS.contains(&c);
                let is_space = c.is_whitespace() && c != ' ';
                assert!(!is_colon && !is_space && !is_harmful(c) && !is_quote_or_space(c), "{c:?}");
                assert_eq!(shown.as_str(), name);
                continue;
            };
            let mut chars = inner.chars();
            while let Some(c) = chars.next() {
                assert!(c != '"' && (c == ' ' || !c.is_whitespace()), "{shown}");
                if c == '\\' {
                    chars.next();
                }
            }
        }
    }
}

#[test]
fn a_name_is_cut_between_characters_however_wide_and_stays_in_quotes() {
    for (text, width, cut) in [
        ("스터디 방", 9, "스터디 방"),
        ("스터디 방", 8, "스터디…"),
        ("스터디 방", 6, "스터…"),
        ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
        ("a\u{1b}b", 10, r#""a\u{1b}b""#),
        ("a\u{1b}bc", 10, r#""a\u{1b}…""#),
    ] {
        assert_eq!(Visible::name(text).shortened(width).as_str(), cut);
    }
}
