//! The number of cases per property, and their seed.

use std::hash::{BuildHasher, RandomState};

use proptest::test_runner::{Config, RngSeed};

/// Returns a configuration with this many cases and a new seed, unless `PROPTEST_CASES` or
/// `PROPTEST_RNG_SEED` says otherwise.
pub(crate) fn config(cases: u32) -> Config {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(RandomState::new().hash_one("seed"));
    }
    config
}
