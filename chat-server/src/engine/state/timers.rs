//! Timers of connections, the earliest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::net::{ConnKey, Instant};

/// A queue of timers. One that no longer holds is not removed, but found stale when it expires: most
/// never do.
#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(Instant, ConnKey)>>);

impl Timers {
    pub(crate) fn add(&mut self, at: Instant, key: ConnKey) {
        self.0.push(Reverse((at, key)));
    }

    /// When a timer expires next.
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
