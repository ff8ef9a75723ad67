//! `fairness`: measures what people feel of attacks on others. See [`chat_benches::fairness`].

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use argh::FromArgs;
use chat_benches::args;
use chat_benches::attacks::Kind;
use chat_benches::error::Error;
use chat_benches::fairness::{Config, run, table};

/// Starts the chat server on core 0 for each attack in turn, and measures on core 1, which the attackers
/// share, how long a message of two strangers takes alone and beside the attack. The exit status is 0 if
/// each attack is felt little.
#[derive(FromArgs)]
#[argh(note = "Needs two cores with nothing else to do, and taskset and setpriv (util-linux).")]
struct Args {
    /// the server (default: chat-server beside this program)
    #[argh(option, arg_name = "PROGRAM")]
    server: Option<PathBuf>,

    /// an argument for the server, may be repeated: --server-arg=--worker=1
    #[argh(option, arg_name = "ARG")]
    server_arg: Vec<String>,

    /// run only the attacks whose names contain this
    #[argh(option, default = "String::new()", arg_name = "TEXT")]
    only: String,

    /// seconds that the strangers talk alone before each attack, 3 by default
    #[argh(option, default = "3", arg_name = "N")]
    alone: u64,

    /// share of their connections that the attacks use, 100 by default
    #[argh(option, default = "100", arg_name = "PERCENT")]
    percent: usize,
}

fn main() -> ExitCode {
    match args::parse("fairness", std::env::args().skip(1)) {
        Ok(args) => args::finish("fairness", measure(args)),
        Err(status) => status,
    }
}

fn measure(args: Args) -> Result<(), Error> {
    let mut attacks = Kind::ALL.to_vec();
    attacks.retain(|kind| kind.name.contains(&args.only));
    if attacks.is_empty() {
        return Err(Error::Config(format!("no attack's name contains {:?}", args.only)));
    }
    if !(1..=100).contains(&args.percent) || !(1..=600).contains(&args.alone) {
        return Err(Error::Config("--percent is 1 to 100, --alone 1 to 600".to_owned()));
    }
    let lines = run(&Config {
        server: args::chat_server(args.server)?,
        server_args: args.server_arg,
        attacks,
        alone: Duration::from_secs(args.alone),
        percent: args.percent,
    })?;
    print!("{}", table(&lines));
    match lines.iter().filter(|line| !line.is_fair()).count() {
        0 => Ok(()),
        unfair => Err(Error::Server(format!("{unfair} of {} attacks are felt", lines.len()))),
    }
}
