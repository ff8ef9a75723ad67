//! Broken invariants, by number.

use std::fmt;

/// A broken invariant. Shown as `I5: peer 3 missed 17 of room 2`.
///
/// | invariant | what holds |
/// |---|---|
/// | I1 | the chats of one sender come in the order in which it sent them |
/// | I2 | a room has one order: a number means the same broadcast to everybody, and numbers rise |
/// | I3 | nothing of a room comes before the answer to the join or after the answer to the leave |
/// | I4 | nobody gets its own chat |
/// | I5 | a member gets every broadcast, except for its own chats |
/// | I5b | a member that is cut off gets a prefix of that, without a hole |
/// | I6 | an accepted chat is broadcast once, a refused one never |
/// | I7 | nothing crosses rooms or connections |
/// | I11 | each request has exactly one answer, in the order of the requests |
/// | I14 | nothing comes after the last message of a connection |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The number of the invariant, such as `I5b`.
    pub invariant: &'static str,
    /// A description for people.
    pub what: String,
}

impl Violation {
    pub(crate) const fn new(invariant: &'static str, what: String) -> Self {
        Self { invariant, what }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

impl std::error::Error for Violation {}

/// Returns early with a violation of the invariant unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $invariant:expr, $($what:tt)+) => {
        if !$holds {
            return Err($crate::Violation::new($invariant, format!($($what)+)));
        }
    };
}
pub(crate) use ensure;
