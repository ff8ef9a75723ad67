//! The instructions of a hub to the owner of the connections, as plain data.

use chat_proto::extended::{Features, RequestId, ResumeToken, Since};
use chat_proto::{Name, Notice, RoomId, Text};

use crate::session_id::SessionId;

/// An instruction to the owner of the connections. Carry out outputs in order.
/// [`Input`](crate::Input) says which outputs follow from which input.
///
/// Matches need a wildcard arm, since there will be more outputs. Make that arm loud: ignoring an output
/// silently is a bug of the embedder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Register a new session.
    Connected {
        /// The session.
        session: SessionId,
    },
    /// Send a notice to one session.
    Reply {
        /// The receiver.
        to: SessionId,
        /// The message.
        notice: Notice,
        /// The room that the notice is about, with a number that orders the notice among the broadcasts of that room:
        /// the session has received those with lower numbers, and will receive those with higher ones. The number is
        /// that of the broadcast that tells the other members about the same event, or 0 for the creator of the room.
        room: Option<(RoomId, u64)>,
    },
    /// Send the list of rooms, from [`Hub::rooms_after`](crate::Hub::rooms_after), to one session.
    Rooms {
        /// The receiver.
        to: SessionId,
    },
    /// Mark what is sent to a session next, by [`Reply`](Self::Reply), [`Rooms`](Self::Rooms),
    /// [`Members`](Self::Members), [`History`](Self::History) or [`Pong`](Self::Pong), as the answer to its request
    /// with this id.
    Answering {
        /// The session.
        to: SessionId,
        /// The id.
        re: RequestId,
    },
    /// Welcome a session that has said hello.
    Welcomed(Box<Welcomed>),
    /// Tell a session that a chat of its was accepted.
    Acknowledged {
        /// The session.
        to: SessionId,
        /// The id of the chat.
        re: RequestId,
        /// The room.
        room: RoomId,
        /// The number of the broadcast there.
        seq: u64,
        /// The time at which it was said, in ms since 1970.
        at: u64,
    },
    /// Send the list of the members of a room to one session: [`Hub::members_from`](crate::Hub::members_from) has it.
    Members {
        /// The receiver.
        to: SessionId,
        /// The room.
        room: RoomId,
    },
    /// Send a part of the history of its room to one session, as of now.
    History {
        /// The receiver.
        to: SessionId,
        /// Its room.
        room: RoomId,
        /// The part.
        since: Since,
        /// The most events.
        limit: usize,
    },
    /// Send the time to one session.
    Pong {
        /// The receiver.
        to: SessionId,
        /// Its room, if it is in one, and the number of the last broadcast there.
        room: Option<(RoomId, u64)>,
    },
    /// Subscribe a session to the broadcasts of a room, beginning with the next.
    Entered {
        /// The session.
        session: SessionId,
        /// Its room.
        room: RoomId,
    },
    /// Unsubscribe a session from the broadcasts of a room.
    Left {
        /// The session.
        session: SessionId,
        /// The room it was in.
        room: RoomId,
    },
    /// Send an event to the members of a room.
    Broadcast {
        /// The room.
        room: RoomId,
        /// The number of the broadcast: 1 for the first in this room, rising by 1.
        seq: u64,
        /// The time that the hub was given, in ms since 1970.
        at: u64,
        /// A member that does not get it.
        except: Option<SessionId>,
        /// The message.
        event: RoomEvent,
    },
    /// Send a notice to every session, in a room or not.
    NotifyAll {
        /// The message.
        notice: Notice,
    },
    /// Forget a room: it has no members, and its number will not be reused.
    RoomClosed {
        /// The room.
        room: RoomId,
    },
    /// Forget a session: it has ended, and nothing more is sent to it.
    Disconnected {
        /// The session.
        session: SessionId,
    },
    /// Forget the connection of a session. The session stays, until it is taken over or disconnected.
    Detached {
        /// The session.
        session: SessionId,
    },
    /// Stop the server, at the request of a session that may ask for it.
    ShutdownRequested {
        /// The session.
        by: SessionId,
    },
}

/// The answer to a hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcomed {
    /// The session.
    pub session: SessionId,
    /// The number to tell its client: the one that the session began with, whichever connection it has now.
    pub number: u64,
    /// Its name.
    pub name: Name,
    /// What it has been granted.
    pub features: Features,
    /// The secret by which it can be taken over, if that is among it.
    pub token: Option<ResumeToken>,
    /// What became of its wish to take over another session; `None` without one.
    pub resumption: Option<Resumption>,
}

/// What became of a wish to take over a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumption {
    /// The session `from` has ended and this one has its name, its place in its room and its acknowledged chats. Send
    /// nothing more to the connection of `from`, if there still is one; send this session what `from` has missed, and
    /// subscribe it to the broadcasts of the room, beginning with the next.
    Resumed {
        /// The session taken over.
        from: SessionId,
        /// The room that it is in, if it is in one, and the number of the broadcast by which it entered: 0 if it created
        /// the room.
        room: Option<(RoomId, u64)>,
        /// The number of the last broadcast there that the client has, if it says.
        after: Option<u64>,
    },
    /// There is no such session, or no longer.
    Refused,
}

/// What happened in a room.
///
/// Exhaustive on purpose: everything else that ever happens in a room will be a [`Notice`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomEvent {
    /// A member said something.
    Chat {
        /// The name of the member at that time.
        member: Name,
        /// What was said.
        text: Text,
    },
    /// A member entered, left or was renamed, or the operator announced something.
    Notice(Notice),
}
