//! The numbers of sessions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of a session: 1 for the first session of a hub, rising by 1, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub(crate) u64);

impl SessionId {
    /// The number, at least 1. The default name of the session ends with it.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<SessionId> for u64 {
    fn from(session: SessionId) -> Self {
        session.number()
    }
}
