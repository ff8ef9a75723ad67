//! `compare`: compares servers by what a delivered message costs. See [`chat_benches::compare`].

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use argh::FromArgs;
use chat_benches::args;
use chat_benches::compare::{Comparison, Outcome, Programs, Workload, svg, table};
use chat_benches::error::Error;
use chat_benches::load::Dialect;

/// Runs the relay, the chat server, Redis and NATS in turn, each on core 0, against the load
/// generator on core 1, and prints what a delivered message costs each.
#[derive(FromArgs)]
#[argh(note = "Needs two cores, and taskset and setpriv (util-linux). Build everything first:
cargo build --release. A run takes about --warmup plus --seconds plus one
second; all of it runs servers x shapes x rounds times.")]
struct Args {
    /// rounds, 3 by default
    #[argh(option, default = "3")]
    rounds: u32,

    /// seconds measured in each run, 3 by default
    #[argh(option, default = "3.0")]
    seconds: f64,

    /// seconds of load before that, 1 by default
    #[argh(option, default = "1.0")]
    warmup: f64,

    /// bytes of text in a message, 64 by default
    #[argh(option, default = "64")]
    size: usize,

    /// shapes of traffic, A,B,C,D,E,F,G,H,I by default; also J, K
    #[argh(option, default = "String::from(\"A,B,C,D,E,F,G,H,I\")")]
    shapes: String,

    /// servers, relay,chat,redis,nats by default; chat and nats also by WebSocket, TLS or both: chat+ws, chat+tls,
    /// chat+wss
    #[argh(option, default = "String::from(\"relay,chat,redis,nats\")")]
    only: String,

    /// the server that the others are measured by, relay by default; without it there are no ratios
    #[argh(option, default = "String::from(\"relay\")")]
    base: String,

    /// the chat server's program, by default chat-server beside this one
    #[argh(option)]
    server: Option<PathBuf>,

    /// further arguments of the chat server, none by default
    #[argh(option, default = "String::new()")]
    server_args: String,

    /// let server and generator share both cores instead of having one each
    #[argh(switch)]
    both_cores: bool,

    /// have the generator never sleep, so that servers do not pay for waking it
    #[argh(switch)]
    spin: bool,

    /// write the result and all reports to this file as JSON
    #[argh(option)]
    json: Option<PathBuf>,

    /// write a bar chart to this file
    #[argh(option)]
    svg: Option<PathBuf>,
}

fn main() -> ExitCode {
    match args::parse("compare", std::env::args().skip(1)) {
        Ok(args) => args::finish("compare", run(&args)),
        Err(status) => status,
    }
}

fn run(args: &Args) -> Result<(), Error> {
    let outcome = comparison(args)?.run()?;
    print!("{}", table(&outcome));
    write(args, &outcome)
}

fn comparison(args: &Args) -> Result<Comparison, Error> {
    const MAX_ROUNDS: u32 = 100;
    if !(1..=MAX_ROUNDS).contains(&args.rounds) {
        return Err(Error::Config(format!("there must be 1 to {MAX_ROUNDS} rounds")));
    }
    let own = std::env::current_exe().map_err(Error::io("finding the other programs"))?;
    let sibling = |name: &str| own.with_file_name(name);
    Ok(Comparison {
        programs: Programs {
            load: sibling("load"),
            relay: sibling("relay"),
            chat: args.server.clone().unwrap_or_else(|| sibling("chat-server")),
            chat_args: args.server_args.split_whitespace().map(str::to_owned).collect(),
        },
        servers: Dialect::list(&args.only)?,
        base: args.base.parse()?,
        workloads: Workload::list(&args.shapes)?,
        rounds: args.rounds,
        seconds: args.seconds,
        warmup: args.warmup,
        size: args.size,
        both_cores: args.both_cores,
        spin: args.spin,
    })
}

fn write(args: &Args, outcome: &Outcome) -> Result<(), Error> {
    let save = |file: &Path, text: String| {
        std::fs::write(file, text).map_err(Error::io("writing the result"))
    };
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(outcome)
            .map_err(|error| Error::Config(format!("the result is no JSON: {error}")))?;
        save(file, text + "\n")?;
    }
    if let Some(file) = &args.svg {
        save(file, svg(outcome))?;
    }
    Ok(())
}
