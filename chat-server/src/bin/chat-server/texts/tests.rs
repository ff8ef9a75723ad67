//! Every text is there in every language, belongs to it, and says the same in all of them.

use std::ffi::OsString;

use chat_server::{Config, Limit, LimitError, Limits, Server};

use super::*;

/// No letter of any language, so that it is found again in a text.
const MARK: &str = "☆";

/// In the words of the system, which are the same in every language.
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
    errors.extend(config_error().problems());
    errors
}

fn config_error() -> chat_server::ConfigError {
    let mut config = Config::default();
    config.limits.backlog = 0;
    config.limits.slow_backlog = 1;
    config.check().expect_err("no server can run with it")
}

/// One of each. A mistake that is missing here does not compile: see [`number_of_mistake`].
fn mistakes() -> Vec<Mistake> {
    let mistakes = vec![
        Mistake::NotFrom { least: 3, most: 77 },
        Mistake::NotOneOf(MARK),
        Mistake::NotAnAddress,
        Mistake::NotAnAddressWithPort,
        Mistake::NotNameAndValue,
        Mistake::NeitherNumberNorText,
        Mistake::NoSuchLimit,
        Mistake::Twice,
    ];
    assert!(mistakes.iter().map(number_of_mistake).eq(0..mistakes.len()), "one of each");
    mistakes.into_iter().chain(limit_errors().into_iter().map(Mistake::Limit)).collect()
}

fn number_of_mistake(mistake: &Mistake) -> usize {
    match mistake {
        Mistake::NotFrom { .. } => 0,
        Mistake::NotOneOf(_) => 1,
        Mistake::NotAnAddress => 2,
        Mistake::NotAnAddressWithPort => 3,
        Mistake::NotNameAndValue => 4,
        Mistake::NeitherNumberNorText => 5,
        Mistake::NoSuchLimit => 6,
        Mistake::Twice => 7,
        Mistake::Limit(_) => unreachable!("they have a list of their own"),
    }
}

/// One of each, in a line of a file. See [`number_of_line`].
fn lines() -> Vec<InFile> {
    let lines = vec![
        InFile::NotToml("(words of others)".into()),
        InFile::NoSuchSetting(MARK.into()),
        InFile::LimitOutside(MARK.into()),
    ];
    assert!(lines.iter().map(number_of_line).eq(0..lines.len()), "one of each");
    let values = mistakes().into_iter().flat_map(|mistake| {
        [None, Some(MARK.to_owned())].map(|value| InFile::Value {
            key: MARK.into(),
            value,
            mistake,
        })
    });
    lines.into_iter().chain(values).collect()
}

fn number_of_line(line: &InFile) -> usize {
    match line {
        InFile::NotToml(_) => 0,
        InFile::NoSuchSetting(_) => 1,
        InFile::LimitOutside(_) => 2,
        InFile::Value { .. } => unreachable!("there is one for each mistake"),
    }
}

/// One of each. See [`number_of_problem`].
fn problems() -> Vec<Problem> {
    let path = || MARK.to_owned();
    let problems = vec![
        Problem::NotUtf8(OsString::from(MARK)),
        Problem::NoSuchFlag(MARK.into()),
        Problem::Stray(MARK.into()),
        Problem::NoValue(MARK.into()),
        Problem::FlagTwice(MARK.into()),
        Problem::Argh("(words of others)".into()),
        Problem::NoPort,
        Problem::NoFile { path: path(), error: of_system(ErrorKind::NotFound) },
        Problem::FileTooLong { path: path() },
        Problem::MetricsInTheWay { metrics: address(91), server: address(92) },
    ];
    assert!(problems.iter().map(number_of_problem).eq(0..problems.len()), "one of each");
    let flags = mistakes().into_iter().map(|mistake| {
        let (name, value) = (MARK.to_owned(), MARK.to_owned());
        Problem::Flag { name, value, mistake }
    });
    let lines = lines().into_iter().map(|what| Problem::InFile { path: path(), line: 5, what });
    let limits = config_error().problems().to_vec().into_iter().map(Problem::Limit);
    problems.into_iter().chain(flags).chain(lines).chain(limits).collect()
}

fn number_of_problem(problem: &Problem) -> usize {
    match problem {
        Problem::NotUtf8(_) => 0,
        Problem::NoSuchFlag(_) => 1,
        Problem::Stray(_) => 2,
        Problem::NoValue(_) => 3,
        Problem::FlagTwice(_) => 4,
        Problem::Argh(_) => 5,
        Problem::NoPort => 6,
        Problem::NoFile { .. } => 7,
        Problem::FileTooLong { .. } => 8,
        Problem::MetricsInTheWay { .. } => 9,
        Problem::Flag { .. } | Problem::InFile { .. } | Problem::Limit(_) => {
            unreachable!("they have lists of their own")
        }
    }
}

/// One of each, for each kind of error that is told otherwise. See [`number_of_failure`].
fn failures() -> Vec<ExitError> {
    let mut config = Config::default();
    config.limits.connections = 0;
    let start = Server::bind(config).expect_err("no server can run with it");
    let system = || of_system(ErrorKind::Other);
    let failures = vec![
        ExitError::NoLog(system()),
        ExitError::NoPort,
        ExitError::Start(start),
        ExitError::Metrics { address: address(91), error: system() },
        ExitError::System(system()),
        ExitError::Serving(system()),
        ExitError::SecondSignal(MARK),
    ];
    assert!(failures.iter().map(number_of_failure).eq(0..failures.len()), "one of each");
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
    failures.into_iter().chain(listen).chain(metrics).chain([system]).collect()
}

fn number_of_failure(failure: &ExitError) -> usize {
    match failure {
        ExitError::NoLog(_) => 0,
        ExitError::NoPort => 1,
        ExitError::Start(_) => 2,
        ExitError::Metrics { .. } => 3,
        ExitError::System(_) => 4,
        ExitError::Serving(_) => 5,
        ExitError::SecondSignal(_) => 6,
    }
}

/// Everything that is a sentence or some, in English and Korean.
fn sentences() -> Vec<[String; 2]> {
    let languages = [Lang::En, Lang::Ko];
    let problems = problems();
    let problems =
        problems.iter().map(|problem| languages.map(|lang| problem.localized(lang).to_string()));
    let failures = failures();
    let failures =
        failures.iter().map(|failure| languages.map(|lang| failure.localized(lang).to_string()));
    problems.chain(failures).collect()
}

/// What stands in the help and around it, in English and Korean.
fn notes() -> Vec<[String; 2]> {
    let languages = [Lang::En, Lang::Ko];
    let flags = FLAGS.iter().map(|flag| languages.map(|lang| flag.get(lang).about.to_owned()));
    let fixed = FIXED.iter().map(|text| languages.map(|lang| text.get(lang).to_owned()));
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
            assert!(part.ends_with('요'), "{part:?} of {korean}");
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
