//! Deadlines of connections: for an incomplete frame, for being slow, for closing.
//!
//! A connection has at most one timer, set for its earliest deadline at that time. When the timer expires, all
//! deadlines of the connection are checked, and the timer is set again.

use std::time::Duration;

use super::Engine;
use super::state::Workers;
use crate::connection::Phase;
use crate::net::{ConnKey, Instant, Socket, StreamState};
use crate::stats::CloseReason;
use crate::stats::LimitKind;

/// A timer that expires this late means that the server itself was late: the process was suspended, or the machine
/// was.
const LATE: Duration = Duration::from_millis(500);

/// The shortest time that a timer is set for.
const MIN_TIMER: Duration = Duration::from_millis(10);

/// The most timers that expire in one turn; the others wait a turn. Each may close a connection.
const TIMERS_PER_TURN: usize = 16;

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Sets the timer of a connection, unless it is set early enough.
    pub(super) fn arm_timer(&mut self, now: Instant, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let deadline = match connection.lifecycle.phase() {
            Phase::Open | Phase::Closing(_) => {
                let frame = connection.frame_deadline(self.ingress.limits());
                let slow_since = connection.outbound.slow_since();
                let slow = slow_since.map(|since| since + self.limits.slow_backlog_time);
                frame.into_iter().chain(slow).min()
            }
            Phase::Refused { .. } => connection.refusal_deadline(self.limits.linger),
            Phase::Draining { deadline, .. } | Phase::Lingering { deadline, .. } => Some(deadline),
        };
        // A deadline that has passed but cannot be acted on yet is checked again after a while.
        if let Some(deadline) = deadline.map(|deadline| deadline.max(now + MIN_TIMER))
            && connection.timer.is_none_or(|timer| deadline < timer)
        {
            connection.timer = Some(deadline);
            self.timers.add(deadline, key);
        }
    }

    /// Checks the deadlines of the connections whose timers have expired.
    pub(super) fn expire(&mut self, now: Instant) {
        // Collected first: a timer set meanwhile expires in the next turn at the earliest, however late it is.
        let mut due = Vec::new();
        while due.len() < TIMERS_PER_TURN
            && let Some(timer) = self.timers.pop_due(now)
        {
            due.push(timer);
        }
        for (at, key) in due {
            if let Some(connection) = self.connections.get_mut(key)
                && connection.timer == Some(at)
            {
                connection.timer = None;
                self.check_deadlines(now, key);
                if fault!(TimerForgotten) {
                    continue;
                }
                self.arm_timer(now, key);
            }
        }
    }

    fn check_deadlines(&mut self, now: Instant, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        match connection.lifecycle.phase() {
            Phase::Open | Phase::Closing(_) => {
                self.check_frame_deadline(now, key);
                self.check_slow_deadline(now, key);
            }
            Phase::Refused { .. } => {
                let is_handshaking = connection.state() == StreamState::Handshaking;
                let deadline = connection.refusal_deadline(self.limits.linger);
                if deadline.is_none_or(|deadline| now < deadline) {
                    return;
                }
                if is_handshaking {
                    // It takes no bytes.
                    self.counters.reach(LimitKind::Linger);
                    self.remove(key);
                } else {
                    self.tell_refused(now, key);
                }
            }
            Phase::Draining { deadline, .. } | Phase::Lingering { deadline, .. } => {
                if deadline <= now {
                    if connection.state() == StreamState::Fresh {
                        // A peer that has sent nothing is taken to speak plain text, and is told why.
                        connection.outbound.unblock();
                        self.flush(key);
                    }
                    self.counters.reach(LimitKind::Linger);
                    self.remove(key);
                }
            }
        }
    }

    /// Closes a connection whose frame was not complete in time. Reads everything available first, since the
    /// server itself may have been late, or may have paused reading; but not what the peer itself holds up.
    fn check_frame_deadline(&mut self, now: Instant, key: ConnKey) {
        if self.is_frame_overdue(now, key) && self.stop.is_none() {
            if let Some(connection) = self.connections.get_mut(key) {
                // There may be a mark that no event has announced.
                connection.inbound.mark();
            }
            let is_drained = self.read_late(now, key);
            let is_held_up = self.connections.get(key).is_some_and(|c| c.inbound.is_held_up());
            if (is_drained || is_held_up) && self.is_frame_overdue(now, key) {
                self.begin_close(key, CloseReason::FrameTimeout);
            }
        }
    }

    fn is_frame_overdue(&self, now: Instant, key: ConnKey) -> bool {
        let Some(connection) = self.connections.get(key) else { return false };
        let deadline = connection.frame_deadline(self.ingress.limits());
        deadline.is_some_and(|deadline| deadline <= now)
    }

    /// Evicts a connection that has been slow for too long. Writes to it first, since the server itself may have been
    /// late. If it was, the connection gets its full time again: it could not catch up while nobody wrote to it.
    fn check_slow_deadline(&mut self, now: Instant, key: ConnKey) {
        if self.slow_deadline(key).is_some_and(|deadline| deadline <= now) {
            self.writable(key);
            self.flush(key);
            self.check_backlog(now, key, false);
            let Some(deadline) = self.slow_deadline(key) else { return };
            if deadline + LATE <= now {
                if let Some(connection) = self.connections.get_mut(key) {
                    connection.outbound.restart_slow_time(now);
                }
            } else if deadline <= now {
                self.evict(now, key, CloseReason::SlowBacklog);
            }
        }
    }

    fn slow_deadline(&self, key: ConnKey) -> Option<Instant> {
        let since = self.connections.get(key)?.outbound.slow_since()?;
        Some(since + self.limits.slow_backlog_time)
    }
}
