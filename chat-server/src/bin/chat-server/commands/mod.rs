//! Commands that do something other than serve. Each is the first word of the command line, and has a file here.
//!
//! `cli` calls [`parse`], and `main` [`run`].

mod history;
mod replay;

use std::process::ExitCode;

use chat_server::Lang;

use crate::settings::SettingError;
use history::HistoryCommand;
use replay::ReplayCommand;

/// A command, with what it needs.
#[derive(Debug)]
pub(crate) enum Command {
    /// Read, erase or check what a server has stored.
    History(HistoryCommand),
    /// Apply the inputs of a recording again.
    Replay(ReplayCommand),
}

/// Reads a command line whose first word is a command; `None` if it is none. `words` are those after it, without
/// `--lang`.
pub(crate) fn parse(command: &str, words: &[String]) -> Option<Result<Command, Vec<SettingError>>> {
    match command {
        "history" => Some(HistoryCommand::parse(words).map(Command::History)),
        "replay" => Some(ReplayCommand::parse(words).map(Command::Replay)),
        _ => None,
    }
}

/// Carries out a command.
pub(crate) fn run(command: &Command, lang: Lang) -> ExitCode {
    match command {
        Command::History(history) => history.run(lang),
        Command::Replay(replay) => replay.run(lang),
    }
}
