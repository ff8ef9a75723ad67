//! A short soak of the server program, of a server without room, and of programs that are not servers.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use chat_benches::error::Error;
use chat_benches::soak::{Config, run};

/// The server program of this build. Cargo builds it only for the tests of its own package, so it is built here;
/// usually there is nothing to do.
fn server() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    let target = own.ancestors().nth(2).expect("it is in target/PROFILE/deps");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--package=chat-server", "--bin=chat-server"]);
    // With the features of this package's own build, so that nothing is built twice.
    cargo.args(["--features=bench-support", "--manifest-path"]);
    cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../chat-server/Cargo.toml"));
    if target.ends_with("release") {
        cargo.arg("--release");
    }
    let made = cargo.status().expect("cargo runs the tests, so it is there");
    assert!(made.success(), "the server could not be built");
    target.join("chat-server")
}

fn config(program: impl Into<PathBuf>, args: &[&str], seed: u64) -> Config {
    Config {
        program: program.into(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        time: Duration::from_secs(2),
        seed,
        visits_per_second: 60,
        attack_percent: 2,
        corpus: concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/command").into(),
        progress: None,
    }
}

#[test]
fn a_short_soak_finds_nothing_wrong() {
    let report = run(&config(server(), &["--worker=1"], 7)).expect("there is a server");
    println!("{report}");
    assert!(report.faults.is_empty(), "{:#?}", report.faults);
    assert!(report.delivered > 0 && report.answers > 0, "{report}");
    assert_eq!(report.files.0, report.files.2, "{report}");
    assert!(report.stopped.is_some(), "{report}");
}

#[test]
fn a_server_that_turns_people_away_is_found_out() {
    // The server keeps 64 of these for itself, which leaves room for the steady talkers and few others.
    let few = r#"ulimit -n 150; exec "$0" "$@""#;
    let server = server();
    let args = ["-c", few, server.to_str().expect("Cargo names it")];
    let report = run(&config("/bin/sh", &args, 8)).expect("there is a server");
    let fault = "last word Some(\"server-full\")";
    assert!(report.faults.iter().any(|found| found.contains(fault)), "{:#?}", report.faults);
}

#[test]
fn a_program_that_is_no_server_is_reported() {
    for program in ["/nowhere/chat-server", "/bin/echo"] {
        let error = run(&config(program, &[], 1)).expect_err("it is no server");
        assert!(matches!(error, Error::Config(_) | Error::Server(_)), "{program}: {error}");
    }
}
