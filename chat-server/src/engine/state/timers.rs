//! Timers of connections, the earliest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::net::{ConnKey, Instant};

/// A queue of timers. A timer that is no longer needed is not removed, but found stale when it expires.
#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(Instant, ConnKey)>>);

impl Timers {
    pub(crate) fn add(&mut self, at: Instant, key: ConnKey) {
        self.0.push(Reverse((at, key)));
    }

    /// The time at which the next timer expires.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// Removes a timer that has expired.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Instant, ConnKey)> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(due)| due)
    }
}
