//! Relief: what gives way when all connections together hold more memory than they may.
//!
//! In this order: what is kept for later; the connections that have gone longest without reading what is
//! pending, or without completing a frame; what would need more memory, namely reading and new connections.

use std::cmp::Reverse;
use std::time::Duration;

use super::Engine;
use super::state::{Rank, Workers};
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::{CloseReason, LimitKind, ReliefStep};

/// A connection for which something has been pending no longer than this, or that has read some of it since,
/// is evicted after those that have been idle for longer, and after all others if it has read before. A reader
/// of 2 Mbit/s empties a third of the kernel's buffer in less.
const STEADY: Duration = Duration::from_millis(500);

/// The share of the limit by which relief goes below it. Little, so that a turn closes few connections.
const MARGIN: usize = 1024;

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Frees memory until no more is held than the limit allows. What rooms are handing out is left: it is
    /// bounded for each room, and soon gone.
    #[inline]
    pub(super) fn relieve_memory(&mut self, now: Instant) {
        if self.held() > self.limits.total_backlog {
            self.free_memory(now);
        }
    }

    #[cold]
    fn free_memory(&mut self, now: Instant) {
        if self.fanout.spare_memory() > 0 {
            self.note_relief(ReliefStep::Spare);
            self.fanout.free_spare();
        }
        if self.excess(0) == 0 {
            return;
        }
        // The second time around, connections that were told so the first time are removed.
        for _ in 0..2 {
            if self.evict_candidates(now) {
                return;
            }
            let ranked = self.rank_all(now);
            self.candidates.replace(ranked);
            if self.evict_candidates(now) {
                return;
            }
        }
    }

    /// Evicts candidates until little enough is held. Returns whether it is.
    fn evict_candidates(&mut self, now: Instant) -> bool {
        while let Some((rank, key)) = self.candidates.pop() {
            // It may have read, or be gone.
            if self.rank(now, key).is_some_and(|now| now <= rank) {
                self.note_relief(ReliefStep::Evicted);
                self.evict(now, key, CloseReason::TotalBacklog);
                if self.excess(self.limits.total_backlog / MARGIN) == 0 {
                    self.candidates.keep_idle();
                    return true;
                }
            }
        }
        false
    }

    /// Whether more memory is held than relief could free, so that nothing may be begun that needs more. It
    /// ends as rooms hand out what they have.
    pub(super) fn is_short_of_memory(&mut self) -> bool {
        let is_short = self.fanout.is_dirty() && self.is_over_limit();
        if is_short {
            self.counters.reach(LimitKind::MaxMemory);
        }
        is_short
    }

    /// The rank of every connection that holds more than its share.
    fn rank_all(&self, now: Instant) -> Vec<(Rank, ConnKey)> {
        let keys = self.connections.keys();
        keys.into_iter().filter_map(|key| Some((self.rank(now, key)?, key))).collect()
    }

    /// The rank of a connection; `None` unless it holds more than its share.
    fn rank(&self, now: Instant, key: ConnKey) -> Option<Rank> {
        let connection = self.connections.get(key)?;
        let memory = self.retained_for(key);
        let share = self.limits.total_backlog / self.connections.len().max(1);
        let idle_since = connection.idle_since().unwrap_or(now);
        let is_recent = now < idle_since + STEADY && connection.inbound.frame_since().is_none();
        let is_steady = is_recent && connection.outbound.is_steady(now);
        (memory > share).then_some(Rank {
            is_recent,
            is_steady,
            idle_since,
            memory: Reverse(memory),
        })
    }

    /// Bytes by which what is held, but for what rooms are handing out, exceeds the limit less `margin`.
    fn excess(&self, margin: usize) -> usize {
        (self.memory() + margin).saturating_sub(self.limits.total_backlog + self.fanout.unsent())
    }

    pub(super) fn note_relief(&mut self, step: ReliefStep) {
        self.counters.relieve(step);
        let (held, limit) = (self.held(), self.limits.total_backlog);
        self.log.relieved(step, held, limit);
    }

    /// Memory retained because of a connection, in bytes; shared memory counts whole.
    fn retained_for(&self, key: ConnKey) -> usize {
        let Some(connection) = self.connections.get(key) else { return 0 };
        let subscription = connection.subscription.as_ref();
        let in_log = subscription.map_or(0, |subscription| self.fanout.retained_for(subscription));
        connection.outbound.send.memory() + in_log + connection.stream_memory()
    }
}

impl<S, W> Engine<S, W> {
    /// Memory held for all connections, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.connections.memory() + self.fanout.memory()
    }

    /// Whether more memory is held than the limit allows.
    pub(super) fn is_over_limit(&self) -> bool {
        self.memory() > self.limits.total_backlog
    }

    /// As [`Engine::memory`], with what is kept for later.
    fn held(&self) -> usize {
        self.memory() + self.fanout.spare_memory()
    }

    /// Memory of requests and outputs that are with the hub, at most, in bytes.
    #[cfg(test)]
    pub(crate) fn in_flight_memory(&self) -> usize {
        // Queues grow by doubling.
        let each = 2 * (size_of::<crate::workers::Request>() + size_of::<chat_core::Output>());
        let requests = self.dispatcher.posted() - self.dispatcher.done();
        self.ingress.read_ahead() + requests as usize * each
    }
}
