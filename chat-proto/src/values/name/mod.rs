//! Names: which are allowed, and which count as the same.
//!
//! `docs/PROTOCOL.md` states the rules for people; [`rules`] decides whether a name is allowed, [`key`] which names
//! count as the same. Nothing here knows who holds a name.

mod key;
mod rules;

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;

use super::{ValueError, impl_str_conversions};

pub use key::{NameKey, NameKeys};
pub use rules::MAX_NAME_CHARS;

/// The name a person chats under: 1 to [`MAX_NAME_CHARS`] characters in words with one space between them. A
/// name holds letters, digits, emoji and a few signs, so that nobody takes it for the words of somebody
/// else: see `docs/PROTOCOL.md`. Cheap to clone.
///
/// Two names are equal when their characters are. Their [`keys`](Name::keys) tell whether people would confuse them;
/// `chat_core::Hub` decides whether a name is free.
///
/// ```
/// use chat_proto::{Name, ValueError};
///
/// let name: Name = "Ann".parse()?;
/// assert_eq!((Name::new("Ann")?, name.as_str()), (name.clone(), "Ann"));
/// assert_eq!(Name::new(" Ann\u{a0} Lee ")?.as_str(), "Ann Lee");
/// assert_eq!(Name::new("Ann: yes"), Err(ValueError::Forbidden(':')));
/// # Ok::<(), ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Name(Arc<str>);

impl Name {
    /// Checks `value` and copies it. Surrounding spaces are dropped, and those between words, of whatever kind and
    /// number, become one U+0020 (RFC 8266, section 2.1); nothing else changes.
    ///
    /// # Errors
    /// The rule that `value` breaks.
    pub fn new(value: &str) -> Result<Self, ValueError> {
        super::check_len(value, MAX_NAME_CHARS)?;
        let name = single_spaced(value);
        rules::check(&name)?;
        Ok(Self(name.into()))
    }

    /// The name of a session that has not chosen one: `user17` for the 17th.
    pub fn default_for(session: u64) -> Self {
        Self(format!("user{session}").into())
    }

    /// The characters as they are.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The keys that tell whether people would take another name for this one.
    pub fn keys(&self) -> NameKeys {
        NameKeys::of(&self.0)
    }
}

impl_str_conversions!(Name);

fn single_spaced(value: &str) -> Cow<'_, str> {
    // Tabs and line ends count as controls, which no name may hold, not as spaces.
    let is_space =
        |c: char| c.is_whitespace() && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}');
    let words = value.split(is_space).filter(|word| !word.is_empty());
    if words.clone().map(|word| word.len() + 1).sum::<usize>() == value.len() + 1
        && value.bytes().filter(|b| *b == b' ').count() + 1 == words.clone().count()
    {
        return value.into();
    }
    words.collect::<Vec<_>>().join(" ").into()
}

#[cfg(test)]
mod tests;
