//! What a line or a message leads to, and what each end of a connection means.

use super::*;
use chat_proto::RoomEntry;

fn system(text: &str, code: Option<&str>) -> Incoming {
    Incoming {
        kind: "SCSystemMessage".into(),
        text: text.into(),
        code: code.map(str::to_owned),
        ..Incoming::default()
    }
}

fn rooms(numbers: &[u64], more: bool) -> Incoming {
    let room = |&room_id| RoomEntry {
        room_id,
        title: "tea".into(),
        members: vec!["alice".into()],
        member_count: 1,
    };
    Incoming {
        kind: "SCRoomsResult".into(),
        rooms: numbers.iter().map(room).collect(),
        more,
        ..Incoming::default()
    }
}

fn text(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(Line::as_str).collect()
}

fn ending(app: &App, closed: &Closed, all_sent: bool) -> (Ending, String) {
    let (ending, line) = app.closed(closed, all_sent);
    (ending, line.map_or_else(String::new, |line| line.as_str().to_owned()))
}

#[test]
fn a_command_is_sent_and_help_is_shown() {
    let mut app = App::default();
    assert_eq!(app.line("/rooms"), Action::Send(Command::Rooms));
    assert!(matches!(app.line("/help"), Action::Show(lines) if lines.len() > 8));
    assert_eq!(app.line("  "), Action::Nothing);
}

#[test]
fn a_mistake_is_told_visibly_and_sends_nothing() {
    let mut app = App::default();
    let Action::Refuse(line) = app.line("/\u{1b}[2J") else {
        panic!("it is no command");
    };
    assert!(line.as_str().starts_with(r"! there is no command /\u{1b}[2J."), "{line:?}");
    assert!(matches!(app.mistake(&Mistake::NotUtf8), Action::Refuse(_)));
}

#[test]
fn after_quit_no_line_is_taken() {
    let mut app = App::default();
    assert_eq!(app.line("/quit"), Action::Quit);
    assert_eq!(app.line("/rooms"), Action::Nothing);
    assert_eq!(app.mistake(&Mistake::NotUtf8), Action::Nothing);
}

#[test]
fn chats_and_system_messages_are_shown() {
    let mut app = App::default();
    let chat = Incoming {
        kind: "SCChat".into(),
        member: "bob".into(),
        text: "hi".into(),
        ..Incoming::default()
    };
    assert_eq!(text(&app.incoming(&chat)), ["bob: hi"]);
    assert_eq!(text(&app.incoming(&system("alice came in.", None))), ["* alice came in."]);
}

#[test]
fn a_type_that_is_not_known_shows_nothing() {
    let mut app = App::default();
    let message = Incoming { kind: "SCNew".into(), text: "hi".into(), ..Incoming::default() };
    assert_eq!(app.incoming(&message), []);
}

#[test]
fn a_list_over_several_frames_is_one_list() {
    let mut app = App::default();
    let mut lines = app.incoming(&rooms(&[1, 2], true));
    lines.extend(app.incoming(&rooms(&[30], true)));
    lines.extend(app.incoming(&rooms(&[], false)));
    assert_eq!(text(&lines), ["  1  tea (1): alice", "  2  tea (1): alice", " 30  tea (1): alice"]);
}

#[test]
fn an_empty_list_says_what_to_do() {
    let none = ["no rooms yet: /create TITLE makes one"];
    let mut app = App::default();
    assert_eq!(text(&app.incoming(&rooms(&[], false))), none);
    assert_eq!(text(&app.incoming(&rooms(&[], true))), [""; 0]);
    assert_eq!(text(&app.incoming(&rooms(&[], false))), none);
    assert_eq!(app.incoming(&rooms(&[1], false)).len(), 1);
    assert_eq!(text(&app.incoming(&rooms(&[], false))), none);
}

#[test]
fn it_ends_well_when_all_was_sent_before_the_server_closed() {
    assert_eq!(ending(&App::default(), &Closed::Clean, true), (Ending::Good, String::new()));
}

#[test]
fn it_ends_badly_when_the_server_closes_unasked() {
    assert_eq!(
        ending(&App::default(), &Closed::Clean, false),
        (Ending::Bad, "the server closed the connection".into())
    );
}

#[test]
fn after_goodbye_any_end_between_messages_is_good() {
    let mut app = App::default();
    app.incoming(&system("Goodbye.", Some("server-stopping")));
    app.incoming(&system("alice left.", Some("member-left")));
    for closed in [Closed::Clean, Closed::Lost("broken pipe".into())] {
        assert_eq!(ending(&app, &closed, false), (Ending::Good, "the server has stopped".into()));
    }
    assert_eq!(ending(&app, &Closed::Cut { held: 1 }, true).0, Ending::Bad);
}

#[test]
fn a_chat_is_no_goodbye() {
    let mut app = App::default();
    let mut chat = system("Goodbye.", Some("server-stopping"));
    chat.kind = "SCChat".into();
    app.incoming(&chat);
    assert_eq!(ending(&app, &Closed::Clean, false).0, Ending::Bad);
}

#[test]
fn a_full_server_did_nothing_of_what_was_sent() {
    let mut app = App::default();
    app.incoming(&system("The server is full.", Some("server-full")));
    assert_eq!(ending(&app, &Closed::Clean, true).0, Ending::Bad);
}

#[test]
fn every_bad_end_is_one_line() {
    let ends = [
        Closed::Clean,
        Closed::Cut { held: 3 },
        Closed::NotAMessage,
        Closed::Lost("connection reset\nby peer".into()),
    ];
    for closed in ends {
        let (ending, line) = ending(&App::default(), &closed, false);
        assert_eq!(ending, Ending::Bad);
        assert!(!line.is_empty() && !line.contains('\n'), "{line}");
    }
}
