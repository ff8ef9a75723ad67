//! The programs that a comparison runs, each on cores of its own.

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

/// A command restricted to `cores` (as `taskset -c` takes them). It is killed when this process ends, in
/// whatever way.
pub fn on_cores(cores: &str, words: &[String]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "taskset", "-c", cores]).args(words);
    command.stdin(Stdio::null());
    command
}
