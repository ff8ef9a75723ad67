//! What the end-to-end tests share: a blocking [`Client`], a [`RunningServer`] of the library, the
//! server as a [`Program`], a [`Trace`] of what a client was sent, and [`Witnesses`] who talk on beside
//! a fault.
//!
//! Nothing here waits for time to pass, but for something to be so. Every wait has a deadline, after which the test fails and says what it
//! waited for; a watchdog ends a test that hangs in any other way.

mod client;
mod own_process;
mod program;
mod server;
mod trace;
mod witnesses;

use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

pub(crate) use client::{Client, End, frame, json_string, stream_of};
pub(crate) use own_process::in_own_process;
pub(crate) use program::{Program, free_port, run_to_end};
pub(crate) use server::{RunningServer, Watchdog, each_way, start};
pub(crate) use trace::{Trace, check_room};
pub(crate) use witnesses::{Scene, Witnesses};

/// How long anything may take before it counts as not happening. It is a limit and not a pace: no
/// test that passes waits for it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// How many descriptors this process may have open at a time. It is raised as far as it goes.
pub(crate) fn descriptors() -> usize {
    let hard = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: hard, maximum: hard }).expect("it is allowed");
    hard.and_then(|hard| usize::try_from(hard).ok()).unwrap_or(usize::MAX)
}

/// Looks every millisecond whether something is so, until the deadline.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    wait_for(what, &mut is_so, |is_so| *is_so);
}

/// As [`wait_until`], of something that is worth being told of when it does not become so.
pub(crate) fn wait_for<T: Debug>(
    what: &str,
    mut look: impl FnMut() -> T,
    is_so: impl Fn(&T) -> bool,
) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let seen = look();
        if is_so(&seen) {
            return;
        }
        assert!(Instant::now() < deadline, "{what}: not within {DEADLINE:?}, but {seen:#?}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// How many entries there are in a directory of a process under `/proc`: its descriptors, its threads.
pub(crate) fn count(pid: &str, what: &str) -> usize {
    let entries = std::fs::read_dir(format!("/proc/{pid}/{what}"));
    entries.expect("the process runs").count()
}
