//! Time as the engine knows it: told by whoever runs it, never looked up.

use std::num::NonZeroU64;
use std::ops::Add;
use std::time::{self, Duration};

/// A point in time, to the nanosecond. 8 bytes, also as an `Option`: a connection has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(NonZeroU64);

impl Instant {
    /// The earliest.
    pub(crate) const START: Self = Self(NonZeroU64::MIN);

    /// How long after `earlier` this is; nothing if it is before.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }

    /// As [`Instant::since`], in nanoseconds.
    pub(crate) const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.get().saturating_sub(earlier.0.get())
    }

    /// So many nanoseconds later; the end of time, some 584 years after the start, if that is earlier.
    pub(crate) const fn plus_nanos(self, nanos: u64) -> Self {
        Self(self.0.saturating_add(nanos))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// As [`Instant::plus_nanos`].
    fn add(self, after: Duration) -> Self {
        self.plus_nanos(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// Tells the time, from its own making on. It does not go back, and does not jump with the
/// calendar's.
#[derive(Debug)]
pub(crate) struct Clock(time::Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(time::Instant::now())
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::START + self.0.elapsed()
    }
}
