//! The kinds of events.

use std::net::SocketAddr;

use chat_core::{Name, RoomId, SessionId, Text, Title};

use crate::stats::CloseReason;

/// Something that happened. An event owns its contents, and can be kept; names and titles are shared, texts are
/// copied.
///
/// A session is what the rules call a connection. Its id is never reused. Its name may change, and may then become
/// another session's. Names are those at the time of the event.
///
/// If its client has asked for that, a session outlives its connection: [`Event::Detached`] tells of the end of the
/// connection. When the client comes back, there is one [`Event::Resumed`], and nobody has left or entered. When it does
/// not, [`Event::Left`] and [`Event::Ended`] come once the session ends, with the reason for which the connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A session has begun, in no room and with a default name. A connection that is refused has no
    /// session; it is only counted: see [`Stats::closed`](crate::Stats::closed).
    #[non_exhaustive]
    Connected {
        /// The session.
        session: SessionId,
        /// Its default name.
        name: Name,
        /// The peer's address; the client's, if a proxy in [`Config::proxy_from`](crate::Config::proxy_from) names it.
        address: SocketAddr,
    },
    /// A session has changed its name.
    #[non_exhaustive]
    Named {
        /// The session.
        session: SessionId,
        /// The name before.
        from: Name,
        /// The name now.
        to: Name,
        /// The session's room, if it is in one, and the number of the broadcast there.
        room: Option<(RoomId, u64)>,
    },
    /// A room has been created. The [`Event::Entered`] of its creator follows.
    #[non_exhaustive]
    RoomCreated {
        /// The room.
        room: RoomId,
        /// Its title.
        title: Title,
        /// The session that created it.
        session: SessionId,
    },
    /// A session has entered a room.
    #[non_exhaustive]
    Entered {
        /// The session.
        session: SessionId,
        /// Its name.
        name: Name,
        /// The room.
        room: RoomId,
    },
    /// A session has sent a chat.
    #[non_exhaustive]
    Said {
        /// The session.
        session: SessionId,
        /// Its name.
        name: Name,
        /// The room.
        room: RoomId,
        /// The number of the broadcast in that room, rising; notices have numbers as well.
        seq: u64,
        /// The text, of at most 64 KiB.
        text: Text,
    },
    /// A session has left its room.
    #[non_exhaustive]
    Left {
        /// The session.
        session: SessionId,
        /// Its name.
        name: Name,
        /// The room.
        room: RoomId,
    },
    /// The last member has left a room. Its id is never used again.
    #[non_exhaustive]
    RoomClosed {
        /// The room.
        room: RoomId,
    },
    /// A session that is allowed to has told the server to stop.
    #[non_exhaustive]
    StopRequested {
        /// The session.
        session: SessionId,
        /// Its name.
        name: Name,
    },
    /// A session has ended; no further event concerns it. What is pending for its connection may still be
    /// sent.
    #[non_exhaustive]
    Ended {
        /// The session.
        session: SessionId,
        /// Its name.
        name: Name,
        /// The reason for its end.
        reason: CloseReason,
    },
    /// The connection of a session has ended, and the session is kept: it has its name and its place in its room.
    /// [`Event::Resumed`] or the end of the session follows, within [`Limits::resume_time`](crate::Limits::resume_time).
    #[non_exhaustive]
    Detached {
        /// The session.
        session: SessionId,
        /// Its name.
        name: Name,
        /// The reason for the end of the connection.
        reason: CloseReason,
    },
    /// A session goes on under another id, from another connection, which has just begun with that id and ends no
    /// session of its own: it is the same person, with its name and its place in its room. No further event concerns the
    /// id before. The connection before may still have been open.
    #[non_exhaustive]
    Resumed {
        /// The session from now on.
        session: SessionId,
        /// The session before.
        from: SessionId,
        /// Its name.
        name: Name,
        /// Its room, if it is in one.
        room: Option<RoomId>,
    },
    /// Events are missing here, because [`Events`](crate::Events) was not read fast enough.
    #[non_exhaustive]
    Missed {
        /// The number of missing events.
        events: u64,
    },
}
