//! Deadlines of connections, the earliest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::net::ConnKey;
use crate::net::Instant;

/// A queue of deadlines. One that no longer holds is not taken out but found stale when it is due:
/// most are never due.
#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(Instant, ConnKey)>>);

impl Timers {
    pub(crate) fn add(&mut self, at: Instant, key: ConnKey) {
        self.0.push(Reverse((at, key)));
    }

    /// When something is due next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes a deadline that has been reached.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Instant, ConnKey)> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(due)| due)
    }
}
