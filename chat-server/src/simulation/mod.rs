//! The whole server but the kernel, under a seed: virtual sockets, workers and time; faults of all
//! kinds, and then a calm in which everything that is owed has to arrive. What the clients have seen
//! is checked against the invariants I1 to I16.
//!
//! `SIM_SEEDS=10000 cargo test -p chat-server simulation` runs more seeds; `SIM_SEED=7` runs that one.

mod check;
mod client;
mod net;
mod plan;
mod replay;
mod rng;
mod server;
mod trace;
mod workers;
mod world;

use std::env;

use world::{Run, World};

/// Seeds of a run of the tests.
const SEEDS: u64 = 256;

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} has to be a number, not {value:?}")))
}

/// Runs a seed and checks what came of it. When that fails, says how to see it again.
fn run(seed: u64) -> Run {
    struct Replay(u64);
    impl Drop for Replay {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("replay: SIM_SEED={} cargo test -p chat-server simulation", self.0);
            }
        }
    }
    let _replay = Replay(seed);
    let run = World::run(seed);
    check::check(&run);
    run
}

#[test]
fn every_seed_holds_every_invariant() {
    let seeds = match number("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIM_SEEDS").unwrap_or(SEEDS),
    };
    let mut received = 0;
    for seed in seeds {
        received += run(seed).received();
    }
    println!("{received} messages were received");
}

#[test]
fn a_seed_is_the_same_run_each_time() {
    for seed in 0..8 {
        assert_eq!(run(seed).hash, run(seed).hash, "I16: seed {seed}");
    }
    assert_ne!(run(0).hash, run(1).hash, "another seed is another run");
}
