//! The membership of a connection, as the fan-out needs it.

use chat_core::RoomId;

use crate::room_log::Cursor;

/// The room whose broadcasts a connection receives, and its position in that room's log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subscription {
    pub(crate) room: RoomId,
    pub(crate) cursor: Cursor,
}
