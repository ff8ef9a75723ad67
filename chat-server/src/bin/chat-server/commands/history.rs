//! `chat-server history export|erase|check --data=DIR`: what a server has stored, as lines of JSON; erasing from it;
//! checking it.

use std::fmt;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;

use chat_proto::{Localize, localize};
use chat_server::{Archive, Erase, Lang, RoomId, StoreError};

use crate::settings::{SettingError, ValueError};
use crate::{complain, print};

/// What to do with a history.
#[derive(Debug)]
pub(crate) struct HistoryCommand {
    data: PathBuf,
    action: Action,
}

#[derive(Debug, PartialEq, Eq)]
enum Action {
    Export { room: RoomId, range: RangeInclusive<u64> },
    Erase(Erase),
    Check,
}

/// The actions, each with the flags that it takes beside `--data`.
const ACTIONS: [(&str, &[&str]); 3] =
    [("export", &["--room", "--from", "--to"]), ("erase", &["--room", "--member"]), ("check", &[])];

impl HistoryCommand {
    pub(super) fn parse(words: &[String]) -> Result<Self, Vec<SettingError>> {
        let found = words.split_first().and_then(|(word, rest)| {
            ACTIONS.iter().find(|(action, _)| action == word).map(|action| (action, rest))
        });
        let Some(((action, flags), words)) = found else {
            return Err(vec![SettingError::NoAction]);
        };
        let mut errors = Vec::new();
        let mut given = Given::read(words, flags, &mut errors);
        if !given.has("--data") {
            errors.push(SettingError::MissingFlag("--data"));
        }
        let data = given.take("--data").unwrap_or_default();
        let action = given.action(action, &mut errors);
        match action {
            Some(action) if errors.is_empty() => Ok(Self { data: data.into(), action }),
            _ => Err(errors),
        }
    }

    pub(super) fn run(&self, lang: Lang) -> ExitCode {
        let result = match &self.action {
            Action::Export { room, range } => self.export(*room, range.clone()),
            Action::Erase(what) => Archive::erase(&self.data, what).map(|events| {
                print(&Outcome::Erased(events).localized(lang).to_string());
                ExitCode::SUCCESS
            }),
            Action::Check => {
                Archive::open(&self.data).and_then(|archive| archive.check()).map(|damages| {
                    for damage in &damages {
                        print(&damage.localized(lang).to_string());
                    }
                    if damages.is_empty() {
                        print(&Outcome::Intact.localized(lang).to_string());
                        ExitCode::SUCCESS
                    } else {
                        ExitCode::FAILURE
                    }
                })
            }
        };
        result.unwrap_or_else(|error| {
            complain(&error.localized(lang));
            ExitCode::FAILURE
        })
    }

    fn export(&self, room: RoomId, range: RangeInclusive<u64>) -> Result<ExitCode, StoreError> {
        let mut output = BufWriter::new(io::stdout().lock());
        let archive = Archive::open(&self.data)?;
        let written = archive.export(room, range, |line| writeln!(output, "{line}"))?;
        Ok(match written.and_then(|()| output.flush()) {
            Ok(()) => ExitCode::SUCCESS,
            // The reader has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(error) => {
                complain(&error);
                ExitCode::FAILURE
            }
        })
    }
}

/// The flags that were given, with their values.
#[derive(Debug)]
struct Given(Vec<(&'static str, String)>);

impl Given {
    fn read(words: &[String], flags: &[&'static str], errors: &mut Vec<SettingError>) -> Self {
        let mut given = Self(Vec::new());
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (&word[..], None),
            };
            if !flag.starts_with('-') {
                errors.push(SettingError::Stray(word.clone()));
                continue;
            }
            let Some(known) = flags.iter().chain(&["--data"]).find(|known| **known == flag) else {
                let flag = flag.to_owned();
                errors.push(SettingError::UnknownFlag { flag, suggestion: None });
                continue;
            };
            match value.or_else(|| words.next().cloned()) {
                None => errors.push(SettingError::MissingValue(flag.to_owned())),
                Some(_) if given.has(flag) => {
                    errors.push(SettingError::RepeatedFlag(flag.to_owned()));
                }
                Some(value) => given.0.push((known, value)),
            }
        }
        given
    }

    fn has(&self, flag: &str) -> bool {
        self.0.iter().any(|(given, _)| *given == flag)
    }

    fn take(&mut self, flag: &str) -> Option<String> {
        let at = self.0.iter().position(|(given, _)| *given == flag)?;
        Some(self.0.swap_remove(at).1)
    }

    /// The action that the flags describe.
    fn action(&mut self, action: &str, errors: &mut Vec<SettingError>) -> Option<Action> {
        match action {
            "export" => {
                if !self.has("--room") {
                    errors.push(SettingError::MissingFlag("--room"));
                }
                let from = self.number("--from", 0, errors).unwrap_or(0);
                let to = self.number("--to", 0, errors).unwrap_or(u64::MAX);
                let room = self.room(errors)?;
                Some(Action::Export { room, range: from..=to })
            }
            "erase" => {
                if self.has("--room") == self.has("--member") {
                    errors.push(SettingError::RoomOrMember);
                    return None;
                }
                let member = self.take("--member").map(Erase::Member);
                member.or_else(|| self.room(errors).map(Erase::Room)).map(Action::Erase)
            }
            _ => Some(Action::Check),
        }
    }

    fn room(&mut self, errors: &mut Vec<SettingError>) -> Option<RoomId> {
        self.number("--room", 1, errors).and_then(|number| RoomId::new(number).ok())
    }

    fn number(
        &mut self,
        flag: &'static str,
        least: u64,
        errors: &mut Vec<SettingError>,
    ) -> Option<u64> {
        let value = self.take(flag)?;
        let number = value.parse().ok().filter(|number| *number >= least);
        if number.is_none() {
            let error = ValueError::OutOfRange { least, most: u64::MAX };
            errors.push(SettingError::Flag { name: flag.trim_start_matches('-'), value, error });
        }
        number
    }
}

/// What has been done.
#[derive(Debug)]
enum Outcome {
    /// So many broadcasts have been erased.
    Erased(usize),
    /// Nothing is wrong.
    Intact,
}

impl Localize for Outcome {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Erased(1) => localize!(f, lang,
                en: "1 message erased",
                ko: "기록 1개를 지웠어요"),
            Self::Erased(events) => localize!(f, lang,
                en: "{events} messages erased",
                ko: "기록 {events}개를 지웠어요"),
            Self::Intact => localize!(f, lang,
                en: "nothing is wrong",
                ko: "틀린 것이 없어요"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Action, Vec<String>> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        let parsed = HistoryCommand::parse(&words);
        parsed.map(|command| command.action).map_err(|errors| {
            errors.iter().map(|error| error.localized(Lang::En).to_string()).collect()
        })
    }

    #[test]
    fn an_action_is_read_from_its_flags() {
        let room = RoomId::new(7).expect("above 0");
        let export = |range| Ok(Action::Export { room, range });
        assert_eq!(parse("export --data=d --room=7"), export(0..=u64::MAX));
        assert_eq!(parse("export --room 7 --from 5 --to=9 --data d"), export(5..=9));
        assert_eq!(parse("erase --data=d --room=7"), Ok(Action::Erase(Erase::Room(room))));
        let member = Erase::Member("ann".to_owned());
        assert_eq!(parse("erase --data=d --member=ann"), Ok(Action::Erase(member)));
        assert_eq!(parse("check --data=d"), Ok(Action::Check));
    }

    #[test]
    fn all_that_is_wrong_is_reported() {
        let errors = |line| parse(line).expect_err(line);
        const DATA: &str = "--data is missing";
        const EITHER: &str = "give either --room or --member";
        assert_eq!(errors(""), errors("list --data=d"));
        assert_eq!(errors("export"), [DATA, "--room is missing"]);
        assert_eq!(
            errors("export --data=d --room=0 --to=x --room=2 7"),
            [
                "--room is there twice",
                "\"7\" is neither a flag nor the value of one; quote a value with spaces",
                "--to=\"x\": must be a whole number from 0 to 18446744073709551615",
                "--room=\"0\": must be a whole number from 1 to 18446744073709551615",
            ]
        );
        assert_eq!(errors("erase --data=d"), [EITHER]);
        assert_eq!(errors("erase --room=1 --member=a"), [DATA, EITHER]);
        assert_eq!(errors("check --data"), ["--data needs a value, as in --data=VALUE", DATA]);
        assert_eq!(
            errors("check --data=d --room=1"),
            ["there is no flag \"--room\": --help lists them"]
        );
    }
}
