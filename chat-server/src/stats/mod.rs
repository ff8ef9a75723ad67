//! What the server counts, for whoever wants to know how it is.

mod close_reason;
mod histogram;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use chat_proto::Command;

use crate::limits::LimitKind;
use crate::workers::Request;
use histogram::Recorder;

pub use close_reason::CloseReason;
pub use histogram::Histogram;

/// How a server is at the end of one of its turns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Whether the server has begun to stop.
    pub stopping: bool,
    /// Connections that were accepted since the start, those that were refused included.
    pub accepted: u64,
    /// Connections there are; `accepted` less all that are in `closed`.
    pub connections: u64,
    /// Of those, the ones that may send commands, or whose last commands are being carried out.
    pub sessions: u64,
    /// Connections that are being told that there is no place for them.
    pub refused: u64,
    /// Rooms with members.
    pub rooms: u64,
    /// Sessions that are in a room.
    pub members: u64,
    /// Bytes held for connections: what [`Limits::total_backlog`](crate::Limits) is about.
    pub backlog: u64,
    /// Commands, and frames that were none, that were put into mailboxes.
    pub requests: u64,
    /// Of those, the ones that are done.
    pub requests_done: u64,
    /// Frames that were taken in, by what was in them.
    pub received: Received,
    /// Chats and notices that were said to rooms, each as often as there were members to be told. A
    /// member that is cut off later may not have got all.
    pub deliveries: u64,
    /// Bytes that were read from connections.
    pub bytes_read: u64,
    /// Bytes that the kernel took for connections.
    pub bytes_written: u64,
    /// How long turns took, in nanoseconds, from the events that began them to their end.
    pub turns: Histogram,
    /// Requests that turns took in, of the turns that took in any.
    pub turn_requests: Histogram,
    /// How long requests took that were handed over to the workers, in nanoseconds, until the event
    /// loop had what came of them. Only one backlog at a time is timed, the first.
    pub worker_wait: Histogram,
    /// Mailboxes that a worker took from another.
    pub steals: u64,
    /// Requests that made the hub panic.
    pub panics: u64,
    /// Times that a connection was read no further because it sent too many commands.
    pub rate_pauses: u64,
    /// Closing connections that were not waited for any longer.
    pub linger_timeouts: u64,
    /// Times that accepting failed for want of descriptors or memory.
    pub accept_failures: u64,
    /// Connections that have ended, by reason.
    pub closed: Closed,
    /// How often each limit was reached.
    pub limits: Reached,
}

/// What was in a frame. `Display` is the `type` of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageKind {
    /// A chat.
    Chat,
    /// A name.
    Rename,
    /// The list of rooms was asked for.
    Rooms,
    /// A room to make.
    Create,
    /// A room to enter.
    Join,
    /// To leave the room.
    Leave,
    /// To stop the server.
    Shutdown,
    /// No command, or one whose values are against the rules. It displays as `rejected`.
    Rejected,
}

impl MessageKind {
    /// All there are.
    pub const ALL: [Self; 8] = [
        Self::Chat,
        Self::Rename,
        Self::Rooms,
        Self::Create,
        Self::Join,
        Self::Leave,
        Self::Shutdown,
        Self::Rejected,
    ];

    /// `None` of a request that no frame was behind.
    const fn of(request: &Request) -> Option<Self> {
        Some(match request {
            Request::Do(Command::Chat(_)) => Self::Chat,
            Request::Do(Command::Rename(_)) => Self::Rename,
            Request::Do(Command::Rooms) => Self::Rooms,
            Request::Do(Command::Create(_)) => Self::Create,
            Request::Do(Command::Join(_)) => Self::Join,
            Request::Do(Command::Leave) => Self::Leave,
            Request::Do(Command::Shutdown) => Self::Shutdown,
            Request::Reject(_) => Self::Rejected,
            Request::Disconnect => return None,
        })
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chat => "CSChat",
            Self::Rename => "CSName",
            Self::Rooms => "CSRooms",
            Self::Create => "CSCreateRoom",
            Self::Join => "CSJoinRoom",
            Self::Leave => "CSLeaveRoom",
            Self::Shutdown => "CSShutdown",
            Self::Rejected => "rejected",
        })
    }
}

/// How many frames were taken in, by what was in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Received([u64; MessageKind::ALL.len()]);

impl Received {
    /// How many were of this kind.
    pub fn count(&self, kind: MessageKind) -> u64 {
        self.0[kind as usize]
    }
}

/// How often each limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reached([u64; LimitKind::ALL.len()]);

impl Reached {
    /// How often this one was: see [`LimitKind`] for what counts.
    pub fn count(&self, limit: LimitKind) -> u64 {
        self.0[limit as usize]
    }
}

/// How many connections have ended, by reason. `Debug` shows those that there are.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Closed([u64; CloseReason::ALL.len()]);

impl Closed {
    /// How many ended for this reason.
    pub fn count(&self, reason: CloseReason) -> u64 {
        self.0[reason as usize]
    }

    /// How many ended.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Each reason for which some ended, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (CloseReason, u64)> + '_ {
        CloseReason::ALL
            .into_iter()
            .map(|reason| (reason, self.count(reason)))
            .filter(|&(_, n)| n > 0)
    }
}

impl fmt::Debug for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// A number that one thread changes and all may read.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        // There is one writer, so nothing gets between the load and the store.
        self.set(self.value() + n);
    }

    pub(crate) fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// [`Stats`] as the reactor keeps them.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// 1 from the stop on.
    pub(crate) stopping: Counter,
    pub(crate) accepted: Counter,
    pub(crate) connections: Counter,
    pub(crate) sessions: Counter,
    pub(crate) refused: Counter,
    pub(crate) rooms: Counter,
    pub(crate) members: Counter,
    pub(crate) backlog: Counter,
    pub(crate) requests: Counter,
    pub(crate) requests_done: Counter,
    pub(crate) panics: Counter,
    pub(crate) rate_pauses: Counter,
    pub(crate) linger_timeouts: Counter,
    pub(crate) accept_failures: Counter,
    pub(crate) deliveries: Counter,
    pub(crate) bytes_read: Counter,
    pub(crate) bytes_written: Counter,
    pub(crate) steals: Counter,
    /// From 1 µs to 1 s.
    pub(crate) turns: Recorder<10, 22>,
    /// From 1 to 8,192.
    pub(crate) turn_requests: Recorder<0, 15>,
    /// From 1 µs to 1 s.
    pub(crate) worker_wait: Recorder<10, 22>,
    received: [Counter; MessageKind::ALL.len()],
    closed: [Counter; CloseReason::ALL.len()],
    reached: [Counter; LimitKind::ALL.len()],
}

impl Counters {
    pub(crate) fn close(&self, reason: CloseReason) {
        self.closed[reason as usize].add(1);
        match reason {
            CloseReason::FrameTimeout => self.reach(LimitKind::FrameTimeout),
            CloseReason::Backlog => self.reach(LimitKind::Backlog),
            CloseReason::SlowBacklog => self.reach(LimitKind::SlowBacklogTime),
            CloseReason::TotalBacklog => self.reach(LimitKind::TotalBacklog),
            CloseReason::ServerFull => self.reach(LimitKind::Connections),
            CloseReason::TooManyFromAddress => self.reach(LimitKind::ConnectionsPerAddress),
            CloseReason::PeerEnded
            | CloseReason::PeerEndedInFrame
            | CloseReason::Lost
            | CloseReason::BadInput
            | CloseReason::Internal
            | CloseReason::Stopped => {}
        }
    }

    pub(crate) fn reach(&self, limit: LimitKind) {
        self.reached[limit as usize].add(1);
    }

    /// A turn has taken so long, and there had been so many requests before it.
    pub(crate) fn end_turn(&self, nanos: u64, requests_before: u64) {
        self.turns.record(nanos);
        let requests = self.requests.value() - requests_before;
        if requests > 0 {
            self.turn_requests.record(requests);
        }
    }

    pub(crate) fn receive(&self, requests: &[Request]) {
        // Nearly all are chats: those are what is left.
        let mut chats = requests.len() as u64;
        for request in requests {
            if !matches!(request, Request::Do(Command::Chat(_))) {
                chats -= 1;
                if let Some(kind) = MessageKind::of(request) {
                    self.received[kind as usize].add(1);
                }
            }
        }
        self.received[MessageKind::Chat as usize].add(chats);
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            stopping: self.stopping.value() > 0,
            accepted: self.accepted.value(),
            connections: self.connections.value(),
            sessions: self.sessions.value(),
            refused: self.refused.value(),
            rooms: self.rooms.value(),
            members: self.members.value(),
            backlog: self.backlog.value(),
            requests: self.requests.value(),
            requests_done: self.requests_done.value(),
            panics: self.panics.value(),
            rate_pauses: self.rate_pauses.value(),
            linger_timeouts: self.linger_timeouts.value(),
            accept_failures: self.accept_failures.value(),
            deliveries: self.deliveries.value(),
            bytes_read: self.bytes_read.value(),
            bytes_written: self.bytes_written.value(),
            steals: self.steals.value(),
            turns: self.turns.histogram(),
            turn_requests: self.turn_requests.histogram(),
            worker_wait: self.worker_wait.histogram(),
            received: Received(self.received.each_ref().map(Counter::value)),
            closed: Closed(self.closed.each_ref().map(Counter::value)),
            limits: Reached(self.reached.each_ref().map(Counter::value)),
        }
    }
}
