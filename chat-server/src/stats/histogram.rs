//! Distributions, counted in buckets whose bounds are powers of two: recording a value takes neither a
//! division nor a search.

use std::array;

use super::counter::Counter;

/// A distribution of values: a count per bucket, and the sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    sum: u64,
    /// The counts of values up to `first`, up to twice that, and so on; the last bucket is unbounded.
    buckets: Vec<u64>,
    first: u64,
}

impl Histogram {
    /// The number of values.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The sum of all values.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The buckets: the inclusive upper bound of each, `None` for the last, and the number of values in it that fit no
    /// earlier bucket.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> + '_ {
        let last = self.buckets.len() - 1;
        let bound = move |i: usize| (i < last).then(|| self.first << i);
        self.buckets.iter().enumerate().map(move |(i, &n)| (bound(i), n))
    }
}

/// A [`Histogram`] that one thread writes and any thread may read. The first of its `N` buckets takes values up to
/// 2^`SHIFT`.
#[derive(Debug)]
pub(crate) struct Recorder<const SHIFT: u32, const N: usize> {
    sum: Counter,
    buckets: [Counter; N],
}

impl<const SHIFT: u32, const N: usize> Recorder<SHIFT, N> {
    pub(crate) fn record(&self, value: u64) {
        let doublings = u64::BITS - (value.saturating_sub(1) >> SHIFT).leading_zeros();
        self.buckets[(doublings as usize).min(N - 1)].add(1);
        self.sum.add(value);
    }

    pub(crate) fn histogram(&self) -> Histogram {
        Histogram {
            sum: self.sum.value(),
            buckets: self.buckets.iter().map(Counter::value).collect(),
            first: 1 << SHIFT,
        }
    }
}

impl<const SHIFT: u32, const N: usize> Default for Recorder<SHIFT, N> {
    fn default() -> Self {
        Self { sum: Counter::default(), buckets: array::from_fn(|_| Counter::default()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_value_falls_into_the_first_bucket_that_fits(
            values in proptest::collection::vec((0_u32..20, -1_i64..=1), 0..50),
        ) {
            let values: Vec<_> =
                values.into_iter().map(|(bits, off)| (1_u64 << bits).wrapping_add_signed(off)).collect();
            let recorder = Recorder::<4, 10>::default();
            for &value in &values {
                recorder.record(value);
            }
            let histogram = recorder.histogram();
            prop_assert_eq!(histogram.count(), values.len() as u64);
            prop_assert_eq!(histogram.sum(), values.iter().sum::<u64>());
            let mut below = 0;
            for (bound, n) in histogram.buckets() {
                below += n;
                let bound = bound.unwrap_or(u64::MAX);
                let expected = values.iter().filter(|&&value| value <= bound).count();
                prop_assert_eq!(below, expected as u64, "up to {}", bound);
            }
        }
    }

    #[test]
    fn the_bounds_are_powers_of_two_and_the_last_bucket_takes_the_rest() {
        let recorder = Recorder::<4, 4>::default();
        recorder.record(u64::MAX);
        let buckets: Vec<_> = recorder.histogram().buckets().collect();
        assert_eq!(buckets, [(Some(16), 0), (Some(32), 0), (Some(64), 0), (None, 1)]);
    }
}
