//! Errors and interruptions by the operating system: O1 to O4, O6, O13, R11, A3, A6.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

use crate::support::{Client, Program, Scene, in_own_process, wait_until};

/// Limits the descriptors of the running program.
fn limit_descriptors(program: &Program, most: u64) {
    let pid = Pid::from_raw(program.pid() as i32).expect("it is not 0");
    let limit = Rlimit { current: Some(most), maximum: Some(20_000) };
    prlimit(Some(pid), Resource::Nofile, limit).expect("it is our child");
}

/// Connections without a descriptor wait. Each descriptor that is freed admits one of them; a higher limit admits the
/// rest by itself.
#[test]
fn o1_o3_connections_wait_for_descriptors_without_a_busy_loop() {
    let (program, address) = Program::listening(&[]);
    let before = program.count("fd");
    let mut inside: Vec<_> = (0..10).map(|_| Client::of(address)).collect();
    limit_descriptors(&program, program.count("fd") as u64);
    let mut waiting: Vec<_> = (0..20).map(|_| Client::connect(address)).collect();
    for client in &mut waiting {
        client.ask_for_rooms();
    }
    // The work of the program during a second of waiting.
    let worked = program.ticks();
    thread::sleep(Duration::from_secs(1));
    assert!(program.ticks() - worked <= 5, "it does not retry in a busy loop");
    for client in &mut inside {
        client.expect_nothing();
    }

    let late = waiting.split_off(10);
    for client in &mut waiting {
        drop(inside.pop());
        assert_eq!(client.expect_rooms(), []);
    }
    limit_descriptors(&program, 1_000);
    for mut client in late {
        assert_eq!(client.expect_rooms(), []);
    }
    drop((inside, waiting));
    wait_until("descriptors are given back", || program.count("fd") == before);
    program.stop();
}

/// The server shares the process of the test, which is out of descriptors.
#[test]
fn o1_o3_failures_to_accept_are_counted_and_disturb_nobody() {
    in_own_process(|| {
        let scene = Scene::with(|_| {});
        let address = scene.address();
        let prepared: Vec<_> = (0..5).map(|_| Client::prepare(address)).collect();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        // The number of the next descriptor.
        let next = File::open("/dev/null").expect("there is one").as_raw_fd() as u64;
        setrlimit(Resource::Nofile, Rlimit { current: Some(next), maximum }).expect("it is less");
        let mut clients: Vec<_> =
            prepared.into_iter().map(|socket| Client::connect_prepared(socket, address)).collect();
        wait_until("the server has retried", || scene.stats().accept_failures > 2);
        setrlimit(Resource::Nofile, Rlimit { current, maximum }).expect("it is what it was");
        for client in &mut clients {
            assert_eq!(client.rooms().len(), 2, "those of the witnesses");
        }
        drop(clients);
        scene.finish();
    });
}

/// A program whose system calls fail as injected by `strace`; `None` where strace is missing or may not trace.
fn with_fault(inject: &str) -> Option<(Program, SocketAddr)> {
    let try_out = ["-D", "-qq", "-o/dev/null", "-e", "trace=accept4", "true"];
    if !Command::new("strace").args(try_out).status().is_ok_and(|status| status.success()) {
        println!("skipped: there is no strace here that may trace");
        return None;
    }
    let call = inject.split(':').next().expect("there is always a first part");
    let [trace, inject] = [format!("trace={call}"), format!("inject={inject}")];
    // With -D, strace is a child of the server, so that signals reach the server. It traces the first thread only,
    // which is the event loop.
    let strace = ["strace", "-D", "-qq", "-o/dev/null", "-e", &trace, "-e", &inject];
    let program = Program::start_under(&strace, &["--port=0"]);
    let address = program.address();
    Some((program, address))
}

/// After an error of the connection itself, the server accepts the next one at once; after a lack of resources, it
/// retries a little later.
#[test]
fn o2_o3_accepting_goes_on_after_an_error() {
    for error in ["ECONNABORTED", "EPROTO", "EINTR", "ENOBUFS", "ENOMEM", "EPERM", "EMFILE"] {
        // The first call finds no connection; the next three fail.
        let Some((program, address)) = with_fault(&format!("accept4:error={error}:when=2..4"))
        else {
            return;
        };
        let clients: Vec<_> = (0..3).map(|_| Client::connect(address)).collect();
        for mut client in clients {
            client.expect_nothing();
        }
        program.stop();
    }
}

/// The first two calls register descriptors of the server itself, the third one a connection.
#[test]
fn o4_a_connection_that_epoll_refuses_is_closed_and_no_other() {
    for error in ["ENOSPC", "ENOMEM"] {
        let Some((program, address)) = with_fault(&format!("epoll_ctl:error={error}:when=3"))
        else {
            return;
        };
        let before = program.count("fd");
        let mut first = Client::connect(address);
        first.expect_end();
        // The next connection is number 1, since the other was never counted.
        let mut second = Client::of(address);
        second.enter_new("room");
        assert_eq!(second.rooms()[0].members, ["user1"]);
        assert_eq!(program.count("fd"), before + 1);
        drop((first, second));
        program.stop();
    }
}

/// A connection whose read or write fails is closed, and no other; an interruption has no effect.
#[test]
fn o6_a_socket_error_closes_its_connection_and_no_other() {
    let errors = ["ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTCONN", "EHOSTUNREACH", "EINTR"];
    for (call, error) in ["recvfrom", "sendto"].into_iter().flat_map(|c| errors.map(|e| (c, e))) {
        // The third call is that of the first client, which sends twice before others connect.
        let Some((program, address)) = with_fault(&format!("{call}:error={error}:when=3")) else {
            return;
        };
        let mut first = Client::of(address);
        first.enter_new("room");
        first.ask_for_rooms();
        let (messages, _) = if error == "EINTR" {
            assert_eq!(first.expect_rooms().len(), 1, "{call} {error}");
            first.end_sending();
            first.until_end()
        } else {
            first.until_end()
        };
        assert_eq!(messages, [], "{call} {error}");
        drop(first);
        let mut second = Client::of(address);
        assert_eq!(second.rooms(), [], "{call} {error}");
        drop(second);
        program.stop();
    }
}

/// The reader of its output and errors disappears after the first line.
#[test]
fn r11_o13_a_server_whose_output_has_no_reader_serves_and_stops() {
    let (errors, into_errors) = io::pipe().expect("a pipe");
    drop(errors);
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(into_errors);
    let mut child = command.spawn().expect("the program was built");
    let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("it prints a line");
    drop(output);
    let address = line.trim_end().strip_prefix("listening on ").expect("it says where");
    let address: SocketAddr = address.parse().expect("an address");

    // A stream reset while the server writes to it raises no signal either.
    for _ in 0..20 {
        let mut client = Client::of(address);
        for _ in 0..50 {
            client.ask_for_rooms();
        }
        client.reset();
    }
    let mut holding = Client::of(address);
    let pid = child.id().to_string();
    let signal = || Command::new("kill").args(["-TERM", &pid]).status().expect("there is a kill");
    assert!(signal().success());
    holding.expect_code("server-stopping");
    // The server has something to log here as well: the signal is sent a second later.
    let mut status = None;
    wait_until("the program ends", || {
        signal();
        status = child.try_wait().expect("it is our child");
        status.is_some()
    });
    assert_eq!(status.and_then(|status| status.code()), Some(128 + 15));
    drop(holding);
}

/// Of its 100 descriptors, the server keeps 64 for purposes other than connections.
#[test]
fn a3_connections_are_limited_by_the_descriptors() {
    let program = Program::start_by_shell("ulimit -Sn 70; ulimit -Hn 100; ", &["--port=0"], "");
    let address = program.address();
    let members: Vec<_> = (0..36).map(|_| Client::of(address)).collect();
    let mut refused = Client::connect(address);
    assert!(refused.expect_code("server-full").text.contains("36"), "the limit is named");
    refused.expect_end();
    drop((members, refused));
    program.stop();
}

/// A signal ends the program at any moment of its start: by its default action at first, gracefully once the
/// program handles signals.
#[test]
fn a6_a_signal_during_the_start_ends_the_program() {
    for spins in (0..20).map(|n| n * 20_000) {
        let mut program = Program::start(&["--port=0"]);
        (0..spins).for_each(|_| std::hint::spin_loop());
        program.signal("TERM");
        let (code, _, errors) = program.wait();
        assert!(code.is_none_or(|code| code == 0) && errors.is_empty(), "{code:?} {errors}");
    }
}
