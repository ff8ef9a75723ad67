//! The settings of a soak.

use std::path::PathBuf;
use std::time::Duration;

/// The settings of a soak.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server's program, which the soak starts and stops.
    pub program: PathBuf,
    /// Its arguments, before those for its ports.
    pub args: Vec<String>,
    /// How long visitors keep coming.
    pub time: Duration,
    /// The seed of everything that visitors do.
    pub seed: u64,
    /// Visits that begin per second, on average.
    pub visits_per_second: u32,
    /// The share of their connections that the attacks use, in percent; 0 for no attacks.
    pub attack_percent: usize,
    /// A directory of bad payloads, one per file. Valid ones are ignored.
    pub corpus: PathBuf,
    /// The interval of the progress lines on standard error; `None` for no such lines.
    pub progress: Option<Duration>,
}
