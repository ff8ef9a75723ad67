//! Relief: what is given up when all connections together hold more memory than allowed.
//!
//! In this order: spare memory; what was said in the rooms, the oldest first; the connections that have gone longest without reading what is pending, or without
//! completing a frame; and whatever would need more memory, namely reading and new connections.

use std::cmp::Reverse;
use std::time::Duration;

use super::Engine;
use super::state::{Rank, Workers};
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::{CloseReason, LimitKind, ReliefStep};

/// A connection that has been idle for less than this is evicted after those idle for longer, and a steady reader
/// after all others. A reader of 2 Mbit/s empties a third of the kernel's buffer in less time.
const STEADY: Duration = Duration::from_millis(500);

/// The fraction of the limit (1/`MARGIN`) by which relief goes below the limit. Small, so that a turn closes few
/// connections.
const MARGIN: usize = 1024;

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Frees memory until no more is held than the limit allows. Leaves what rooms are handing out: it is bounded for
    /// each room, and soon gone.
    #[inline]
    pub(super) fn relieve_memory(&mut self, now: Instant) {
        if self.fanout.lent_history() > 0 {
            let beyond = self.memory().saturating_sub(self.limits.total_backlog);
            self.fanout.ask_history_back(beyond);
        }
        if self.held() > self.limit() {
            self.free_memory(now);
        }
    }

    #[cold]
    fn free_memory(&mut self, now: Instant) {
        if self.fanout.spare_memory() > 0 {
            self.note_relief(ReliefStep::Spare);
            self.fanout.free_spare();
        }
        let excess = self.excess(0);
        if excess == 0 {
            return;
        }
        if self.fanout.history_memory() > 0 {
            self.note_relief(ReliefStep::History);
            self.fanout.lend_history(excess);
            if self.excess(0) == 0 {
                return;
            }
        }
        // The second time, connections whose eviction only began in the first pass are removed.
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

    /// Evicts candidates until little enough memory is held. Returns whether that is so.
    fn evict_candidates(&mut self, now: Instant) -> bool {
        while let Some((rank, key)) = self.candidates.pop() {
            // It may have read since it was ranked, or be gone.
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

    /// Whether more memory is held than relief can free, so that nothing may begin that needs more. This ends as rooms
    /// hand out what they have.
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

    /// Whether connections hold so much that there is no memory for another one. What rooms are handing out will soon
    /// be gone.
    pub(super) fn is_full(&self) -> bool {
        self.is_over_limit() && self.excess(0) > 0
    }

    /// Bytes held beyond the limit less `margin`, not counting what rooms are handing out.
    fn excess(&self, margin: usize) -> usize {
        (self.memory() + margin).saturating_sub(self.limit() + self.fanout.unsent())
    }

    pub(super) fn note_relief(&mut self, step: ReliefStep) {
        self.counters.relieve(step);
        let (held, limit) = (self.held(), self.limit());
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
    fn is_over_limit(&self) -> bool {
        self.memory() > self.limit()
    }

    /// The most memory that all connections may hold, in bytes: more than their limit while history makes room.
    fn limit(&self) -> usize {
        self.limits.total_backlog.saturating_add(self.fanout.lent_history())
    }

    /// Like [`Engine::memory`], plus spare memory.
    fn held(&self) -> usize {
        self.memory() + self.fanout.spare_memory()
    }

    /// An upper bound on the memory of requests and outputs that are with the hub, in bytes.
    #[cfg(test)]
    pub(crate) fn in_flight_memory(&self) -> usize {
        // Queues grow by doubling.
        let each = 2 * (size_of::<crate::workers::Request>() + size_of::<chat_core::Output>());
        let requests = self.dispatcher.posted() - self.dispatcher.done();
        self.ingress.read_ahead() + requests as usize * each
    }
}
