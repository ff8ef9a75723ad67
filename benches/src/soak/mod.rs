//! A server under everything at once, for as long as one likes.
//!
//! Steady talkers know of every message whether, in what order and how often it came to each of them;
//! beside them visitors come and go, talk, flood, read slowly or not at all, send what is no command,
//! and end in the middle of it. At the end everybody leaves, and the server has to be what it was
//! before: no rooms, no descriptors, no more memory, and counters that say the same.
//!
//! What visitors do is made up from a seed; when it happens is up to the kernel. One thread, rates that
//! two cores do with ease, loopback addresses only.

mod bad;
mod book;
mod counters;
mod dialogue;
mod ending;
mod peer;
mod rng;
mod run;
mod server;
mod steady;
mod visitor;
mod visits;
mod watch;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use run::run;
pub use server::Target;
pub use watch::Trend;

/// What to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server.
    pub target: Target,
    /// How long there are visitors.
    pub time: Duration,
    /// Decides what visitors do.
    pub seed: u64,
    /// Visits that begin in a second, on average.
    pub visits_per_second: u32,
    /// A directory of further bad payloads, one a file.
    pub corpus: Option<PathBuf>,
    /// How often to tell on standard error how it goes; never if `None`.
    pub progress: Option<Duration>,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Report {
    /// What the visitors were made up from.
    pub seed: u64,
    /// Seconds from the first connection to the end of the last one.
    pub seconds: f64,
    /// Visits by kind.
    pub visits: Vec<(&'static str, u64)>,
    /// Connections made, the steady ones included.
    pub connections: u64,
    /// Visitors that the server cut off because they did not read.
    pub cut_off: u64,
    /// Messages of the steady talkers.
    pub sent: u64,
    /// Times that one of these arrived at one of them.
    pub delivered: u64,
    /// Broadcasts that visitors heard.
    pub overheard: u64,
    /// Answers to visitors, each the right one and in its place.
    pub answers: u64,
    /// Memory of the server, if the time was enough for a line through it.
    pub trend: Option<Trend>,
    /// Open files of the server: before, at most, and after.
    pub files: (u64, u64, u64),
    /// Seconds from SIGTERM to the end of the server; `None` if it goes on.
    pub stopped: Option<f64>,
    /// What was wrong; empty if nothing was.
    pub faults: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let visits: u64 = self.visits.iter().map(|(_, count)| count).sum();
        writeln!(f, "run         {:>9.0}   seconds, seed {}", self.seconds, self.seed)?;
        writeln!(f, "messages    {:>9}   of steady talkers", self.sent)?;
        writeln!(f, "deliveries  {:>9}   of these, each once and in order", self.delivered)?;
        writeln!(f, "visits      {visits:>9}   on {} connections:", self.connections)?;
        for line in self.visits.chunks(5) {
            let line: Vec<_> = line.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            writeln!(f, "                        {}", line.join(", "))?;
        }
        writeln!(
            f,
            "answers     {:>9}   to visitors, who overheard {}",
            self.answers, self.overheard
        )?;
        writeln!(f, "cut off     {:>9}   that did not read", self.cut_off)?;
        if let Some(trend) = self.trend {
            let (least, most) = trend.resident_kib;
            writeln!(
                f,
                "memory      {:>9.0}   bytes a second over {:.0} s: {:.1} for each connection{}; \
                 resident {least:.0} to {most:.0} KiB",
                trend.slope,
                trend.seconds,
                trend.per_connection,
                if trend.is_long_enough { "" } else { " (too short to judge)" },
            )?;
        }
        let (before, most, after) = self.files;
        write!(f, "open files  {before:>9}   before, {most} at most, {after} after")?;
        if let Some(seconds) = self.stopped {
            write!(f, "\nstop        {seconds:>9.3}   seconds from SIGTERM to status 0")?;
        }
        Ok(())
    }
}
