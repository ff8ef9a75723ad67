//! When two names are the same, and who has which.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use chat_proto::{Name, ValueError};
use precis_profiles::Nickname;
use precis_profiles::precis_core::profile::{Rules, stabilize};
use precis_profiles::precis_core::{DerivedPropertyValue, FreeformClass, StringClass};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::session::SessionId;
use crate::shrink;

/// A name as the nickname profile (RFC 8266, section 2.4) compares it: spaces folded, width and
/// composition normalized, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct NameKey(Arc<str>);

impl NameKey {
    /// # Errors
    /// [`ValueError::NotANickname`] when the profile does not allow the name at all.
    ///
    /// What is allowed is judged after normalization, not before: decomposed Hangul, as some
    /// keyboards send it, is then the Korean that it looks like.
    pub(crate) fn of(name: &Name) -> Result<Self, ValueError> {
        let profile = Nickname::new();
        let key = stabilize(name.as_str(), |s| {
            let spaced = profile.additional_mapping_rule(s)?;
            profile.normalization_rule(profile.case_mapping_rule(spaced)?)
        });
        match key {
            Ok(key) if is_allowed(&key) => Ok(Self(key.into())),
            _ => Err(ValueError::NotANickname),
        }
    }

    /// Whether this is, or looks like, the default name of some session, past, present or to come.
    /// `user007` will never be one, and would be taken for one all the same.
    fn is_default(&self) -> bool {
        self.0
            .strip_prefix("user")
            .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
    }

    fn is_default_of(&self, session: SessionId) -> bool {
        *self.0 == *Name::of_connection(session.number()).as_str()
    }
}

/// Whether the class of characters behind the profile (RFC 8264, section 4.3) allows `key`.
///
/// Its tables are of Unicode 6.3. A character younger than that is judged as the RFC derives its
/// tables, from the character's category today: or else half of the emoji would make no name.
fn is_allowed(key: &str) -> bool {
    let class = FreeformClass::default();
    let is_younger = |&c: &char| class.get_value_from_char(c) == DerivedPropertyValue::Unassigned;
    let known: String = key.chars().filter(|c| !is_younger(c)).collect();
    !key.is_empty() && class.allows(known).is_ok() && key.chars().filter(is_younger).all(is_visible)
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
