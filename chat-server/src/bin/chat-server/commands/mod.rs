//! Commands that do something other than serve. Each is the first word of the command line, and has a file here.
//!
//! `cli` calls [`named`], and `main` [`run`].

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

/// Reads the words of a command line, without its first word and `--lang`.
type Parse = fn(&[String]) -> Result<Command, Vec<SettingError>>;

/// The commands, by their first words.
const COMMANDS: [(&str, Parse); 2] = [
    ("history", |words| HistoryCommand::parse(words).map(Command::History)),
    ("replay", |words| ReplayCommand::parse(words).map(Command::Replay)),
];

/// How the other words are read if the first one is a command.
pub(crate) fn named(word: &str) -> Option<Parse> {
    COMMANDS.iter().find(|(name, _)| *name == word).map(|(_, parse)| *parse)
}

/// Carries out a command.
pub(crate) fn run(command: &Command, lang: Lang) -> ExitCode {
    match command {
        Command::History(history) => history.run(lang),
        Command::Replay(replay) => replay.run(lang),
    }
}
