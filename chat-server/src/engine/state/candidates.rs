//! The connections to evict next when memory is short.

use std::cmp::Reverse;

use crate::net::{ConnKey, Instant};

/// The most candidates kept.
const MOST: usize = 1024;

/// The order of eviction, least rank first: the longest idle, among equals the largest, and steady readers last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) is_recent: bool,
    pub(crate) is_steady: bool,
    pub(crate) idle_since: Instant,
    /// Bytes retained for the connection.
    pub(crate) memory: Reverse<usize>,
}

/// The connections to evict next. Ranking all connections takes as long as a dozen evictions, and an attacker may
/// reconnect as fast as it is evicted; so one ranking serves several evictions. Connections that have become idle
/// since then would come later anyway.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// The ranking in reverse: the next candidate is the last.
    ranked: Vec<(Rank, ConnKey)>,
}

impl Candidates {
    /// Replaces the candidates by the first of `all`.
    pub(crate) fn replace(&mut self, mut all: Vec<(Rank, ConnKey)>) {
        if all.len() > MOST {
            all.select_nth_unstable(MOST);
            all.truncate(MOST);
        }
        all.sort_unstable_by(|a, b| b.cmp(a));
        self.ranked = all;
    }

    /// Takes the next candidate, with its rank at the time of the ranking.
    pub(crate) fn pop(&mut self) -> Option<(Rank, ConnKey)> {
        self.ranked.pop()
    }

    /// Keeps the candidates for later, except those whose order may have changed by then.
    pub(crate) fn keep_idle(&mut self) {
        let recent = self.ranked.partition_point(|(rank, _)| rank.is_recent);
        self.ranked.drain(..recent);
        if self.ranked.is_empty() {
            self.ranked = Vec::new();
        }
    }
}
