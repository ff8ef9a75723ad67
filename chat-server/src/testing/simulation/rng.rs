//! One small generator of random numbers: everything that a seed decides comes from it.

use std::ops::Range;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A generator whose numbers do not depend on how often this one is asked from here on.
    pub(super) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// A number of `range`, which is not empty.
    pub(super) fn within(&mut self, range: Range<usize>) -> usize {
        range.start + (self.next() % range.len() as u64) as usize
    }

    /// True `times` in `of`.
    pub(super) fn chance(&mut self, times: usize, of: usize) -> bool {
        self.within(0..of) < times
    }

    /// One of `choices`, which are not empty.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.within(0..choices.len())]
    }

    /// 1 to `most`, often 1 and often `most`.
    pub(super) fn portion(&mut self, most: usize) -> usize {
        match self.within(0..4) {
            0 => 1,
            1 => most,
            _ => self.within(1..most + 1),
        }
    }
}
