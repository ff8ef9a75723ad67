//! The settings of a soak.

use std::path::PathBuf;
use std::time::Duration;

use super::server::Target;

/// What to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server.
    pub target: Target,
    /// How long visitors keep coming.
    pub time: Duration,
    /// The seed of everything that visitors do.
    pub seed: u64,
    /// Visits that begin in a second, on average.
    pub visits_per_second: u32,
    /// A directory of further bad payloads, one a file.
    pub corpus: Option<PathBuf>,
    /// The interval of the progress lines on standard error; `None` for no such lines.
    pub progress: Option<Duration>,
}
