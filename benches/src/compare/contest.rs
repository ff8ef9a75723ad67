//! The rounds: every shape, and in each every server, one at a time.

use std::path::PathBuf;
use std::process::Stdio;

use super::beside::Running;
use super::server::{Kind, Server, on_cores};
use super::shape::Shape;
use super::summary::{Outcome, Round};
use crate::error::Error;
use crate::report::Report;

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The load generator.
    pub load: PathBuf,
    /// The relay.
    pub relay: PathBuf,
    /// The chat server.
    pub chat: PathBuf,
    /// Further arguments of the chat server.
    pub chat_args: Vec<String>,
}

/// What to compare.
#[derive(Debug, Clone)]
pub struct Contest {
    /// The programs.
    pub programs: Programs,
    /// Who takes part; who is not installed is left out.
    pub servers: Vec<Kind>,
    /// In which shapes.
    pub shapes: Vec<Shape>,
    /// How often.
    pub rounds: u32,
    /// Seconds measured in each.
    pub seconds: f64,
    /// Seconds before that.
    pub warmup: f64,
    /// Bytes of text in a message.
    pub size: usize,
    /// Servers and generator share both cores, instead of having one each.
    pub both_cores: bool,
}

impl Contest {
    /// Runs everything, with a line on standard error for each run.
    ///
    /// A run that fails is told and left out; the others go on.
    ///
    /// # Errors
    /// When not one run was good.
    pub fn run(&self) -> Result<Outcome, Error> {
        let mut servers = self.servers.clone();
        servers.retain(|&kind| {
            let installed = Server::is_installed(kind, &self.programs);
            if !installed {
                eprintln!("{} is not there, and left out", kind.name());
            }
            installed
        });
        let mut rounds = Vec::new();
        for round in 0..self.rounds {
            for &shape in &self.shapes {
                // Nobody always comes first.
                let shift = round as usize % servers.len().max(1);
                for &server in servers.iter().cycle().skip(shift).take(servers.len()) {
                    match self.one(shape, server) {
                        Ok(report) => {
                            self.tell(round, shape, server, &report);
                            rounds.push(Round { round, shape, server, report });
                        }
                        Err(error) => eprintln!("{} {}: {error}", shape.letter, server.name()),
                    }
                }
            }
        }
        if rounds.is_empty() {
            return Err(Error::Server("no run was good".to_owned()));
        }
        Ok(Outcome::new(rounds))
    }

    /// A server of its own for each run: none carries the memory of the one before.
    fn one(&self, shape: Shape, kind: Kind) -> Result<Report, Error> {
        let (server_cores, load_cores) = if self.both_cores { ("0,1", "0,1") } else { ("0", "1") };
        let server = Server::start(kind, &self.programs, server_cores)?;
        let load = self.programs.load.to_string_lossy().into_owned();
        let target = [format!("--proto={}", kind.name()), format!("--addr={}", server.addr())];
        let beside = shape.beside.map(|it| Running::start(it, &load, &target, load_cores));
        let _beside = beside.transpose()?;
        let mut words = vec![load];
        words.extend(target);
        words.extend([
            format!("--server-pid={}", server.pid()),
            format!("--warmup={}", self.warmup),
            format!("--seconds={}", self.seconds),
            format!("--size={}", self.size),
            "--quiet".to_owned(),
            "--json".to_owned(),
        ]);
        words.extend(shape.arguments());
        let output = on_cores(load_cores, &words)
            .stderr(Stdio::piped())
            .output()
            .map_err(Error::io("starting the load generator"))?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(Error::Server(why.trim().to_owned()));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| Error::Server(format!("the generator's result: {error}")))
    }

    fn tell(&self, round: u32, shape: Shape, server: Kind, report: &Report) {
        let cost = report.server.map_or(0.0, |cost| cost.total_us);
        eprintln!(
            "{}/{}  {:<26} {:<6} {cost:>8.3} µs  {:>9.0} delivered/s  p50 {:>8.1}  p99 {:>8.1} µs",
            round + 1,
            self.rounds,
            shape.describe(),
            server.name(),
            report.delivered_per_second,
            report.latency.p50_us,
            report.latency.p99_us,
        );
    }
}
