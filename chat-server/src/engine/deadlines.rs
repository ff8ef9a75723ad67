//! What may take only so long: a frame, being behind, closing.
//!
//! A connection has one timer at the most, for the first of its deadlines when it was set. When it is
//! due it is looked at what is due, and set again.

use std::time::Duration;

use super::{Engine, Workers};
use crate::connection::Phase;
use crate::net::ConnKey;
use crate::net::Instant;
use crate::net::Socket;
use crate::stats::CloseReason;
use crate::stats::LimitKind;

/// When a timer is seen so much later than it was due, the server was late itself: it was stopped, or
/// the machine was.
const LATE: Duration = Duration::from_millis(500);

/// The shortest time that a timer is set for.
const AGAIN: Duration = Duration::from_millis(10);

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Sets the timer of a connection, unless it is set early enough.
    pub(super) fn arm(&mut self, now: Instant, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let deadline = match connection.phase {
            Phase::Open | Phase::Ending => {
                let frame = connection.frame_deadline(self.input_limits);
                let behind = connection.behind_since.map(|t| t + self.limits.slow_backlog_time);
                frame.into_iter().chain(behind).min()
            }
            Phase::Finishing { deadline } | Phase::Lingering { deadline } => Some(deadline),
        };
        // One that is overdue and cannot be dealt with yet is looked at again, but not all the time.
        if let Some(deadline) = deadline.map(|deadline| deadline.max(now + AGAIN))
            && connection.timer.is_none_or(|timer| deadline < timer)
        {
            connection.timer = Some(deadline);
            self.timers.add(deadline, key);
        }
    }

    /// Ends what has taken too long.
    pub(super) fn expire(&mut self, now: Instant) {
        // All first: what is set meanwhile has its turn in the next one, however late it is.
        let mut due = Vec::new();
        while let Some(timer) = self.timers.pop_due(now) {
            due.push(timer);
        }
        for (at, key) in due {
            if let Some(connection) = self.connections.get_mut(key)
                && connection.timer == Some(at)
            {
                connection.timer = None;
                self.look_at_clock(now, key);
                if fault!(TimerForgotten) {
                    continue;
                }
                self.arm(now, key);
            }
        }
    }

    fn look_at_clock(&mut self, now: Instant, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        match connection.phase {
            Phase::Open | Phase::Ending => {
                self.expire_frame(now, key);
                self.expire_backlog(now, key);
            }
            Phase::Finishing { deadline } | Phase::Lingering { deadline } if deadline <= now => {
                self.counters.reach(LimitKind::Linger);
                self.remove(key);
            }
            Phase::Finishing { .. } | Phase::Lingering { .. } => {}
        }
    }

    /// Closes a connection whose frame has not ended in time. First it is read once more: the server
    /// may have been late itself. While there is more to be read it still is.
    fn expire_frame(&mut self, now: Instant, key: ConnKey) {
        if self.is_frame_overdue(now, key) && self.stopping.is_none() {
            if let Some(connection) = self.connections.get_mut(key) {
                // A mark may have come of which no event has told so far.
                connection.announce_cut();
            }
            self.read(now, key);
            let is_read = self.connections.get(key).is_some_and(|c| !c.read_planned);
            if is_read && self.is_frame_overdue(now, key) {
                self.end(key, CloseReason::FrameTimeout);
            }
        }
    }

    fn is_frame_overdue(&self, now: Instant, key: ConnKey) -> bool {
        let deadline = |key| self.connections.get(key)?.frame_deadline(self.input_limits);
        deadline(key).is_some_and(|deadline| deadline <= now)
    }

    /// Cuts off a connection that has been behind for too long. First it is written to once more: the
    /// server may have been late itself. If it was, the connection has its time again: while nobody
    /// wrote to it, it could not catch up.
    fn expire_backlog(&mut self, now: Instant, key: ConnKey) {
        if self.backlog_deadline(key).is_some_and(|deadline| deadline <= now) {
            self.writable(key);
            self.flush(key);
            self.check_backlogs(now);
            let Some(deadline) = self.backlog_deadline(key) else { return };
            if deadline + LATE <= now {
                self.restart_backlog_time(now, key);
            } else if deadline <= now {
                self.cut_off(now, key, CloseReason::SlowBacklog);
            }
        }
    }

    fn backlog_deadline(&self, key: ConnKey) -> Option<Instant> {
        let since = self.connections.get(key)?.behind_since?;
        Some(since + self.limits.slow_backlog_time)
    }

    fn restart_backlog_time(&mut self, now: Instant, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.behind_since = Some(now);
        }
    }
}
