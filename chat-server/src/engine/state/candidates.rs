//! The connections to evict next when memory is short.

use std::cmp::Reverse;

use crate::net::{ConnKey, Instant};

/// The most candidates kept.
const MOST: usize = 1024;

/// What decides when a connection is evicted: the least rank first, so the longest idle, then the largest; those
/// that read steadily last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) is_recent: bool,
    pub(crate) is_steady: bool,
    pub(crate) idle_since: Instant,
    /// Bytes retained for it.
    pub(crate) memory: Reverse<usize>,
}

/// Those to evict next. Ranking all connections takes as long as evicting a dozen, and an attacker may come back
/// as fast as it is evicted; so the order serves for several evictions. Whoever has become idle since then comes
/// after them anyway.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// The next is the last.
    ranked: Vec<(Rank, ConnKey)>,
}

impl Candidates {
    /// Replaces the candidates by the first of these.
    pub(crate) fn replace(&mut self, mut all: Vec<(Rank, ConnKey)>) {
        if all.len() > MOST {
            all.select_nth_unstable(MOST);
            all.truncate(MOST);
        }
        all.sort_unstable_by(|a, b| b.cmp(a));
        self.ranked = all;
    }

    /// Takes the next candidate, with its rank when all were ranked.
    pub(crate) fn pop(&mut self) -> Option<(Rank, ConnKey)> {
        self.ranked.pop()
    }

    /// Keeps the candidates for later, but for those that may no longer be the next by then.
    pub(crate) fn keep_idle(&mut self) {
        let recent = self.ranked.partition_point(|(rank, _)| rank.is_recent);
        self.ranked.drain(..recent);
        if self.ranked.is_empty() {
            self.ranked = Vec::new();
        }
    }
}
