//! The values inside messages. Each is checked once, by its `new`, and valid from then on.
//!
//! Nothing here knows of frames, messages or rules that need the state of a chat. Everything else in
//! this crate builds on these types.

mod characters;
mod emoji;
mod error;
mod label;
mod name;
mod room_id;
mod text;

pub(crate) use characters::{INNER_SIGNS, Kind, quote_strokes};
pub use error::ValueError;
pub use label::{MAX_OPERATOR_TEXT_CHARS, MAX_TITLE_CHARS, OperatorText, Title};
pub use name::{MAX_NAME_CHARS, Name, NameKey, NameKeys};
pub use room_id::RoomId;
pub use text::Text;

/// Checks the number of characters (Unicode scalar values).
pub(crate) fn check_len(value: &str, max: usize) -> Result<(), ValueError> {
    if value.is_empty() {
        return Err(ValueError::Empty);
    }
    if value.chars().nth(max).is_some() { Err(ValueError::TooLong { max }) } else { Ok(()) }
}

/// Implements the conversions between a checked string and `str`, and reading it with serde, on top of its `new` and
/// `as_str`.
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

        /// Checks the string like `new`.
        impl<'de> ::serde::Deserialize<'de> for $value {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let value = <::std::borrow::Cow<'de, str>>::deserialize(from)?;
                Self::new(&value).map_err(::serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use impl_str_conversions;

#[cfg(test)]
mod tests;
