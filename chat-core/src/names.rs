//! When two names are the same, and who has which.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use chat_proto::{MAX_NAME_CHARS, Name, ValueError};
use precis_profiles::Nickname;
use precis_profiles::precis_core::profile::{Rules, stabilize};
use precis_profiles::precis_core::{DerivedPropertyValue, Error, FreeformClass, StringClass};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::session::SessionId;
use crate::shrink;

/// The longest key, in characters: one character may stand for 18, and each costs a look into many
/// tables under the hub's lock.
const MAX_KEY_CHARS: usize = 2 * MAX_NAME_CHARS;

/// A name as the nickname profile (RFC 8266, section 2.4) compares it: spaces folded, width and
/// composition normalized, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct NameKey(Arc<str>);

impl NameKey {
    /// # Errors
    /// [`ValueError::NotANickname`] when the profile does not allow the name at all,
    /// [`ValueError::TooLongNormalized`] when normalization makes it longer than [`MAX_KEY_CHARS`].
    pub(crate) fn of(name: &Name) -> Result<Self, ValueError> {
        let name = name.as_str();
        let key = if name.chars().all(is_plain) { plain_key(name) } else { profile_key(name)? };
        Ok(Self(key.into()))
    }

    /// Whether this is, or looks like, the default name of some session, past, present or to come.
    /// `user007` will never be one, and would be taken for one all the same.
    fn is_default(&self) -> bool {
        self.0
            .strip_prefix("user")
            .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
    }

    fn is_default_of(&self, session: SessionId) -> bool {
        *self.0 == *Name::default_for(session.number()).as_str()
    }
}

/// Printable ASCII and whole Hangul syllables, as in nearly all names: the class of characters allows
/// them, normalization leaves them alone, and only ASCII of them has capitals.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~' | '가'..='힣')
}

/// What [`profile_key`] makes of a name of plain characters, without its tables. The key is not
/// empty, as a name is not all spaces.
fn plain_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for word in name.split(' ').filter(|word| !word.is_empty()) {
        if !key.is_empty() {
            key.push(' ');
        }
        key.push_str(word);
    }
    key.make_ascii_lowercase();
    key
}

/// The rules of the profile, once, and up to three times more until nothing changes (RFC 8264,
/// section 7).
///
/// What is allowed is judged after normalization, not before: decomposed Hangul, as some keyboards
/// send it, is then the Korean that it looks like.
fn profile_key(name: &str) -> Result<String, ValueError> {
    let first = fold(name).map_err(|_| ValueError::NotANickname)?;
    if first.chars().nth(MAX_KEY_CHARS).is_some() {
        return Err(ValueError::TooLongNormalized { max: MAX_KEY_CHARS });
    }
    match stabilize(first, fold) {
        Ok(key) if is_allowed(&key) => Ok(key.into()),
        _ => Err(ValueError::NotANickname),
    }
}

/// The rules of the profile that change a name, each once.
fn fold(name: &str) -> Result<Cow<'_, str>, Error> {
    let profile = Nickname::new();
    let spaced = profile.additional_mapping_rule(name)?;
    profile.normalization_rule(profile.case_mapping_rule(spaced)?)
}

/// Whether the class of characters allows `key`.
fn is_allowed(key: &str) -> bool {
    // The katakana dot asks the whole name for something Japanese, wherever it stands: one of them
    // asks for all.
    let asked = match key.split_once('・') {
        Some((before, behind)) => Cow::from(format!("{before}・{}", behind.replace('・', " "))),
        None => Cow::from(key),
    };
    !key.is_empty() && Allowed::default().allows(asked).is_ok()
}

/// The class of characters behind the profile (RFC 8264, section 4.3).
///
/// Its tables are of Unicode 6.3. A character younger than that is judged as the RFC derives its
/// tables, from the character's category today: or else half of the emoji would make no name.
#[derive(Default)]
struct Allowed(FreeformClass);

impl StringClass for Allowed {
    fn get_value_from_char(&self, c: char) -> DerivedPropertyValue {
        if is_plain(c) {
            return DerivedPropertyValue::PValid;
        }
        match self.0.get_value_from_char(c) {
            DerivedPropertyValue::Unassigned if is_visible(c) => {
                DerivedPropertyValue::SpecClassPval
            }
            value => value,
        }
    }

    fn get_value_from_codepoint(&self, code: u32) -> DerivedPropertyValue {
        let value = |c| self.get_value_from_char(c);
        char::from_u32(code).map_or(DerivedPropertyValue::Disallowed, value)
    }
}

/// Letters, digits, symbols, punctuation, and marks but for U+180F, the one young mark that is
/// invisible (`Default_Ignorable_Code_Point`).
fn is_visible(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number, Punctuation, Symbol};
    let group = c.general_category_group();
    matches!(group, Letter | Mark | Number | Punctuation | Symbol) && c != '\u{180f}'
}

/// The names that sessions have chosen. Peers choose the keys, so the map is one that cannot be
/// flooded with collisions.
#[derive(Debug, Default)]
pub(crate) struct NameRegistry(HashMap<NameKey, SessionId>);

impl NameRegistry {
    /// Gives the name behind `key` to `session`, unless it is somebody else's. The key to release
    /// later is returned: `None` for the default name of the session, which needs no holding.
    pub(crate) fn claim(
        &mut self,
        key: NameKey,
        session: SessionId,
    ) -> Result<Option<NameKey>, Taken> {
        if key.is_default() {
            return if key.is_default_of(session) { Ok(None) } else { Err(Taken) };
        }
        match self.0.entry(key) {
            Entry::Occupied(holder) if *holder.get() != session => Err(Taken),
            Entry::Occupied(holder) => Ok(Some(holder.key().clone())),
            Entry::Vacant(free) => {
                let key = free.key().clone();
                free.insert(session);
                Ok(Some(key))
            }
        }
    }

    pub(crate) fn release(&mut self, key: &NameKey) {
        shrink::remove(&mut self.0, key);
    }

    pub(crate) fn holder(&self, key: &NameKey) -> Option<SessionId> {
        self.0.get(key).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_tight(&self) -> bool {
        shrink::is_tight(&self.0)
    }
}

/// The name is somebody else's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn key(name: &str) -> Result<NameKey, ValueError> {
        NameKey::of(&Name::new(name).expect("a name by the characters in it"))
    }

    #[test]
    fn names_that_look_alike_to_the_profile_are_the_same() {
        for (a, b) in [
            ("Alice", "aLICE"),
            ("alice", "\u{ff21}lice"), // full width
            ("a b", " a \u{3000} b "), // spaces
            ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"), // composition
        ] {
            assert_eq!(key(a), key(b), "{a} {b}");
        }
        assert_ne!(key("alice"), key("alicé"));
        assert_ne!(key("김철수"), key("김철순"));
    }

    proptest! {
        #[test]
        fn a_plain_name_has_the_key_that_the_profile_gives_it(
            name in "( {1,3}|user[0-9]{1,3}|[A-Z]{1,3}|[!-~]{1,3}|[가-힣]{1,3}){1,10}",
        ) {
            prop_assume!(Name::new(&name).is_ok());
            prop_assert!(name.chars().all(is_plain));
            prop_assert_eq!(Ok(plain_key(&name)), profile_key(&name));
        }

        #[test]
        fn no_key_is_longer_than_64_characters(
            name in vec(prop_oneof!["[…㎏ﷺ\u{344}İ¨㌖ａ가]", "\\PC"], 1..=MAX_NAME_CHARS),
        ) {
            let name = name.concat();
            prop_assume!(Name::new(&name).is_ok());
            let longest = match key(&name) {
                Ok(key) => key.0.chars().count(),
                Err(ValueError::TooLongNormalized { max }) => max,
                Err(_) => 0,
            };
            prop_assert!(longest <= 64, "{}", longest);
        }
    }

    #[test]
    fn every_plain_character_is_allowed_and_nothing_but_ascii_of_them_changes() {
        for c in ('\0'..=char::MAX).filter(|&c| is_plain(c)) {
            let name = format!("a{c}b");
            let expected = name.to_ascii_lowercase();
            assert_eq!(FreeformClass::default().allows(&name), Ok(()), "{name:?}");
            assert_eq!(profile_key(&name).as_deref(), Ok(&*expected), "{name:?}");
            assert_eq!(plain_key(&name), expected);
        }
    }

    #[test]
    fn a_name_that_is_too_long_written_out_is_refused() {
        let refused = Err(ValueError::TooLongNormalized { max: 64 });
        assert!(key("\u{fdfa}").is_ok(), "18 characters");
        assert_eq!(key(&"\u{fdfa}".repeat(4)), refused);
        assert!(key(&("…".repeat(20) + "abcd")).is_ok());
        assert_eq!(key(&("…".repeat(20) + "abcde")), refused);
        assert!(key(&"\u{344}".repeat(32)).is_ok());
    }

    #[test]
    fn what_needs_a_context_is_judged_in_the_whole_name() {
        for name in ["ア・・・", "・・・ア", "l·l", "क्\u{200d}", "٠١٢"] {
            assert!(key(name).is_ok(), "{name:?}");
        }
        for name in ["a・b", "ア・l・·l", "क्🤔\u{200d}", "a·l", "٠۰"] {
            assert_eq!(key(name), Err(ValueError::NotANickname), "{name:?}");
        }
    }

    /// Names are what peers choose: the map of them has a secret of its own, so that nobody can
    /// choose names that all meet in one place.
    #[test]
    fn j12_the_map_of_names_cannot_be_flooded() {
        let names = NameRegistry::default();
        let _seeded: &HashMap<NameKey, SessionId, std::hash::RandomState> = &names.0;
    }

    #[test]
    fn s4_invisible_characters_make_no_name() {
        for name in [
            "\u{200b}",
            "a\u{200b}b",
            "a\u{feff}",
            "\u{ad}",
            "a\u{fff9}",
            "a\u{180f}",
            "\u{e0100}",
            "\u{1bca0}",
            "\u{378}",
            "\u{fff0}",
        ] {
            assert_eq!(key(name), Err(ValueError::NotANickname), "{name:?}");
        }
    }

    #[test]
    fn symbols_and_emoji_make_names() {
        for name in ["☕", "김😀", "a+b=c", "{[<&>]}", "\"'\\", "🤔", "🫠"] {
            assert!(key(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_default_name_belongs_to_its_session_alone() {
        let mut names = NameRegistry::default();
        for taken in ["user17", "USER17", "\u{ff55}ser17", " user17 ", "user99999"] {
            let key = key(taken).expect("a nickname");
            assert_eq!(names.claim(key, SessionId(1)), Err(Taken), "{taken}");
        }
        assert_eq!(names.claim(key("user17").expect("a nickname"), SessionId(17)), Ok(None));
        for free in ["user", "userx", "user 17", "1user"] {
            let key = key(free).expect("a nickname");
            assert!(names.claim(key, SessionId(1)).is_ok(), "{free}");
        }
    }
}
