//! What a line or a message leads to, and what each end of a connection means.

use super::*;
use chat_proto::RoomEntry;

const AT: &str = "12:03";

fn app(form: Form, reconnect: bool) -> App {
    let mut app = App::new(Manner { form, lang: Lang::En, reconnect, name: None, join: None });
    assert_eq!(app.connected(0), Outcome::default());
    app
}

fn script() -> App {
    app(Form::Plain, false)
}

fn person() -> App {
    app(Form::Pretty, true)
}

fn system(text: &str, code: Option<&str>) -> Incoming {
    Incoming {
        kind: "SCSystemMessage".into(),
        text: text.into(),
        code: code.map(str::to_owned),
        ..Incoming::default()
    }
}

fn about_room(text: &str, code: &str, room: u64, seq: u64) -> Incoming {
    Incoming { room_id: Some(room), seq: Some(seq), ..system(text, Some(code)) }
}

/// The text is shown as it came, and tells nothing of what the fields tell.
fn entered(room: u64, title: &str, seq: u64) -> Incoming {
    Incoming {
        title: Some(title.into()), ..about_room("어서 와요.", "room-entered", room, seq)
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

fn shown(app: &mut App, message: &Incoming) -> Vec<String> {
    let outcome = app.incoming(AT, message);
    assert_eq!(outcome.send, [], "nothing is sent");
    outcome.show.iter().map(|line| line.as_str().to_owned()).collect()
}

fn ending(app: &mut App, closed: &Closed, all_sent: bool) -> (Ending, String) {
    match app.closed(closed, all_sent) {
        After::Over(ending, line) => {
            (ending, line.map_or_else(String::new, |line| line.as_str().to_owned()))
        }
        After::Again(lines) => panic!("it goes on: {lines:?}"),
    }
}

#[test]
fn a_command_is_sent_and_help_is_shown() {
    let mut app = script();
    assert_eq!(app.line(AT, "/rooms").send, [Command::Rooms]);
    assert!(app.line(AT, "/help").show.len() > 8);
    assert_eq!(app.line(AT, "  "), Outcome::default());
}

#[test]
fn a_person_sees_what_was_typed_and_a_script_does_not() {
    let mut app = person();
    assert_eq!(text(&app.line(AT, "hello").show), ["12:03 > hello"]);
    assert_eq!(text(&app.line(AT, "//x\ny").show), ["12:03 > /x", "        y"]);
    assert_eq!(text(&app.line(AT, "/rooms").show), ["> /rooms"]);
    assert_eq!(text(&app.line(AT, "/jion").show), ["> /jion"]);
    assert!(app.line(AT, " ").show.is_empty());
    assert!(script().line(AT, "hello").show.is_empty());
}

#[test]
fn a_mistake_is_told_visibly_and_sends_nothing() {
    let mut app = script();
    let outcome = app.line(AT, "/\u{1b}[2J");
    let line = outcome.refuse.expect("it is no command");
    assert!(line.as_str().starts_with(r"! there is no command /\u{1b}[2J."), "{line:?}");
    assert_eq!(outcome.send, []);
    assert!(app.mistake(&Mistake::NotUtf8).refuse.is_some());
}

#[test]
fn after_quit_no_line_is_taken() {
    let mut app = script();
    assert!(app.line(AT, "/quit").quit);
    assert_eq!(app.line(AT, "/rooms"), Outcome::default());
    assert_eq!(app.mistake(&Mistake::NotUtf8), Outcome::default());
}

#[test]
fn chats_and_system_messages_are_shown() {
    let mut app = script();
    let chat = Incoming {
        kind: "SCChat".into(),
        member: "bob".into(),
        text: "hi".into(),
        ..Incoming::default()
    };
    assert_eq!(shown(&mut app, &chat), ["bob: hi"]);
    assert_eq!(shown(&mut app, &system("alice joined.", None)), ["* alice joined."]);
}

#[test]
fn a_type_that_is_not_known_shows_nothing() {
    let message = Incoming { kind: "SCNew".into(), text: "hi".into(), ..Incoming::default() };
    assert_eq!(script().incoming(AT, &message), Outcome::default());
}

#[test]
fn a_list_over_several_frames_is_one_list() {
    let mut app = script();
    let mut lines = shown(&mut app, &rooms(&[1, 2], true));
    lines.extend(shown(&mut app, &rooms(&[30], true)));
    lines.extend(shown(&mut app, &rooms(&[], false)));
    assert_eq!(lines, ["  1  tea (1): alice", "  2  tea (1): alice", " 30  tea (1): alice"]);

    let mut app = person();
    let mut lines = shown(&mut app, &rooms(&[], true));
    lines.extend(shown(&mut app, &rooms(&[1], true)));
    lines.extend(shown(&mut app, &rooms(&[30], false)));
    lines.extend(shown(&mut app, &rooms(&[2], false)));
    let head = " ID  TITLE  PEOPLE  NAMES";
    let row = |id| format!("{id:>3}  tea         1  alice");
    assert_eq!(lines, [head.to_owned(), row(1), row(30), head.to_owned(), row(2)]);
}

#[test]
fn an_empty_list_says_what_to_do() {
    let none = ["- no rooms yet: /create TITLE makes one"];
    for mut app in [script(), person()] {
        assert_eq!(shown(&mut app, &rooms(&[], false)), none);
        assert_eq!(shown(&mut app, &rooms(&[], true)), [""; 0]);
        assert_eq!(shown(&mut app, &rooms(&[], false)), none);
        assert!(!shown(&mut app, &rooms(&[1], false)).is_empty());
        assert_eq!(shown(&mut app, &rooms(&[], false)), none);
    }
}

#[test]
fn the_prompt_has_the_room() {
    let mut app = person();
    assert_eq!(app.prompt().as_str(), "> ");
    app.incoming(AT, &entered(3, "스터디", 1));
    assert_eq!(app.prompt().as_str(), "3 스터디> ");
    app.incoming(AT, &entered(4, "a title of more letters", 1));
    assert_eq!(app.prompt().as_str(), "4 a title of more…> ");
    app.incoming(AT, &about_room("x", "room-left", 4, 2));
    assert_eq!(app.prompt().as_str(), "> ");
    // A server that leaves the fields out: what was asked for is all there is.
    app.line(AT, "/join 5");
    app.incoming(AT, &system("You are now in room 6, \"x\".", Some("room-entered")));
    assert_eq!(app.prompt().as_str(), "5> ");
    app.closed(&Closed::Clean, false);
    assert_eq!(app.prompt().as_str(), "offline> ");
}

#[test]
fn a_room_asked_for_by_flag_is_known_without_fields_too() {
    let mut app = App::new(Manner {
        form: Form::Pretty,
        lang: Lang::En,
        reconnect: false,
        name: None,
        join: RoomId::new(3).ok(),
    });
    app.connected(0);
    app.incoming(AT, &system("x", Some("room-entered")));
    assert_eq!(app.prompt().as_str(), "3> ");
}

#[test]
fn a_code_that_is_not_known_shows_its_text() {
    let mut app = script();
    assert_eq!(shown(&mut app, &system("새 소식이에요.", Some("news"))), ["* 새 소식이에요."]);
}

#[test]
fn flags_are_asked_for_first_and_a_script_ends_when_one_is_refused() {
    let manner = |form| Manner {
        form,
        lang: Lang::En,
        reconnect: false,
        name: Some(Name::new("bot").expect("a name")),
        join: RoomId::new(3).ok(),
    };
    for form in [Form::Plain, Form::Pretty] {
        let mut app = App::new(manner(form));
        let asked = app.connected(0).send;
        assert!(matches!(asked.as_slice(), [Command::Rename(_), Command::Join(_)]), "{asked:?}");
        assert_eq!(app.incoming(AT, &system("x", Some("renamed"))).fail, None);
        let refused = app.incoming(AT, &system("x", Some("no-such-room")));
        let expected = (form == Form::Plain).then(|| Line::new("the server refused --join"));
        assert_eq!(refused.fail, expected);
        assert_eq!(app.incoming(AT, &system("x", Some("no-such-room"))).fail, None);
    }
    // A server without codes is not judged.
    let mut app = App::new(manner(Form::Plain));
    app.connected(0);
    assert_eq!(app.incoming(AT, &system("x", None)).fail, None);
}

#[test]
fn it_ends_well_when_all_was_sent_before_the_server_closed() {
    assert_eq!(ending(&mut script(), &Closed::Clean, true), (Ending::Good, String::new()));
}

#[test]
fn it_ends_badly_when_the_server_closes_unasked() {
    assert_eq!(
        ending(&mut script(), &Closed::Clean, false),
        (Ending::Bad, "the server closed the connection".into())
    );
}

#[test]
fn after_goodbye_any_end_between_messages_is_good() {
    let mut app = script();
    app.incoming(AT, &system("Goodbye.", Some("server-stopping")));
    app.incoming(AT, &system("alice left.", Some("member-left")));
    for closed in [Closed::Clean, Closed::Lost(Fault::BrokenPipe)] {
        let stopped = (Ending::Good, "- the server has stopped".to_owned());
        assert_eq!(ending(&mut app, &closed, false), stopped);
    }
    assert_eq!(ending(&mut app, &Closed::Cut { held: 1 }, true).0, Ending::Bad);
}

#[test]
fn a_chat_is_no_goodbye() {
    let mut app = script();
    let mut chat = system("Goodbye.", Some("server-stopping"));
    chat.kind = "SCChat".into();
    app.incoming(AT, &chat);
    assert_eq!(ending(&mut app, &Closed::Clean, false).0, Ending::Bad);
}

#[test]
fn a_full_server_did_nothing_of_what_was_sent() {
    for code in ["server-full", "too-many-from-address"] {
        for mut app in [script(), person()] {
            app.incoming(AT, &system("There is no place for you.", Some(code)));
            assert!(!app.is_served());
            assert_eq!(ending(&mut app, &Closed::Clean, true).0, Ending::Bad);
        }
    }
}

/// What it was owed did not come, so the end is a bad one, even after everything was sent.
#[test]
fn who_is_cut_off_ends_badly_or_connects_again() {
    for code in ["frame-timeout", "slow-consumer"] {
        let mut app = script();
        app.incoming(AT, &system("Goodbye.", Some(code)));
        let closed = (Ending::Bad, "the server closed the connection".to_owned());
        assert_eq!(ending(&mut app, &Closed::Clean, true), closed, "{code}");
        let mut app = person();
        app.incoming(AT, &system("Goodbye.", Some(code)));
        assert!(goes_on(&mut app, &Closed::Clean), "{code}");
    }
}

#[test]
fn every_bad_end_is_one_line() {
    let ends = [
        Closed::Clean,
        Closed::Cut { held: 3 },
        Closed::NotAMessage,
        Closed::Lost(Fault::Other("connection reset\nby peer".into())),
    ];
    for closed in ends {
        let (ending, line) = ending(&mut script(), &closed, false);
        assert_eq!(ending, Ending::Bad);
        assert!(!line.is_empty() && !line.contains('\n'), "{line}");
    }
}

fn goes_on(app: &mut App, closed: &Closed) -> bool {
    matches!(app.closed(closed, false), After::Again(lines) if !lines.is_empty())
}

#[test]
fn a_lost_connection_is_made_again_for_who_wants_it() {
    for closed in [Closed::Clean, Closed::Cut { held: 3 }, Closed::Lost(Fault::Reset)] {
        assert!(goes_on(&mut person(), &closed));
        assert!(!goes_on(&mut script(), &closed));
        let mut leaving = person();
        leaving.line(AT, "/quit");
        assert!(!goes_on(&mut leaving, &closed));
    }
    assert!(!goes_on(&mut person(), &Closed::NotAMessage));
}

#[test]
fn a_server_that_stops_may_come_back_unless_it_stopped_for_us() {
    let stopping = system("Goodbye.", Some("server-stopping"));
    let mut app = person();
    app.incoming(AT, &stopping);
    assert!(goes_on(&mut app, &Closed::Clean));
    let mut app = person();
    app.line(AT, "/shutdown");
    app.incoming(AT, &stopping);
    assert_eq!(ending(&mut app, &Closed::Clean, false).0, Ending::Good);
}

#[test]
fn a_server_that_is_full_on_the_way_back_is_asked_again() {
    let mut app = person();
    app.incoming(AT, &system("x", Some("not-in-room")));
    assert!(app.is_served() && goes_on(&mut app, &Closed::Clean));
    app.connected(3);
    app.incoming(AT, &system("The server is full.", Some("server-full")));
    assert!(!app.is_served() && goes_on(&mut app, &Closed::Clean));
}

#[test]
fn what_is_typed_without_a_connection_is_refused() {
    let mut app = person();
    app.closed(&Closed::Clean, false);
    let outcome = app.line(AT, "hello");
    assert!(outcome.refuse.is_some() && outcome.send.is_empty());
    assert_eq!(text(&outcome.show), ["> hello"]);
    assert!(app.line(AT, "/quit").quit);
}

/// A person called bob in room 3, "tea", where broadcast 7 was the last, and no connection.
fn lost() -> App {
    let mut app = person();
    app.line(AT, "/name bob");
    app.incoming(AT, &system("user1 is now called bob.", Some("renamed")));
    app.incoming(AT, &entered(3, "tea", 5));
    app.incoming(AT, &about_room("alice joined.", "member-entered", 3, 7));
    assert!(goes_on(&mut app, &Closed::Clean));
    let back = app.connected(4);
    assert!(matches!(back.send.as_slice(), [Command::Rename(_), Command::Rooms]), "{back:?}");
    assert!(back.show[0].as_str().contains(" 4 s"), "{back:?}");
    app
}

#[test]
fn the_way_back_leads_into_the_same_room_and_tells_what_was_missed() {
    let mut app = lost();
    app.incoming(AT, &system("user2 is now called bob.", Some("renamed")));
    assert_eq!(shown(&mut app, &rooms(&[1, 2], true)), [""; 0]);
    let found = app.incoming(AT, &rooms(&[3], false));
    assert_eq!(found.send, [Command::Join(RoomId::new(3).expect("above 0"))]);
    assert!(found.show.is_empty());
    // We left with 8 and came back with 12.
    let back = entered(3, "tea", 12);
    assert_eq!(
        shown(&mut app, &back),
        ["12:03 * 어서 와요.", "- messages and notices missed in this room: at least 3"]
    );
    assert_eq!(shown(&mut app, &back).len(), 1);
}

#[test]
fn another_room_with_the_same_number_is_not_entered() {
    let mut app = lost();
    let mut others = rooms(&[3], false);
    others.rooms[0].title = "coffee".into();
    assert_eq!(
        shown(&mut app, &others),
        ["- room 3 is not there any more. /rooms lists those there are."]
    );
    assert_eq!(app.prompt().as_str(), "> ");
    // Lists are shown again.
    assert_eq!(shown(&mut app, &rooms(&[3], false)).len(), 2);
}

#[test]
fn a_room_is_not_forgotten_when_the_way_back_is_cut_off() {
    let mut app = lost();
    assert!(goes_on(&mut app, &Closed::Clean));
    assert_eq!(app.connected(9).send.len(), 2);
    assert_eq!(app.incoming(AT, &rooms(&[3], false)).send.len(), 1);
    assert!(goes_on(&mut app, &Closed::Clean));
    assert_eq!(app.connected(9).send.len(), 2);
}
