//! The delay before the next attempt to connect.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

/// The longest delay before the first attempt; doubled for each further attempt.
const FIRST: Duration = Duration::from_millis(500);

/// The longest delay before any attempt.
const LONGEST: Duration = Duration::from_secs(30);

/// Returns the delay before an attempt, counted from 0: random between half and all of the longest delay for that
/// attempt, so that clients that lost the same server do not all return at once.
pub(crate) fn delay(attempt: u32, random: u64) -> Duration {
    let doubled = FIRST.saturating_mul(2u32.saturating_pow(attempt));
    let half = doubled.min(LONGEST) / 2;
    let share = u32::try_from(random % 1_024).expect("it is below 1,024");
    half + half * share / 1_023
}

/// Returns a number that differs between processes and between calls. Not for secrets.
pub(crate) fn random() -> u64 {
    // The keys come from the system's randomness.
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn t4_delays_grow_to_an_end_and_differ(attempt: u32, random: u64) {
            let wait = delay(attempt, random);
            prop_assert!((FIRST / 2..=LONGEST).contains(&wait));
            prop_assert!(delay(attempt.saturating_add(1), random) >= wait);
            prop_assert!(delay(attempt, 0) * 2 == delay(attempt, 1_023));
            prop_assert!(attempt < 6 || delay(attempt, 1_023) == LONGEST);
        }
    }

    #[test]
    fn randomness_is_random() {
        let numbers: Vec<u64> = (0..4).map(|_| random()).collect();
        assert!(numbers.windows(2).any(|pair| pair[0] != pair[1]), "{numbers:?}");
    }
}
