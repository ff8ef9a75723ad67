//! What the server counts, for whoever wants to know how it is.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::close_reason::CloseReason;

/// How a server is at the end of one of its turns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that were accepted since the start, those that were refused included.
    pub accepted: u64,
    /// Connections there are; `accepted` less all that are in `closed`.
    pub connections: u64,
    /// Of those, the ones that may send commands, or whose last commands are being carried out.
    pub sessions: u64,
    /// Rooms with members.
    pub rooms: u64,
    /// Bytes held for connections: what [`Limits::total_backlog`](crate::Limits) is about.
    pub backlog: u64,
    /// Commands, and frames that were none, that were put into mailboxes.
    pub requests: u64,
    /// Of those, the ones that are done.
    pub requests_done: u64,
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
    pub(crate) accepted: Counter,
    pub(crate) connections: Counter,
    pub(crate) sessions: Counter,
    pub(crate) rooms: Counter,
    pub(crate) backlog: Counter,
    pub(crate) requests: Counter,
    pub(crate) requests_done: Counter,
    pub(crate) panics: Counter,
    pub(crate) rate_pauses: Counter,
    pub(crate) linger_timeouts: Counter,
    pub(crate) accept_failures: Counter,
    closed: [Counter; CloseReason::ALL.len()],
}

impl Counters {
    pub(crate) fn close(&self, reason: CloseReason) {
        self.closed[reason as usize].add(1);
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            accepted: self.accepted.value(),
            connections: self.connections.value(),
            sessions: self.sessions.value(),
            rooms: self.rooms.value(),
            backlog: self.backlog.value(),
            requests: self.requests.value(),
            requests_done: self.requests_done.value(),
            panics: self.panics.value(),
            rate_pauses: self.rate_pauses.value(),
            linger_timeouts: self.linger_timeouts.value(),
            accept_failures: self.accept_failures.value(),
            closed: Closed(self.closed.each_ref().map(Counter::value)),
        }
    }
}
