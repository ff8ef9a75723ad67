//! The effect of signals on the program. `shutdown` tests the graceful stop.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;

use portable_pty::{Child, CommandBuilder, MasterPty, NativePtySystem, PtySize, PtySystem};

use crate::support::{Client, Program, Watchdog};

/// Starts a program with default signal actions: in the background or under `nohup`, some signals would be ignored.
const DEFAULT_SIGNALS: [&str; 2] = ["env", "--default-signal"];

#[test]
fn a6_a_hangup_without_a_terminal_is_ignored() {
    let mut program = Program::start_under(&DEFAULT_SIGNALS, &["--port=0", "--log=info"]);
    let mut client = Client::of(program.address());
    for _ in 0..3 {
        program.signal("HUP");
        client.expect_nothing();
    }
    program.signal("TERM");
    client.expect_code("server-stopping");
    // Nor does it end a stop in progress.
    program.signal("HUP");
    drop(client);
    let (code, _, log) = program.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("ignored signal=\"SIGHUP\""), "{log}");
}

/// A program with a controlling terminal, which is closed when this is dropped.
struct AtTerminal {
    child: Box<dyn Child + Send + Sync>,
    address: SocketAddr,
    terminal: Box<dyn MasterPty>,
    _watchdog: Watchdog,
}

impl AtTerminal {
    fn start(before: &str) -> Self {
        let _watchdog = Watchdog::start();
        let pair = NativePtySystem::default().openpty(PtySize::default()).expect("a terminal");
        let mut command = CommandBuilder::new("sh");
        let program = env!("CARGO_BIN_EXE_chat-server");
        command.args(["-c", &format!("{before} exec '{program}' --port=0 --log=error")]);
        let child = pair.slave.spawn_command(command).expect("there is a shell");
        let output = pair.master.try_clone_reader().expect("a descriptor is to be had");
        let mut first = String::new();
        BufReader::new(output).read_line(&mut first).expect("it prints a line");
        let address = first.trim_end().strip_prefix("listening on ").expect("the line says so");
        let address = address.parse().expect("an address");
        Self { child, address, terminal: pair.master, _watchdog }
    }
}

#[test]
fn a6_closing_the_terminal_stops_the_server_gracefully() {
    let AtTerminal { mut child, address, terminal, _watchdog } = AtTerminal::start("");
    let mut client = Client::of(address);
    // The kernel tells the program that its terminal is gone.
    drop(terminal);
    client.expect_code("server-stopping");
    client.expect_end();
    drop(client);
    let status = child.wait().expect("it is our child");
    assert!(status.success(), "{status:?}");
}

#[test]
fn a6_a_hangup_ignored_by_the_parent_stays_ignored() {
    let AtTerminal { mut child, address, terminal, _watchdog } = AtTerminal::start("trap '' HUP;");
    let pid = child.process_id().expect("it runs");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    assert_eq!(ignored.map(|mask| mask & 1), Some(1), "{status}");
    drop(terminal);
    let mut client = Client::of(address);
    client.shutdown();
    client.expect_code("server-stopping");
    drop(client);
    let status = child.wait().expect("it is our child");
    assert!(status.success(), "{status:?}");
}

#[test]
fn a6_a_quit_ends_the_program() {
    // Leaves no core file.
    let shell = ["sh", "-c", "ulimit -c 0; exec \"$0\" \"$@\""];
    let before = [&DEFAULT_SIGNALS[..], &shell].concat();
    let mut program = Program::start_under(&before, &["--port=0"]);
    program.address();
    program.signal("QUIT");
    let (code, _, _) = program.wait();
    assert_eq!(code, None, "it is the system that ends it");
}

#[test]
fn a6_o16_signals_without_a_meaning_end_nothing() {
    let mut program = Program::start_under(&DEFAULT_SIGNALS, &["--port=0", "--log=info"]);
    let mut client = Client::of(program.address());
    for signal in ["USR1", "USR2", "PIPE", "XFSZ"] {
        program.signal(signal);
        client.expect_nothing();
    }
    client.shutdown();
    client.expect_code("server-stopping");
    drop(client);
    let (code, _, log) = program.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("ignored signal=\"SIGUSR1\""), "{log}");
}
