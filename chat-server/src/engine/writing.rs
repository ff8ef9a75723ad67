//! Writing: which connections to write to, and the follow-ups of writes.

use super::Engine;
use super::state::Workers;
use crate::connection::{Connection, FollowUp, Pause, write_cost};
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::{CloseReason, LimitKind};

/// Writes of answers in one turn, for all connections together: some 0.3 ms. See [`write_cost`].
const WRITES_PER_TURN: usize = 32;

/// Frames of lists of rooms encoded in one turn, for all connections together: some 0.2 ms.
const PAGES_PER_TURN: usize = 2;

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Handles an event: the kernel takes bytes again.
    pub(crate) fn writable(&mut self, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.outbound.is_blocked() {
            self.counters.reach(LimitKind::KernelSendBuffer);
        }
        let is_incomplete = connection.state().is_incomplete();
        self.resume_writing(key);
        if is_incomplete {
            // A handshake may have output left to send, which reading does.
            self.readable(key, false);
        }
    }

    /// Continues writing to a connection that takes bytes again.
    pub(super) fn resume_writing(&mut self, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.outbound.unblock();
        if fault!(ForgottenWaiter) && connection.can_catch_up() {
            return;
        }
        if connection.has_pending() {
            self.enqueue_flush(key);
        }
    }

    /// Queues a connection to be flushed at the end of the turn.
    pub(super) fn enqueue_flush(&mut self, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.outbound.enqueue() {
            self.egress.push(key);
        } else {
            // Its memory may have been counted already, without the new output.
            self.connections.account_memory(key);
        }
    }

    /// Queues a connection for the next frame of a list of rooms.
    fn enqueue_for_page(&mut self, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key)
            && connection.outbound.enqueue_for_page()
        {
            self.egress.push_list(key);
        }
    }

    /// Flushes the rooms that have something to hand out.
    pub(super) fn flush_rooms(&mut self) {
        self.fanout.flush(&mut self.connections, &mut self.egress.writer);
        if self.fanout.is_dirty() {
            self.counters.reach(LimitKind::WritesPerRoomAndTurn);
        }
    }

    /// Flushes the connections that are queued now, within the budget of the turn.
    pub(super) fn flush_queued(&mut self) {
        let mut left = WRITES_PER_TURN;
        for _ in 0..self.egress.queued() {
            if left == 0 {
                self.counters.reach(LimitKind::WritePerTurn);
                break;
            }
            let Some(key) = self.egress.pop() else { break };
            if let Some(connection) = self.connections.get_mut(key) {
                connection.outbound.dequeue();
                let written = self.flush_and_advance(key);
                left = left.saturating_sub(write_cost(written));
            }
        }
        // The rest have to wait, and what they hold is counted.
        while let Some(key) = self.egress.next_uncounted() {
            self.connections.account_memory(key);
        }
    }

    /// Sends one frame each to the connections that are next in line for lists of rooms. The cost of a list is spread
    /// over as many turns as it has frames, and the cost of all lists in a turn is bounded.
    pub(super) fn serve_lists(&mut self, now: Instant) {
        for _ in 0..PAGES_PER_TURN {
            // If it needs another frame, its follow-up queues it again, after all others.
            let Some(key) = self.egress.pop_list() else { return };
            let Some(connection) = self.connections.get_mut(key) else { continue };
            connection.outbound.dequeue_for_page();
            if let Some(list) = connection.outbound.send.wanted_page() {
                let framing = connection.outbound.framing();
                let (page, rest) = self.dispatcher.page(framing, list);
                connection.outbound.charge_answer(now, self.egress.answers, page.len());
                connection.outbound.send.push_page(page, rest);
                self.flush_and_advance(key);
                // The end of a list starts the deadline of an incomplete frame after it.
                self.arm_timer(now, key);
            }
        }
    }

    /// Returns how many bytes were written.
    fn flush_and_advance(&mut self, key: ConnKey) -> usize {
        let written = self.flush(key);
        self.resume_if_caught_up(key);
        self.advance_close(key);
        written
    }

    /// Writes what is pending for a connection, including its room's log if it has been parked. Returns how
    /// many bytes.
    pub(super) fn flush(&mut self, key: ConnKey) -> usize {
        if self.connections.get(key).is_some_and(Connection::can_catch_up) {
            self.fanout.drain_log(&mut self.connections, key);
        }
        self.egress.writer.flush(&mut self.connections, key)
    }

    /// Carries out the follow-ups of this turn's writes.
    pub(super) fn follow_up_writes(&mut self, now: Instant) {
        while let Some((key, follow_up)) = self.egress.writer.next_follow_up() {
            match follow_up {
                FollowUp::Resume => {
                    self.counters.reach(LimitKind::WritePerTurn);
                    self.enqueue_flush(key);
                }
                FollowUp::Watch => self.watch.add(now, key),
                FollowUp::Failed => self.write_failed(now, key),
                FollowUp::CheckBacklog { has_read } => self.check_backlog(now, key, has_read),
                FollowUp::NextPage => self.enqueue_for_page(key),
            }
        }
    }

    /// Closes a connection whose socket has failed in a write. Reads its last input first; if the write met a reset,
    /// the read finds only an end.
    fn write_failed(&mut self, now: Instant, key: ConnKey) {
        if self.connections.get(key).is_some_and(|c| c.read_pause() != Some(Pause::Room)) {
            self.read(now, key);
        }
        if let Some(connection) = self.connections.get_mut(key) {
            connection.lifecycle.override_reason(CloseReason::Lost);
        }
        self.socket_failed(key);
    }
}
