//! Throttles the members of a room that say more than a reading member can take.
//!
//! - A room is *held* for [`CATCH_UP_TIME`] when a member becomes slow, at most once in [`HOLD_PERIOD`]: long enough
//!   for a reader to get a core on a busy machine.
//! - A room is *paced* for [`PACE_TIME`] after a member has become slow, or a slow member has read something: its
//!   members may say no more than [`Limits::room_pace`](crate::Limits::room_pace), so that a member that reads
//!   steadily stays. A member that does not read has no such effect after that time.
//!
//! Connections that have to wait are served in order of arrival: members that have something to say, and connections
//! that want to join, since joins and leaves are broadcast to the room, too.

use std::collections::VecDeque;
use std::time::Duration;

use crate::connection::{Rate, TokenBucket};
use crate::net::{ConnKey, Instant};

/// How long the talkers of a room wait for a member that has become slow.
const CATCH_UP_TIME: Duration = Duration::from_millis(100);

/// A room is held at most once in this time, whoever becomes slow.
const HOLD_PERIOD: Duration = Duration::from_secs(1);

/// How long a slow member that has read something paces its room.
const PACE_TIME: Duration = Duration::from_secs(1);

/// A connection that waits for a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiter {
    pub(crate) key: ConnKey,
    /// Whether the connection wants to join the room, rather than being a member.
    pub(crate) joins: bool,
}

/// What keeps the members of one room from being read.
#[derive(Debug)]
pub(super) struct Throttle {
    /// The number of members that are slow because of this room.
    slow: usize,
    /// The member that the room is held for, and until when.
    hold: Option<(ConnKey, Instant)>,
    next_hold: Instant,
    paced_until: Instant,
    /// Bytes said while the room was paced.
    said: TokenBucket,
    pub(super) waiting: VecDeque<Waiter>,
    pub(super) place: Place,
}

/// The queue that a room with waiting connections is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Nowhere,
    /// The queue of rooms to be served.
    Ready,
    /// The queue of rooms that wait for a time.
    Timed,
}

impl Throttle {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            slow: 0,
            hold: None,
            next_hold: now,
            paced_until: now,
            said: TokenBucket::new(now),
            waiting: VecDeque::new(),
            place: Place::Nowhere,
        }
    }

    /// The time at which members may be read; `None` if they may be now.
    pub(super) fn closed_until(&self, now: Instant, pace: Rate) -> Option<Instant> {
        if let Some((_, until)) = self.hold
            && now < until
        {
            return Some(until);
        }
        if self.paced_until <= now {
            return None;
        }
        self.said.empty_until(now, pace).map(|at| at.min(self.paced_until))
    }

    /// Counts bytes that members say.
    pub(super) fn charge(&mut self, now: Instant, pace: Rate, bytes: usize) {
        if now < self.paced_until {
            self.said.charge(now, pace, u32::try_from(bytes).unwrap_or(u32::MAX));
        }
    }

    /// Notes that a member has become slow.
    pub(super) fn become_slow(&mut self, now: Instant, key: ConnKey) {
        self.slow += 1;
        self.pace(now);
        if self.next_hold <= now {
            self.next_hold = now + HOLD_PERIOD;
            self.hold = Some((key, now + CATCH_UP_TIME));
        }
    }

    /// Notes that a slow member has read something.
    pub(super) fn pace(&mut self, now: Instant) {
        self.paced_until = self.paced_until.max(now + PACE_TIME);
    }

    /// Notes that a member is no longer slow, or no longer a member.
    pub(super) fn keep_up(&mut self, key: ConnKey) {
        self.slow -= 1;
        if self.slow == 0 {
            self.paced_until = Instant::START;
        }
        self.hold = self.hold.filter(|(held_for, _)| *held_for != key && self.slow > 0);
    }

    /// Whether the throttle can be forgotten.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let is_idle = self.waiting.is_empty() && self.place == Place::Nowhere;
        is_idle && self.slow == 0 && self.next_hold <= now
    }
}
