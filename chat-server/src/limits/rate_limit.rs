//! A limit on how often something may happen.

/// So often at once, and so often a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// At once, after a quiet time.
    pub burst: u32,
    /// Each second from then on; 0 for no limit at all.
    pub per_second: u32,
}

impl RateLimit {
    /// So many a second and twice as many at once; 0 for no limit at all.
    pub fn of_rate(per_second: u32) -> Self {
        Self { burst: per_second.saturating_mul(2).max(1), per_second }
    }
}
