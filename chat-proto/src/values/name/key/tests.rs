//! Keys of names, for every character that a name may hold.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::Name;
use crate::values::characters::tests::characters;

fn keys(name: &str) -> NameKeys {
    Name::new(name).unwrap_or_else(|e| panic!("{name:?} {e}")).keys()
}

fn are_same(a: &str, b: &str) -> bool {
    let (a, b) = (keys(a), keys(b));
    a.iter().any(|key| b.iter().any(|other| key == other))
}

/// Every character that makes a name by itself.
static NAMES: LazyLock<Vec<char>> = LazyLock::new(|| {
    characters().filter(|c| Name::new(c.encode_utf8(&mut [0; 4])).is_ok()).collect()
});

#[test]
fn v2_names_that_look_alike_are_the_same() {
    for (real, other) in [
        ("alice", "aIice"),
        ("alice", "AL1CE"),
        ("alice", "\u{ff21}lice"),  // full width
        ("alice", "\u{1d41a}lice"), // mathematical
        ("ace", "асе"),             // Cyrillic
        ("TOM", "ТОМ"),             // Cyrillic capitals
        ("tom", "ТОМ"),
        ("Na", "ΝΑ"), // Greek
        ("tom", "том"),
        ("alice", "ali\u{307}ce"), // a dot on a dotted letter
        ("istanbul", "İstanbul"),
        ("é", "e\u{301}\u{301}"), // the same mark twice
        ("bob", "b0b"),
        ("mary", "rnary"),
        ("O'Brien", "O’Brien"),
        ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
        ("❤\u{fe0f}", "❤"),
        ("x2", "x²"),
        ("علي1", "علي١"), // digits of another script
        ("علي رضا", "علي\u{a0}رضا"),
    ] {
        assert!(are_same(real, other), "{real} {other}");
    }
    for (real, other) in [
        ("alice", "alise"),
        ("alice", "alicé"),
        ("김철수", "김철순"),
        ("각", "가ㄱ"),
        ("오빠", "옵바"),
        ("가", "ㄱㅏ"),
        ("ab", "a b"),
        ("👋🏻", "👋🏿"),
    ] {
        assert!(!are_same(real, other), "{real} {other}");
    }
}

#[test]
fn v5_names_that_differ_in_case_are_the_same() {
    for (real, other) in [
        ("Νίκος", "ΝΊΚΟΣ"),
        ("straße", "STRASSE"),
        ("STRAẞE", "strasse"),
        ("ŒUVRE", "œuvre"),
        ("ǅ", "ǆ"),
        ("ԱՐՄԵՆ", "արմեն"),
        ("Ꭰ", "ꭰ"),
    ] {
        assert!(are_same(real, other), "{real} {other}");
    }
    for c in NAMES.iter() {
        for other in [c.to_uppercase().to_string(), c.to_lowercase().to_string()] {
            // Some have a capital that is not in use today.
            if other != c.to_string() && Name::new(&other).is_ok() {
                assert!(are_same(&c.to_string(), &other), "{c} {other}");
            }
        }
    }
}

#[test]
fn v2_a_character_is_the_same_as_what_unicode_says_it_looks_like() {
    // A syllable looks like itself, whatever Unicode says of its parts.
    for c in NAMES.iter().filter(|c| !is_hangul(**c)).map(char::to_string) {
        let other: String = skeleton(&c).nfc().collect();
        // `²` is decomposed to 2 before anything else.
        let stands_for_others = decompose(&c).nfc().ne(c.chars());
        let is_checked = !stands_for_others && Name::new(&other).is_ok();
        assert!(!is_checked || are_same(&c, &other), "{c} {other}");
    }
}

#[test]
fn plain_names_have_the_keys_that_the_tables_give_them() {
    let mut names = NAMES.iter().filter(|c| c.is_ascii()).collect::<String>();
    names.push_str(" .'-_~^+&#");
    assert_eq!(names.len(), 72);
    names.push('각');
    let folded = UniCase::unicode(decompose(&names)).to_folded_case();
    assert_eq!(plain_key(&names), draw(folded.chars().map(ascii_digit)));
    assert_eq!(plain_key(&names), draw(names.chars()));
}

#[test]
fn the_digits_of_every_script_are_those_of_ascii() {
    let is_decimal = |c: &char| c.general_category() == GeneralCategory::DecimalNumber;
    let decimals: Vec<char> = ('\0'..=char::MAX).filter(is_decimal).collect();
    for run in decimals.chunks(10) {
        let digits: String = run.iter().map(|c| ascii_digit(*c)).collect();
        assert_eq!(digits, "0123456789", "{run:?}");
    }
    assert_eq!(['²', 'a', '\u{104a9}'].map(ascii_digit), ['²', 'a', '9']);
}

#[test]
fn v2_every_spelling_of_a_default_name_looks_like_one() {
    for name in ["user17", "USER17", "\u{ff55}ser17", "user1٧", "userl7", "useR0O7", "սsеr17"] {
        let looks_default = Name::new(name).map(|name| name.keys().iter().any(NameKey::is_default));
        assert_ne!(looks_default, Ok(false), "{name}");
    }
    for digit in characters().filter(|c| c.is_numeric()) {
        let name = Name::new(&format!("user{digit}"));
        let is_value = digit.nfkc().all(|c| c.is_ascii_digit());
        if let Ok(name) = name
            && is_value
        {
            assert!(name.keys().iter().any(NameKey::is_default), "{name}");
        }
    }
    for name in ["user", "userx", "user 17", "1user", "user-1"] {
        assert!(!keys(name).iter().any(NameKey::is_default), "{name}");
    }
}

fn assert_is_its_own_key(name: &str) {
    for key in NameKeys::of(name).iter() {
        let again = NameKeys::of(key.as_str());
        assert!(again.iter().any(|again| again == key), "{name} {key:?} {again:?}");
    }
}

proptest! {
    #[test]
    fn a_key_is_its_own_key(name in vec(select(&NAMES[..]), 1..12)) {
        assert_is_its_own_key(&name.into_iter().collect::<String>());
    }
}

#[test]
fn every_character_reaches_its_key() {
    NAMES.iter().for_each(|c| assert_is_its_own_key(&c.to_string()));
    assert!(NAMES.len() > 10_000, "{}", NAMES.len());
}
