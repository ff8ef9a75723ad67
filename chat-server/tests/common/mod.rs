//! What the end-to-end tests share: a blocking [`Client`], a [`RunningServer`] of the library, the
//! server as a [`Program`], and a [`Trace`] of what a client was sent.
//!
//! Nothing here sleeps. Every wait has a deadline, after which the test fails and says what it
//! waited for; a watchdog ends a test that hangs in any other way.
#![allow(dead_code, unused_imports, reason = "every test program uses another part of this")]

mod client;
mod program;
mod server;
mod trace;

use std::time::Duration;

pub(crate) use client::{Client, frame, json_string, stream_of};
pub(crate) use program::{Program, free_port, run_to_end};
pub(crate) use server::{RunningServer, Watchdog, each_way, start};
pub(crate) use trace::{Seen, Trace, check_room};

/// How long anything may take before it counts as not happening. It is a limit and not a pace: no
/// test that passes waits for it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// How many descriptors this process may have open at a time.
pub(crate) fn descriptors() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("Linux lists the limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)).expect("it lists this one");
    soft.parse().unwrap_or(usize::MAX)
}
