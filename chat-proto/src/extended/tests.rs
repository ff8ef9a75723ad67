//! Hellos and requests as they are read, answers as they are written.

use super::*;
use crate::{Command, Field, Framing, HEADER_LEN, MAX_PAYLOAD, Name, Rejection, RoomId, Text};

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    assert_eq!(Framing::Length.frame_len(&out), Some(out.len()));
    String::from_utf8(out.split_off(HEADER_LEN)).expect("JSON is UTF-8")
}

fn room(number: u64) -> RoomId {
    RoomId::new(number).expect("above 0")
}

fn hello(json: &str) -> Option<Result<Hello, Rejection>> {
    Hello::parse(json)
}

fn ask(json: &str) -> Result<Ask, Rejection> {
    Request::parse(json).ask
}

#[test]
fn a_hello_says_what_is_understood_and_the_unknown_is_ignored() {
    let parsed =
        hello(r#"{"x":[1],"type":"CSHello","client":"c/1","features":["ack","telepathy","ping"]}"#);
    let features = [Feature::Ping, Feature::Ack].into_iter().collect();
    assert_eq!(parsed, Some(Ok(Hello { client: "c/1".into(), features, resume: None })));
    let token = "0123456789abcdef0123456789abcdef";
    let json = Hello::to_json("c", Features::all(), Some((token, Some((3, 7)))));
    let Some(Ok(Hello { features, resume, .. })) = hello(&json) else { panic!("{json}") };
    assert_eq!(features, Features::all());
    let token = ResumeToken::parse(token);
    assert!(token.is_some());
    let room = RoomId::new(3).ok();
    assert_eq!(resume, Some(Resume { token, after: Some(7), room }));
    assert_eq!(
        hello(r#"{"type":"CSHello","client":"c","features":[],"resume":"old"}"#),
        Some(Ok(Hello {
            client: "c".into(),
            features: Features::NONE,
            resume: Some(Resume { token: None, after: None, room: None }),
        })),
        "a token of another server"
    );
}

#[test]
fn a_hello_that_is_wrong_is_told_what_is() {
    for (fields, rejection) in [
        (r#""features":[]"#, Rejection::Missing(Field::Client)),
        (r#""client":"c""#, Rejection::Missing(Field::Features)),
        (r#""client":1,"features":[]"#, Rejection::WrongKind(Field::Client)),
        (r#""client":"a\nb","features":[]"#, Rejection::WrongKind(Field::Client)),
        (r#""client":"","features":[]"#, Rejection::WrongKind(Field::Client)),
        (r#""client":"c","features":"ack""#, Rejection::WrongKind(Field::Features)),
        (r#""client":"c","features":{"ack":1}"#, Rejection::WrongKind(Field::Features)),
        (r#""client":"c","features":["ack",1]"#, Rejection::WrongKind(Field::Features)),
        (r#""client":"c","features":[],"resume":5"#, Rejection::WrongKind(Field::Resume)),
        (
            r#""client":"c","features":[],"resume":"x","after":-1"#,
            Rejection::WrongKind(Field::After),
        ),
        (
            r#""client":"c","features":[],"resume":"x","roomId":0"#,
            Rejection::WrongKind(Field::RoomId),
        ),
    ] {
        let json = format!(r#"{{"type":"CSHello",{fields}}}"#);
        assert_eq!(hello(&json), Some(Err(rejection)), "{json}");
    }
}

#[test]
fn what_is_no_hello_is_left_to_others() {
    for other in
        ["", "{", "[]", "1", "{}", r#"{"type":"CSRooms"}"#, r#"{"type":["CSHello"]}"#, "\u{0}"]
    {
        assert_eq!(hello(other), None, "{other}");
    }
}

#[test]
fn a_request_has_its_id_whatever_it_asks() {
    let request = Request::parse(r#"{"type":"CSChat","text":"hi","id":"7"}"#);
    assert_eq!(request.id, Some(RequestId::new("7").expect("an id")));
    assert_eq!(request.ask, Ok(Ask::Command(Command::Chat(Text::new("hi").expect("a text")))));
    let request = Request::parse(r#"{"type":"CSFly","id":"8"}"#);
    assert_eq!(request.id, Some(RequestId::new("8").expect("an id")));
    assert_eq!(request.ask, Err(Rejection::UnknownType));
    let longest = "😀".repeat(MAX_REQUEST_ID_CHARS);
    let request = Request::parse(&format!(r#"{{"type":"CSPing","id":"{longest}"}}"#));
    assert_eq!(request.id.map(|id| id.to_string()), Some(longest.clone()));
    for wrong in ["1", "\"\"", "null", "{}", &format!("\"{longest}x\"")] {
        let request = Request::parse(&format!(r#"{{"type":"CSPing","id":{wrong}}}"#));
        let rejection = Err(Rejection::WrongKind(Field::Id));
        assert_eq!((request.id, request.ask), (None, rejection), "{wrong}");
    }
}

#[test]
fn requests_are_those_of_any_client_and_more() {
    let history = |since, limit| Ok(Ask::History { room: room(3), since, limit });
    for (json, expected) in [
        (r#"{"type":"CSRooms"}"#, Ok(Ask::Command(Command::Rooms))),
        (r#"{"type":"CSJoinRoom","roomId":"3"}"#, Ok(Ask::Command(Command::Join(room(3))))),
        (
            r#"{"type":"CSJoinRoom","roomId":3,"history":20}"#,
            Ok(Ask::Join { room: room(3), since: Since::Last(20) }),
        ),
        (
            r#"{"type":"CSJoinRoom","roomId":3,"after":9,"history":20}"#,
            Ok(Ask::Join { room: room(3), since: Since::After(9) }),
        ),
        (r#"{"type":"CSHistory","roomId":3}"#, history(Since::Last(200), 50)),
        (r#"{"type":"CSHistory","roomId":3,"after":0,"limit":7}"#, history(Since::After(0), 7)),
        (
            r#"{"type":"CSHistory","roomId":3,"before":5,"limit":99999999999999}"#,
            history(Since::Before(5), MAX_HISTORY),
        ),
        (r#"{"type":"CSHistory","after":5}"#, Err(Rejection::Missing(Field::RoomId))),
        (r#"{"type":"CSHistory","roomId":3,"after":"5"}"#, Err(Rejection::WrongKind(Field::After))),
        (r#"{"type":"CSHistory","roomId":3,"limit":1.5}"#, Err(Rejection::WrongKind(Field::Limit))),
        (r#"{"type":"CSMembers"}"#, Ok(Ask::Members(None))),
        (r#"{"type":"CSMembers","roomId":3}"#, Ok(Ask::Members(Some(room(3))))),
        (r#"{"type":"CSMembers","roomId":0}"#, Err(Rejection::WrongKind(Field::RoomId))),
        (r#"{"type":"CSPing"}"#, Ok(Ask::Ping)),
        (r#"{"type":"CSHello","client":"c","features":[]}"#, Err(Rejection::UnknownType)),
        (r#"{"text":"x"}"#, Err(Rejection::Missing(Field::Type))),
        ("[]", Err(Rejection::NotAnObject)),
        ("", Err(Rejection::EmptyFrame)),
    ] {
        assert_eq!(ask(json), expected, "{json}");
    }
    assert!(matches!(ask(r#"{"type":"CSPing","type":"CSPing"}"#), Err(Rejection::NotJson { .. })));
}

#[test]
fn answers_are_as_documented() {
    let name = Name::new("Ann").expect("a name");
    let limits = Limits { payload: 65_535, unacknowledged: 256, history: 200 };
    let mut welcome = Welcome {
        server: "chat-server/0.1.0",
        epoch: "5f",
        session: 7,
        name: &name,
        features: [Feature::Ack, Feature::Ping].into_iter().collect(),
        limits,
        time: 1_700_000_000_000,
        resume: None,
        resume_time: None,
        resumed: None,
        room_id: None,
    };
    let head = r#"{"type":"SCWelcome","server":"chat-server/0.1.0","epoch":"5f","session":7,"name":"Ann","features":["ack","ping"],"limits":{"payload":65535,"unacknowledged":256,"history":200},"time":1700000000000"#;
    let text = written(|out| Answer::Welcome(&welcome).write_framed(Framing::Length, out));
    assert_eq!(text, format!("{head}}}"));
    welcome.resume = Some(ResumeToken::new([0xab; 16]));
    welcome.resume_time = Some(60);
    welcome.resumed = Some(true);
    welcome.room_id = Some(room(3));
    let text = written(|out| Answer::Welcome(&welcome).write_framed(Framing::Length, out));
    let token = "ab".repeat(16);
    let tail = format!(r#","resume":"{token}","resumeTime":60,"resumed":true,"roomId":3}}"#);
    assert_eq!(text, format!("{head}{tail}"));

    let re = RequestId::new("a\"b").expect("an id");
    for (answer, expected) in [
        (
            Answer::Ack { re: &re, room: room(3), seq: 9, at: 5 },
            r#"{"type":"SCAck","re":"a\"b","roomId":3,"seq":9,"at":5}"#,
        ),
        (Answer::Pong { re: None, time: 5, room: None }, r#"{"type":"SCPong","time":5}"#),
        (
            Answer::Pong { re: Some(&re), time: 5, room: Some((room(3), 9)) },
            r#"{"type":"SCPong","re":"a\"b","time":5,"roomId":3,"seq":9}"#,
        ),
    ] {
        assert_eq!(written(|out| answer.write_framed(Framing::Length, out)), expected);
    }
}

#[test]
fn members_come_in_as_many_frames_as_they_need() {
    let re = RequestId::new("m").expect("an id");
    let text = written(|out| {
        let next = write_members_page(Framing::Length, Some(&re), room(1), 0, [], out);
        assert_eq!(next, None);
    });
    assert_eq!(text, r#"{"type":"SCMembers","re":"m","roomId":1,"memberCount":0,"members":[]}"#);
    let names: Vec<_> = (1..=9_000).map(Name::default_for).collect();
    let (mut listed, mut frames) = (Vec::new(), 0);
    loop {
        let mut rest = None;
        let text = written(|out| {
            let members = &names[listed.len()..];
            rest = write_members_page(Framing::Length, None, room(1), names.len(), members, out);
        });
        let page: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let page_names = page["members"].as_array().expect("a list");
        listed.extend(page_names.iter().map(|name| name.as_str().expect("a name").to_owned()));
        assert_eq!(page.get("more").is_some(), rest.is_some());
        frames += 1;
        if rest.is_none() {
            break;
        }
    }
    assert!(frames > 1);
    assert!(names.iter().map(Name::as_str).eq(listed.iter().map(String::as_str)));
}

#[test]
fn history_is_what_was_broadcast_with_its_time() {
    let head = HistoryHead { re: None, room: room(3), from: 4, more: true, gap: false };
    let events = [
        Event { seq: 4, at: 10, payload: br#"{"type":"SCChat","seq":4}"# },
        Event { seq: 5, at: 20, payload: br#"{"type":"SCChat","seq":5}"# },
    ];
    assert_eq!(
        written(|out| head.write(Framing::Length, events, out)),
        r#"{"type":"SCHistory","roomId":3,"events":[{"type":"SCChat","seq":4,"at":10},{"type":"SCChat","seq":5,"at":20}],"from":4,"to":5,"more":true,"gap":false}"#
    );
    let id = RequestId::new("h").expect("an id");
    let head = HistoryHead { re: Some(&id), more: false, gap: true, ..head };
    assert_eq!(
        written(|out| head.write(Framing::Length, [], out)),
        r#"{"type":"SCHistory","re":"h","roomId":3,"events":[],"from":4,"to":3,"more":false,"gap":true}"#
    );
}

#[test]
fn a_full_history_fits_a_frame() {
    let id = RequestId::new(&"\u{1}".repeat(64)).expect("an id");
    let payload = format!(r#"{{"text":"{}"}}"#, "x".repeat(20_000));
    let events = (1..=9).map(|seq| Event { seq, at: u64::MAX, payload: payload.as_bytes() });
    let fitting = HistoryHead::SPACE / events.clone().next().expect("the first").space();
    let (re, from) = (Some(&id), u64::MAX - 9);
    let head = HistoryHead { re, room: room(u64::MAX), from, more: false, gap: false };
    let text = written(|out| head.write(Framing::Length, events.take(fitting), out));
    assert!(text.ends_with(r#""more":false,"gap":false}"#) && text.len() <= MAX_PAYLOAD);
}
