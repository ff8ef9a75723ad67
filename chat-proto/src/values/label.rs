//! Strings of one line: names, titles, and the words of an operator.

use std::sync::Arc;

use serde::Serialize;

use super::{ValueError, impl_str_conversions};

/// The longest [`Name`], in characters (Unicode scalar values).
pub const MAX_NAME_CHARS: usize = 32;

/// The longest [`Title`], in characters (Unicode scalar values).
pub const MAX_TITLE_CHARS: usize = 100;

/// The longest [`OperatorText`], in characters (Unicode scalar values). A message contains the text twice,
/// each time with at most 4 bytes per character, so it always fits a frame.
pub const MAX_OPERATOR_TEXT_CHARS: usize = 1_000;

macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $max:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `value` and copies it.
            ///
            /// # Errors
            /// The rule that `value` breaks.
            pub fn new(value: &str) -> Result<Self, ValueError> {
                check(value, $max)?;
                Ok(Self(value.into()))
            }

            /// The characters as they are.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl_str_conversions!($name);
    };
}

label! {
    /// The name a person chats under: 1 to [`MAX_NAME_CHARS`] characters, not all of them blank, none a
    /// control, line separator or bidi control.
    ///
    /// Two names are equal when their characters are. Whether people would take them for the same
    /// name, and whether a name is free, is for `chat_core::Hub` to decide. Cheap to clone.
    ///
    /// ```
    /// use chat_proto::{Name, ValueError};
    ///
    /// let name: Name = "Ann".parse()?;
    /// assert_eq!((Name::new("Ann")?, name.as_str()), (name.clone(), "Ann"));
    /// assert_eq!(Name::new("Ann\n"), Err(ValueError::Forbidden('\n')));
    /// # Ok::<(), ValueError>(())
    /// ```
    Name, MAX_NAME_CHARS
}

impl Name {
    /// The name of a session that has not chosen one: `user17` for the 17th.
    pub fn default_for(session: u64) -> Self {
        Self(format!("user{session}").into())
    }
}

label! {
    /// The title of a room: 1 to [`MAX_TITLE_CHARS`] characters, not all of them blank, none a control,
    /// line separator or bidi control. Cheap to clone.
    Title, MAX_TITLE_CHARS
}

label! {
    /// An announcement by the operator of a server, or the reason for removing a connection: 1 to
    /// [`MAX_OPERATOR_TEXT_CHARS`] characters, not all of them blank, none a control, line separator or
    /// bidi control. Cheap to clone.
    OperatorText, MAX_OPERATOR_TEXT_CHARS
}

fn check(label: &str, max: usize) -> Result<(), ValueError> {
    if label.is_empty() {
        return Err(ValueError::Empty);
    }
    if label.chars().nth(max).is_some() {
        return Err(ValueError::TooLong { max });
    }
    if let Some(c) = label
        .chars()
        .find(|&c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_bidi_control(c))
    {
        return Err(ValueError::Forbidden(c));
    }
    if label.chars().all(char::is_whitespace) {
        return Err(ValueError::Blank);
    }
    Ok(())
}

/// Whether `c` changes the direction of the text after it: embeddings, overrides and isolates (UAX #9,
/// section 2). The marks U+200E and U+200F do not reach that far; the nickname profile rules on them.
pub(crate) fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
