//! When the members of a room are read: not while they say more than a member that reads can take.
//!
//! - A room is *held* for [`CATCH_UP_TIME`] when a member becomes slow, once in [`HOLD_PERIOD`] at most: enough
//!   for a reader to get a core on a busy machine.
//! - A room is *paced* for [`PACE_TIME`] after a member has become slow, or a slow one has read something: its
//!   members say no more than [`Limits::room_pace`](crate::Limits::room_pace), so that whoever reads steadily
//!   stays. One that does not read paces nobody for longer.
//!
//! Connections that have to wait are served in the order in which they came: members that have something to
//! say, and those that want to join, since joins and leaves are told to the room too.

use std::collections::VecDeque;
use std::time::Duration;

use crate::connection::{Rate, TokenBucket};
use crate::net::{ConnKey, Instant};

/// The time for which the talkers of a room wait for a member that has become slow.
const CATCH_UP_TIME: Duration = Duration::from_millis(100);

/// The time in which a room is held once at most, whoever becomes slow.
const HOLD_PERIOD: Duration = Duration::from_secs(1);

/// The time for which a slow member that has read something paces its room.
const PACE_TIME: Duration = Duration::from_secs(1);

/// A connection that waits for a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiter {
    pub(crate) key: ConnKey,
    /// Whether it wants to join the room; it is a member otherwise.
    pub(crate) joins: bool,
}

/// What keeps the members of one room from being read.
#[derive(Debug)]
pub(super) struct Throttle {
    /// Members that are slow because of this room.
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

/// Where a room with waiting connections is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Nowhere,
    /// Among those to be served.
    Ready,
    /// Among those that wait for a time.
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

    /// Notes that a member is slow no longer, or no member.
    pub(super) fn keep_up(&mut self, key: ConnKey) {
        self.slow -= 1;
        if self.slow == 0 {
            self.paced_until = Instant::START;
        }
        self.hold = self.hold.filter(|(held_for, _)| *held_for != key && self.slow > 0);
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let is_idle = self.waiting.is_empty() && self.place == Place::Nowhere;
        is_idle && self.slow == 0 && self.next_hold <= now
    }
}
