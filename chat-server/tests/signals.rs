//! What signals do to the program. How it stops in order is in `shutdown`.

mod common;

use std::io::{BufRead, BufReader};
use std::process::Command;

use common::{Client, Program, Watchdog};
use portable_pty::{CommandBuilder, NativePtySystem, PtySize, PtySystem};

#[test]
fn a6_a_hangup_without_a_terminal_is_ignored() {
    let (mut program, address) = Program::listening(&["--log=info"]);
    let mut client = Client::of(address);
    for _ in 0..3 {
        program.signal("HUP");
        client.expect_nothing();
    }
    program.signal("TERM");
    client.expect_code("server-stopping");
    // And does not end a stop that has begun.
    program.signal("HUP");
    drop(client);
    let (code, _, log) = program.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("ignored signal=\"SIGHUP\""), "{log}");
}

#[test]
fn a6_the_end_of_the_terminal_stops_the_server_in_order() {
    let _watchdog = Watchdog::start();
    let terminal = NativePtySystem::default().openpty(PtySize::default()).expect("a terminal");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_chat-server"));
    command.args(["--port=0", "--log=error"]);
    let mut child = terminal.slave.spawn_command(command).expect("the program was built");
    drop(terminal.slave);
    let mut first = String::new();
    let output = terminal.master.try_clone_reader().expect("a descriptor is to be had");
    let mut output = BufReader::new(output);
    output.read_line(&mut first).expect("it prints a line");
    let address = first.trim_end().strip_prefix("listening on ").expect("the line says so");
    let mut client = Client::of(address.parse().expect("an address"));
    // The kernel tells the program that its terminal has gone.
    drop((output, terminal.master));
    client.expect_code("server-stopping");
    client.expect_end();
    drop(client);
    let status = child.wait().expect("it is our child");
    assert!(status.success(), "{status:?}");
}

#[test]
fn a6_a_hangup_that_is_to_be_ignored_is_ignored_also_at_a_terminal() {
    let _watchdog = Watchdog::start();
    let terminal = NativePtySystem::default().openpty(PtySize::default()).expect("a terminal");
    let mut command = CommandBuilder::new("sh");
    let program = env!("CARGO_BIN_EXE_chat-server");
    command.args(["-c", &format!("trap '' HUP; exec {program} --port=0 --log=error")]);
    let mut child = terminal.slave.spawn_command(command).expect("there is a shell");
    drop(terminal.slave);
    let mut first = String::new();
    let output = terminal.master.try_clone_reader().expect("a descriptor is to be had");
    BufReader::new(output).read_line(&mut first).expect("it prints a line");
    let address = first.trim_end().strip_prefix("listening on ").expect("the line says so");
    let mut client = Client::of(address.parse().expect("an address"));
    drop(terminal.master);
    client.expect_nothing();
    client.shutdown();
    client.expect_code("server-stopping");
    drop(client);
    let status = child.wait().expect("it is our child");
    assert!(status.success(), "{status:?}");
}

#[test]
fn a6_the_other_signals_do_what_the_system_has_them_do() {
    for signal in ["QUIT", "USR1", "USR2"] {
        // No core is to be left behind.
        let mut program = Program::start_by_shell("ulimit -c 0; ", &["--port=0"], "");
        program.address();
        program.signal(signal);
        let (code, _, _) = program.wait();
        assert_eq!(code, None, "SIG{signal} ended it");
    }
}

#[test]
fn a_signal_at_any_time_of_the_start_ends_it() {
    for _ in 0..20 {
        let mut program = Program::start(&["--port=0"]);
        let killed = Command::new("kill").args(["-TERM", &program.pid().to_string()]).status();
        assert!(killed.expect("there is a kill").success());
        let (code, _, errors) = program.wait();
        // Before the signals are watched the system ends it: nothing has been accepted then.
        assert!(matches!(code, None | Some(0)), "{code:?} {errors}");
    }
}
