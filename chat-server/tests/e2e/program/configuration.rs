//! The configuration: flags, a file, or both; and what the program prints about it.

use std::fs;
use std::path::PathBuf;

use crate::support::{Client, Program, run_to_end};

/// A configuration file, removed when dropped.
struct ConfigFile(PathBuf);

impl ConfigFile {
    fn new(test: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("chat-{}-{test}.toml", std::process::id()));
        fs::write(&path, text).expect("a temporary file");
        Self(path)
    }

    fn flag(&self) -> String {
        format!("--config={}", self.0.display())
    }
}

impl Drop for ConfigFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The settings in force, as `--check` prints them.
fn in_force(args: &[&str]) -> String {
    let (code, output, errors) = run_to_end(&[args, &["--check"]].concat());
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{args:?}");
    output
}

/// Checks that the program refuses to start, and reports the errors in lines with these words.
fn check_wrong(args: &[&str], expected: &[&[&str]]) {
    for more in [&["--check"][..], &[]] {
        let (code, output, errors) = run_to_end(&[args, more].concat());
        assert_eq!((code, output.as_str()), (Some(2), ""), "{args:?}: {errors}");
        let problems: Vec<_> = errors.lines().collect();
        assert_eq!(problems.len(), expected.len() + 1, "{args:?}:\n{errors}");
        for words in expected {
            let says_it = |line: &&str| words.iter().all(|word| line.contains(word));
            assert!(problems.iter().any(says_it), "{words:?} in:\n{errors}");
        }
    }
}

#[test]
fn every_setting_works_as_a_flag_and_in_a_file() {
    let flags = [
        "--port=9000",
        "--ip=127.0.0.9",
        "--shutdown-from=nobody",
        "--lang=ko",
        "--metrics=127.0.0.9:9464",
        "--worker=3",
        "--inline=7",
        "--replay=20",
        "--rate=50",
        "--log=debug",
        "--log-format=json",
        "--limit=slow_backlog=128KiB",
        "--limit",
        "linger=1500ms",
    ];
    let by_flags = in_force(&flags);
    for line in [
        "port = 9000",
        r#"ip = "127.0.0.9""#,
        r#"shutdown-from = "nobody""#,
        r#"lang = "ko""#,
        r#"metrics = "127.0.0.9:9464""#,
        "worker = 3",
        "inline = 7",
        "replay = 20",
        r#"log = "debug""#,
        r#"log-format = "json""#,
        r#"commands = "50/s""#,
        "commands-burst = 100",
        r#"slow-backlog = "128KiB""#,
        r#"linger = "1500ms""#,
    ] {
        assert!(by_flags.lines().any(|found| found == line), "{line} in\n{by_flags}");
    }
    // `--check` prints a file with the same meaning.
    let file = ConfigFile::new("all", &by_flags);
    assert_eq!(in_force(&[&file.flag()]), by_flags);
}

#[test]
fn flags_override_the_file_and_limits_the_rate() {
    let text = "rate = 10\nport = 1\n[limits]\ncommands-burst = 99\nrooms = 5";
    let file = ConfigFile::new("over", text);
    let of_file = in_force(&[&file.flag()]);
    assert!(of_file.contains("commands = \"10/s\"\ncommands-burst = 99\n"), "{of_file}");
    let of_both = in_force(&["--port=2", "--rate=0", "--limit=rooms=6", &file.flag()]);
    for line in ["port = 2\n", "commands = \"0/s\"\ncommands-burst = 1\n", "rooms = 6\n"] {
        assert!(of_both.contains(line), "{line:?} in\n{of_both}");
    }
}

#[test]
fn the_server_follows_the_file() {
    let text = "port = 0\nlang = \"ko\"\n[limits]\nconnections = 1";
    let file = ConfigFile::new("goes-by", text);
    let mut program = Program::start(&[&file.flag()]);
    let address = program.address();
    let mut client = Client::of(address);
    client.create("방");
    let created = client.expect_code("room-created");
    assert!(created.text.contains("번 방"), "it speaks Korean: {created:?}");
    let mut second = Client::connect(address);
    second.expect_code("server-full");
    drop(second);
    client.shutdown();
    client.expect_code("server-stopping");
    drop(client);
    program.expect_success();
}

#[test]
fn every_error_in_a_file_is_reported_at_once_with_its_line() {
    let text = "port = 70000\nlinger = \"5s\"\nworkers = 2\nlang = \"fr\"\nlog = true\n\n[limits]\n\
                linger = 5\nbeards = 1\nrooms = -1\nbacklog = \"1KiB\"\nslow_backlog = \"64KiB\"\n\
                slow-backlog = \"64KiB\"\n";
    let file = ConfigFile::new("wrong", text);
    check_wrong(
        &[&file.flag(), "--worker=0"],
        &[
            &[".toml:1:", "port", "70000", "0 to 65535"],
            &[".toml:2:", "linger", "did you mean limits.linger?"],
            &[".toml:3:", "workers", "did you mean worker?"],
            &[".toml:4:", "lang", "en, ko"],
            &[".toml:5:", "log", "in quotes"],
            &[".toml:8:", "linger", "0ms to 24h"],
            &[".toml:9:", "beards", "--limits"],
            &[".toml:10:", "rooms", "0 to 1000000000"],
            &[".toml:12:", "slow_backlog", "twice"],
            &["slow-backlog is 64KiB", "at least 65537B"],
            &["backlog is 1KiB", "at least 64KiB"],
            &["--worker", "1 to 256"],
        ],
    );
}

#[test]
fn a12_a_typo_in_a_file_gets_the_nearest_name() {
    let text = "prot = 9000\nconections = 5\nLOG_FORMAT = \"json\"\ncheck = 1\nmoonlight = 1\n\
                lang = \"kr\"\n[limit]\n[limits]\nslow-baklog = 1\nport = 1\n";
    let file = ConfigFile::new("typos", text);
    check_wrong(
        &[&file.flag()],
        &[
            &[".toml:1:", "\"prot\": did you mean port?"],
            &[".toml:2:", "\"conections\": did you mean limits.connections?"],
            &[".toml:3:", "\"LOG_FORMAT\": did you mean log-format?"],
            &[".toml:4:", "\"check\": did you mean --check?"],
            &[".toml:5:", "\"moonlight\": --help lists them"],
            &[".toml:6:", "lang = \"kr\"", "did you mean ko?"],
            &[".toml:7:", "no section \"limit\": the only one is [limits]"],
            &[".toml:9:", "limits.slow-baklog", "did you mean slow-backlog?"],
            &[".toml:10:", "limits.port", "did you mean port?"],
            &["port is missing", "--port=9000"],
        ],
    );
}

#[test]
fn errors_in_a_file_speak_its_language_unless_a_flag_says_otherwise() {
    let text = "lang = \"ko\"\nport = 70000\nlinger = \"5s\"\n[limits]\nbacklog = \"1KiB\"\n";
    let file = ConfigFile::new("korean", text);
    let korean: [&[&str]; 4] = [
        &[".toml:2:", "70000", "0~65535 사이의 숫자여야 해요"],
        &[".toml:3:", "\"linger\" 설정은 없어요. 혹시 limits.linger 말인가요?"],
        &["backlog = 1KiB", "256KiB 이상이어야 해요"],
        &["--worker=\"0\"", "1~256 사이"],
    ];
    check_wrong(&[&file.flag(), "--worker=0"], &korean);
    check_wrong(&[&file.flag(), "--worker=0", "--lang=ko"], &korean);
    let english: [&[&str]; 4] = [
        &[".toml:2:", "70000", "from 0 to 65535"],
        &[".toml:3:", "no setting \"linger\": did you mean limits.linger?"],
        &["backlog is 1KiB", "at least 256KiB"],
        &["--worker=\"0\"", "from 1 to 256"],
    ];
    check_wrong(&[&file.flag(), "--worker=0", "--lang=en"], &english);
    let file = ConfigFile::new("korean-syntax", "lang = \"ko\"\nport = \n");
    check_wrong(&[&file.flag()], &[&["syntax.toml:2:", "TOML이 아니에요"]]);
    check_wrong(&["--config=/nonexistent", "--lang=ko"], &[&["/nonexistent", "읽을 수 없어요"]]);
    let file = ConfigFile::new("korean-right", "lang = \"ko\"\nport = 0\n");
    assert!(in_force(&[&file.flag()]).starts_with("# 틀린 설정이 없어요"));
    assert!(in_force(&[&file.flag(), "--lang=en"]).starts_with("# The configuration is valid"));
}

#[test]
fn a9_metrics_on_the_address_of_the_server_are_refused() {
    let check = |port: &str, ip: &str, metrics: &str| {
        let flags = [("--port", port), ("--ip", ip), ("--metrics", metrics)];
        flags.map(|(flag, value)| format!("{flag}={value}"))
    };
    for (ip, metrics) in [
        ("127.0.0.1", "127.0.0.1:9000"),
        ("0.0.0.0", "127.0.0.1:9000"),
        ("127.0.0.1", "0.0.0.0:9000"),
        ("::1", "[::1]:9000"),
        ("::", "[::1]:9000"),
        ("::1", "[::]:9000"),
        ("::", "127.0.0.1:9000"),
        ("0.0.0.0", "[::]:9000"),
        ("127.0.0.1", "[::ffff:127.0.0.1]:9000"),
    ] {
        let flags = check("9000", ip, metrics);
        let flags = flags.each_ref().map(String::as_str);
        check_wrong(&flags, &[&[&format!("metrics is {metrics}"), ip, "another port"]]);
    }
    let text = "port = 9000\nmetrics = \"127.0.0.1:9000\"\nlang = \"ko\"";
    let file = ConfigFile::new("metrics", text);
    check_wrong(&[&file.flag()], &[&["metrics = 127.0.0.1:9000", "서버가 쓸 주소와 겹쳐요"]]);
    for (port, ip, metrics) in [
        ("0", "127.0.0.1", "127.0.0.1:0"),
        ("9000", "127.0.0.1", "127.0.0.1:9001"),
        ("9000", "127.0.0.1", "127.0.0.2:9000"),
        ("9000", "0.0.0.0", "[::1]:9000"),
        ("9000", "::1", "0.0.0.0:9000"),
    ] {
        in_force(&check(port, ip, metrics).each_ref().map(String::as_str));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    check_wrong(&["--config=/nonexistent/chat.toml"], &[&["--config", "/nonexistent/chat.toml"]]);
    check_wrong(&["--config=/dev/zero"], &[&["--config", "/dev/zero", "1 MiB"]]);
    let file = ConfigFile::new("syntax", "port = 0\n[limits\n");
    check_wrong(&[&file.flag()], &[&["syntax.toml:2:"]]);
}

#[test]
fn the_limits_are_listed_with_their_ranges() {
    let (code, output, errors) = run_to_end(&["--limits"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let line = |name| {
        output.lines().find(|line: &&str| line.starts_with(name)).expect("a line for the limit")
    };
    assert!(line("backlog").contains("1MiB"), "{output}");
    assert!(line("linger").contains("5s") && line("linger").contains("0ms to 24h"), "{output}");
}
