//! What the operating system refuses or interrupts: O1 to O4, O6, O13, R11, A3 and A6.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

use crate::support::{Client, Program, Scene, in_own_process, wait_until};

/// Lets the program have so many descriptors from now on.
fn limit_descriptors(program: &Program, most: u64) {
    let pid = Pid::from_raw(program.pid() as i32).expect("it is not 0");
    let limit = Rlimit { current: Some(most), maximum: Some(20_000) };
    prlimit(Some(pid), Resource::Nofile, limit).expect("it is our child");
}

/// Connections that find no descriptor wait; each that is given back is for one of them, and when
/// there are more to be had, without any being given back, the others come in by themselves.
#[test]
fn o1_o3_connections_wait_for_descriptors_and_cost_nothing_meanwhile() {
    let (mut program, address) = Program::listening(&[]);
    let before = program.count("fd");
    let mut inside: Vec<_> = (0..10).map(|_| Client::of(address)).collect();
    limit_descriptors(&program, program.count("fd") as u64);
    let mut waiting: Vec<_> = (0..20).map(|_| Client::connect(address)).collect();
    for client in &mut waiting {
        client.ask_for_rooms();
    }
    // A second of waiting is what is to be seen.
    let worked = program.ticks();
    thread::sleep(Duration::from_secs(1));
    assert!(program.ticks() - worked <= 5, "it does not try again and again");
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
    program.signal("TERM");
    program.expect_success();
}

/// The server shares this process, and finds no descriptor in it.
#[test]
fn o1_o3_accepting_that_fails_is_counted_and_felt_by_nobody_inside() {
    in_own_process(|| {
        let scene = Scene::with(|_| {});
        let address = scene.address();
        let prepared: Vec<_> = (0..5).map(|_| Client::prepare(address)).collect();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        // What is opened next would have this number.
        let next = File::open("/dev/null").expect("there is one").as_raw_fd() as u64;
        setrlimit(Resource::Nofile, Rlimit { current: Some(next), maximum }).expect("it is less");
        let mut clients: Vec<_> =
            prepared.into_iter().map(|socket| Client::connect_prepared(socket, address)).collect();
        wait_until("it has been tried again", || scene.stats().accept_failures > 2);
        setrlimit(Resource::Nofile, Rlimit { current, maximum }).expect("it is what it was");
        for client in &mut clients {
            assert_eq!(client.rooms().len(), 2, "those of the witnesses");
        }
        drop(clients);
        scene.finish();
    });
}

/// A program whose system calls fail as `strace` is told; `None` where there is no strace, or it may
/// not trace.
fn with_fault(inject: &str) -> Option<(Program, SocketAddr)> {
    let try_out = ["-D", "-qq", "-o/dev/null", "-e", "trace=accept4", "true"];
    if !Command::new("strace").args(try_out).status().is_ok_and(|status| status.success()) {
        println!("skipped: there is no strace here that may trace");
        return None;
    }
    let call = inject.split(':').next().expect("there is always a first part");
    let [trace, inject] = [format!("trace={call}"), format!("inject={inject}")];
    // With -D it is the server's child and not its parent: signals go to the server. Only its first
    // thread, which is the event loop, is traced.
    let strace = ["strace", "-D", "-qq", "-o/dev/null", "-e", &trace, "-e", &inject];
    let program = Program::start_under(&strace, &["--port=0"]);
    let address = program.address();
    Some((program, address))
}

/// Errors of the connection that would have been accepted, or of nobody: the next one is tried at
/// once. Errors for want of something: it is tried again a little later.
#[test]
fn o2_o3_an_error_of_accept_is_not_the_end_of_accepting() {
    for error in ["ECONNABORTED", "EPROTO", "EINTR", "ENOBUFS", "ENOMEM", "EPERM", "EMFILE"] {
        // The first call finds nobody; the next ones fail.
        let Some((mut program, address)) = with_fault(&format!("accept4:error={error}:when=2..4"))
        else {
            return;
        };
        let clients: Vec<_> = (0..3).map(|_| Client::connect(address)).collect();
        for mut client in clients {
            client.expect_nothing();
        }
        program.signal("TERM");
        program.expect_success();
    }
}

/// The first two calls are about the server's own descriptors, the third is about a connection.
#[test]
fn o4_a_connection_that_cannot_be_watched_is_closed_and_no_other() {
    for error in ["ENOSPC", "ENOMEM"] {
        let Some((mut program, address)) = with_fault(&format!("epoll_ctl:error={error}:when=3"))
        else {
            return;
        };
        let before = program.count("fd");
        let mut first = Client::connect(address);
        first.expect_end();
        // The next one has the first number: the other never was one.
        let mut second = Client::of(address);
        second.enter_new("room");
        assert_eq!(second.rooms()[0].members, ["user1"]);
        assert_eq!(program.count("fd"), before + 1);
        drop((first, second));
        program.signal("TERM");
        program.expect_success();
    }
}

/// The connection whose read or write fails is lost, the others are not; an interruption is nothing.
#[test]
fn o6_an_error_of_a_connection_is_its_own() {
    let errors = ["ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTCONN", "EHOSTUNREACH", "EINTR"];
    for (call, error) in ["recvfrom", "sendto"].into_iter().flat_map(|c| errors.map(|e| (c, e))) {
        // The third is that of the first client: it asks twice before the others are there.
        let Some((mut program, address)) = with_fault(&format!("{call}:error={error}:when=3"))
        else {
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
        program.signal("TERM");
        program.expect_success();
    }
}

/// The reader of its output and of its errors goes when it has read the first line.
#[test]
fn r11_o13_an_output_whose_reader_has_gone_is_no_reason_not_to_serve_nor_not_to_end() {
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

    // Who resets its stream while it is written to raises no signal either.
    for _ in 0..20 {
        let mut client = Client::of(address);
        for _ in 0..50 {
            client.ask_for_rooms();
        }
        client.reset();
    }
    let mut holding = Client::of(address);
    let signal = |name: &str| {
        let kill = Command::new("kill").args([name, &child.id().to_string()]).status();
        assert!(kill.expect("there is a kill").success());
    };
    signal("-TERM");
    holding.expect_code("server-stopping");
    // It has something to say on this, too.
    signal("-TERM");
    let status = child.wait().expect("it is our child");
    assert_eq!(status.code(), Some(128 + 15), "{status}");
    drop(holding);
}

/// Of 100 descriptors that it may have, 64 are not for connections.
#[test]
fn a3_few_descriptors_are_few_connections() {
    let mut program = Program::start_by_shell("ulimit -Sn 70; ulimit -Hn 100; ", &["--port=0"], "");
    let address = program.address();
    let members: Vec<_> = (0..36).map(|_| Client::of(address)).collect();
    let mut refused = Client::connect(address);
    assert!(refused.expect_code("server-full").text.contains("36"), "the limit is named");
    refused.expect_end();
    drop((members, refused));
    program.signal("TERM");
    program.expect_success();
}

/// Whenever it comes, the signal ends the program: before it is watched for as signals do, and in
/// order from then on.
#[test]
fn a6_a_signal_while_it_starts_ends_it() {
    for spins in (0..20).map(|n| n * 20_000) {
        let mut program = Program::start(&["--port=0"]);
        (0..spins).for_each(|_| std::hint::spin_loop());
        program.signal("TERM");
        let (code, _, errors) = program.wait();
        assert!(code.is_none_or(|code| code == 0) && errors.is_empty(), "{code:?} {errors}");
    }
}
