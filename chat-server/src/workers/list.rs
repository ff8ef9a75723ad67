//! Lists that take several frames, each encoded when its turn comes.

use chat_core::RoomId;
use chat_proto::extended::RequestId;

/// A list, or what is left of it. It shows what there is when its next frame is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum List {
    /// Of the rooms after this one.
    Rooms { after: Option<RoomId> },
    /// Of a client that said hello.
    Asked(Box<AskedList>),
}

/// A list in answer to a request, with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AskedList {
    /// Of the rooms after this one.
    Rooms { re: RequestId, after: Option<RoomId> },
    /// Of the members of a room, from this arrival on.
    Members { re: Option<RequestId>, room: RoomId, from: u64 },
}
