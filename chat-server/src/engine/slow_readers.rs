//! Slow readers: limits on the backlog of one connection, and on the memory of all.

use std::cmp::Reverse;
use std::time::Duration;

use chat_core::RoomId;

use super::Engine;
use super::state::Workers;
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::CloseReason;
use crate::stats::LimitKind;

/// The time for which the talkers of a room wait for a member that has become slow: enough for a reader to
/// get a core on a busy machine. A member that does not read at all holds them up once, and no longer.
const CATCH_UP_TIME: Duration = Duration::from_millis(100);

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Compares what is pending for a connection with the limits: evicts it, or notes that it is slow, or
    /// that it no longer is.
    pub(super) fn check_backlog(&mut self, now: Instant, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.lifecycle.has_left_hub() {
            // It gets nothing more, and has a deadline.
            return;
        }
        let is_list_stuck =
            connection.outbound.send.has_waiting_list() && connection.outbound.is_blocked();
        let pending = self.pending(key);
        if pending > self.limits.backlog {
            self.evict(now, key, CloseReason::Backlog);
        } else if pending > self.limits.slow_backlog || is_list_stuck {
            self.become_slow(now, key);
        } else {
            self.keep_up(now, key);
        }
    }

    fn become_slow(&mut self, now: Instant, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.outbound.become_slow(now) {
            self.counters.reach(LimitKind::SlowBacklog);
            if let Some(subscription) = &connection.subscription {
                self.fanout.note_slow(subscription.room, key);
            }
        }
        self.arm_timer(now, key);
    }

    /// Notes that a connection is not slow. The next time it is, it gets its full time again.
    fn keep_up(&mut self, now: Instant, key: ConnKey) {
        if fault!(BehindForEver) {
            return;
        }
        if let Some(connection) = self.connections.get_mut(key)
            && connection.outbound.keep_up()
        {
            self.resume_if_caught_up(now, key);
        }
    }

    /// Whether a member of the room has just become slow, and may catch up shortly. Chats sent meanwhile would
    /// all be pending for it, however fast it reads.
    pub(super) fn waits_for_slow_member(&mut self, now: Instant, room: RoomId) -> bool {
        let connections = &self.connections;
        self.fanout.waits_for_slow(room, |key| {
            let member = connections.get(key).filter(|connection| {
                connection.subscription.is_some_and(|subscription| subscription.room == room)
            });
            let since = member.and_then(|connection| connection.outbound.slow_since());
            since.is_some_and(|since| now < since + CATCH_UP_TIME)
        })
    }

    /// Evicts the connections that retain the most memory, until all together are within the limit. A
    /// connection with no more than its share is not to blame: the excess is then what rooms are handing out,
    /// which is bounded for each room and soon gone.
    pub(super) fn enforce_total_backlog(&mut self, now: Instant) {
        if self.memory() <= self.limits.total_backlog {
            return;
        }
        let mut keys = self.connections.keys();
        let share = self.limits.total_backlog / keys.len().max(1);
        keys.sort_by_cached_key(|&key| Reverse(self.retained_for(key)));
        for key in keys {
            if self.memory() <= self.limits.total_backlog || self.retained_for(key) <= share {
                return;
            }
            self.evict(now, key, CloseReason::TotalBacklog);
        }
    }

    /// Bytes pending for a connection, including its room's log.
    fn pending(&self, key: ConnKey) -> usize {
        let Some(connection) = self.connections.get(key) else { return 0 };
        let subscription = connection.subscription.as_ref();
        let in_log = subscription.map_or(0, |subscription| self.fanout.pending(subscription));
        connection.outbound.send.pending() + in_log
    }

    /// Memory retained because of a connection, in bytes; shared memory counts whole.
    fn retained_for(&self, key: ConnKey) -> usize {
        let Some(connection) = self.connections.get(key) else { return 0 };
        let subscription = connection.subscription.as_ref();
        let in_log = subscription.map_or(0, |subscription| self.fanout.retained_for(subscription));
        connection.outbound.send.memory() + in_log + connection.inbound.memory()
    }
}

impl<S, W> Engine<S, W> {
    /// Memory held for all connections, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.connections.memory() + self.fanout.memory()
    }
}
