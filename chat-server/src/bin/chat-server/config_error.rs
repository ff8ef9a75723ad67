//! What can be wrong with the command line and with a configuration file.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;

use chat_server::LimitError;

/// One thing for which nothing is started.
#[derive(Debug)]
pub(crate) enum Problem {
    /// An argument is not UTF-8.
    NotUtf8(OsString),
    /// It looks like a flag, and there is none of that name.
    NoSuchFlag(String),
    /// An argument that is neither a flag nor the value of one.
    Stray(String),
    /// The flag of that name, with its hyphens, is the last word.
    NoValue(String),
    /// The flag of that name, with its hyphens, is there twice.
    FlagTwice(String),
    /// Something else about the flags, in the words of argh.
    Argh(String),
    /// The value of the flag of that name.
    Flag { name: String, value: String, mistake: Mistake },
    /// No port was named.
    NoPort,
    /// The configuration file cannot be read.
    NoFile { path: String, error: io::Error },
    /// The configuration file has more than 1 MiB.
    FileTooLong { path: String },
    /// Something in a line of the configuration file.
    InFile { path: String, line: usize, what: InFile },
    /// A limit that no server can run with, whoever said it.
    Limit(LimitError),
    /// Metrics would be served where the server listens.
    MetricsInTheWay { metrics: SocketAddr, server: SocketAddr },
}

/// What can be wrong with a line of a configuration file.
#[derive(Debug)]
pub(crate) enum InFile {
    /// In the words of the parser.
    NotToml(String),
    NoSuchSetting(String),
    /// A limit that does not stand under `[limits]`.
    LimitOutside(String),
    /// The value of that key, shown if it is one that a flag could have.
    Value {
        key: String,
        value: Option<String>,
        mistake: Mistake,
    },
}

/// What can be wrong with a value: what it has to be instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    NotFrom {
        least: u64,
        most: u64,
    },
    /// None of these words, in their order, with commas between them.
    NotOneOf(&'static str),
    NotAnAddress,
    NotAnAddressWithPort,
    NotNameAndValue,
    /// In a file.
    NeitherNumberNorText,
    NoSuchLimit,
    Limit(LimitError),
    Twice,
}

impl Problem {
    /// What argh says about the flags, as what it means.
    pub(crate) fn of_argh(output: &str) -> Self {
        let said = output.trim_end_matches('\n');
        if let Some(word) = said.strip_prefix("Unrecognized argument: ") {
            let is_flag = word.starts_with('-');
            return if is_flag { Self::NoSuchFlag(word.into()) } else { Self::Stray(word.into()) };
        }
        let quoted = |before: &str, after: &str| said.strip_prefix(before)?.strip_suffix(after);
        if let Some(flag) = quoted("No value provided for option '", "'.") {
            return Self::NoValue(flag.into());
        }
        let twice = quoted("Error parsing option '", "': duplicate values provided");
        if let Some((flag, _)) = twice.and_then(|said| said.split_once("' with value '")) {
            return Self::FlagTwice(flag.into());
        }
        Self::Argh(said.into())
    }
}

#[cfg(test)]
mod tests {
    use argh::FromArgs;

    use super::*;
    use crate::settings::Flags;

    /// What argh really says, as what it means.
    fn problem(words: &[&str]) -> Problem {
        let exit = Flags::from_args(&["chat-server"], words).expect_err("there is a mistake");
        assert!(exit.status.is_err(), "{words:?}");
        Problem::of_argh(&exit.output)
    }

    #[test]
    fn every_mistake_that_argh_finds_is_known_by_its_words() {
        for word in ["--prot", "-p", "-", "--", "--port=1", "--x' y"] {
            // What ends the flags for argh is no argument.
            let words = if word == "--" { vec![word, word] } else { vec![word] };
            match problem(&words) {
                Problem::NoSuchFlag(flag) => assert_eq!(flag, word),
                other => panic!("{word}: {other:?}"),
            }
        }
        for word in ["9000", "", "'", "two words", "두 말"] {
            match problem(&["--check", word]) {
                Problem::Stray(stray) => assert_eq!(stray, word),
                other => panic!("{word}: {other:?}"),
            }
        }
        for flag in ["--port", "--limit", "--config", "--log-format"] {
            assert!(matches!(problem(&[flag]), Problem::NoValue(named) if named == flag));
        }
        for value in ["1", "", "'", "' with value '", "a\nb"] {
            for flag in ["--port", "--config"] {
                let twice = problem(&[flag, "1", flag, value]);
                assert!(matches!(twice, Problem::FlagTwice(named) if named == flag), "{value:?}");
            }
        }
    }

    #[test]
    fn other_words_of_argh_are_kept() {
        let kept = |problem| matches!(problem, Problem::Argh(said) if said.contains("`help`"));
        assert!(kept(problem(&["help", "--port", "1"])));
        assert!(matches!(Problem::of_argh("No value, no cry"), Problem::Argh(_)));
    }
}
