//! `load`: the load generator. See [`chat_benches::load`].

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use argh::{FromArgs, TopLevelCommand};
use chat_benches::error::Error;
use chat_benches::load::{Dialect, Pace, Talkers, idle, resume};
use chat_benches::{args, load};
use serde::Serialize;

/// Talks to a server as many members of many rooms, and measures what a delivered message costs.
/// `load idle` opens silent connections instead, and `load resume` drops connections that come back: see their
/// `--help`.
#[derive(FromArgs)]
#[argh(note = "Every message carries its sender, its number and its time, so that losses,
repetitions and latencies are known exactly. With --window above 1 every eighth
message has its latency recorded. With --rate the latency counts from the time a
message was due, and the generator uses a whole core in order to be on time.
Redis talkers are connections of their own; a message has members - 1 receivers
in every protocol.")]
struct LoadArgs {
    /// chat, redis, nats or relay; chat and nats also by WebSocket, TLS or both: chat+ws, chat+tls, chat+wss
    #[argh(option)]
    proto: Dialect,

    /// where the server listens: a loopback address and a port
    #[argh(option)]
    addr: SocketAddr,

    /// how many rooms, 10 by default
    #[argh(option, default = "10")]
    rooms: u32,

    /// members of each room, 10 by default
    #[argh(option, default = "10")]
    members: u32,

    /// how many members of each room talk: a number, or all; 1 by default
    #[argh(option, default = "Talkers::Some(1)")]
    talkers: Talkers,

    /// closed loop: messages in flight per talker, 32 by default; the next is sent when as many
    /// deliveries have arrived as one message makes
    #[argh(option)]
    window: Option<u32>,

    /// open loop: messages a second, of all talkers together
    #[argh(option)]
    rate: Option<u32>,

    /// with --rate, sleep between messages, for a core shared with others; adds up to 2 ms of latency
    #[argh(switch)]
    doze: bool,

    /// with --window, never sleep, so that the server does not pay for waking the generator
    #[argh(switch)]
    spin: bool,

    /// bytes of text in a message, 33 or more, 64 by default
    #[argh(option, default = "64")]
    size: usize,

    /// seconds before measuring, 1 by default
    #[argh(option, default = "1.0")]
    warmup: f64,

    /// seconds to measure, 5 by default
    #[argh(option, default = "5.0")]
    seconds: f64,

    /// process id of the server, to measure its CPU time and memory
    #[argh(option)]
    server_pid: Option<u32>,

    /// print the result as one line of JSON
    #[argh(switch)]
    json: bool,

    /// no progress lines on standard error
    #[argh(switch)]
    quiet: bool,
}

/// Opens silent connections, and measures what they cost.
#[derive(FromArgs)]
struct IdleArgs {
    /// chat, redis, nats or relay; chat and nats also by WebSocket, TLS or both: chat+ws, chat+tls, chat+wss
    #[argh(option)]
    proto: Dialect,

    /// where the server listens: a loopback address and a port
    #[argh(option)]
    addr: SocketAddr,

    /// how many connections, 10000 by default
    #[argh(option, default = "10_000")]
    connections: usize,

    /// seconds to stay idle, 5 by default
    #[argh(option, default = "5.0")]
    seconds: f64,

    /// process id of the server, to measure its CPU time and memory
    #[argh(option)]
    server_pid: Option<u32>,

    /// print the result as one line of JSON
    #[argh(switch)]
    json: bool,
}

/// Puts many members into rooms, ends all their connections at once, and measures how long it takes until all of them
/// have their sessions back, and what two strangers in a room of their own notice of it. The strangers talk in a thread
/// of higher priority.
#[derive(FromArgs)]
struct ResumeArgs {
    /// where the chat server listens: a loopback address and a port
    #[argh(option)]
    addr: SocketAddr,

    /// how many connections, 15000 by default
    #[argh(option, default = "15_000")]
    connections: usize,

    /// members of each room, 10 by default
    #[argh(option, default = "10")]
    members: usize,

    /// process id of the server, to measure its CPU time and memory
    #[argh(option)]
    server_pid: Option<u32>,

    /// print the result as one line of JSON
    #[argh(switch)]
    json: bool,
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    match words.next_if(|word| word == "idle" || word == "resume").as_deref() {
        Some("idle") => finish("load idle", words, run_idle),
        Some(_) => finish("load resume", words, run_resume),
        None => finish("load", words, run_load),
    }
}

fn finish<A: TopLevelCommand>(
    name: &str,
    words: impl Iterator<Item = String>,
    run: fn(&A) -> Result<(), Error>,
) -> ExitCode {
    match args::parse(name, words) {
        Ok(parsed) => args::finish(name, run(&parsed)),
        Err(status) => status,
    }
}

fn run_load(args: &LoadArgs) -> Result<(), Error> {
    let pace = match (args.window, args.rate) {
        (Some(_), Some(_)) => {
            return Err(Error::Config("either --window or --rate, not both".to_owned()));
        }
        (None, Some(rate)) => Pace::Open { rate },
        (window, None) => Pace::Closed { window: window.unwrap_or(32) },
    };
    let report = load::run(&load::Config {
        dialect: args.proto,
        addr: args.addr,
        rooms: args.rooms,
        members: args.members,
        talkers: args.talkers,
        pace,
        doze: args.doze,
        spin: args.spin,
        size: args.size,
        warmup: seconds(args.warmup)?,
        measure: seconds(args.seconds)?,
        server: args.server_pid,
        progress: !args.quiet,
    })?;
    print(&report, args.json)
}

fn run_idle(args: &IdleArgs) -> Result<(), Error> {
    let report = idle::run(&idle::Config {
        dialect: args.proto,
        addr: args.addr,
        connections: args.connections,
        idle: seconds(args.seconds)?,
        server: args.server_pid,
    })?;
    print(&report, args.json)
}

fn run_resume(args: &ResumeArgs) -> Result<(), Error> {
    let report = resume::run(&resume::Config {
        addr: args.addr,
        connections: args.connections,
        members: args.members,
        server: args.server_pid,
    })?;
    print(&report, args.json)
}

fn seconds(seconds: f64) -> Result<Duration, Error> {
    let duration = Duration::try_from_secs_f64(seconds).ok();
    duration
        .filter(|duration| duration.as_secs() <= 3_600)
        .ok_or_else(|| Error::Config(format!("{seconds} s is no time between 0 and an hour")))
}

fn print(report: &(impl Serialize + std::fmt::Display), json: bool) -> Result<(), Error> {
    if json {
        let line = serde_json::to_string(report)
            .map_err(|error| Error::Config(format!("the result is no JSON: {error}")))?;
        println!("{line}");
    } else {
        println!("{report}");
    }
    Ok(())
}
