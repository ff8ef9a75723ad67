//! The effects of lines and messages, and what each end of a connection means.

use super::*;
use crate::app::testing::context as at;
use crate::io_error::IoErrorKind;
use chat_proto::{Lang, Name, RoomId};

mod drops;
mod granted;

/// A plain connection, after `seconds` without one.
fn connected(app: &mut App, seconds: u64) -> Effects {
    app.connected(seconds, None, Instant::now())
}

/// The commands among requests that need no hello.
fn plain(requests: Vec<ClientRequest>) -> Vec<Command> {
    let command = |request| match request {
        ClientRequest::Command(command) => command,
        other => panic!("{other:?} needs a hello"),
    };
    requests.into_iter().map(command).collect()
}

fn app(format: Format, lang: Lang, reconnect: bool) -> App {
    let mut app = App::new(Options { format, lang, reconnect, ..Options::default() });
    assert_eq!(connected(&mut app, 0), Effects::default());
    app
}

fn script() -> App {
    app(Format::Plain, Lang::En, false)
}

fn person() -> App {
    app(Format::Pretty, Lang::En, true)
}

fn type_in(app: &mut App, line: &str) -> Effects {
    app.line(at(), Ok(line))
}

fn message(json: &str) -> Incoming {
    Incoming::parse(json.as_bytes()).expect("it is a message")
}

fn coded(code: &str) -> Incoming {
    message(&format!(r#"{{"type":"SCSystemMessage","text":"x","code":"{code}"}}"#))
}

fn entered(room: u64, title: &str, seq: u64) -> Incoming {
    let mut message = coded("room-entered");
    (message.room_id, message.seq) = (Some(room), Some(seq));
    message.title = Some(title.to_owned());
    message
}

/// A list with one room.
fn list(room: u64, title: &str, more: bool) -> Incoming {
    let room = format!(r#"{{"roomId":{room},"title":"{title}","members":["alice"]}}"#);
    message(&format!(r#"{{"type":"SCRoomsResult","rooms":[{room}],"more":{more}}}"#))
}

fn text(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(Line::as_str).collect()
}

fn shown(app: &mut App, message: &Incoming) -> Vec<String> {
    let effects = app.incoming(at(), message);
    assert_eq!(effects.send, [], "nothing is sent");
    effects.show.iter().map(|line| line.as_str().to_owned()).collect()
}

/// The last output of a success, or the error of a failure.
fn ending(app: &mut App, end: &StreamEnd, all_sent: bool) -> Result<String, String> {
    match app.closed(end, all_sent) {
        AfterClose::Succeed(line) => Ok(line.map_or_else(String::new, |line| line.as_str().into())),
        AfterClose::Fail(why) => Err(why),
        AfterClose::Reconnect(lines) => panic!("it goes on: {lines:?}"),
    }
}

fn refused(why: &str) -> Result<String, String> {
    Err(why.to_owned())
}

#[test]
fn a_command_is_sent_and_help_is_shown() {
    let mut app = script();
    assert_eq!(plain(type_in(&mut app, "/rooms").send), [Command::Rooms]);
    assert!(type_in(&mut app, "/help").show.len() > 8);
    assert_eq!(type_in(&mut app, "  "), Effects::default());
}

#[test]
fn a_person_sees_what_was_typed_and_a_script_does_not() {
    let mut app = person();
    let own = |effects: Effects| effects.own.expect("it is a chat").1;
    assert_eq!(text(&own(type_in(&mut app, "hello"))), ["12:03 > hello"]);
    assert_eq!(text(&own(type_in(&mut app, "//x\ny"))), ["12:03 > /x", "        y"]);
    assert_eq!(text(&type_in(&mut app, "/rooms").show), ["> /rooms"]);
    assert_eq!(text(&type_in(&mut app, "/jion").show), ["> /jion"]);
    assert!(type_in(&mut app, " ").show.is_empty());
    assert_eq!(type_in(&mut script(), "hello").own, None);
}

#[test]
fn the_prompt_has_the_room() {
    let mut app = person();
    assert_eq!(app.prompt().full.as_str(), "> ");
    app.incoming(at(), &entered(3, "스터디", 1));
    assert_eq!(app.prompt().full.as_str(), "3 스터디> ");
    app.incoming(at(), &entered(4, "a title of more letters", 1));
    assert_eq!(app.prompt().full.as_str(), "4 a title of more let…> ");
    app.incoming(at(), &entered(12, "아주 긴 제목의 채팅방", 1));
    assert_eq!(app.prompt().full.as_str(), "12 아주 긴 제목의 채팅…> ");
    assert_eq!(app.prompt().short.as_str(), "12> ");
    app.incoming(at(), &coded("room-left"));
    assert_eq!(app.prompt().full.as_str(), "> ");
    // Without fields, only the request is known.
    type_in(&mut app, "/join 5");
    app.incoming(at(), &coded("room-entered"));
    assert_eq!(app.prompt().full.as_str(), "5> ");
    app.closed(&StreamEnd::Clean, false);
    assert_eq!(app.prompt().full.as_str(), "offline> ");
}

#[test]
fn a_room_requested_by_flag_is_known_without_fields_too() {
    let mut app = App::new(Options { join: RoomId::new(3).ok(), ..Options::default() });
    connected(&mut app, 0);
    app.incoming(at(), &coded("room-entered"));
    assert_eq!(app.prompt().full.as_str(), "3> ");
}

#[test]
fn notices_are_in_the_language_of_the_client() {
    let mut app = app(Format::Plain, Lang::Ko, false);
    assert!(shown(&mut app, &coded("not-in-room"))[0].starts_with("* 지금은 방에"));
    app.incoming(at(), &entered(3, "tea", 5));
    let already = ["* 이미 3번 방에 있어요. 먼저 /leave 하세요."];
    assert_eq!(shown(&mut app, &coded("already-in-room")), already);
    assert_eq!(shown(&mut app, &coded("news")), ["* x"]);
}

#[test]
fn the_requests_of_flags_come_first_and_a_refusal_ends_a_script() {
    let options = |format| Options {
        format,
        name: Name::new("bot").ok(),
        join: RoomId::new(3).ok(),
        ..Options::default()
    };
    for format in [Format::Plain, Format::Pretty] {
        let mut app = App::new(options(format));
        let sent = plain(connected(&mut app, 0).send);
        assert!(matches!(sent.as_slice(), [Command::Rename(_), Command::Join(_)]), "{sent:?}");
        assert_eq!(app.incoming(at(), &coded("renamed")).fail, None);
        let refused = app.incoming(at(), &coded("no-such-room"));
        let expected = (format == Format::Plain).then(|| "the server refused --join".to_owned());
        assert_eq!(refused.fail, expected);
        assert_eq!(app.incoming(at(), &coded("no-such-room")).fail, None);
    }
    // With a server that sends no codes, nothing is certain.
    let mut app = App::new(options(Format::Plain));
    connected(&mut app, 0);
    assert_eq!(app.incoming(at(), &message(r#"{"type":"SCSystemMessage","text":"x"}"#)).fail, None);
}

#[test]
fn v8_what_was_refused_looks_refused() {
    let not_in_room = coded("not-in-room");
    let mut app = person();
    let (first, _) = type_in(&mut app, "one\ntwo").own.expect("it is shown as said");
    type_in(&mut app, "/join 5");
    let (second, _) = type_in(&mut app, "three").own.expect("it is shown as said");
    let effects = app.incoming(at(), &not_in_room);
    let (id, lines) = effects.refused.expect("it was refused");
    assert_eq!((id, text(&lines)), (first, vec!["12:03 ! not sent: one", "        two"]));
    assert!(text(&effects.show)[0].starts_with("12:03 * You are in no room."));
    assert_eq!(app.incoming(at(), &coded("no-such-room")).refused, None);
    assert_eq!(app.incoming(at(), &not_in_room).refused.map(|refused| refused.0), Some(second));
    assert_eq!(app.incoming(at(), &not_in_room).refused, None);

    let mut app = script();
    assert_eq!(type_in(&mut app, "hello").own, None);
    let complaint = app.incoming(at(), &not_in_room).complain;
    assert_eq!(complaint.as_deref(), Some("not sent: hello"));
}

#[test]
fn v8_a_command_typed_in_hangul_is_done_and_explained() {
    let mut app = person();
    let effects = type_in(&mut app, "/ㅓㅐㅑㅜ 1");
    assert_eq!(plain(effects.send), [Command::Join(RoomId::FIRST)]);
    assert_eq!(text(&effects.show), ["> /ㅓㅐㅑㅜ 1", "- understood as /join 1"]);
    assert_eq!(text(&type_in(&mut script(), "／rooms").show), ["- understood as /rooms"]);
}

#[test]
fn v6_a_line_for_a_server_that_reads_nothing_is_refused() {
    let mut app = person();
    let effects = app.line(Context { is_congested: true, ..at() }, Ok("hello"));
    assert!(effects.complain.is_some() && effects.send.is_empty() && effects.own.is_none());
    assert!(app.line(Context { is_congested: true, ..at() }, Ok("/quit")).quit);
}

#[test]
fn after_goodbye_any_end_between_messages_is_a_success() {
    let mut app = script();
    app.incoming(at(), &coded("server-stopping"));
    app.incoming(at(), &coded("member-left"));
    let lost = StreamEnd::Lost(IoErrorKind::BrokenPipe);
    for closed in [StreamEnd::Clean, StreamEnd::Unannounced, lost] {
        let stopped = Ok("- the server has stopped".to_owned());
        assert_eq!(ending(&mut app, &closed, false), stopped);
    }
    assert!(ending(&mut app, &StreamEnd::Truncated { held: 1 }, true).is_err());
}

#[test]
fn a_chat_is_no_goodbye() {
    let mut app = script();
    app.incoming(at(), &message(r#"{"type":"SCChat","code":"server-stopping"}"#));
    assert!(ending(&mut app, &StreamEnd::Clean, false).is_err());
}

#[test]
fn a_full_server_did_nothing_of_what_was_sent() {
    for code in ["server-full", "too-many-from-address"] {
        for mut app in [script(), person()] {
            app.incoming(at(), &coded(code));
            assert!(!app.is_served());
            assert!(ending(&mut app, &StreamEnd::Clean, true).is_err());
        }
    }
}

/// Something was not received, so this is a failure even after everything was sent.
#[test]
fn an_evicted_client_fails_or_connects_again() {
    for code in ["frame-timeout", "slow-consumer"] {
        let mut app = script();
        app.incoming(at(), &coded(code));
        let closed = refused("the server closed the connection");
        assert_eq!(ending(&mut app, &StreamEnd::Clean, true), closed, "{code}");
        let mut app = person();
        app.incoming(at(), &coded(code));
        assert!(goes_on(&mut app, &StreamEnd::Clean), "{code}");
    }
}

#[test]
fn a_removed_client_stays_away() {
    for mut app in [script(), person()] {
        app.incoming(at(), &coded("removed"));
        assert!(ending(&mut app, &StreamEnd::Clean, true).is_err());
    }
}

fn goes_on(app: &mut App, closed: &StreamEnd) -> bool {
    matches!(app.closed(closed, false), AfterClose::Reconnect(lines) if !lines.is_empty())
}

#[test]
fn a_lost_connection_is_made_again_if_requested() {
    for closed in
        [StreamEnd::Clean, StreamEnd::Truncated { held: 3 }, StreamEnd::Lost(IoErrorKind::Reset)]
    {
        assert!(goes_on(&mut person(), &closed));
        assert!(!goes_on(&mut script(), &closed));
        let mut leaving = person();
        type_in(&mut leaving, "/quit");
        assert!(!goes_on(&mut leaving, &closed));
    }
    assert!(goes_on(&mut person(), &StreamEnd::Unannounced));
    for closed in [StreamEnd::NotAMessage, StreamEnd::TlsAlert] {
        assert!(!goes_on(&mut person(), &closed));
    }
}

#[test]
fn an_end_without_close_notify_is_not_a_success() {
    let mut app = script();
    assert_eq!(ending(&mut app, &StreamEnd::Clean, true), Ok(String::new()));
    assert!(ending(&mut app, &StreamEnd::Unannounced, true).is_err());
}

#[test]
fn a_server_that_demands_tls_is_not_tried_again() {
    for mut app in [script(), person()] {
        app.incoming(at(), &coded("tls-required"));
        for end in [StreamEnd::Clean, StreamEnd::Lost(IoErrorKind::Reset)] {
            let why = ending(&mut app, &end, true).expect_err("nothing was done");
            assert!(why.contains("--tls-fingerprint="), "{why}");
        }
    }
}

#[test]
fn a_stopped_server_may_come_back_unless_we_stopped_it() {
    let stopping = coded("server-stopping");
    let mut app = person();
    app.incoming(at(), &stopping);
    assert!(goes_on(&mut app, &StreamEnd::Clean));
    let mut app = person();
    type_in(&mut app, "/shutdown");
    app.incoming(at(), &stopping);
    assert!(ending(&mut app, &StreamEnd::Clean, false).is_ok());
}

#[test]
fn a_full_server_is_tried_again_on_the_way_back() {
    let mut app = person();
    app.incoming(at(), &coded("not-in-room"));
    assert!(app.is_served() && goes_on(&mut app, &StreamEnd::Clean));
    connected(&mut app, 3);
    app.incoming(at(), &coded("server-full"));
    assert!(!app.is_served() && goes_on(&mut app, &StreamEnd::Clean));
}

#[test]
fn a_line_without_a_connection_is_refused() {
    let mut app = person();
    app.closed(&StreamEnd::Clean, false);
    let effects = type_in(&mut app, "hello");
    assert!(effects.complain.is_some() && effects.send.is_empty());
    assert_eq!(text(&effects.show), ["> hello"]);
    assert!(type_in(&mut app, "/quit").quit);
}

/// A person called bob in room 3, "tea", where broadcast 7 was the last, and no connection.
fn lost() -> App {
    let mut app = person();
    type_in(&mut app, "/name bob");
    app.incoming(at(), &coded("renamed"));
    app.incoming(at(), &entered(3, "tea", 5));
    app.incoming(at(), &message(r#"{"type":"SCChat","roomId":3,"seq":7}"#));
    assert!(goes_on(&mut app, &StreamEnd::Clean));
    let back = connected(&mut app, 4);
    assert!(back.show[0].as_str().contains(" 4 s"), "{back:?}");
    let sent = plain(back.send);
    assert!(matches!(sent.as_slice(), [Command::Rename(_), Command::Rooms]), "{sent:?}");
    app
}

#[test]
fn the_client_returns_to_its_room_and_says_how_much_it_missed() {
    let mut app = lost();
    app.incoming(at(), &coded("renamed"));
    assert_eq!(shown(&mut app, &list(1, "tea", true)), [""; 0]);
    let found = app.incoming(at(), &list(3, "tea", false));
    assert!(found.show.is_empty());
    assert_eq!(plain(found.send), [Command::Join(RoomId::new(3).expect("above 0"))]);
    // We left with 8 and came back with 12.
    let back = entered(3, "tea", 12);
    assert_eq!(
        shown(&mut app, &back),
        [
            "12:03 * You are in room 3, \"tea\", now.",
            "- messages and notices missed in this room: at least 3"
        ]
    );
    assert_eq!(shown(&mut app, &back).len(), 1);
}

#[test]
fn another_room_with_the_same_number_is_not_entered() {
    let mut app = lost();
    let gone = ["- room 3 is gone. To create it again: /create tea"];
    assert_eq!(shown(&mut app, &list(3, "coffee", false)), gone);
    assert_eq!(app.prompt().full.as_str(), "> ");
    // Lists are shown again.
    assert_eq!(shown(&mut app, &list(3, "tea", false)).len(), 2);
}

#[test]
fn a_room_is_not_forgotten_when_the_connection_is_lost_again() {
    let mut app = lost();
    assert!(goes_on(&mut app, &StreamEnd::Clean));
    assert_eq!(connected(&mut app, 9).send.len(), 2);
    assert_eq!(app.incoming(at(), &list(3, "tea", false)).send.len(), 1);
    assert!(goes_on(&mut app, &StreamEnd::Clean));
    assert_eq!(connected(&mut app, 9).send.len(), 2);
}
