//! The command line: what it accepts and refuses, its messages, and the first line of output.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use crate::support::{Client, Program, free_address, run_to_end};

/// Checks that the program listens at the address it prints, serves and stops.
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
fn a1_the_first_line_gives_the_address_and_the_port_bound() {
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
fn the_program_listens_on_the_port_asked_for() {
    let free = free_address();
    let [ip, port] = [free.ip().to_string(), free.port().to_string()];
    check_serves(&["--ip", &ip, "--port", &port], |address| address == free);
    check_serves(&["--ip", &ip, &format!("--port={port}")], |address| address == free);
}

#[test]
fn r11_a_server_with_a_broken_output_serves() {
    for output in [" >/dev/full", " >&-"] {
        let address = free_address();
        let [ip, port] = [address.ip().to_string(), address.port().to_string()];
        let args = ["--ip", &ip, "--port", &port, "--worker=1"];
        let program = Program::start_by_shell("", &args, output);
        Program::wait_until_it_listens(address);
        Client::of(address).enter_new("room");
        program.stop();
    }
}

#[test]
fn a1_an_ipv6_address_is_shown_in_brackets() {
    if !has_ipv6() {
        return;
    }
    for ip in ["--ip=::1", "--ip=[::1]"] {
        check_serves(&["--port=0", ip], |address| address.to_string().starts_with("[::1]:"));
    }
}

/// Whether this machine has IPv6. Prints a line if it has not.
fn has_ipv6() -> bool {
    let has = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    if !has {
        println!("skipped: this machine has no IPv6");
    }
    has
}

#[test]
fn a10_a_server_listens_on_every_address_and_shows_it_as_people_know_it() {
    let mapped: (&[&str], &[&str]) = (&["--ip=::ffff:127.0.0.1"], &["127.0.0.1"]);
    let two: (&[&str], &[&str]) = (&["--ip=127.0.0.1,127.0.0.2"], &["127.0.0.1", "127.0.0.2"]);
    let both: (&[&str], &[&str]) =
        (&["--ip=[::1]", "--ip", "127.0.0.1,127.0.0.3"], &["[::1]", "127.0.0.1", "127.0.0.3"]);
    let wild: (&[&str], &[&str]) = (&["--ip=0.0.0.0", "--ip=::"], &["0.0.0.0", "[::]"]);
    let any: (&[&str], &[&str]) = (&["--ip=::"], &["[::]"]);
    let with_ipv6 = if has_ipv6() { &[both, wild, any][..] } else { &[] };
    for &(ips, shown) in [mapped, two].iter().chain(with_ipv6) {
        let mut program = Program::start(&[&["--port=0", "--log=debug"], ips].concat());
        let addresses: Vec<_> = shown.iter().map(|_| program.address()).collect();
        let port = addresses[0].port();
        let expected = shown.iter().map(|ip| format!("{ip}:{port}"));
        assert!(addresses.iter().map(ToString::to_string).eq(expected), "{addresses:?}");
        let mut ways: Vec<_> = addresses.into_iter().filter(|a| !a.ip().is_unspecified()).collect();
        if ways.is_empty() {
            ways = vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()];
        }
        for address in ways {
            drop(Client::of(address));
        }
        program.signal("TERM");
        let (code, _, log) = program.wait();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("peer=127.0.0.1:") && !log.contains("ffff"), "{log}");
    }
}

#[test]
fn a10_a_probe_reaches_metrics_at_any_form_of_address() {
    let forms: &[&str] = if has_ipv6() { &["[::ffff:127.0.0.1]", "[::1]"] } else { &["127.0.0.1"] };
    for form in forms {
        let program = Program::start(&["--port=0", &format!("--metrics={form}:0")]);
        program.address();
        let line = program.next_line();
        let address = line.strip_prefix("metrics on ").expect("the second line says so");
        assert!(!address.contains("ffff"), "{address}");
        let port = address.rsplit_once(':').expect("it has a port").1;
        for probe in [address, &format!("{form}:{port}")] {
            let (code, output, errors) = run_to_end(&[&format!("--probe={probe}")]);
            assert_eq!((code, output.as_str()), (Some(0), "serving"), "{errors}");
        }
        program.stop();
    }
}

#[test]
fn a10_addresses_that_cannot_be_meant_are_refused_with_the_reason() {
    for (args, words) in [
        (&["--ip=fe80::1"][..], &["--ip", "interface", "fe80::1%eth0"][..]),
        (&["--ip=fe80::1%nosuch0"], &["--ip", "no interface \"nosuch0\""]),
        (&["--metrics=[fe80::1]:9464"], &["--metrics", "interface"]),
        (&["--ip=127.0.0.1,127.0.0.1"], &["--ip=127.0.0.1", "twice"]),
        (&["--ip=127.0.0.1", "--ip=::ffff:127.0.0.1"], &["127.0.0.1", "twice"]),
        (&["--ip=127.0.0.1", "--ip=0.0.0.0"], &["--ip=0.0.0.0", "includes 127.0.0.1"]),
        (&["--ip=::,::1"], &["--ip=::", "includes ::1"]),
        (&["--ip=127.0.0.1,"], &["--ip", "must be an address"]),
        (&["--proxy-from=10.0.0.0/33"], &["--proxy-from", "10.0.0.0/8"]),
        (&["--proxy-from=localhost"], &["--proxy-from", "networks"]),
    ] {
        check_refused(&[&["--port=0"], args].concat(), words);
    }
}

#[test]
fn help_goes_to_standard_output_with_status_0() {
    let with_help =
        [&["-h"][..], &["--help", "--port=0"], &["--prot=1", "-h"], &["help", "--check"]];
    for args in [&["--help"][..], &["--port=0", "--help"], &["help"]].into_iter().chain(with_help) {
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
fn help_and_limits_speak_korean() {
    for args in [&["--help", "--lang=ko"][..], &["--lang", "ko", "-h"], &["help", "--lang=ko"]] {
        let (code, output, errors) = run_to_end(args);
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{args:?}");
        assert!(output.starts_with("사용법: chat-server --port=N"), "{output}");
    }
    let (code, output, errors) = run_to_end(&["--limits", "--lang=ko"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(output.contains("0ms~24h") && output.contains("0: 제한 없음"), "{output}");
    let version = run_to_end(&["--version", "--lang=ko"]);
    assert_eq!(version, run_to_end(&["--version"]), "programs read that");
}

#[test]
fn the_version_is_one_line() {
    let said =
        (Some(0), concat!("chat-server ", env!("CARGO_PKG_VERSION")).to_owned(), String::new());
    assert_eq!(run_to_end(&["--version"]), said);
    assert_eq!(run_to_end(&["--port=0", "--version"]), said);
}

/// Checks that the program refuses to start: status 2, nothing on standard output (so it has not listened), and a line
/// on standard error with all of `words`.
fn check_refused(args: &[&str], words: &[&str]) {
    let (code, output, errors) = run_to_end(args);
    assert_eq!((code, output.as_str()), (Some(2), ""), "{args:?}: {errors}");
    let says_it = |line: &str| words.iter().all(|word| line.contains(word));
    assert!(errors.lines().any(says_it), "{args:?}: no line with {words:?} in:\n{errors}");
    assert!(errors.lines().count() <= 3, "{args:?}: short and clear:\n{errors}");
}

#[test]
fn a2_a_flag_missing_unknown_duplicate_or_without_value_is_named() {
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
    check_refused(&["--port=0", "--check=yes"], &["--check", "no value"]);
}

#[test]
fn a12_a_typo_in_a_flag_gets_the_nearest_name() {
    for (args, words) in [
        (&["--prot=9000"][..], "no flag \"--prot\": did you mean --port?"),
        (&["--prot", "9000"], "port is missing"),
        (&["--port=0", "--conections=5"], "did you mean --limit=connections?"),
        (&["--port=0", "--limit=conections=5"], "did you mean connections?"),
        (&["--port=0", "--shutdown-from=lopback"], "did you mean loopback?"),
        (&["--port=0", "--lang=kr"], "did you mean ko?"),
        (&["--lang=ko", "--prot=9000"], "\"--prot\" 플래그는 없어요. 혹시 --port 말인가요?"),
    ] {
        check_refused(args, &[words]);
    }
}

#[test]
fn a2_a_value_out_of_range_is_refused_with_flag_and_range() {
    for port in ["70000", "65536", "-1", "x", "", "0x10", "1.5", "99999999999999999999"] {
        check_refused(&[&format!("--port={port}")], &["--port", "0 to 65535"]);
        check_refused(&["--port", port], &["--port", "0 to 65535"]);
    }
    for worker in ["-1", "0", "257", "two", "", "1e3", "99999999999999999999"] {
        check_refused(&["--port=0", &format!("--worker={worker}")], &["--worker", "1 to 256"]);
        check_refused(&["--port=0", "--worker", worker], &["--worker", "1 to 256"]);
    }
    for ip in
        ["localhost", "127.0.0", "127.0.0.1:80", "256.0.0.1", "", "[127.0.0.1]", "[::1", "::g"]
    {
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
        (
            "--limit=slow-backlog=2MiB",
            ["backlog is 1MiB", "at least 2MiB, the value of slow-backlog"],
        ),
    ] {
        check_refused(&["--port=0", flag], &words);
    }
}

#[test]
fn usage_errors_speak_the_language_asked_for() {
    for (flags, words) in [
        (&["--prot=1"][..], &["\"--prot\" 플래그는 없어요"][..]),
        (&["--port=0", "9000"], &["\"9000\": 플래그도 그 값도 아니에요"]),
        (&["--port"], &["--port 플래그에 값이 없어요"]),
        (&["--port=1", "--port=2"], &["--port 플래그가 두 번"]),
        (&["--port=70000"], &["--port=\"70000\"", "0~65535 사이"]),
        (&["--port=0", "--log=loud"], &["--log=\"loud\"", "info, debug 가운데"]),
        (&["--port=0", "--limit=linger=5"], &["linger=5", "500ms, 30s, 5m", "0ms~24h"]),
        (&["--port=0", "--limit=beards=3"], &["beards", "--limits로 볼 수"]),
        (&["--port=0", "--limit=slow-backlog=2MiB"], &["backlog = 1MiB", "2MiB 이상"]),
        (&["--worker=2"], &["port 설정이 없어요"]),
    ] {
        for lang in [&["--lang=ko"][..], &["--lang", "ko"]] {
            check_refused(&[lang, flags].concat(), words);
        }
        // After a flag without a value, this would be its value.
        if flags != ["--port"] {
            check_refused(&[flags, &["--lang=ko"]].concat(), words);
        }
        check_refused(&[&["--lang=ko"], flags].concat(), &["chat-server --help --lang=ko"]);
    }
    // An unknown language is reported in English.
    check_refused(&["--port=0", "--lang=kr"], &["must be one of en, ko"]);
}

#[test]
fn start_errors_speak_the_language_asked_for_and_json_is_english() {
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = holder.local_addr().expect("it is bound").to_string();
    let port = format!("--port={}", address.rsplit_once(':').expect("it has a port").1);
    let metrics = format!("--metrics={address}");
    for (flags, korean, english) in [
        (
            &[port.as_str()][..],
            "다른 프로그램이 쓰고 있어요. 다른 --port",
            "another program listens there",
        ),
        (&["--port=0", "--ip=192.0.2.1"], "이 컴퓨터에 없는 주소예요", "no such address"),
        (&["--port=0", &metrics], "메트릭을 보여 줄 수 없어요: 다른", "cannot serve metrics"),
    ] {
        let (code, output, errors) = run_to_end(&[flags, &["--lang=ko"]].concat());
        assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
        assert!(errors.starts_with("chat-server: ") && errors.contains(korean), "{errors}");
        let (_, _, errors) = run_to_end(&[flags, &["--lang=ko", "--log-format=json"]].concat());
        assert!(errors.starts_with('{') && errors.contains(english), "{errors}");
    }
}

#[test]
fn output_for_programs_is_english_in_every_language() {
    let args = ["--port=0", "--lang=ko", "--metrics=127.0.0.1:0", "--log=info"];
    let mut program = Program::start(&args);
    assert_eq!(program.address().ip(), Ipv4Addr::LOCALHOST);
    assert!(program.next_line().starts_with("metrics on 127.0.0.1:"));
    program.signal("TERM");
    let (code, _, log) = program.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("stop requested") && log.is_ascii(), "{log}");
}

#[test]
fn a1_a_port_in_use_is_reported_with_the_address_and_a_hint() {
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = holder.local_addr().expect("it is bound");
    let (code, output, errors) = run_to_end(&[&format!("--port={}", address.port())]);
    assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
    let line = errors.trim_end();
    assert!(line.contains(&address.to_string()) && line.contains("--port"), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
}

#[test]
fn a1_a_foreign_address_is_reported_with_a_hint() {
    // TEST-NET-1 (RFC 5737) belongs to nobody.
    let (code, output, errors) = run_to_end(&["--port=0", "--ip=192.0.2.1"]);
    assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
    assert!(errors.contains("192.0.2.1") && errors.contains("--ip"), "{errors}");
    assert_eq!(errors.trim_end().lines().count(), 1, "{errors}");
}
