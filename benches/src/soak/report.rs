//! The result of a soak, for people.

use std::fmt;

use super::resources::Trend;

/// The result of a soak.
#[derive(Debug, Clone)]
pub struct Report {
    /// The seed of the visitors.
    pub seed: u64,
    /// Seconds from the first connection to the end of the last.
    pub seconds: f64,
    /// Visits by kind.
    pub visits: Vec<(&'static str, u64)>,
    /// Connections made, including those of talkers and attackers.
    pub connections: u64,
    /// Visitors evicted as slow consumers.
    pub cut_off: u64,
    /// Messages that the talkers sent.
    pub sent: u64,
    /// Deliveries of these messages to other talkers.
    pub delivered: u64,
    /// Broadcasts that visitors received.
    pub overheard: u64,
    /// Answers to visitors, each correct and in its place.
    pub answers: u64,
    /// The trend of the server's memory, if there were enough samples.
    pub trend: Option<Trend>,
    /// The server's open files: before the run, at most, and after it.
    pub files: (u64, u64, u64),
    /// Seconds from SIGTERM to the end of the server; `None` if it did not stop properly.
    pub stopped: Option<f64>,
    /// Everything that was wrong.
    pub faults: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let visits: u64 = self.visits.iter().map(|(_, count)| count).sum();
        writeln!(f, "run         {:>9.0}   seconds, seed {}", self.seconds, self.seed)?;
        writeln!(f, "messages    {:>9}   of steady talkers", self.sent)?;
        writeln!(f, "deliveries  {:>9}   of these, each once and in order", self.delivered)?;
        writeln!(f, "visits      {visits:>9}   and {} connections in all:", self.connections)?;
        for line in self.visits.chunks(5) {
            let line: Vec<_> = line.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            writeln!(f, "                        {}", line.join(", "))?;
        }
        writeln!(
            f,
            "answers     {:>9}   to visitors, who overheard {}",
            self.answers, self.overheard
        )?;
        writeln!(f, "cut off     {:>9}   for not reading", self.cut_off)?;
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
