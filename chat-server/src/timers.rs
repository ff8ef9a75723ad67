//! Deadlines of connections, the earliest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::connections::ConnKey;
use crate::moment::Moment;

/// A queue of deadlines. One that no longer holds is not taken out but found stale when it is due:
/// most are never due.
#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(Moment, ConnKey)>>);

impl Timers {
    pub(crate) fn add(&mut self, at: Moment, key: ConnKey) {
        self.0.push(Reverse((at, key)));
    }

    /// When something is due next.
    pub(crate) fn next(&self) -> Option<Moment> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes a deadline that has been reached.
    pub(crate) fn pop_due(&mut self, now: Moment) -> Option<(Moment, ConnKey)> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(due)| due)
    }
}
