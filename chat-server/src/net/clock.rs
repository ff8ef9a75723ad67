//! Time for the engine, which takes it as an argument and never reads a clock.

use std::num::NonZeroU64;
use std::ops::Add;
use std::time::{self, Duration};

/// A point in monotonic time, to the nanosecond. Takes 8 bytes even as an `Option`, since a connection holds several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(NonZeroU64);

impl Instant {
    /// The earliest.
    pub(crate) const START: Self = Self(NonZeroU64::MIN);

    /// The time since `earlier`; zero if that is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }

    /// As [`Instant::since`], in nanoseconds.
    pub(crate) const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.get().saturating_sub(earlier.0.get())
    }

    /// Adds nanoseconds, up to the last instant, some 584 years after the start.
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

/// Measures the time since it was started. It is monotonic.
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
