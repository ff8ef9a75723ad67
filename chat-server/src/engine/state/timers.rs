//! Timers of connections, the earliest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::net::{ConnKey, Instant};

/// A queue of timers. A timer that is no longer needed stays, and is found stale when it expires.
#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(Instant, ConnKey)>>);

impl Timers {
    /// Timers that may be stale, no matter how few connections there are.
    const MAX_STALE: usize = 1024;

    pub(crate) fn add(&mut self, at: Instant, key: ConnKey) {
        self.0.push(Reverse((at, key)));
    }

    /// Drops the stale timers when there are many more timers than connections: a peer that comes and goes
    /// leaves one behind each time.
    pub(crate) fn compact(
        &mut self,
        connections: usize,
        is_needed: impl Fn(Instant, ConnKey) -> bool,
    ) {
        if self.0.len() > 2 * connections + Self::MAX_STALE {
            self.0.retain(|Reverse((at, key))| is_needed(*at, *key));
            self.0.shrink_to(2 * self.0.len());
        }
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
