//! The log of the program: it tells what happened, never what people said, in a bounded number of lines, and nobody
//! ever waits for its reader.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use chat_server::{CloseReason, Limit};
use serde_json::Value;

use crate::support::{Client, Program, connect_when_let_in, free_address};

/// Sends bytes of another protocol: the server answers and closes.
fn send_rubbish(address: SocketAddr) {
    let mut client = Client::connect(address);
    client.send_raw(b"SSH-2.0-OpenSSH_9.6\r\n");
    assert!(!client.whatever_came().is_empty(), "the answer says why");
}

/// Stops the program, and returns its log.
fn stop(mut program: Program) -> String {
    program.signal("TERM");
    let (code, _, log) = program.wait();
    assert_eq!(code, Some(0), "{log}");
    log
}

fn line<'a>(log: &'a str, words: &[&str]) -> &'a str {
    let found = log.lines().find(|line| words.iter().all(|word| line.contains(word)));
    found.unwrap_or_else(|| panic!("no line with {words:?} in:\n{log}"))
}

#[test]
fn the_log_covers_start_problems_and_stop() {
    let (program, address) = Program::listening(&["--log=info", "--limit=connections=1"]);
    send_rubbish(address);
    // The place of the previous client may not be free yet.
    let client = connect_when_let_in(|| Client::connect(address));
    Client::connect(address).expect_code("server-full");
    drop(client);
    let log = stop(program);
    line(&log, &["INFO", "starting chat-server", "connections=1 ", "backlog=\"1MiB\""]);
    line(&log, &["INFO", "listening", &address.to_string()]);
    line(&log, &["INFO", "closed", "reason=bad-input", "peer=127.0.0.1:"]);
    line(&log, &["WARN", "closed", "reason=server-full", "peer=127.0.0.1:"]);
    line(&log, &["INFO", "stop requested", "SIGTERM"]);
    line(&log, &["INFO", "stopped", "accepted=3", "closed_bad_input=1", "closed_server_full=1"]);
    assert!(!log.contains("closed_lost") && log.lines().count() <= 8, "no more than that:\n{log}");
}

#[test]
fn debug_logs_every_connection_and_no_text() {
    let (program, address) = Program::listening(&["--log=debug"]);
    let mut client = Client::of(address);
    let mut other = Client::of(address);
    let room = client.enter_new("secret title");
    other.enter(room);
    client.expect_code("member-entered");
    client.be("secret name");
    client.chat("secret text");
    client.expect_nothing();
    drop((client, other));
    send_rubbish(address);
    let log = stop(program);
    assert_eq!(log.matches("connection accepted").count(), 3, "{log}");
    assert_eq!(log.matches("connection closed").count(), 3, "{log}");
    assert!(!log.contains("secret") && !log.contains("SSH"), "{log}");
}

#[test]
fn a_flood_of_one_reason_is_one_line_a_second() {
    const FLOOD: u64 = 200;
    let (program, address) = Program::listening(&["--log=info"]);
    for _ in 0..FLOOD {
        send_rubbish(address);
    }
    let log = stop(program);
    line(&log, &["stopped", &format!("closed_bad_input={FLOOD}")]);
    let lines = log.lines().filter(|line| line.contains("bad-input") && line.contains("closed "));
    // 200 connections take far less than a minute.
    assert!((1..60).contains(&lines.count()), "{log}");
}

#[test]
fn a13_json_logs_are_one_object_a_line_and_one_field_a_value() {
    let args = ["--log=debug", "--log-format=json", "--metrics=127.0.0.1:0"];
    let (program, address) = Program::listening(&args);
    send_rubbish(address);
    let log = stop(program);
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    let of = |message: &str| {
        lines.iter().find(|line| line["message"] == message).unwrap_or_else(|| panic!("{log}"))
    };
    assert_eq!(of("listening")["address"], address.to_string());
    assert_eq!(of("connection closed")["reason"], "bad-input");
    assert_eq!(of("stopped")["accepted"], 1);
    for reason in CloseReason::ALL {
        let field = format!("closed_{reason}").replace('-', "_");
        assert_eq!(of("stopped")[&field], u64::from(reason == CloseReason::BadInput), "{field}");
    }
    let start = of("starting chat-server");
    assert_eq!(start["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&start["port"], &start["ip"]), (&0.into(), &"127.0.0.1".into()));
    assert_eq!((&start["log_format"], &start["worker"]), (&"json".into(), &2.into()));
    for limit in Limit::ALL {
        let value = &start[limit.name().replace('-', "_")];
        let is_told = value.is_string() || value.is_u64();
        assert!(is_told, "{} has a field of its own: {start}", limit.name());
    }
    let document = include_str!("../../../../docs/OPERATIONS.md");
    for line in &lines {
        let message = line["message"].as_str().expect("each line says what happened");
        assert!(document.contains(&format!("| `{message}` |")), "it does not explain {message:?}");
    }
}

#[test]
fn log_flags_override_the_environment_and_nonsense_is_reported() {
    let log = |variable: &str, args: &[&str]| {
        let args = [&["--port=0"], args].concat();
        let before = format!("export RUST_LOG={variable}; ");
        let program = Program::start_by_shell(&before, &args, "");
        let address = program.address();
        drop(Client::of(address));
        stop(program)
    };
    assert!(log("debug", &[]).contains("connection accepted"));
    assert!(log("", &[]).contains(" INFO starting"));
    assert_eq!(log("debug", &["--log=off"]), "");
    assert_eq!(log("warn", &[]), "");
    assert!(!log("debug", &["--log=info"]).contains("connection accepted"));
    for nonsense in ["a=b=c", "loud", "warning", "debug,loud"] {
        let log = log(nonsense, &[]);
        line(&log, &["WARN", "RUST_LOG"]);
        line(&log, &["INFO", "stopped"]);
    }
}

/// Checks that the program serves and stops with these streams.
fn check_serves_into(log: &str, output: Stdio, errors: Stdio) {
    let address = free_address();
    let [ip, port] = [address.ip().to_string(), address.port().to_string()];
    let args = ["--ip", &ip, "--port", &port, "--log", log];
    let mut program = Program::start_into(&args, output, errors);
    Program::wait_until_it_listens(address);
    let mut client = Client::of(address);
    client.enter_new("room");
    // Two lines each, of some 100 bytes: more than a pipe and the log's queue hold together.
    for _ in 0..2_000 {
        drop(Client::of(address));
    }
    client.expect_nothing();
    program.signal("TERM");
    client.expect_code("server-stopping");
    drop(client);
    assert_eq!(program.wait().0, Some(0));
}

#[test]
fn r11_an_unread_log_blocks_nothing() {
    let (unread, errors) = io::pipe().expect("two descriptors");
    check_serves_into("debug", Stdio::null(), errors.into());
    drop(unread);
}

#[test]
fn r11_a_log_without_a_reader_blocks_nothing() {
    let (reader, errors) = io::pipe().expect("two descriptors");
    drop(reader);
    check_serves_into("debug", Stdio::null(), errors.into());
}

#[test]
fn r11_a_full_output_blocks_nothing() {
    let (unread, mut full) = UnixStream::pair().expect("two descriptors");
    full.set_nonblocking(true).expect("a socket has this option");
    let filled = loop {
        if let Err(error) = full.write(&[b'x'; 4096]) {
            break error;
        }
    };
    assert_eq!(filled.kind(), ErrorKind::WouldBlock);
    full.set_nonblocking(false).expect("a socket has this option");
    let errors = full.try_clone().expect("a descriptor");
    let [output, errors] = [full, errors].map(|stream| Stdio::from(OwnedFd::from(stream)));
    check_serves_into("info", output, errors);
    drop(unread);
}

#[test]
fn a3_the_descriptor_limit_is_raised_or_reported_as_too_low() {
    let log = |limit: &str, args: &[&str]| {
        let args = [&["--port=0", "--log=info"], args].concat();
        let program = Program::start_by_shell(&format!("{limit}; "), &args, "");
        program.address();
        stop(program)
    };
    let raised = log("ulimit -Sn 100; ulimit -Hn 200", &[]);
    line(&raised, &["starting", " connections=136 "]);
    line(&raised, &["WARN", "few connections:", "allowed=136", "descriptors=200"]);
    let enough = log("ulimit -Sn 100; ulimit -Hn 1064", &[]);
    line(&enough, &["starting", " connections=1000 "]);
    assert!(!enough.contains("WARN"), "nobody asked for more: {enough}");
    let asked_for = log("ulimit -Hn 200", &["--limit=connections=100"]);
    assert!(!asked_for.contains("WARN"), "it has what was asked for: {asked_for}");
    let clamped = log("ulimit -Sn 100; ulimit -Hn 200", &["--limit=connections=1000"]);
    line(&clamped, &["WARN", "configured=1000", "allowed=136", "descriptors=200"]);
    line(&clamped, &["starting", " connections=136 "]);
}

#[test]
fn b8_limits_beyond_the_memory_are_lowered_and_reported() {
    let log = |args: &[&str]| {
        let program = Program::start(&[&["--port=0", "--log=info"], args].concat());
        program.address();
        stop(program)
    };
    let lowered = log(&["--max-memory=64MiB", "--limit=total-backlog=32MiB"]);
    line(&lowered, &["INFO", "limit lowered", "connections", "1000000", "16384"]);
    line(&lowered, &["INFO", "limit lowered", "rooms", "100000", "8192"]);
    line(&lowered, &["WARN", "limit lowered", "total-backlog", "32MiB", "24MiB"]);
    line(&lowered, &["starting", " max_memory=\"64MiB\"", " total_backlog=\"24MiB\""]);
    let enough = log(&["--max-memory=4096GiB", "--limit=connections=100"]);
    assert!(!enough.contains("lowered"), "{enough}");
}
