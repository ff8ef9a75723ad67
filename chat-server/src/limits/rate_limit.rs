//! A limit on how often something may happen.

/// A limit on how often something may happen: a burst at once, then a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many at once, after a quiet period.
    pub burst: u32,
    /// How many per second after that; 0 for no limit at all.
    pub per_second: u32,
}

impl RateLimit {
    /// A rate, with a burst of two seconds' worth; 0 for no limit at all.
    pub fn per_second(per_second: u32) -> Self {
        Self { burst: per_second.saturating_mul(2).max(1), per_second }
    }
}
