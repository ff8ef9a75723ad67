//! The command line: what is taken, what is refused and how, and the first line of output.

mod common;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use common::{Client, Program, free_port, run_to_end};

/// A program that listens where it says, serves and stops.
fn check_serves(args: &[&str], expected: impl Fn(SocketAddr) -> bool) {
    let mut program = Program::start(args);
    let address = program.address();
    assert!(expected(address) && address.port() != 0, "{args:?}: {address}");
    let mut client = Client::of(address);
    client.enter_new("room");
    client.shutdown();
    client.expect_code("server-stopping");
    drop(client);
    program.expect_success();
}

#[test]
fn a1_the_first_line_says_where_it_listens_with_the_port_it_really_has() {
    let here = |address: SocketAddr| address.ip() == Ipv4Addr::LOCALHOST;
    check_serves(&["--port=0"], here);
    check_serves(&["--port", "0"], here);
    check_serves(&["--port=0", "--ip=127.0.0.1", "--worker=1"], here);
    check_serves(&["--worker", "256", "--ip", "127.0.0.1", "--port", "0"], here);
    check_serves(&["--port=0", "--shutdown-from=anyone"], here);
    check_serves(&["--port=0", "--shutdown-from", "loopback"], here);
    check_serves(&["--port=0", "--ip=127.0.0.2"], |a| a.ip() == Ipv4Addr::new(127, 0, 0, 2));
}

#[test]
fn a_port_that_is_free_is_taken_as_it_is_asked_for() {
    let ip = "127.0.0.3";
    let port = free_port(ip);
    let expected = |address: SocketAddr| address.to_string() == format!("{ip}:{port}");
    check_serves(&["--ip", ip, "--port", &port], expected);
    check_serves(&["--ip", ip, &format!("--port={port}")], expected);
}

#[test]
fn r11_an_output_that_nobody_reads_is_no_reason_not_to_serve() {
    let ip = "127.0.0.4";
    for output in [" >/dev/full", " >&-"] {
        let port = free_port(ip);
        let address = format!("{ip}:{port}").parse().expect("an address");
        let mut program =
            Program::start_by_shell("", &["--ip", ip, "--port", &port, "--worker=1"], output);
        Program::wait_until_it_listens(address);
        Client::of(address).enter_new("room");
        program.signal("TERM");
        program.expect_success();
    }
}

#[test]
fn a1_ipv6_addresses_are_taken_and_shown_in_brackets() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        println!("skipped: this machine has no IPv6");
        return;
    }
    check_serves(&["--port=0", "--ip=::1"], |address| {
        address.to_string().starts_with("[::1]:") && address.is_ipv6()
    });
}

#[test]
fn help_goes_to_standard_output_and_is_no_error() {
    for args in [&["--help"][..], &["--port=0", "--help"], &["help"]] {
        let (code, output, errors) = run_to_end(args);
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{args:?}");
        for flag in
            ["--version", "--port", "--ip", "--worker", "--shutdown-from", "--limits", "--config"]
        {
            assert!(output.contains(flag), "{args:?}: {output}");
        }
        assert!(output.starts_with("Usage: chat-server"), "{output}");
    }
}

#[test]
fn the_version_is_said_in_one_line() {
    let said =
        (Some(0), concat!("chat-server ", env!("CARGO_PKG_VERSION")).to_owned(), String::new());
    assert_eq!(run_to_end(&["--version"]), said);
    assert_eq!(run_to_end(&["--port=0", "--version"]), said);
}

/// The program refuses: status 2, nothing on standard output (so nothing was bound), and a line on
/// standard error that holds each of `words`.
fn check_refused(args: &[&str], words: &[&str]) {
    let (code, output, errors) = run_to_end(args);
    assert_eq!((code, output.as_str()), (Some(2), ""), "{args:?}: {errors}");
    let says_it = |line: &str| words.iter().all(|word| line.contains(word));
    assert!(errors.lines().any(says_it), "{args:?}: no line with {words:?} in:\n{errors}");
    assert!(errors.lines().count() <= 3, "{args:?}: short and clear:\n{errors}");
}

#[test]
fn a2_a_flag_that_is_missing_unknown_twice_or_without_value_is_named() {
    check_refused(&["--worker=2"], &["--port"]);
    check_refused(&[], &["--port"]);
    check_refused(&["--port=0", "--wroker=2"], &["--wroker"]);
    check_refused(&["--port=0", "-w", "2"], &["-w"]);
    check_refused(&["--port=0", "9000"], &["9000"]);
    check_refused(&["--port"], &["--port"]);
    check_refused(&["--port=0", "--worker"], &["--worker"]);
    check_refused(&["--port=0", "--ip"], &["--ip"]);
    check_refused(&["--port=0", "--port=0"], &["--port"]);
    check_refused(&["--port=0", "--port", "1"], &["--port"]);
    check_refused(&["--port=0", "--worker=1", "--worker=2"], &["--worker"]);
    check_refused(&["--port=0", "--ip=127.0.0.1", "--ip=127.0.0.1"], &["--ip"]);
    check_refused(&["--port=0", "--limit=rooms=1", "--limit", "rooms=2"], &["rooms=2", "twice"]);
}

#[test]
fn a2_a_value_out_of_range_is_refused_with_the_flag_and_the_range() {
    for port in ["70000", "65536", "-1", "x", "", "0x10", "1.5", "99999999999999999999"] {
        check_refused(&[&format!("--port={port}")], &["--port", "0 to 65535"]);
        check_refused(&["--port", port], &["--port", "0 to 65535"]);
    }
    for worker in ["-1", "0", "257", "two", "", "1e3", "99999999999999999999"] {
        check_refused(&["--port=0", &format!("--worker={worker}")], &["--worker", "1 to 256"]);
        check_refused(&["--port=0", "--worker", worker], &["--worker", "1 to 256"]);
    }
    for ip in ["localhost", "127.0.0", "127.0.0.1:80", "256.0.0.1", "", "[::1]", "::g"] {
        check_refused(&["--port=0", &format!("--ip={ip}")], &["--ip", "127.0.0.1", "::1"]);
    }
    for who in ["everybody", "", "Anyone"] {
        let flag = format!("--shutdown-from={who}");
        check_refused(&["--port=0", &flag], &["--shutdown-from", "anyone, loopback, nobody"]);
    }
    for (flag, words) in [
        ("--rate=-1", ["--rate", "0 to 4294967295"]),
        ("--inline=x", ["--inline", "0 to 1000000000"]),
        ("--lang=fr", ["--lang", "en, ko"]),
        ("--log=loud", ["--log", "off, error, warn, info, debug"]),
        ("--log-format=xml", ["--log-format", "text, json"]),
        ("--limit=backlog", ["--limit", "NAME=VALUE"]),
        ("--limit=beards=3", ["beards", "--limits lists them"]),
        ("--limit=linger=5", ["linger=5", "0ms to 24h"]),
        ("--limit=connections=0", ["connections=0", "1 to 1000000000"]),
        ("--limit=slow-backlog=2MiB", ["backlog is 1MiB", "at least 2MiB, as slow-backlog is"]),
    ] {
        check_refused(&["--port=0", flag], &words);
    }
}

#[test]
fn a1_a_port_in_use_is_an_error_with_the_address_and_a_hint() {
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = holder.local_addr().expect("it is bound");
    let (code, output, errors) = run_to_end(&[&format!("--port={}", address.port())]);
    assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
    let line = errors.trim_end();
    assert!(line.contains(&address.to_string()) && line.contains("--port"), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
}

#[test]
fn a1_an_address_that_is_not_ours_is_an_error_with_the_address_and_a_hint() {
    // TEST-NET-1 (RFC 5737) is nobody's.
    let (code, output, errors) = run_to_end(&["--port=0", "--ip=192.0.2.1"]);
    assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
    assert!(errors.contains("192.0.2.1") && errors.contains("--ip"), "{errors}");
    assert_eq!(errors.trim_end().lines().count(), 1, "{errors}");
}
