//! Separate processes for tests that count or limit the resources of a process.

use std::env;
use std::process::{self, Command};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// The time that a whole test may take.
const WATCH: Duration = Duration::from_secs(90);

/// Names the test in the environment of a process that runs that test only.
const ALONE: &str = "CHAT_TEST_ALONE";

/// Aborts the process when a test hangs, and names the test.
#[derive(Debug)]
pub struct Watchdog {
    /// Dropping this stops the watchdog.
    _alive: Sender<()>,
}

impl Watchdog {
    /// Watches the test that runs on this thread.
    pub fn start() -> Self {
        Self::start_for(WATCH)
    }

    /// As [`Watchdog::start`], for a test that may take this long.
    pub fn start_for(time: Duration) -> Self {
        let test = thread::current().name().unwrap_or("a test").to_owned();
        let (alive, watch) = mpsc::channel::<()>();
        thread::spawn(move || {
            if watch.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{test} did not end within {time:?}");
                process::abort();
            }
        });
        Self { _alive: alive }
    }
}

/// Runs a test in a process of its own: starts this program once more with only the test that calls this. Descriptors,
/// threads, memory and limits in that process are the test's alone.
///
/// # Panics
/// When the test fails.
pub fn in_own_process(test: impl FnOnce()) {
    alone(&[], test);
}

/// Runs a test like [`in_own_process`], in a network namespace of its own in which no interface is up. Skips the test
/// if the system does not allow that.
///
/// # Panics
/// When the test fails.
pub fn in_own_network(test: impl FnOnce()) {
    const NETWORK: [&str; 2] = ["unshare", "-rn"];
    let is_given = || {
        let probe =
            "ip link set lo up && ip link add one type veth peer name other && unshare -n true";
        let probe = Command::new(NETWORK[0]).args([NETWORK[1], "sh", "-c", probe]).output();
        probe.is_ok_and(|probe| probe.status.success())
    };
    if !is_alone() && !is_given() {
        println!("skipped: no networks of one's own here (unshare, ip, veth)");
        return;
    }
    alone(&NETWORK, test);
}

/// Runs a test in a process of its own, started through the command `under`.
fn alone(under: &[&str], test: impl FnOnce()) {
    if is_alone() {
        return test();
    }
    let current = thread::current();
    let name = current.name().expect("the harness names each thread after its test");
    let program = env::current_exe().expect("this program has a path");
    let program = program.to_str().expect("a path in UTF-8");
    let words = [under, &[program, name, "--exact", "--nocapture"]].concat();
    let run = Command::new(words[0]).args(&words[1..]).env(ALONE, name).output();
    let run = run.expect("this program can be started again");
    let output = String::from_utf8_lossy(&run.stdout);
    println!("{output}{}", String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && output.contains(" 1 passed;"), "in a process of its own");
}

/// Whether this process runs nothing but the test that calls this.
pub fn is_alone() -> bool {
    env::var(ALONE).is_ok_and(|name| thread::current().name() == Some(&name))
}
