//! Every text is there in every language, and belongs to it.

use super::*;
use crate::line::cells_of;
use crate::typed::COMMANDS;
use chat_proto::ValueError;

/// One of each. A text that is missing here does not compile: see [`number`].
fn all<'a>(fault: &'a Fault, mistake: &'a Mistake) -> Vec<Text<'a>> {
    let address = SocketAddr::from(([127, 0, 0, 1], 9000));
    let texts = vec![
        Text::Flags,
        Text::BadFlags { mistake: "x" },
        Text::Commands,
        Text::Mistake(mistake),
        Text::Connected { to: address },
        Text::CannotReach { address, why: fault },
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
        Text::BadFlags { .. } => 1,
        Text::Commands => 2,
        Text::Mistake(_) => 3,
        Text::Connected { .. } => 4,
        Text::CannotReach { .. } => 5,
        Text::CannotWrite { .. } => 6,
        Text::CannotRead { .. } => 7,
        Text::NoRooms => 8,
        Text::RoomColumn => 9,
        Text::TitleColumn => 10,
        Text::CountColumn => 11,
        Text::MembersColumn => 12,
        Text::AndMore { .. } => 13,
        Text::ServerStopped => 14,
        Text::ServerClosed => 15,
        Text::ServerFull => 16,
        Text::Cut { .. } => 17,
        Text::NotAMessage => 18,
        Text::Lost { .. } => 19,
        Text::NotClosed => 20,
        Text::FlagRefused { .. } => 21,
        Text::TryingAgain => 22,
        Text::ConnectedAgain { .. } => 23,
        Text::Missed { .. } => 24,
        Text::RoomGone { .. } => 25,
        Text::NotConnected => 26,
        Text::Offline => 27,
    }
}

fn is_korean(text: &str) -> bool {
    text.contains(|c| ('가'..='힣').contains(&c))
}

fn faults() -> [Fault; 5] {
    [Fault::Refused, Fault::Reset, Fault::TimedOut, Fault::Unreachable, Fault::BrokenPipe]
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
            if matches!(text, Text::Commands | Text::Flags | Text::BadFlags { .. }) {
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
