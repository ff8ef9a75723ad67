//! Support for the end-to-end tests: a blocking [`Client`], a [`RunningServer`] of the library, the server as a
//! [`Program`], a [`Member`] whose deliveries are checked, and [`Witnesses`] that keep talking beside a fault.
//!
//! Tests wait for conditions, never for time to pass. Every wait has a deadline, after which the test fails and
//! reports what it was waiting for; a [`Watchdog`] ends a test that hangs in any other way.

mod hello;
mod member;
mod program;
mod server;
mod tls;
mod witnesses;

use std::fmt::Debug;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

pub(crate) use chat_testing::{
    Client, DEADLINE, End, UPGRADE, Watchdog, chats, frame, in_own_network, in_own_process,
    json_string, stream_of,
};
pub(crate) use hello::{Pair, hello, lasting, numbers, receive, send_hello, welcome};
pub(crate) use member::{Member, check_all};
pub(crate) use program::{Program, free_address, own_ip, run_to_end};
pub(crate) use server::{RunningServer, each_way, start};
pub(crate) use tls::{Certificate, Folder, TlsStream};
pub(crate) use witnesses::{Scene, Witnesses};

/// Raises this process's limit on open descriptors as far as possible, and returns it.
pub(crate) fn descriptors() -> usize {
    let hard = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: hard, maximum: hard }).expect("it is allowed");
    hard.and_then(|hard| usize::try_from(hard).ok()).unwrap_or(usize::MAX)
}

/// Polls a condition every millisecond, until the deadline.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, &mut holds, |holds| *holds);
}

/// Polls a value every millisecond until it satisfies a condition, and returns it. After the deadline,
/// the panic shows the last value.
pub(crate) fn wait_for<T: Debug>(
    what: &str,
    mut poll: impl FnMut() -> T,
    holds: impl Fn(&T) -> bool,
) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let value = poll();
        if holds(&value) {
            return value;
        }
        assert!(Instant::now() < deadline, "{what}: not within {DEADLINE:?}, but {value:#?}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Tries to connect until the server admits a client: it may not have noticed yet that another one is gone.
pub(crate) fn connect_when_let_in(connect: impl Fn() -> Client) -> Client {
    let mut let_in = None;
    wait_until("the server lets a client in", || {
        let mut client = connect();
        client.ask_for_rooms();
        let_in = (client.receive().kind == "SCRoomsResult").then_some(client);
        let_in.is_some()
    });
    let_in.expect("the wait is over")
}

/// The number of entries in a directory of a process under `/proc`: its descriptors (`fd`) or its
/// threads (`task`).
pub(crate) fn count(pid: &str, what: &str) -> usize {
    fs::read_dir(format!("/proc/{pid}/{what}")).expect("the process runs").count()
}

/// The number of threads of a process whose names begin with `prefix`.
pub(crate) fn threads(pid: &str, prefix: &str) -> usize {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    // A thread that has ended meanwhile has no name.
    let names =
        tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with(prefix)).count()
}
