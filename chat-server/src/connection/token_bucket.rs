//! Token buckets: a burst at once, then a rate.

use std::time::Duration;

use crate::limits::RateLimit;
use crate::net::Instant;

/// A [`RateLimit`] converted for a [`TokenBucket`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Nanoseconds in which one token comes back; 0 for no limit.
    token: u64,
    /// Nanoseconds in which an empty bucket fills up.
    bucket: u64,
}

impl Rate {
    /// Whether there is no limit.
    pub(crate) const fn is_unlimited(self) -> bool {
        self.token == 0
    }

    /// The time in which `tokens` tokens come back; zero if there is no limit.
    pub(crate) const fn time_for(self, tokens: usize) -> Duration {
        Duration::from_nanos(self.token.saturating_mul(tokens as u64))
    }

    pub(crate) fn new(limit: RateLimit) -> Self {
        let token = 1_000_000_000_u64.checked_div(limit.per_second.into()).unwrap_or(0);
        Self { token, bucket: token * u64::from(limit.burst) }
    }
}

/// The use made of a [`RateLimit`], stored as the instant at which the bucket is full again: 8 bytes, no timer, no
/// floating point (the generic cell rate algorithm, ITU-T I.371).
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenBucket {
    used_until: Instant,
}

impl TokenBucket {
    /// A full bucket.
    pub(crate) const fn new(now: Instant) -> Self {
        Self { used_until: now }
    }

    /// When all tokens will be back.
    pub(crate) const fn full_at(&self) -> Instant {
        self.used_until
    }

    /// Takes one token. Returns false if there is none.
    #[must_use]
    pub(crate) fn take(&mut self, now: Instant, rate: Rate) -> bool {
        let fits = self.empty_until(now, rate).is_none();
        if fits {
            self.charge(now, rate, 1);
        }
        fits
    }

    /// Takes `count` tokens, going into debt if necessary.
    pub(crate) fn charge(&mut self, now: Instant, rate: Rate, count: u32) {
        let price = rate.token.saturating_mul(count.into());
        self.used_until = self.used_until.max(now).plus_nanos(price);
    }

    /// Takes a quarter of a token, going into debt if necessary.
    pub(crate) fn charge_quarter(&mut self, now: Instant, rate: Rate) {
        self.used_until = self.used_until.max(now).plus_nanos(rate.token / 4);
    }

    /// The number of tokens left.
    pub(crate) fn left(&self, now: Instant, rate: Rate) -> u32 {
        let used = self.used_until.nanos_since(now);
        let left = rate.bucket.saturating_sub(used).checked_div(rate.token);
        left.map_or(u32::MAX, |left| u32::try_from(left).unwrap_or(u32::MAX))
    }

    /// Whether at most half of the tokens are taken.
    pub(crate) fn is_mostly_full(&self, now: Instant, rate: Rate) -> bool {
        self.used_until.nanos_since(now) <= rate.bucket / 2
    }

    /// When there will be a token again; `None` if there is one.
    pub(crate) fn empty_until(&self, now: Instant, rate: Rate) -> Option<Instant> {
        let used = self.used_until.nanos_since(now);
        let wait = used.saturating_add(rate.token).saturating_sub(rate.bucket);
        (wait > 0).then(|| now.plus_nanos(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(burst: u32, per_second: u32) -> Rate {
        Rate::new(RateLimit { burst, per_second })
    }

    #[test]
    fn a_burst_then_a_rate() {
        let rate = rate(20, 2);
        let start = Instant::START;
        let mut bucket = TokenBucket::new(start);
        let taken =
            |bucket: &mut TokenBucket, now| (0..100).filter(|_| bucket.take(now, rate)).count();
        assert_eq!(taken(&mut bucket, start), 20);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(499)), 0);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(500)), 1);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(3)), 5);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(3_600)), 20);
    }

    #[test]
    fn a_debt_is_paid_at_the_rate() {
        let rate = rate(20, 2);
        let start = Instant::START;
        let mut bucket = TokenBucket::new(start);
        bucket.charge(start, rate, 19);
        assert_eq!(bucket.empty_until(start, rate), None, "one is left");
        bucket.charge(start, rate, 1);
        assert_eq!(bucket.empty_until(start, rate), Some(start + Duration::from_millis(500)));
        bucket.charge(start, rate, 10);
        let paid = start + Duration::from_millis(5_500);
        assert_eq!(bucket.empty_until(start, rate), Some(paid));
        assert_eq!(bucket.empty_until(paid, rate), None);
        assert!(bucket.take(paid, rate) && !bucket.take(paid, rate));
    }

    #[test]
    fn there_is_one_left_if_one_can_be_taken() {
        let rate = rate(7, 3);
        let mut bucket = TokenBucket::new(Instant::START);
        for now in (0..3_000).map(|ms| Instant::START + Duration::from_millis(ms)) {
            let left = bucket.left(now, rate);
            assert_eq!(left > 0, bucket.empty_until(now, rate).is_none(), "{now:?}");
            assert!(left <= 7);
            if left > 0 {
                bucket.charge(now, rate, left);
                assert_eq!(bucket.left(now, rate), 0, "all are taken");
            }
        }
    }

    #[test]
    fn without_a_rate_there_is_no_limit() {
        let free = rate(1, 0);
        let mut bucket = TokenBucket::new(Instant::START);
        bucket.charge(Instant::START, free, 1_000_000);
        assert_eq!(bucket.empty_until(Instant::START, free), None);
        assert_eq!(bucket.left(Instant::START, free), u32::MAX);
        assert!((0..100).all(|_| bucket.take(Instant::START, free)));
    }
}
