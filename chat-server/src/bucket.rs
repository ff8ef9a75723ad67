//! A token bucket: so many at once, so many a second.

use std::time::Instant;

/// What a bucket allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// At once, after a quiet time.
    pub burst: u32,
    /// Each second from then on.
    pub per_second: u32,
}

/// What is left of an [`Allowance`], as the instant up to which it has been used: 16 bytes, no
/// timer, no floating point (the generic cell rate algorithm, ITU-T I.371).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    used_until: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(now: Instant) -> Self {
        Self { used_until: now }
    }

    /// Takes one token; false when there is none.
    #[must_use]
    pub(crate) fn take(&mut self, now: Instant, allowance: Allowance) -> bool {
        let token = std::time::Duration::from_secs(1) / allowance.per_second.max(1);
        let used_until = self.used_until.max(now) + token;
        let fits = used_until <= now + token * allowance.burst;
        if fits {
            self.used_until = used_until;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_then_a_rate() {
        let allowance = Allowance { burst: 20, per_second: 2 };
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        let taken =
            |bucket: &mut Bucket, now| (0..100).filter(|_| bucket.take(now, allowance)).count();
        assert_eq!(taken(&mut bucket, start), 20);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(499)), 0);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(500)), 1);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(3)), 5);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(3_600)), 20);
    }
}
