//! Names: which spellings count as equal, and which session holds which name.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use chat_proto::{MAX_NAME_CHARS, Name, ValueError};
use precis_profiles::Nickname;
use precis_profiles::precis_core::profile::{Rules, stabilize};
use precis_profiles::precis_core::{DerivedPropertyValue, Error, FreeformClass, StringClass};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::session_id::SessionId;
use crate::shrink;

/// The longest key, in characters. Normalization may turn one character into 18, and each costs
/// several table look-ups while the server holds the lock of the hub.
const MAX_KEY_CHARS: usize = 2 * MAX_NAME_CHARS;

/// A name in the form that the nickname profile (RFC 8266, section 2.4) compares: spaces folded, width
/// and composition normalized, in lower case. Two names with one key are the same name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct NameKey(Arc<str>);

impl NameKey {
    /// # Errors
    /// [`ValueError::NotANickname`] when the profile does not allow the name,
    /// [`ValueError::TooLongNormalized`] when the key would exceed [`MAX_KEY_CHARS`].
    pub(crate) fn of(name: &Name) -> Result<Self, ValueError> {
        let name = name.as_str();
        let key = if name.chars().all(is_plain) { plain_key(name) } else { profile_key(name)? };
        Ok(Self(key.into()))
    }

    /// Whether this is, or looks like, the default name of any session, past or future. `user007` never
    /// is one, but people would take it for one.
    fn is_default(&self) -> bool {
        self.0
            .strip_prefix("user")
            .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
    }

    fn is_default_of(&self, session: SessionId) -> bool {
        *self.0 == *Name::default_for(session.number()).as_str()
    }
}

/// Whether `c` is printable ASCII or a whole Hangul syllable, as nearly all characters of names are: the
/// profile allows these, normalization leaves them alone, and only the ASCII ones have case.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~' | '가'..='힣')
}

/// Returns the same key as [`profile_key`] for a name of plain characters, without tables. The key is not
/// empty because a name is not all spaces.
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

/// Applies the rules of the profile once, then up to three times more until nothing changes (RFC
/// 8264, section 7).
///
/// Checks which characters are allowed after normalization, not before, so that decomposed Hangul,
/// which some keyboards send, counts as the Korean that it looks like.
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

/// Applies each rule of the profile that changes a name once.
fn fold(name: &str) -> Result<Cow<'_, str>, Error> {
    let profile = Nickname::new();
    let spaced = profile.additional_mapping_rule(name)?;
    profile.normalization_rule(profile.case_mapping_rule(spaced)?)
}

/// Whether the string class of the profile allows `key`.
fn is_allowed(key: &str) -> bool {
    // A katakana dot is allowed if there is Japanese anywhere in the name. Checking that reads the whole
    // name, and checking one dot is enough.
    let checked = match key.split_once('・') {
        Some((before, after)) => Cow::from(format!("{before}・{}", after.replace('・', " "))),
        None => Cow::from(key),
    };
    !key.is_empty() && Allowed::default().allows(checked).is_ok()
}

/// The string class of the profile (RFC 8264, section 4.3), brought up to date.
///
/// The tables of the crate are those of Unicode 6.3. For characters newer than that, this derives the
/// value from their category, as the RFC derives its tables. Otherwise half of the emoji could not be in
/// a name.
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

/// Whether `c`, newer than Unicode 6.3, is a letter, digit, symbol, punctuation or visible mark. U+180F
/// is the only such mark that is invisible (`Default_Ignorable_Code_Point`).
fn is_visible(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number, Punctuation, Symbol};
    let group = c.general_category_group();
    matches!(group, Letter | Mark | Number | Punctuation | Symbol) && c != '\u{180f}'
}

/// The names that sessions have chosen. Since peers choose the keys, the map hashes them with a random
/// secret: nobody can flood it with collisions.
#[derive(Debug, Default)]
pub(crate) struct NameRegistry(HashMap<NameKey, SessionId>);

impl NameRegistry {
    /// Claims the name of `key` for `session`. Returns the key to release later, or `None` for the
    /// default name of the session, which needs no claim.
    ///
    /// # Errors
    /// [`NameTaken`] when another session holds the name, or it is the default name of one.
    pub(crate) fn claim(
        &mut self,
        key: NameKey,
        session: SessionId,
    ) -> Result<Option<NameKey>, NameTaken> {
        if key.is_default() {
            return if key.is_default_of(session) { Ok(None) } else { Err(NameTaken) };
        }
        match self.0.entry(key) {
            Entry::Occupied(holder) if *holder.get() != session => Err(NameTaken),
            Entry::Occupied(holder) => Ok(Some(holder.key().clone())),
            Entry::Vacant(free) => Ok(Some(free.insert_entry(session).key().clone())),
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

/// The name belongs to another session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NameTaken;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn key(name: &str) -> Result<NameKey, ValueError> {
        NameKey::of(&Name::new(name).expect("a name"))
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
    fn characters_that_need_a_context_are_checked_in_the_whole_name() {
        for name in ["ア・・・", "・・・ア", "l·l", "क्\u{200d}", "٠١٢"] {
            assert!(key(name).is_ok(), "{name:?}");
        }
        for name in ["a・b", "ア・l・·l", "क्🤔\u{200d}", "a·l", "٠۰"] {
            assert_eq!(key(name), Err(ValueError::NotANickname), "{name:?}");
        }
    }

    /// Without a random secret, a peer could choose names that all have the same hash.
    #[test]
    fn j12_the_map_of_names_cannot_be_flooded() {
        let names = NameRegistry::default();
        let _with_secret: &HashMap<NameKey, SessionId, std::hash::RandomState> = &names.0;
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
            assert_eq!(names.claim(key, SessionId(1)), Err(NameTaken), "{taken}");
        }
        assert_eq!(names.claim(key("user17").expect("a nickname"), SessionId(17)), Ok(None));
        for free in ["user", "userx", "user 17", "1user"] {
            let key = key(free).expect("a nickname");
            assert!(names.claim(key, SessionId(1)).is_ok(), "{free}");
        }
    }
}
