//! Slow readers: limits on the backlog of one connection.

use super::Engine;
use super::state::Workers;
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::CloseReason;
use crate::stats::LimitKind;

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Compares the backlog of a connection with the limits, and evicts it or records whether it is slow. `has_read`
    /// says that some of the backlog has been written. A steady reader may have twice the backlog: in its case the
    /// room is too fast, and slows down.
    pub(super) fn check_backlog(&mut self, now: Instant, key: ConnKey, has_read: bool) {
        let pending = self.pending(key);
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.lifecycle.has_left_hub() {
            // It receives nothing more, and has a deadline of its own.
            return;
        }
        let is_steady = connection.outbound.is_steady(now);
        let outbound = &connection.outbound;
        // Broadcasts queued behind a list that is not encoded yet could not have been read.
        let is_list_next = outbound.send.wanted_page().is_some() && !outbound.is_blocked();
        if pending > self.limits.backlog << u32::from(is_steady) && !is_list_next {
            return self.evict(now, key, CloseReason::Backlog);
        }
        // Bytes pending from before it joined are not the room's fault.
        let of_room = pending - connection.outbound.send.marked();
        let slow_backlog = self.limits.slow_backlog;
        self.fanout.note_member(now, connection, key, of_room > slow_backlog, has_read);
        let is_list_stuck =
            connection.outbound.send.has_waiting_list() && connection.outbound.is_blocked();
        if pending > slow_backlog || is_list_stuck {
            self.become_slow(now, key);
        } else {
            self.keep_up(key);
        }
    }

    fn become_slow(&mut self, now: Instant, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.outbound.become_slow(now) {
            self.counters.reach(LimitKind::SlowBacklog);
        }
        self.arm_timer(now, key);
    }

    /// Notes that a connection is not slow. The next time it becomes slow, it gets its full time again.
    fn keep_up(&mut self, key: ConnKey) {
        if fault!(BehindForEver) {
            return;
        }
        if let Some(connection) = self.connections.get_mut(key)
            && connection.outbound.keep_up()
        {
            self.resume_if_caught_up(key);
        }
    }

    /// Bytes pending for a connection, including its room's log.
    fn pending(&self, key: ConnKey) -> usize {
        let Some(connection) = self.connections.get(key) else { return 0 };
        let subscription = connection.subscription.as_ref();
        let in_log = subscription.map_or(0, |subscription| self.fanout.pending(subscription));
        connection.outbound.send.pending() + in_log
    }
}
