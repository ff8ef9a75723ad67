//! What happens in a server, as it is told to the program that the server is a part of.

mod observer;

use std::iter;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use chat_core::{Name, RoomId, SessionId, Text, Title};

use crate::stats::CloseReason;
use crate::stats::Counter;

pub(crate) use observer::Observer;

/// Something that happened. It owns what is in it, and may be kept; names and titles are shared, a
/// text is a copy.
///
/// A session is a connection as the rules know it: its id is never used again, its name may change
/// and may afterwards be somebody else's. Names are those at the time of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Somebody has connected, is in no room, and has a default name. A connection that is refused has
    /// no session; it is only counted: see [`Stats::closed`](crate::Stats::closed).
    Connected {
        /// Who.
        session: SessionId,
        /// The default name.
        name: Name,
        /// Where the connection comes from.
        address: SocketAddr,
    },
    /// Somebody has another name.
    Named {
        /// Who.
        session: SessionId,
        /// The name before.
        from: Name,
        /// The name now.
        to: Name,
        /// The room that it was told to, if the session is in one, and the number of the broadcast.
        room: Option<(RoomId, u64)>,
    },
    /// There is a new room. An [`Event::Entered`] of the one who made it follows.
    RoomCreated {
        /// The room.
        room: RoomId,
        /// Its title.
        title: Title,
        /// Who made it.
        session: SessionId,
    },
    /// Somebody is in a room.
    Entered {
        /// Who.
        session: SessionId,
        /// Under what name.
        name: Name,
        /// Where.
        room: RoomId,
    },
    /// Somebody said something.
    Said {
        /// Who.
        session: SessionId,
        /// Under what name.
        name: Name,
        /// Where.
        room: RoomId,
        /// The number of the broadcast in that room, rising; comings, goings and new names have
        /// numbers as well.
        seq: u64,
        /// What: at most 64 KiB.
        text: Text,
    },
    /// Somebody is not in the room any more.
    Left {
        /// Who.
        session: SessionId,
        /// Under what name.
        name: Name,
        /// Where.
        room: RoomId,
    },
    /// The last member has left a room. There will be no other of that id.
    RoomClosed {
        /// The room.
        room: RoomId,
    },
    /// Somebody who may do so has told the server to stop.
    StopRequested {
        /// Who.
        session: SessionId,
        /// Under what name.
        name: Name,
    },
    /// A session has ended: nothing more is told of it. The connection may still be sent what it is
    /// owed.
    Ended {
        /// Who.
        session: SessionId,
        /// Under what name.
        name: Name,
        /// Why.
        reason: CloseReason,
    },
    /// Events are missing here, because [`Events`] were not read fast enough.
    Missed {
        /// How many.
        events: u64,
    },
}

/// The events of a server, from [`Server::observe`](crate::Server::observe). An iterator that waits for
/// the next one and ends with the server.
///
/// - **Order.** Events are in the order in which things happened, whichever worker carried them out: of
///   a session from [`Event::Connected`] to [`Event::Ended`], and of a room from
///   [`Event::RoomCreated`] to [`Event::RoomClosed`], by the numbers of its broadcasts. Only that somebody
///   has connected may be told a little before what others did at that time.
/// - **Time.** An event is told in the turn of the event loop that sends it to the clients, right before
///   that. Who reads it may be faster than they are, or slower.
/// - **Loss.** The server never waits for whoever reads: when as many events are waiting as there is
///   room for, the next ones are missed. [`Event::Missed`] stands where they would have stood, as soon
///   as there is room again; [`Events::missed`] counts them.
/// - **The end.** When the server stops, each session has its [`Event::Ended`] after all that was
///   carried out, and then the events end. Rooms that have members then are not closed one by one.
///
/// Dropping it ends the observation.
#[derive(Debug)]
pub struct Events {
    queue: Receiver<Event>,
    missed: Arc<Counter>,
}

impl Events {
    pub(crate) fn new(queue: Receiver<Event>, missed: Arc<Counter>) -> Self {
        Self { queue, missed }
    }

    /// Waits for the next event, but not longer than `timeout`. For a loop that has other things to do:
    /// with [`Duration::ZERO`] it does not wait.
    ///
    /// # Errors
    /// `Timeout` when there has been none so far, `Disconnected` when there will be no more.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Event, RecvTimeoutError> {
        self.queue.recv_timeout(timeout)
    }

    /// How many events have been missed so far.
    pub fn missed(&self) -> u64 {
        self.missed.value()
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.queue.recv().ok()
    }
}

impl iter::FusedIterator for Events {}
