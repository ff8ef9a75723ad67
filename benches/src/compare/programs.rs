//! The programs of a comparison, each on its own cores.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Paths of the programs.
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

/// A command restricted to `cores` (in the syntax of `taskset -c`). It is killed when this process ends, however that
/// happens.
pub fn on_cores(cores: &str, words: &[String]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "taskset", "-c", cores]).args(words);
    command.stdin(Stdio::null());
    command
}
