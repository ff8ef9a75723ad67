//! Numbers that one thread writes and any thread may read, and their snapshots.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that one thread writes and any thread may read.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        // There is one writer, so nothing can come between the load and the store.
        self.set(self.value() + n);
    }

    pub(crate) fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A count for each of a few kinds. `Debug` omits those that are 0.
#[derive(Clone, PartialEq, Eq)]
pub struct Counts<K>(Vec<(K, u64)>);

impl<K: Copy + PartialEq> Counts<K> {
    pub(super) fn new<'a>(counters: impl Iterator<Item = (&'a K, &'a Counter)>) -> Self
    where
        K: 'a,
    {
        Self(counters.map(|(&kind, counter)| (kind, counter.value())).collect())
    }

    /// The count of one kind.
    pub fn count(&self, kind: K) -> u64 {
        self.iter().find(|&(other, _)| other == kind).map_or(0, |(_, n)| n)
    }

    /// The sum of all counts.
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, n)| n).sum()
    }

    /// Every kind with its count, zeros included.
    pub fn iter(&self) -> impl Iterator<Item = (K, u64)> {
        self.0.iter().copied()
    }
}

impl<K: fmt::Debug> fmt::Debug for Counts<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = self.0.iter().filter(|(_, n)| *n > 0);
        f.debug_map().entries(counted.map(|(kind, n)| (kind, n))).finish()
    }
}
