//! Writes to connections, and the follow-ups of writes.

use std::io;

use super::{Connection, Connections, Flushed, Rate};
use crate::limits::Limits;
use crate::net::{ConnKey, Instant, Socket};

/// Writes to one connection at a time, within a budget, and collects the follow-ups.
///
/// The engine owns it, lends it to the fan-out, and takes every follow-up before the turn ends.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Bytes written to one connection before the others get their turn.
    budget: usize,
    /// Pending bytes beyond which a connection's backlog must be checked.
    slow_backlog: usize,
    /// How fast a steady reader reads.
    steady: Rate,
    now: Instant,
    follow_ups: Vec<(ConnKey, FollowUp)>,
}

/// The cost of a write, in writes: copying another 16 KiB takes as long as a write.
pub(crate) const fn write_cost(bytes: usize) -> usize {
    1 + bytes / (16 * 1024)
}

/// What remains to be done after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FollowUp {
    /// The budget ended before the pending bytes did: the connection is flushed again next turn.
    Resume,
    /// The socket failed.
    Failed,
    /// Much is pending, or was: the backlog is compared with the limits. `has_read` says that something was written.
    CheckBacklog { has_read: bool },
    /// The next frame of a list of rooms is wanted.
    NextPage,
    /// Bytes are newly on their way to the peer: the connection is watched until they have arrived.
    Watch,
}

impl Writer {
    pub(crate) fn new(limits: &Limits) -> Self {
        let (budget, slow_backlog) = (limits.write_per_turn, limits.slow_backlog);
        let steady = Rate::new(limits.room_pace);
        Self { budget, slow_backlog, steady, now: Instant::START, follow_ups: Vec::new() }
    }

    /// Sets the time.
    pub(crate) fn begin_turn(&mut self, now: Instant) {
        self.now = now;
    }

    /// Flushes a connection's send buffer, within the budget. Returns how many bytes were written.
    pub(crate) fn flush<S: Socket>(
        &mut self,
        connections: &mut Connections<S>,
        key: ConnKey,
    ) -> usize {
        let pending = |connections: &Connections<S>| {
            connections.get(key).map_or(0, |connection| connection.outbound.send.pending())
        };
        let before = pending(connections);
        self.write(connections, key, Connection::flush);
        before.saturating_sub(pending(connections))
    }

    /// Calls `write` for a connection, with the budget.
    pub(crate) fn write<S: Socket>(
        &mut self,
        connections: &mut Connections<S>,
        key: ConnKey,
        write: impl FnOnce(&mut Connection<S>, &mut usize) -> io::Result<Flushed>,
    ) {
        let Some(connection) = connections.get_mut(key) else { return };
        let mut left = self.budget;
        let written = write(connection, &mut left);
        if matches!(written, Ok(Flushed::All)) && connection.outbound.is_at_rest() {
            // Nearly always: the kernel has everything, and had everything before.
            return;
        }
        self.note(connections, key, &written, self.budget - left);
    }

    /// Records the follow-ups of a write.
    #[cold]
    fn note<S: Socket>(
        &mut self,
        connections: &mut Connections<S>,
        key: ConnKey,
        result: &io::Result<Flushed>,
        written: usize,
    ) {
        let Some(Connection { outbound, .. }) = connections.get_mut(key) else {
            return;
        };
        if outbound.watch() {
            self.follow_ups.push((key, FollowUp::Watch));
        }
        outbound.note_written(self.now, written, self.steady);
        let is_behind = outbound.is_slow()
            || outbound.send.pending() > self.slow_backlog
            || outbound.send.has_waiting_list();
        if is_behind {
            self.follow_ups.push((key, FollowUp::CheckBacklog { has_read: written > 0 }));
        }
        let follow_up = match result {
            Ok(Flushed::All | Flushed::Blocked | Flushed::Awaited) => None,
            Ok(Flushed::Budget) => Some(FollowUp::Resume),
            Ok(Flushed::Page) => Some(FollowUp::NextPage),
            Err(_) => Some(FollowUp::Failed),
        };
        self.follow_ups.extend(follow_up.map(|follow_up| (key, follow_up)));
        connections.account_memory(key);
        if let Some(connection) = connections.get_mut(key) {
            connection.outbound.settle();
        }
    }

    /// Notes how much is pending for a connection, also outside its send buffer.
    pub(crate) fn note_pending(&mut self, key: ConnKey, pending: usize) {
        if pending > self.slow_backlog {
            self.follow_ups.push((key, FollowUp::CheckBacklog { has_read: false }));
        }
    }

    /// Takes a follow-up, in any order.
    pub(crate) fn next_follow_up(&mut self) -> Option<(ConnKey, FollowUp)> {
        self.follow_ups.pop()
    }

    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.follow_ups.shrink_to_fit();
    }

    /// Whether follow-ups are left.
    pub(crate) fn has_follow_ups(&self) -> bool {
        !self.follow_ups.is_empty()
    }
}
