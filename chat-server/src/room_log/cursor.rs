//! Where a member stands in a room and in its log.

/// Where a member stands in a room and in its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The member's index in the room's list.
    pub(crate) index: u32,
    /// Bytes of the log that the member has been handed, or came too late for.
    pub(super) position: u64,
    /// The member's kernel takes no more: it is handed nothing until it does.
    pub(super) waits: bool,
}

impl Cursor {
    /// Whether the member is handed nothing until its kernel takes bytes again.
    pub(crate) const fn waits(&self) -> bool {
        self.waits
    }
}
