//! The rules of parsing, one by one.

use super::*;
use chat_proto::ValueError;
use proptest::prelude::*;

fn command(line: &str) -> Command {
    match parse(line) {
        Ok(Input::Command(command)) => command,
        other => panic!("{line:?} gave {other:?}"),
    }
}

fn error(line: &str) -> InputError {
    parse(line).expect_err("the line is wrong")
}

fn chat(text: &str) -> Command {
    Command::Chat(Text::new(text).expect("a text"))
}

fn name(name: &str) -> Command {
    Command::Rename(Name::new(name).expect("a name"))
}

fn title(title: &str) -> Command {
    Command::Create(Title::new(title).expect("a title"))
}

fn room(number: u64) -> Command {
    Command::Join(RoomId::new(number).expect("above 0"))
}

#[test]
fn each_command_is_what_it_says() {
    assert_eq!(parse("/help"), Ok(Input::Help));
    assert_eq!(parse("/quit"), Ok(Input::Quit));
    assert_eq!(command("/name alice"), name("alice"));
    assert_eq!(command("/rooms"), Command::Rooms);
    assert_eq!(command("/create tea"), title("tea"));
    assert_eq!(command("/join 3"), room(3));
    assert_eq!(command("/leave"), Command::Leave);
    assert_eq!(command("/shutdown"), Command::Shutdown);
}

#[test]
fn words_are_joined_by_one_space() {
    assert_eq!(command("/name Guido  van\tRossum "), name("Guido van Rossum"));
    assert_eq!(command("/create  방 하나\u{3000}둘"), title("방 하나 둘"));
    assert_eq!(command("/join   7  "), room(7));
    assert_eq!(command("/rooms  "), Command::Rooms);
    assert_eq!(parse("/rooms  study  방 "), Ok(Input::FindRooms("study 방".to_owned())));
}

#[test]
fn any_other_line_is_a_chat_as_it_was_typed() {
    for line in ["hello", " indented /name x", "a\tb  c ", "1/2", "안녕"] {
        assert_eq!(command(line), chat(line));
    }
}

/// Like the original client, which strips lines first.
#[test]
fn v8_spaces_before_a_command_do_not_matter() {
    let spaces = [
        '\t', '\u{b}', '\u{1c}', '\u{1f}', '\u{85}', '\u{a0}', '\u{1680}', '\u{2003}', '\u{2028}',
        '\u{202f}', '\u{3000}',
    ];
    for space in
        spaces.map(String::from).into_iter().chain([" ".to_owned(), " \u{3000} ".to_owned()])
    {
        assert_eq!(command(&format!("{space}/join 1{space}")), room(1), "{space:?}");
        assert_eq!(parse(&format!("{space}/help")), Ok(Input::Help));
        assert_eq!(parse(&space), Ok(Input::Blank));
        assert_eq!(command(&format!("{space}//x")), chat("/x"));
    }
    // U+200B is not a space, and a text keeps its own.
    assert_eq!(command("\u{200b}/join 1"), chat("\u{200b}/join 1"));
    assert_eq!(command("  x / y "), chat("  x / y "));
}

#[test]
fn v8_commands_typed_in_hangul_or_full_width_are_recognized() {
    for (typed, meant) in [
        ("/ㅓㅐㅑㅜ 1", "/join 1"),
        (" /ㅓㅐㅑㅜ\u{3000}1", "/join\u{3000}1"),
        ("/ㅜ믇 김 철수", "/name 김 철수"),
        ("/ㅜㅁㅡㄷ ㅋㅋ", "/name ㅋㅋ"),
        ("/개ㅐㅡㄴ", "/rooms"),
        ("/ㅊㄱㄷㅁㅅㄷ 스터디", "/create 스터디"),
        ("/ㅣㄷㅁㅍㄷ", "/leave"),
        ("/ㅗ디ㅔ", "/help"),
        ("/노ㅕㅅ애주", "/shutdown"),
        ("/벼ㅑㅅ", "/quit"),
        ("／join 1", "/join 1"),
        ("／ｊｏｉｎ 1", "/join 1"),
        ("／ㅓㅐㅑㅜ 1", "/join 1"),
    ] {
        assert_eq!(in_latin(typed).as_deref(), Some(meant), "{typed}");
    }
    for typed in ["/join 1", "/JOIN 1", "//ㅓㅐㅑㅜ", "ㅓㅐㅑㅜ 1", "/안녕", "／／join", "", "/"]
    {
        assert_eq!(in_latin(typed), None, "{typed}");
    }
    assert_eq!(command("／／x"), chat("／x"));
    let InputError::UnknownCommand { word, nearest } = error("/ㅓㅐㅑ 1") else {
        panic!("it is known")
    };
    assert_eq!((word.as_str(), nearest), ("ㅓㅐㅑ", Some("join")));
}

#[test]
fn two_slashes_say_a_text_with_one() {
    assert_eq!(command("//name x"), chat("/name x"));
    assert_eq!(command("///"), chat("//"));
    assert_eq!(command("//"), chat("/"));
}

#[test]
fn blank_lines_ask_for_nothing() {
    for line in ["", " ", "\t \u{3000}"] {
        assert_eq!(parse(line), Ok(Input::Blank));
    }
}

#[test]
fn a_room_id_is_a_whole_number_above_0() {
    assert_eq!(command("/join 18446744073709551615"), room(u64::MAX));
    assert_eq!(command("/join 007"), room(7));
    for line in ["/join", "/join 0", "/join +1", "/join x", "/join 1 2"] {
        assert_eq!(error(line), InputError::BadRoomId, "{line}");
    }
}

#[test]
fn commands_that_need_a_word_say_so() {
    assert_eq!(error("/name"), InputError::NoName);
    assert_eq!(error("/name  "), InputError::NoName);
    assert_eq!(error("/create"), InputError::NoTitle);
}

#[test]
fn commands_that_take_no_words_say_so() {
    for command in ["leave", "shutdown", "quit"] {
        assert_eq!(error(&format!("/{command} now")), InputError::TakesNothing(command));
    }
    assert_eq!(parse("/help me"), Ok(Input::Help));
}

#[test]
fn an_unknown_command_suggests_the_one_that_is_one_edit_away() {
    for (typed, meant) in [
        ("/room", "rooms"),
        ("/roooms", "rooms"),
        ("/rooks", "rooms"),
        ("/jion 3", "join"),
        ("/JOIN 3", "join"),
        ("/Nmae x", "name"),
        ("/elave", "leave"),
        ("/q", ""),
        ("/exit", ""),
        ("/", ""),
        ("/ name", ""),
        ("/rmoosx", ""),
    ] {
        let InputError::UnknownCommand { nearest, .. } = error(typed) else {
            panic!("{typed} is known");
        };
        assert_eq!(nearest.unwrap_or_default(), meant, "{typed}");
    }
}

#[test]
fn only_the_beginning_of_an_unknown_command_is_repeated() {
    let InputError::UnknownCommand { word, .. } = error(&format!("/{}", "한".repeat(1_000)))
    else {
        panic!("it is unknown");
    };
    assert_eq!(word.chars().count(), 32);
}

#[test]
fn the_rules_of_values_are_checked_without_the_server() {
    let long_name = format!("/name {}", "x".repeat(33));
    assert_eq!(error(&long_name), InputError::BadName(ValueError::TooLong { max: 32 }));
    let long_title = format!("/create {}", "x".repeat(101));
    assert_eq!(error(&long_title), InputError::BadTitle(ValueError::TooLong { max: 100 }));
    assert_eq!(error("/name a\u{1b}[2J"), InputError::BadName(ValueError::Forbidden('\u{1b}')));
    assert_eq!(error("/create \u{202e}a"), InputError::BadTitle(ValueError::Forbidden('\u{202e}')));
    assert_eq!(error("\u{7}ding"), InputError::BadText(ValueError::Forbidden('\u{7}')));
}

#[test]
fn a_text_that_fits_no_frame_is_refused_with_its_excess() {
    const FRAME: usize = r#"{"type":"SCChat","member":"x","text":"","roomId":1,"seq":1}"#.len();
    let longest = "x".repeat(MAX_PAYLOAD - FRAME);
    assert_eq!(command(&longest), chat(&longest));
    assert!(command(&longest).write(&mut Vec::new()).is_ok());
    assert_eq!(error(&format!("{longest}xyz")), InputError::TextTooLong { excess: 3 });
    assert_eq!(
        error(&"\"".repeat(MAX_PAYLOAD - FRAME)),
        InputError::TextTooLong { excess: MAX_PAYLOAD - FRAME }
    );
}

proptest! {
    #[test]
    fn every_line_is_a_frame_or_an_error(line in "(/|//)?(join|name|create|rooms)?( |\\PC){0,40}") {
        if let Ok(Input::Command(command)) = parse(&line) {
            let mut frame = Vec::new();
            prop_assert!(command.write(&mut frame).is_ok());
            prop_assert_eq!(Command::parse(&frame[chat_proto::HEADER_LEN..]), Ok(command));
        }
    }
}
