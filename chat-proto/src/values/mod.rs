//! The values inside messages. Each is checked once, by its `new`, and valid from then on.
//!
//! Nothing here knows of frames, messages or rules that need the state of a chat. Everything else in
//! this crate builds on these types.

mod error;
mod label;
mod room_id;
mod text;

pub use error::ValueError;
pub(crate) use label::is_bidi_control;
pub use label::{
    MAX_NAME_CHARS, MAX_OPERATOR_TEXT_CHARS, MAX_TITLE_CHARS, Name, OperatorText, Title,
};
pub use room_id::RoomId;
pub use text::Text;

/// Implements the conversions between a checked string and `str` on top of its `new` and `as_str`.
macro_rules! impl_str_conversions {
    ($($value:ty),+) => {$(
        /// The characters as they are, direction controls included.
        impl ::std::fmt::Display for $value {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl AsRef<str> for $value {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::borrow::Borrow<str> for $value {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::str::FromStr for $value {
            type Err = ValueError;

            fn from_str(value: &str) -> Result<Self, ValueError> {
                Self::new(value)
            }
        }

        impl TryFrom<&str> for $value {
            type Error = ValueError;

            fn try_from(value: &str) -> Result<Self, ValueError> {
                Self::new(value)
            }
        }
    )+};
}
use impl_str_conversions;

#[cfg(test)]
mod tests;
