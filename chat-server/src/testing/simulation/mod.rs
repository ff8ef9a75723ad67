//! The whole server above the kernel, run from a seed: virtual sockets, workers and time; limits of all sizes and
//! faults of all kinds, followed by a calm in which everything owed must arrive.
//!
//! `world` decides what happens next; `client`, `net`, `workers` and `server` play the parts around the engine, and
//! only `server` and `audit` look inside it. Some of the clients are browsers (`form`), in the same rooms, and some say
//! hello, lose their connections and come back (`asking`). Checks:
//!
//! - after the run, what the clients received (`check`): order, one sequence per room, nothing from before or after a
//!   stay, none of their own chats, everything or a prefix with the reason, one answer to each request, the stop,
//!   whole frames (I1 to I7, I5b, I11, I14, I15);
//! - after the run, what those know who said hello (`asking`): everything that was said while they were in a room, or
//!   what is missing (I17); each acknowledged chat is said once, however often it was sent (I18); a token works until
//!   the server knows that its client has the next one (I19); of a session that is kept nobody is told, and everybody
//!   once it has ended (I20);
//! - after each turn, the server's counts against an independent account (`audit`): what each connection is owed (I8),
//!   the memory held for all, counted from scratch (I9), who came and who went (I10);
//! - after each turn and each step of a worker, the heap, as its allocator counts it, against the memory that is
//!   counted (I9);
//! - for each connection that ends, the reason against its client's record (`judge`): no client that reads and sends
//!   whole frames is disconnected (I5b);
//! - at rest, that nobody waits for anything (I12), and that a seed gives the same run each time (I16).
//!
//! Isolation (I13) is checked in turns, and only where a chat waits for nothing but turns (`Plan::is_swift`). Not
//! checked: that the client evicted for the total backlog is the largest; how long a pause for a rate lasts, only that
//! it ends; failures of `accept`, which concern the listener. When several connections end in one turn without a known
//! reason, each may have ended for any of those counted. Lingering that is cut short is not counted where reading
//! waits for the workers (a small `read_ahead`).
//!
//! `SIM_SEEDS=10000 cargo test -p chat-server simulation` runs more seeds, `SIM_SEED=7` that one.

mod asking;
mod audit;
mod check;
mod client;
mod form;
mod judge;
mod net;
mod plan;
mod server;
mod trace;
mod waits;
mod workers;
mod world;

use std::collections::BTreeSet;
use std::env;
use std::panic;

use chat_testing::in_own_process;

use crate::testing::faults::{self, Fault};

use world::{Run, World};

/// Seeds that the tests run.
const SEEDS: u64 = 256;

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} has to be a number, not {value:?}")))
}

/// Runs a seed and checks the result. On failure, prints how to run it again.
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
    // In a process of its own, so that the heap is that of the simulation.
    in_own_process(|| {
        let seeds = match number("SIM_SEED") {
            Some(seed) => seed..seed + 1,
            None => 0..number("SIM_SEEDS").unwrap_or(SEEDS),
        };
        let (mut received, mut longest_wait) = (0, 0);
        for seed in seeds {
            let run = run(seed);
            received += run.received();
            longest_wait = longest_wait.max(run.longest_wait);
        }
        println!("{received} messages received; a witness waited {longest_wait} turns at most");
    });
}

#[test]
fn a_seed_is_the_same_run_each_time() {
    for seed in 0..8 {
        assert_eq!(run(seed).hash, run(seed).hash, "I16: seed {seed}");
    }
    assert_ne!(run(0).hash, run(1).hash, "another seed is another run");
}

/// Runs a seed with a planted fault, and returns what the simulation reports.
fn failure(fault: Fault, seed: u64) -> Option<String> {
    let failure = panic::catch_unwind(|| faults::with(fault, || run(seed))).err()?;
    let text = failure.downcast_ref::<String>().cloned();
    text.or_else(|| failure.downcast_ref::<&str>().map(|text| (*text).to_owned()))
}

/// Asserts that the simulation finds a fault as a violation of this invariant.
fn finds(fault: Fault, invariant: &str) {
    let name = format!("{invariant}:");
    let mut others = BTreeSet::new();
    for failure in (0..SEEDS).filter_map(|seed| failure(fault, seed)) {
        if failure.contains(&name) {
            return;
        }
        others.insert(failure.chars().take(80).collect::<String>());
    }
    panic!("no seed finds {fault:?} as {invariant}, but as: {others:#?}");
}

/// Declares a test for each planted fault, with the invariant that the fault violates.
macro_rules! faults_are_found {
    ($(#[test] fn $name:ident() { $fault:ident: $invariant:literal })*) => {
        $(#[test]
        fn $name() {
            finds(Fault::$fault, $invariant);
        })*
    };
}

/// The heap is that of the simulation alone.
#[test]
fn b1_memory_that_is_not_counted_is_found() {
    in_own_process(|| finds(Fault::UncountedInput, "I9"));
}

faults_are_found! {
    #[test] fn a_lost_wake_up_is_found() { LostWakeUp: "I12" }
    #[test] fn a_forgotten_read_is_found() { ForgottenRead: "I12" }
    #[test] fn a_dropped_tail_is_found() { DroppedTail: "I15" }
    #[test] fn a_missing_generation_check_is_found() { NoGeneration: "I10" }
    #[test] fn a_mailbox_with_two_runners_is_found() { TwoRunners: "I1" }
    #[test] fn an_answer_that_overtakes_is_found() { Unsettled: "I5" }
    #[test] fn a_sender_that_hears_itself_is_found() { OwnChat: "I4" }
    #[test] fn a_member_that_hears_what_came_before_it_is_found() { EarlyCursor: "I3" }
    #[test] fn a_hasty_stop_is_found() { HastyStop: "I14" }
    #[test] fn a_close_without_lingering_is_found() { NoLinger: "I14" }
    #[test] fn a_cut_in_a_frame_is_found() { CutInFrame: "I15" }
    #[test] fn a_cut_that_leaves_a_hole_is_found() { CutFront: "I5b" }
    #[test] fn a_connection_that_stays_slow_once_it_has_caught_up_is_found() { BehindForEver: "I5b" }
    #[test] fn a_pause_without_end_is_found() { NeverResumed: "I12" }
    #[test] fn a_member_that_waits_in_vain_is_found() { ForgottenWaiter: "I5b" }
    #[test] fn memory_that_still_counts_when_it_is_given_back_is_found() { HeldForEver: "I9" }
    #[test] fn an_end_without_a_reason_is_found() { NoFarewell: "I5b" }
    #[test] fn a_timer_that_is_not_set_again_is_found() { TimerForgotten: "I12" }
    #[test] fn a_token_that_comes_twice_is_found() { TokenTwice: "I19" }
    #[test] fn a_number_that_counts_in_another_room_is_found() { RoomOfAfter: "I17" }
    #[test] fn a_gap_that_is_not_told_is_found() { GapUntold: "I17" }
    #[test] fn a_chat_that_is_acknowledged_and_not_said_is_found() { AckUnsaid: "I5" }
    #[test] fn a_kept_session_that_ends_is_found() { KeptTold: "I20" }
    #[test] fn a_kept_session_that_leaves_a_ghost_is_found() { Ghost: "I10" }
    #[test] fn a_chat_that_is_said_again_is_found() { ForgottenId: "I6" }
    #[test] fn a_session_that_is_not_sent_what_it_missed_is_found() { NothingMissed: "I17" }
    #[test] fn history_beyond_its_limit_is_found() { EndlessHistory: "I9" }
}
