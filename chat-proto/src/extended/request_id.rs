//! The words by which clients recognise the answers to their requests.

use serde::Serialize;

use crate::values::{ValueError, check_len, impl_str_conversions};

/// The most characters of a [`RequestId`].
pub const MAX_REQUEST_ID_CHARS: usize = 64;

/// The `id` of a request, which its answer carries as `re`: 1 to [`MAX_REQUEST_ID_CHARS`] characters of the client's
/// choice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RequestId(Box<str>);

impl RequestId {
    /// Checks a word.
    ///
    /// # Errors
    /// [`ValueError::Empty`] or [`ValueError::TooLong`].
    pub fn new(id: &str) -> Result<Self, ValueError> {
        check_len(id, MAX_REQUEST_ID_CHARS)?;
        Ok(Self(id.into()))
    }

    /// The characters.
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

impl_str_conversions!(RequestId);
