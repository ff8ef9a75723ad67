//! A session: what the hub knows of one connection.

use std::fmt;

use chat_proto::{Name, RoomId};

use crate::names::NameKey;

/// Names one session of one hub: 1 for the first, rising by 1, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub(crate) u64);

impl SessionId {
    /// The number, which the first name of the session ends in.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a session may do beyond chatting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Nothing.
    #[default]
    Guest,
    /// Stop the server.
    Operator,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) name: Name,
    /// What holds `name` against others; `None` while it is the default name, which nobody else can
    /// take anyway.
    pub(crate) name_key: Option<NameKey>,
    pub(crate) role: Role,
    pub(crate) membership: Option<Membership>,
}

/// Where in its room a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) room: RoomId,
    /// Its key among the room's members, rising in the order they came in.
    pub(crate) place: u64,
}
