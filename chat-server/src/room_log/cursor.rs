//! A member's position in its room's log.

use chat_proto::Framing;

/// How far a member has come in its room's log, and its index in the room.
///
/// Only [`RoomLog`](super::RoomLog) moves a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The member's index in the room's list of members.
    pub(crate) index: u32,
    /// Bytes of the log that the member has been handed, or that were said before it joined.
    pub(super) position: u64,
    /// Whether passes skip the member until its kernel takes bytes again.
    pub(super) parked: bool,
    /// Which of the room's logs the position belongs to.
    pub(crate) framing: Framing,
    /// Whether too much of what the room said is pending for the member.
    pub(crate) is_slow: bool,
}

impl Cursor {
    /// Whether passes skip the member until its kernel takes bytes again.
    pub(crate) const fn is_parked(&self) -> bool {
        self.parked
    }
}
