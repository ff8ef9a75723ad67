//! Strings of one line: titles, and the words of an operator.

use std::sync::Arc;

use serde::Serialize;

use super::characters::{
    MAX_MARKS, has_ink, is_bidi_control, is_invisible, is_mark, is_unassigned, joins,
};
use super::emoji::emoji_len;
use super::{ValueError, check_len, impl_str_conversions};

/// The longest [`Title`], in characters (Unicode scalar values).
pub const MAX_TITLE_CHARS: usize = 100;

/// The longest [`OperatorText`], in characters (Unicode scalar values). A message contains the text twice,
/// each time with at most 4 bytes per character, so it always fits a frame.
pub const MAX_OPERATOR_TEXT_CHARS: usize = 1_000;

macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $max:ident, $check:ident) => {
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
                $check(value)?;
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
    /// The title of a room: 1 to [`MAX_TITLE_CHARS`] characters, at least one of them visible. No controls, line
    /// separators or bidi controls, and nothing that is invisible in its place. Cheap to clone.
    Title, MAX_TITLE_CHARS, check_ink
}

label! {
    /// An announcement by the operator of a server, or the reason for removing a connection: 1 to
    /// [`MAX_OPERATOR_TEXT_CHARS`] characters, not all of them blank, none a control, line separator or
    /// bidi control. Cheap to clone.
    OperatorText, MAX_OPERATOR_TEXT_CHARS, check_not_blank
}

fn check(label: &str, max: usize) -> Result<(), ValueError> {
    check_len(label, max)?;
    let is_forbidden =
        |c: &char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_bidi_control(*c);
    label.chars().find(is_forbidden).map_or(Ok(()), |c| Err(ValueError::Forbidden(c)))
}

fn check_not_blank(label: &str) -> Result<(), ValueError> {
    if label.chars().all(char::is_whitespace) { Err(ValueError::Blank) } else { Ok(()) }
}

/// Checks that something is visible, and that nothing is invisible.
fn check_ink(label: &str) -> Result<(), ValueError> {
    if label.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    let chars: Vec<char> = label.chars().collect();
    let (mut at, mut marks, mut is_inked) = (0, 0, false);
    while let Some(&c) = chars.get(at) {
        let len = emoji_len(&chars[at..]);
        if len.is_none() && (is_unassigned(c) || is_invisible(c)) && !joins(&chars, at) {
            return Err(ValueError::Forbidden(c));
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks > MAX_MARKS {
            return Err(ValueError::TooManyMarks { max: MAX_MARKS });
        }
        is_inked |= len.is_some() || has_ink(c);
        at += len.unwrap_or(1);
    }
    if is_inked { Ok(()) } else { Err(ValueError::Blank) }
}
