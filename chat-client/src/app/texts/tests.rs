//! Every text is there in every language, and belongs to it.

use super::*;
use crate::app::input::COMMANDS;
use crate::terminal::line::cells_of;
use chat_proto::ValueError;

/// One of each. A text that is missing here does not compile: see [`number`].
fn all<'a>(fault: &'a Fault, mistake: &'a Mistake) -> Vec<Text<'a>> {
    const SERVER: &Destination = &Destination { host: Host::LOOPBACK, port: 9000 };
    let texts = vec![
        Text::Flags,
        Text::BadFlags(&Misuse::NotUtf8),
        Text::Commands,
        Text::Mistake(mistake),
        Text::Connected { to: SERVER },
        Text::CannotFind { host: &SERVER.host, why: fault },
        Text::CannotReach { server: SERVER, why: fault },
        Text::CannotWrite { why: fault },
        Text::CannotRead { why: fault },
        Text::NoRooms,
        Text::RoomColumn,
        Text::TitleColumn,
        Text::CountColumn,
        Text::MembersColumn,
        Text::AndMore { count: 2 },
        Text::ServerStopped,
        Text::ServerClosed,
        Text::ServerFull,
        Text::Cut { held: 3 },
        Text::NotAMessage,
        Text::Lost { why: fault },
        Text::NotClosed,
        Text::FlagRefused { flag: "--join" },
        Text::TryingAgain,
        Text::ConnectedAgain { seconds: 4 },
        Text::Missed { count: 5 },
        Text::RoomGone { room: 6 },
        Text::NotConnected,
        Text::Offline,
    ];
    let numbers: Vec<usize> = texts.iter().map(number).collect();
    assert_eq!(numbers, Vec::from_iter(0..texts.len()), "one of each");
    texts
}

/// The place of a text in [`all`].
fn number(text: &Text<'_>) -> usize {
    match text {
        Text::Flags => 0,
        Text::BadFlags(_) => 1,
        Text::Commands => 2,
        Text::Mistake(_) => 3,
        Text::Connected { .. } => 4,
        Text::CannotFind { .. } => 5,
        Text::CannotReach { .. } => 6,
        Text::CannotWrite { .. } => 7,
        Text::CannotRead { .. } => 8,
        Text::NoRooms => 9,
        Text::RoomColumn => 10,
        Text::TitleColumn => 11,
        Text::CountColumn => 12,
        Text::MembersColumn => 13,
        Text::AndMore { .. } => 14,
        Text::ServerStopped => 15,
        Text::ServerClosed => 16,
        Text::ServerFull => 17,
        Text::Cut { .. } => 18,
        Text::NotAMessage => 19,
        Text::Lost { .. } => 20,
        Text::NotClosed => 21,
        Text::FlagRefused { .. } => 22,
        Text::TryingAgain => 23,
        Text::ConnectedAgain { .. } => 24,
        Text::Missed { .. } => 25,
        Text::RoomGone { .. } => 26,
        Text::NotConnected => 27,
        Text::Offline => 28,
    }
}

fn is_korean(text: &str) -> bool {
    text.contains(|c| ('가'..='힣').contains(&c))
}

fn faults() -> [Fault; 7] {
    [
        Fault::Refused,
        Fault::Reset,
        Fault::TimedOut,
        Fault::Unreachable,
        Fault::BrokenPipe,
        Fault::NoSuchName,
        Fault::NoNameServer,
    ]
}

fn mistakes() -> Vec<Mistake> {
    vec![
        Mistake::LineTooLong,
        Mistake::NotUtf8,
        Mistake::UnknownCommand { word: "jion".into(), near: Some("join") },
        Mistake::UnknownCommand { word: "x".into(), near: None },
        Mistake::TakesNothing("rooms"),
        Mistake::NoName,
        Mistake::NoTitle,
        Mistake::BadRoomId,
        Mistake::BadName(ValueError::Empty),
        Mistake::BadName(ValueError::Blank),
        Mistake::BadTitle(ValueError::TooLong { max: 100 }),
        Mistake::BadText(ValueError::Forbidden('\u{7}')),
        Mistake::BadName(ValueError::NotANickname),
        Mistake::TextTooLong { excess: 7 },
    ]
}

fn misuses() -> Vec<Misuse> {
    let flag = || "--flag".to_owned();
    let bad = |rule| Misuse::BadValue { flag: flag(), value: "VALUE".to_owned(), rule };
    vec![
        Misuse::NotUtf8,
        Misuse::UnknownFlag(flag()),
        Misuse::Stray("VALUE".to_owned()),
        Misuse::NoValue(flag()),
        Misuse::Twice(flag()),
        bad(Rule::Host),
        bad(Rule::Port),
        bad(Rule::Name(ValueError::TooLong { max: 32 })),
        bad(Rule::Room),
        bad(Rule::Lang),
        Misuse::Missing(vec![flag(), flag()]),
    ]
}

#[test]
fn what_is_wrong_with_the_flags_is_in_one_language() {
    for misuse in misuses() {
        let text = Text::BadFlags(&misuse);
        let (english, korean) = (text.say(Lang::En), text.say(Lang::Ko));
        let told = [(&english, ENGLISH_FLAGS_IN_SHORT), (&korean, KOREAN_FLAGS_IN_SHORT)];
        let [english, korean] = told.map(|(text, flags)| {
            text.strip_suffix(flags).expect("all flags come after it").trim_end().to_owned()
        });
        for given in ["--flag", "VALUE", "32", "65535"] {
            assert_eq!(english.matches(given).count(), korean.matches(given).count(), "{korean}");
        }
        assert!(!is_korean(&english) && english.ends_with('.'), "{english}");
        let words = korean.replace("--flag", "").replace("VALUE", "");
        let words = words.split(|c: char| !c.is_ascii_alphabetic());
        let foreign = words.filter(|word| !["", "UTF", "ko", "en"].contains(word));
        assert_eq!(foreign.count(), 0, "{korean}");
        // Polite throughout, but for what stands behind a colon.
        for sentence in korean.split(". ").filter(|sentence| !sentence.contains(": ")) {
            assert!(sentence.trim_end_matches('.').ends_with('요'), "{korean}");
        }
    }
}

#[test]
fn every_text_is_in_its_language() {
    for fault in &faults() {
        for mistake in &mistakes() {
            for text in all(fault, mistake) {
                let (english, korean) = (text.say(Lang::En), text.say(Lang::Ko));
                // "ID" and the like aside, which have no letters to tell by.
                assert!(!is_korean(&english) && !english.is_empty(), "{english}");
                assert!(is_korean(&korean), "{korean}");
            }
        }
    }
}

#[test]
fn the_same_numbers_and_names_are_in_both() {
    let facts = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        let mut numbers: Vec<String> = words
            .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))
            .map(str::to_owned)
            .collect();
        numbers.sort();
        numbers
    };
    for mistake in &mistakes() {
        for text in all(&Fault::Refused, mistake) {
            // The help says some limits only where they matter.
            if matches!(text, Text::Commands | Text::Flags | Text::BadFlags(_)) {
                continue;
            }
            assert_eq!(facts(&text.say(Lang::En)), facts(&text.say(Lang::Ko)), "{text:?}");
        }
    }
}

#[test]
fn what_is_said_in_a_line_is_one_line() {
    for text in all(&Fault::Reset, &Mistake::NoName) {
        for lang in [Lang::En, Lang::Ko] {
            let one_line = !text.say(lang).contains('\n');
            assert_eq!(one_line, !matches!(text, Text::Flags | Text::Commands), "{text:?}");
        }
    }
}

#[test]
fn help_names_every_command_and_fits_a_terminal() {
    for lang in [Lang::En, Lang::Ko] {
        let help = Text::Commands.say(lang);
        for command in COMMANDS {
            let lines = help.lines().filter(|line| line.starts_with(&format!("/{command} ")));
            assert_eq!(lines.count(), 1, "{command}");
        }
        assert!(help.contains("//") && help.lines().count() < 24);
        for line in help.lines().chain(Text::Flags.say(lang).lines()) {
            assert!(cells_of(line) <= 80, "{line}");
        }
    }
}
