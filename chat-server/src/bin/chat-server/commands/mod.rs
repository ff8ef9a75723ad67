//! Commands that do something other than serve. Each is the first word of the command line, and has a file here.
//!
//! `cli` calls [`parse`], and `main` [`run`].

mod replay;

use std::process::ExitCode;

use chat_server::Lang;

use crate::settings::SettingError;
use replay::ReplayCommand;

/// A command, with what it needs.
#[derive(Debug)]
pub(crate) enum Command {
    /// Apply the inputs of a recording again.
    Replay(ReplayCommand),
}

/// Reads a command line whose first word is a command; `None` if it is none. `words` are those after it, without
/// `--lang`.
pub(crate) fn parse(command: &str, words: &[String]) -> Option<Result<Command, Vec<SettingError>>> {
    match command {
        "replay" => Some(ReplayCommand::parse(words).map(Command::Replay)),
        _ => None,
    }
}

/// Carries out a command.
pub(crate) fn run(command: &Command, lang: Lang) -> ExitCode {
    match command {
        Command::Replay(replay) => replay.run(lang),
    }
}
