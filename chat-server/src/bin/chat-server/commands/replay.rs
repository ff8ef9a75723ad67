//! `chat-server replay FILE`: applies the inputs of a recording again, and compares.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;

use chat_proto::Localize;
use chat_server::{Lang, ReplayError, replay};

use crate::print::{complain, print};
use crate::settings::SettingError;

/// The recording to replay.
#[derive(Debug)]
pub(crate) struct ReplayCommand {
    file: PathBuf,
}

impl ReplayCommand {
    pub(super) fn parse(words: &[String]) -> Result<Self, Vec<SettingError>> {
        match words {
            [] => Err(vec![SettingError::MissingRecording]),
            [flag, ..] | [_, flag, ..] if flag.starts_with('-') => {
                Err(vec![SettingError::UnknownFlag { flag: flag.clone(), suggestion: None }])
            }
            [file] => Ok(Self { file: file.into() }),
            [_, word, ..] => Err(vec![SettingError::Stray(word.clone())]),
        }
    }

    pub(super) fn run(&self, lang: Lang) -> ExitCode {
        let replayed = File::open(&self.file)
            .map_err(ReplayError::Read)
            .and_then(|file| replay(BufReader::new(file)));
        match replayed {
            Ok(replay) => {
                print(&replay.localized(lang).to_string());
                if replay.panics.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            Err(error) => {
                let file = self.file.display();
                complain(&format_args!("{file}: {}", error.localized(lang)));
                ExitCode::FAILURE
            }
        }
    }
}
