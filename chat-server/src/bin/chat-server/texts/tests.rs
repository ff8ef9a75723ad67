//! Every text is there in every language, belongs to it, and says the same in all of them.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use chat_proto::Localize;
use chat_server::{Config, Lang, Limit, LimitError, Limits, Server, StartError};

use super::*;
use crate::exit_error::ExitError;
use crate::settings::{FileError, SettingError, Suggestion, ValueError};

/// A letter of no language, so that it is found again in a text.
const MARK: &str = "☆";

const BOTH: [Lang; 2] = [Lang::En, Lang::Ko];

/// The values of a list with a row for each variant. A variant without a row does not compile.
macro_rules! one_of_each {
    ($Type:ident { $($pattern:pat => $value:expr,)+ } $(elsewhere $elsewhere:pat)?) => {{
        let _ = |value: &$Type| match value { $($pattern)|+ $(| $elsewhere)? => {} };
        [$($value),+]
    }};
}

/// An error in the words of the system, which are the same in every language.
fn of_system(kind: ErrorKind) -> io::Error {
    io::Error::new(kind, "(words of others)")
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 7], port))
}

/// One that each of the limits may have, and one of limits that contradict each other.
fn limit_errors() -> Vec<LimitError> {
    let mut limits = Limits::default();
    let mut errors: Vec<_> =
        Limit::ALL.iter().filter_map(|limit| limit.set(&mut limits, "x").err()).collect();
    assert_eq!(errors.len(), Limit::ALL.len());
    errors.extend(config_error().errors());
    errors
}

fn config_error() -> chat_server::ConfigError {
    let mut config = Config::default();
    config.limits.backlog = 0;
    config.limits.slow_backlog = 1;
    config.check().expect_err("no server can run with it")
}

/// No suggestion, and one of each.
fn suggestions() -> impl Iterator<Item = Option<Suggestion>> {
    let suggestions = one_of_each! {
        Suggestion {
            Suggestion::Name(_) => Suggestion::Name(MARK),
            Suggestion::Flag(_) => Suggestion::Flag(MARK),
            Suggestion::LimitFlag(_) => Suggestion::LimitFlag(MARK),
            Suggestion::UnderLimits(_) => Suggestion::UnderLimits(MARK),
            Suggestion::AboveLimits(_) => Suggestion::AboveLimits(MARK),
            Suggestion::LimitsSection => Suggestion::LimitsSection,
            Suggestion::FlagOnly(_) => Suggestion::FlagOnly(MARK),
        }
    };
    [None].into_iter().chain(suggestions.map(Some))
}

fn value_errors() -> Vec<ValueError> {
    let errors = one_of_each! {
        ValueError {
            ValueError::OutOfRange { .. } => ValueError::OutOfRange { least: 3, most: 77 },
            ValueError::NotOneOf { .. } => ValueError::NotOneOf { words: &[MARK], nearest: None },
            ValueError::NotAnAddress => ValueError::NotAnAddress,
            ValueError::NotAnAddressWithPort => ValueError::NotAnAddressWithPort,
            ValueError::NotNameAndValue => ValueError::NotNameAndValue,
            ValueError::WrongType => ValueError::WrongType,
            ValueError::Repeated => ValueError::Repeated,
        } elsewhere ValueError::UnknownLimit(_) | ValueError::Limit(_)
    };
    let near = ValueError::NotOneOf { words: &[MARK], nearest: Some(MARK) };
    let errors = errors.into_iter().chain([near]);
    let errors = errors.chain(limit_errors().into_iter().map(ValueError::Limit));
    errors.chain(suggestions().map(ValueError::UnknownLimit)).collect()
}

fn file_errors() -> Vec<FileError> {
    let name = || MARK.to_owned();
    let errors = one_of_each! {
        FileError {
            FileError::NotToml(_) => FileError::NotToml("(words of others)".into()),
            FileError::UnknownSection(_) => FileError::UnknownSection(name()),
        } elsewhere FileError::UnknownSetting { .. } | FileError::Value { .. }
    };
    let unknown =
        suggestions().map(|suggestion| FileError::UnknownSetting { name: name(), suggestion });
    let values = value_errors().into_iter().flat_map(|error| {
        [None, Some(name())].map(|value| FileError::Value { key: name(), value, error })
    });
    errors.into_iter().chain(unknown).chain(values).collect()
}

fn setting_errors() -> Vec<SettingError> {
    let word = || MARK.to_owned();
    let errors = one_of_each! {
        SettingError {
            SettingError::NotUtf8(_) => SettingError::NotUtf8(OsString::from(MARK)),
            SettingError::Stray(_) => SettingError::Stray(word()),
            SettingError::MissingValue(_) => SettingError::MissingValue("--port".into()),
            SettingError::UnwantedValue(_) => SettingError::UnwantedValue(word()),
            SettingError::RepeatedFlag(_) => SettingError::RepeatedFlag(word()),
            SettingError::Argh(_) => SettingError::Argh("(words of others)".into()),
            SettingError::MissingPort => SettingError::MissingPort,
            SettingError::UnreadableFile { .. } => {
                SettingError::UnreadableFile { path: word(), error: of_system(ErrorKind::NotFound) }
            },
            SettingError::FileTooLong { .. } => SettingError::FileTooLong { path: word() },
            SettingError::SameAddress { .. } => {
                SettingError::SameAddress { metrics: address(91), server: address(92) }
            },
        } elsewhere SettingError::UnknownFlag { .. } | SettingError::Flag { .. }
            | SettingError::InFile { .. } | SettingError::Limit(_)
    };
    let unknown =
        suggestions().map(|suggestion| SettingError::UnknownFlag { flag: word(), suggestion });
    let flags = value_errors().into_iter().map(|error| {
        let (name, value) = (MARK, word());
        SettingError::Flag { name, value, error }
    });
    let file = file_errors().into_iter();
    let file = file.map(|error| SettingError::InFile { path: word(), line: 5, error });
    let limits = config_error().errors().to_vec().into_iter().map(SettingError::Limit);
    errors.into_iter().chain(unknown).chain(flags).chain(file).chain(limits).collect()
}

/// One of each, and for addresses one of each kind that is told otherwise.
fn exit_errors() -> Vec<ExitError> {
    let mut config = Config::default();
    config.limits.connections = 0;
    let start = Server::bind(config).expect_err("no server can run with it");
    let system = || of_system(ErrorKind::Other);
    let errors = one_of_each! {
        ExitError {
            ExitError::NoLog(_) => ExitError::NoLog(system()),
            ExitError::Start(_) => ExitError::Start(start),
            ExitError::Probe { .. } => ExitError::Probe { address: address(91), error: system() },
            ExitError::System(_) => ExitError::System(system()),
            ExitError::Serving(_) => ExitError::Serving(system()),
            ExitError::SecondSignal(_) => ExitError::SecondSignal(MARK),
        } elsewhere ExitError::Metrics { .. }
    };
    let kinds = [
        ErrorKind::AddrInUse,
        ErrorKind::AddrNotAvailable,
        ErrorKind::PermissionDenied,
        ErrorKind::Other,
    ];
    let listen = kinds.into_iter().flat_map(|kind| {
        [443, 4430].map(|port| {
            let (address, source) = (address(port), of_system(kind));
            ExitError::Start(StartError::Listen { address, source })
        })
    });
    let metrics =
        kinds.map(|kind| ExitError::Metrics { address: address(91), error: of_system(kind) });
    let system = ExitError::Start(StartError::System(system()));
    errors.into_iter().chain(listen).chain(metrics).chain([system]).collect()
}

/// Every error, in English and Korean.
fn sentences() -> Vec<[String; 2]> {
    fn both(error: &impl Localize) -> [String; 2] {
        BOTH.map(|lang| error.localized(lang).to_string())
    }
    let settings: Vec<_> = setting_errors().iter().map(both).collect();
    settings.into_iter().chain(exit_errors().iter().map(both)).collect()
}

/// What stands in the help and around it, in English and Korean.
fn notes() -> Vec<[String; 2]> {
    let flags = FLAGS.iter().map(|flag| BOTH.map(|lang| flag.get(lang).about.to_owned()));
    let fixed = FIXED.iter().map(|text| BOTH.map(|lang| text.get(lang).to_owned()));
    flags.chain(fixed).collect()
}

fn is_korean(text: &str) -> bool {
    text.contains(|c| ('가'..='힣').contains(&c))
}

/// Numbers, addresses, names of flags and values: what both languages have to tell.
fn facts(text: &str) -> Vec<&str> {
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || "-.:".contains(c));
    let is_fact =
        |word: &&str| word.starts_with("--") || word.starts_with(|c: char| c.is_ascii_digit());
    let words = text.split(is_end).map(|word| word.trim_end_matches(['.', ':', '-']));
    let mut facts: Vec<&str> = words.filter(is_fact).collect();
    facts.sort_unstable();
    facts
}

#[test]
fn every_text_is_in_its_language() {
    for [english, korean] in sentences().into_iter().chain(notes()) {
        assert!(!english.is_empty() && !is_korean(&english), "{english}");
        assert!(is_korean(&korean), "{korean}");
        for text in [&english, &korean] {
            let is_plain = |c: char| !c.is_control() || c == '\n';
            assert!(text.chars().all(is_plain), "{text:?}");
        }
    }
    for [english, korean] in sentences() {
        assert!(!english.contains('\n') && !korean.contains('\n'), "one line: {korean}");
    }
}

#[test]
fn every_language_tells_the_same() {
    for [english, korean] in sentences().into_iter().chain(notes()) {
        // How to ask for it again in the same language.
        let korean = korean.replace(" --lang=ko", "");
        assert_eq!(facts(&english), facts(&korean), "{english} / {korean}");
        for same in [MARK, "(words of others)"] {
            assert_eq!(english.matches(same).count(), korean.matches(same).count(), "{korean}");
        }
    }
}

#[test]
fn korean_is_polite_throughout() {
    for [_, korean] in sentences() {
        let parts = korean.split(". ").flat_map(|part| part.split(": "));
        let parts = parts.map(|part| part.split(" (").next().unwrap_or(part));
        for part in parts.filter(|part| is_korean(part)) {
            assert!(part.trim_end_matches('?').ends_with('요'), "{part:?} of {korean}");
        }
    }
}

/// 은 or 는, 이 or 가: which it is hangs on how the word before it ends.
#[test]
fn no_korean_particle_hangs_on_what_a_value_ends_with() {
    const HANGING: [&str; 12] =
        ["은", "는", "이", "가", "을", "를", "과", "와", "로", "으로", "예", "여"];
    for [_, korean] in sentences() {
        // The number in this name is always the same.
        let korean = korean.replace("UTF-8", "UTF");
        let is_value = |c: char| c.is_ascii_digit() || MARK.contains(c);
        for (at, c) in korean.char_indices().filter(|(_, c)| is_value(*c)) {
            let behind = korean[at + c.len_utf8()..].trim_start_matches(['"', ')', '/', 's']);
            let behind = behind.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            assert!(!HANGING.iter().any(|particle| behind.starts_with(particle)), "{korean}");
        }
    }
}

#[test]
fn a_flag_has_a_value_in_every_language_or_in_none() {
    for flag in FLAGS {
        let values = Lang::ALL.map(|lang| flag.get(lang).value);
        assert!(values.iter().all(|value| value.is_empty() == values[0].is_empty()), "{values:?}");
    }
}

#[test]
fn whoever_is_spoken_to_in_korean_is_led_to_help_in_korean() {
    assert!(SEE_HELP.get(Lang::Ko).contains("--help --lang=ko"));
}
