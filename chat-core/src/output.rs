//! What a hub answers: plain data for whoever owns the connections.

use std::fmt;

use chat_proto::{Name, Notice, RoomId, Text};

use crate::room_list::RoomList;
use crate::session::SessionId;

/// One thing for the owner of the connections to do. Outputs are to be carried out in order; which
/// follow from what is said at [`Hub::handle`](crate::Hub::handle).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Tell one session.
    Reply {
        /// Whom.
        to: SessionId,
        /// What.
        notice: Notice,
        /// The room it is about, and a number: broadcasts of that room that the session has had before
        /// have lower ones, those that it gets later have higher ones. It is the number of the notice
        /// that the others get of the same event; 0 for the one who made the room.
        room: Option<(RoomId, u64)>,
    },
    /// Send one session the list of rooms.
    Rooms {
        /// Whom.
        to: SessionId,
        /// The list, in the order of the ids.
        rooms: RoomList,
    },
    /// From here on the session gets the broadcasts of the room.
    Entered {
        /// Who.
        session: SessionId,
        /// Where.
        room: RoomId,
    },
    /// From here on the session does not get them any more.
    Left {
        /// Who.
        session: SessionId,
        /// Where.
        room: RoomId,
    },
    /// Tell every member of a room, but for one.
    Broadcast {
        /// Which room.
        room: RoomId,
        /// The number of the broadcast: 1 for the first in a room, rising by 1.
        seq: u64,
        /// The member that does not get it.
        except: Option<SessionId>,
        /// What.
        event: RoomEvent,
    },
    /// Tell every session, whatever room it is in.
    NotifyAll {
        /// What.
        notice: Notice,
    },
    /// The last member left: there is no such room any more, and never will be again.
    RoomClosed {
        /// Which room.
        room: RoomId,
    },
    /// The session has ended; nothing is for it any more.
    Disconnected {
        /// Which.
        session: SessionId,
    },
    /// Somebody who may do so asked for the end of it all.
    ShutdownRequested {
        /// Who.
        by: SessionId,
    },
}

/// The hub has no room of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchRoom(pub RoomId);

impl fmt::Display for NoSuchRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no room {}", self.0)
    }
}

impl std::error::Error for NoSuchRoom {}

/// What happened in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomEvent {
    /// A member said something.
    Chat {
        /// The member's name at that time.
        member: Name,
        /// What was said.
        text: Text,
    },
    /// A member came, went, or has another name; or the operator announces something.
    Notice(Notice),
}
