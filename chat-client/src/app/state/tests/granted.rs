//! What is done with each feature that a server grants.

use std::time::Duration;

use super::*;
use chat_proto::extended::Since;
use chat_proto::{IncomingWelcome, Received};

fn received(json: &str) -> Received {
    Received::parse(json.as_bytes()).expect("it is a message")
}

fn welcome(epoch: &str, features: &str, rest: &str) -> IncomingWelcome {
    let json = format!(
        r#"{{"type":"SCWelcome","epoch":"{epoch}","name":"user1","features":[{features}]{rest}}}"#
    );
    match received(&json) {
        Received::Welcome(welcome) => welcome,
        other => panic!("{other:?}"),
    }
}

const ALL: &str = r#""ack","history","members","ping","resume""#;
const TOKEN: &str = r#","resume":"ab","resumeTime":60"#;

fn granted(format: Format, features: &str) -> App {
    let mut app = App::new(Options { format, reconnect: true, ..Options::default() });
    let effects = app.connected(0, Some(&welcome("e", features, TOKEN)), Instant::now());
    assert_eq!(effects, Effects::default());
    app
}

fn take(app: &mut App, json: &str) -> Effects {
    app.received(at(), &received(json))
}

fn plain_message(app: &mut App, message: Incoming) -> Effects {
    app.received(at(), &Received::Plain { message, re: None })
}

fn join(since: Since) -> ClientRequest {
    ClientRequest::Join { room: RoomId::new(3).expect("above 0"), since }
}

fn lines(effects: &Effects) -> Vec<&str> {
    text(&effects.show)
}

/// A history of room 3, of chats with these numbers.
fn history(seqs: &[u64], more: bool, gap: bool) -> String {
    let event = |seq: &u64| {
        format!(
            r#"{{"type":"SCChat","member":"ann","text":"{seq}","seq":{seq},"at":{}}}"#,
            seq * 1_000
        )
    };
    let events: Vec<String> = seqs.iter().map(event).collect();
    let to = seqs.last().map(|to| format!(r#","to":{to}"#)).unwrap_or_default();
    format!(
        r#"{{"type":"SCHistory","roomId":3,"events":[{}],"more":{more},"gap":{gap}{to}}}"#,
        events.join(",")
    )
}

fn live(seq: u64) -> String {
    format!(r#"{{"type":"SCChat","member":"ann","text":"{seq}","roomId":3,"seq":{seq}}}"#)
}

/// A person in room 3, where broadcast 5 was the last, without a connection.
fn cut_off(app: &mut App) {
    plain_message(app, entered(3, "tea", 5));
    assert!(goes_on(app, &StreamEnd::Clean));
}

fn resume(app: &mut App, rest: &str) -> Effects {
    let welcome = welcome("e", ALL, &format!(r#"{TOKEN},"resumed":true{rest}"#));
    app.connected(4, Some(&welcome), Instant::now())
}

#[test]
fn people_see_what_was_said_before_and_programs_what_is_said() {
    let mut app = granted(Format::Pretty, ALL);
    assert_eq!(type_in(&mut app, "/join 3").send, [join(Since::Last(20))]);
    let effects = plain_message(&mut app, entered(3, "tea", 5));
    assert!(matches!(effects.send.as_slice(), [ClientRequest::Members { .. }]), "{effects:?}");
    let shown = take(&mut app, &history(&[3, 4, 5, 6], false, false));
    let expected =
        ["- said before you came:", "00:03 ann: 3", "00:04 ann: 4", "- said from now on:"];
    assert_eq!(lines(&shown), expected);
    assert_eq!(lines(&take(&mut app, &live(6))), ["12:03 ann: 6"]);
    assert!(take(&mut app, &history(&[7], false, false)).show.is_empty(), "nobody asked");

    let mut app = granted(Format::Plain, ALL);
    let sent = type_in(&mut app, "/join 3").send;
    assert_eq!(plain(sent), [Command::Join(RoomId::new(3).expect("above 0"))]);
    assert_eq!(plain_message(&mut app, entered(3, "tea", 5)).send, []);
}

#[test]
fn an_empty_room_has_no_history_to_set_apart() {
    let mut app = granted(Format::Pretty, ALL);
    plain_message(&mut app, entered(3, "tea", 1));
    assert!(take(&mut app, &history(&[], false, false)).show.is_empty());
}

#[test]
fn what_was_missed_comes_in_pages_before_what_is_live() {
    let mut app = granted(Format::Pretty, ALL);
    cut_off(&mut app);
    let hello = app.hello(Duration::ZERO);
    assert_eq!(hello.resume, Some(("ab".to_owned(), Some((3, 5)))));
    let effects = resume(&mut app, r#","roomId":3"#);
    assert_eq!(effects, Effects::default(), "the history says the rest");
    let effects = take(&mut app, &history(&[6, 7], true, false));
    assert_eq!(
        lines(&effects),
        [
            "- connected again after 4 s; messages and notices missed: at least 2",
            "00:06 ann: 6",
            "00:07 ann: 7"
        ]
    );
    let room = RoomId::new(3).expect("above 0");
    assert_eq!(effects.send, [ClientRequest::History { room, after: 7, limit: 200 }]);
    assert_eq!(lines(&take(&mut app, &live(9))), [""; 0], "it will be in the next page");
    let effects = take(&mut app, &history(&[8, 9], false, false));
    assert_eq!((lines(&effects), effects.send.len()), (vec!["00:08 ann: 8", "00:09 ann: 9"], 0));
    assert_eq!(lines(&take(&mut app, &live(10))), ["12:03 ann: 10"]);
}

#[test]
fn a_gap_is_told_and_nothing_missed_as_well() {
    let mut app = granted(Format::Pretty, ALL);
    cut_off(&mut app);
    resume(&mut app, r#","roomId":3"#);
    let gap = "- some of what was said is missing here; the server no longer has it";
    let effects = take(&mut app, &history(&[9], false, true));
    let [head, second, third] = lines(&effects)[..] else { panic!("{effects:?}") };
    assert!(head.ends_with("missed: at least 1"), "{head}");
    assert_eq!([second, third], [gap, "00:09 ann: 9"]);
    assert!(goes_on(&mut app, &StreamEnd::Clean));
    resume(&mut app, r#","roomId":3"#);
    let effects = take(&mut app, &history(&[], false, false));
    assert_eq!(lines(&effects), ["- connected again after 4 s; nothing was missed."]);
}

#[test]
fn a_room_that_changed_behind_the_clients_back_is_told() {
    let mut app = granted(Format::Pretty, ALL);
    cut_off(&mut app);
    let effects = resume(&mut app, r#","roomId":9"#);
    assert_eq!(lines(&effects), ["- connected again after 4 s.", "- you are in room 9 now"]);
    assert_eq!(app.prompt().full.as_str(), "9> ");
    // What was said there since it entered.
    let effects = take(&mut app, &history(&[5], false, false).replace(":3,", ":9,"));
    assert_eq!(lines(&effects), ["00:05 ann: 5"]);
    assert_eq!(app.hello(Duration::ZERO).resume, Some(("ab".to_owned(), Some((9, 5)))));
    assert!(goes_on(&mut app, &StreamEnd::Clean));
    let effects = resume(&mut app, "");
    assert_eq!(lines(&effects), ["- connected again after 4 s.", "- you are in no room now"]);
    assert_eq!(app.prompt().full.as_str(), "> ");
}

#[test]
fn another_epoch_makes_other_numbers() {
    for (epoch, since) in [("e", Since::After(5)), ("f", Since::Last(50))] {
        let mut app = granted(Format::Pretty, ALL);
        cut_off(&mut app);
        let welcome = welcome(epoch, ALL, TOKEN);
        assert_eq!(plain(app.connected(4, Some(&welcome), Instant::now()).send), [Command::Rooms]);
        let found = plain_message(&mut app, list(3, "tea", false));
        assert_eq!(found.send, [join(since)]);
        assert_eq!(lines(&plain_message(&mut app, entered(3, "tea", 9))).len(), 1);
        let shown = take(&mut app, &history(&[6, 7], false, false));
        let is_set_apart = lines(&shown)[0] == "- said before you came:";
        assert_eq!(is_set_apart, epoch == "f", "{shown:?}");
    }
}

#[test]
fn the_name_of_a_session_is_the_one_that_was_chosen() {
    let mut app = granted(Format::Plain, ALL);
    type_in(&mut app, "/name bob");
    let mut renamed = coded("renamed");
    (renamed.from, renamed.to) = (Some("user1".to_owned()), Some("bob".to_owned()));
    plain_message(&mut app, renamed);
    assert!(goes_on(&mut app, &StreamEnd::Clean));
    // A session that had begun, and had not got the name yet.
    let name = Name::new("bob").expect("a name");
    assert_eq!(plain(resume(&mut app, "").send), [Command::Rename(name)]);
}

#[test]
fn chats_that_were_not_acknowledged_are_sent_again_or_told() {
    for format in [Format::Pretty, Format::Plain] {
        let mut app = granted(format, ALL);
        let sent = ["one", "two"].map(|line| type_in(&mut app, line).send);
        let AfterClose::Reconnect(told) = app.closed(&StreamEnd::Clean, false) else {
            panic!("it goes on")
        };
        assert_eq!(text(&told)[2..], ["- not yet sent: one", "- not yet sent: two"]);
        assert_eq!(resume(&mut app, "").send, sent.concat());
        assert_eq!(
            lines(&take(&mut app, r#"{"type":"SCAck","re":"1","roomId":3,"seq":6}"#)),
            ["- sent now: one"]
        );
        assert!(goes_on(&mut app, &StreamEnd::Clean));
        let effects = app.connected(4, Some(&welcome("e", ALL, TOKEN)), Instant::now());
        let lost = match format {
            Format::Pretty => lines(&effects)[1..].to_vec(),
            Format::Plain => effects.lost.iter().map(String::as_str).collect(),
        };
        assert!(lost.len() == 1 && lost[0].ends_with("perhaps not sent: two"), "{lost:?}");
        assert_eq!(app.lost_chats(), [""; 0], "once");
    }
}

#[test]
fn nothing_is_said_in_another_room_than_it_was_meant_for() {
    let mut app = granted(Format::Pretty, ALL);
    plain_message(&mut app, entered(3, "tea", 5));
    for line in ["here", "/leave", "/join 4", "there"] {
        type_in(&mut app, line);
    }
    let AfterClose::Reconnect(told) = app.closed(&StreamEnd::Clean, false) else {
        panic!("it goes on")
    };
    assert_eq!(text(&told)[2..], ["- perhaps not sent: there", "- not yet sent: here"]);
    let sent = resume(&mut app, r#","roomId":3"#).send;
    assert!(
        matches!(sent.as_slice(), [ClientRequest::Chat { text, .. }] if text.as_str() == "here")
    );
}

#[test]
fn a_chat_waits_so_long_and_is_told_of() {
    let mut app = granted(Format::Pretty, ALL);
    assert_eq!(app.deadline(), None);
    for n in 0..7 {
        type_in(&mut app, &n.to_string());
    }
    let deadline = app.deadline().expect("something has to be acknowledged");
    let effects = app.time_passed(deadline + Duration::from_secs(1));
    assert_eq!(lines(&effects)[4..], ["- not yet sent: 4", "- not yet sent: 2 more"]);
    assert_eq!(app.deadline(), None);
}

#[test]
fn a_refusal_is_known_by_the_id_of_the_chat() {
    let mut app = granted(Format::Pretty, ALL);
    let [first, second] =
        ["one", "two"].map(|line| type_in(&mut app, line).own.expect("it is shown").0);
    let refusal = r#"{"type":"SCSystemMessage","text":"x","code":"not-in-room","re":"2"}"#;
    let (id, shown) = take(&mut app, refusal).refused.expect("it was refused");
    assert_eq!((id, text(&shown)), (second, vec!["12:03 ! not sent: two"]));
    assert_ne!(first, second);
    assert_eq!(app.lost_chats(), ["perhaps not sent: one"]);
}

#[test]
fn whoever_leaves_ends_the_session_if_it_would_go_on() {
    for (features, ends) in [(ALL, true), (r#""ack""#, false)] {
        let mut app = granted(Format::Pretty, features);
        let effects = type_in(&mut app, "/quit");
        assert!(effects.quit);
        assert_eq!(effects.send == [ClientRequest::Quit], ends, "{effects:?}");
    }
}

#[test]
fn who_is_answered_by_the_list_of_rooms_if_there_is_no_better() {
    let mut app = person();
    app.incoming(at(), &entered(3, "tea", 5));
    assert_eq!(plain(type_in(&mut app, "/who").send), [Command::Rooms]);
    assert_eq!(shown(&mut app, &list(4, "tea", true)), [""; 0]);
    assert_eq!(shown(&mut app, &list(3, "tea", false)).len(), 2);
    assert!(type_in(&mut app, "/who all").complain.is_some());
    app.closed(&StreamEnd::Clean, false);
    assert!(type_in(&mut app, "/who").complain.is_some());
}

#[test]
fn a_session_that_goes_on_elsewhere_is_left_there() {
    let mut app = granted(Format::Pretty, ALL);
    plain_message(&mut app, coded("resumed-elsewhere"));
    let end = ending(&mut app, &StreamEnd::Clean, false);
    assert_eq!(end, refused("your session goes on over another connection"));
}
