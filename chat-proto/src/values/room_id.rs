//! The numbers of rooms.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ValueError;

/// The number of a room: 1 for the first room of a server, rising by 1, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoomId(NonZeroU64);

impl RoomId {
    /// The first room of a server.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// Checks a number.
    ///
    /// # Errors
    /// [`ValueError::NotARoomId`] when it is 0.
    pub const fn new(number: u64) -> Result<Self, ValueError> {
        match NonZeroU64::new(number) {
            Some(number) => Ok(Self(number)),
            None => Err(ValueError::NotARoomId),
        }
    }

    /// The number on the wire, at least 1.
    pub const fn number(self) -> u64 {
        self.0.get()
    }

    /// The id after this one. At a million rooms per second, the numbers last for 580,000 years.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads decimal digits only: no sign, no space.
impl FromStr for RoomId {
    type Err = ValueError;

    fn from_str(digits: &str) -> Result<Self, ValueError> {
        // `u64::from_str` alone would accept a leading `+`.
        match digits.parse() {
            Ok(number) if digits.bytes().all(|b| b.is_ascii_digit()) => Self::new(number),
            _ => Err(ValueError::NotARoomId),
        }
    }
}

impl TryFrom<u64> for RoomId {
    type Error = ValueError;

    fn try_from(number: u64) -> Result<Self, ValueError> {
        Self::new(number)
    }
}

impl From<RoomId> for u64 {
    fn from(room: RoomId) -> Self {
        room.number()
    }
}
