//! `soak`: keeps a server under a mixed load. See [`chat_benches::soak`].

use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use argh::FromArgs;
use chat_benches::soak::{self, Config};
use chat_benches::{args, error::Error};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/command");

/// Keeps a chat server under a mixed load: steady talkers whose every message is checked, and visitors
/// that come and go, flood, read slowly or not at all, send bad input, and break off anywhere; and attacks,
/// one after the other. At the end
/// the server has to be as it was before. The exit status is 0 if nothing was wrong.
#[derive(FromArgs)]
struct SoakArgs {
    /// minutes of load, 10 by default
    #[argh(option, default = "10.0", arg_name = "N")]
    minutes: f64,

    /// the server to start (default: chat-server beside this program)
    #[argh(option, arg_name = "PROGRAM")]
    server: Option<PathBuf>,

    /// an argument for the server, may be repeated: --server-arg=--worker=1
    #[argh(option, arg_name = "ARG")]
    server_arg: Vec<String>,

    /// seed of everything that visitors do (default: a new one each time, which is printed)
    #[argh(option, arg_name = "N")]
    seed: Option<u64>,

    /// visits that begin in a second, 25 by default
    #[argh(option, default = "25", arg_name = "N")]
    visits: u32,

    /// share of their connections that the attacks use, in percent, 5 by default; 0 for no attacks
    #[argh(option, default = "5", arg_name = "PERCENT")]
    attacks: usize,

    /// a directory of bad payloads, one a file (default: fuzz/corpus/command of the sources)
    #[argh(option, default = "CORPUS.into()", arg_name = "DIR")]
    corpus: PathBuf,

    /// print nothing before the end
    #[argh(switch)]
    quiet: bool,
}

fn main() -> ExitCode {
    match args::parse("soak", std::env::args().skip(1)) {
        Ok(args) => args::finish("soak", run(args)),
        Err(status) => status,
    }
}

fn run(args: SoakArgs) -> Result<(), Error> {
    let seed = args.seed.unwrap_or_else(any_seed);
    // A terminal may be updated often; a log is read later.
    let every = Duration::from_secs(if stderr().is_terminal() { 1 } else { 10 });
    let config = Config {
        time: minutes(args.minutes)?,
        seed,
        visits_per_second: args.visits,
        attack_percent: args.attacks.min(100),
        corpus: args.corpus,
        progress: (!args.quiet).then_some(every),
        program: args::chat_server(args.server)?,
        args: args.server_arg,
    };
    if !args.quiet {
        eprintln!("soak: {} minutes, seed {seed}", args.minutes);
    }
    let report = soak::run(&config)?;
    println!("{report}");
    if report.faults.is_empty() {
        return Ok(());
    }
    let faults = report.faults.join("\n  ");
    Err(Error::Server(format!("{} faults (seed {seed}):\n  {faults}", report.faults.len())))
}

/// Parses --minutes: up to a week.
fn minutes(minutes: f64) -> Result<Duration, Error> {
    let time = Duration::try_from_secs_f64(minutes * 60.0).ok();
    time.filter(|time| *time <= Duration::from_secs(7 * 24 * 3600)).ok_or_else(|| {
        Error::Config(format!("--minutes: {minutes} is no time between 0 and a week"))
    })
}

fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |now| now.as_micros() as u64)
}
