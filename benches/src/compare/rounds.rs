//! Runs the rounds: in each, every workload on every server, one at a time.

use std::process::Stdio;

use super::background;
use super::programs::{Programs, on_cores};
use super::server::Server;
use super::summary::{Outcome, Round};
use super::workload::Workload;
use crate::error::Error;
use crate::load::{Dialect, Pace, Report};

/// A comparison to run.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The programs.
    pub programs: Programs,
    /// The servers. Those that are not installed are skipped.
    pub servers: Vec<Dialect>,
    /// The server that the others are compared with.
    pub base: Dialect,
    /// The workloads.
    pub workloads: Vec<Workload>,
    /// The number of rounds.
    pub rounds: u32,
    /// Seconds measured in each run.
    pub seconds: f64,
    /// Seconds of load before the measurement.
    pub warmup: f64,
    /// Bytes of text in a message.
    pub size: usize,
    /// Whether server and generator share both cores instead of having one each.
    pub both_cores: bool,
    /// Whether the generator stays awake in closed loops.
    pub spin: bool,
}

impl Comparison {
    /// Runs everything, with a line on standard error for each run. A run that fails is reported there and omitted
    /// from the outcome.
    ///
    /// # Errors
    /// If no run succeeded.
    pub fn run(&self) -> Result<Outcome, Error> {
        let mut servers = self.servers.clone();
        servers.retain(|&kind| {
            let installed = Server::is_installed(kind, &self.programs);
            if !installed {
                eprintln!("{} is not installed, and left out", kind.name());
            }
            installed
        });
        let mut rounds = Vec::new();
        for round in 0..self.rounds {
            for &workload in &self.workloads {
                // Each round starts with a different server.
                let shift = round as usize % servers.len().max(1);
                for &server in servers.iter().cycle().skip(shift).take(servers.len()) {
                    match self.one(workload, server) {
                        Ok(report) => {
                            self.tell(round, workload, server, &report);
                            rounds.push(Round { round, workload, server, report });
                        }
                        Err(error) => eprintln!("{} {}: {error}", workload.letter, server.name()),
                    }
                }
            }
        }
        if rounds.is_empty() {
            return Err(Error::Server("every run failed".to_owned()));
        }
        Ok(Outcome::new(self.base, rounds))
    }

    /// Performs one run, on a fresh server, so that no run inherits the memory of another.
    fn one(&self, workload: Workload, kind: Dialect) -> Result<Report, Error> {
        let (server_cores, load_cores) = if self.both_cores { ("0,1", "0,1") } else { ("0", "1") };
        let server = Server::start(kind, &self.programs, server_cores)?;
        let load = self.programs.load.to_string_lossy().into_owned();
        let target = [format!("--proto={}", kind.name()), format!("--addr={}", server.addr())];
        let start = |background| background::start(background, &load, &target, load_cores);
        let _background = workload.background.map(start).transpose()?;
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
        if self.spin && matches!(workload.pace, Pace::Closed { .. }) {
            words.push("--spin".to_owned());
        }
        words.extend(workload.arguments());
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

    fn tell(&self, round: u32, workload: Workload, server: Dialect, report: &Report) {
        let cost = report.server.map_or(0.0, |cost| cost.total_us);
        eprintln!(
            "{}/{}  {:<26} {:<8} {cost:>8.3} µs  {:>9.0} delivered/s  p50 {:>8.1}  p99 {:>8.1} µs",
            round + 1,
            self.rounds,
            workload.describe(),
            server.name(),
            report.delivered_per_second,
            report.latency.p50_us,
            report.latency.p99_us,
        );
    }
}
