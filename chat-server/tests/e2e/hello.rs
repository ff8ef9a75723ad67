//! Clients that say hello: what only they are granted and answered, and what stays as it is for the others.

use chat_server::MessageKind;
use serde_json::Value;

use crate::support::{Client, Pair, lasting, receive, start};

/// Says hello to get these features. Returns the welcome.
fn ask_for(client: &mut Client, features: &str) -> Value {
    client.send(format!(r#"{{"type":"CSHello","client":"test/1","features":[{features}]}}"#));
    let welcome = receive(client);
    assert_eq!(welcome["type"], "SCWelcome", "{welcome}");
    welcome
}

#[test]
fn a_hello_is_welcomed_with_what_is_granted() {
    let server = start();
    let mut client = Client::connect(server.address());
    let welcome = ask_for(&mut client, r#""members","telepathy","ack""#);
    assert_eq!(welcome["features"], serde_json::json!(["ack", "members"]));
    assert_eq!(welcome["name"], format!("user{}", welcome["session"]));
    assert!(welcome["server"].as_str().is_some_and(|name| name.starts_with("chat-server/")));
    assert!(welcome["time"].as_u64().is_some_and(|time| time > 1_700_000_000_000));
    assert_eq!(welcome.get("resume"), None);
    client.send(r#"{"type":"CSPing","id":"p"}"#);
    let refused = receive(&mut client);
    assert_eq!((&refused["code"], &refused["re"]), (&"unknown-type".into(), &"p".into()));
    let mut other = Client::connect(server.address());
    assert_eq!(ask_for(&mut other, "")["epoch"], welcome["epoch"]);
    assert_eq!(server.stats().received.count(MessageKind::Hello), 2);
}

#[test]
fn a_chat_is_acknowledged_after_what_was_said_before_it_and_said_once() {
    let server = start();
    let Pair { mut ann, mut bob, room, .. } = Pair::enter(&server);
    bob.chat("before");
    ann.expect_chat("user2", "before");
    let said = r#"{"type":"CSChat","text":"hi","id":"one"}"#;
    for _ in 0..3 {
        ann.send(said);
        let ack = receive(&mut ann);
        assert_eq!((&ack["type"], &ack["re"]), (&"SCAck".into(), &"one".into()));
        assert_eq!((&ack["roomId"], &ack["seq"]), (&room.into(), &3.into()));
        assert!(ack["at"].as_u64().is_some_and(|at| at > 1_700_000_000_000));
    }
    bob.expect_chat("Ann", "hi");
    ann.send(r#"{"type":"CSChat","text":"again","id":"two"}"#);
    assert_eq!(receive(&mut ann)["seq"], 4);
    bob.expect_chat("Ann", "again");
}

#[test]
fn every_answer_has_the_id_of_its_request() {
    let server = start();
    let ((mut ann, _), mut bob) = (lasting(&server), server.client());
    let mut expect = |request: &str, answer: &str| {
        ann.send(request.replace('}', r#","id":"x"}"#));
        let received = receive(&mut ann);
        let kind = received.get("code").unwrap_or(&received["type"]);
        assert_eq!((kind, &received["re"]), (&answer.into(), &"x".into()), "{request}");
        received
    };
    expect(r#"{"type":"CSName","name":"Ann"}"#, "renamed");
    expect(r#"{"type":"CSRooms"}"#, "SCRoomsResult");
    expect(r#"{"type":"CSMembers"}"#, "not-in-room");
    expect(r#"{"type":"CSCreateRoom","title":"room"}"#, "room-created");
    expect(r#"{"type":"CSCreateRoom","title":"room"}"#, "already-in-room");
    let members = expect(r#"{"type":"CSMembers","roomId":1}"#, "SCMembers");
    assert_eq!(members["members"], serde_json::json!(["Ann"]));
    let pong = expect(r#"{"type":"CSPing"}"#, "SCPong");
    assert_eq!((&pong["roomId"], &pong["seq"]), (&1.into(), &0.into()));
    expect(r#"{"type":"CSChat"}"#, "bad-request");
    expect(r#"{"type":"CSLeaveRoom"}"#, "room-left");
    expect(r#"{"type":"CSJoinRoom","roomId":1}"#, "no-such-room");
    let room = bob.enter_new("other");
    expect(&format!(r#"{{"type":"CSJoinRoom","roomId":{room}}}"#), "room-entered");
    expect(r#"{"type":"CSName","name":"Bea"}"#, "renamed");
    bob.expect_code("member-entered");
    bob.expect_code("renamed");
    bob.expect_nothing();
}

#[test]
fn whoever_says_no_hello_finds_nothing_changed() {
    let server = start();
    let mut plain = server.client();
    plain.send(r#"{"type":"CSRooms","id":5,"after":"x","features":{}}"#);
    assert_eq!(plain.expect_rooms(), []);
    // A hello is the first frame, or none.
    for unknown in ["CSHello", "CSPing", "CSMembers", "CSHistory"] {
        plain.send(format!(r#"{{"type":"{unknown}","client":"c","features":[]}}"#));
        plain.expect_code("unknown-type");
    }
    let mut first = Client::connect(server.address());
    first.send(r#"{"type":"CSHello","client":"c"}"#);
    first.expect_code("bad-request");
    first.expect_end();
}

/// More than a frame has room for.
#[test]
fn members_come_complete_in_several_frames() {
    const MEMBERS: usize = 700;
    let server = start();
    let (mut ann, _) = lasting(&server);
    let room = ann.enter_new("crowd");
    let long = "x".repeat(26);
    let crowd: Vec<_> = (0..MEMBERS)
        .map(|n| {
            let mut member = server.client();
            member.be(&format!("{long} {n:03}"));
            member.enter(room);
            ann.expect_code("member-entered");
            member
        })
        .collect();
    ann.send(r#"{"type":"CSMembers","id":"m"}"#);
    let members = receive(&mut ann);
    assert_eq!(members["memberCount"], MEMBERS + 1);
    let names = members["members"].as_array().expect("a list");
    assert_eq!(names.len(), MEMBERS + 1);
    assert_eq!((&names[0], &names[1]), (&"user1".into(), &format!("{long} 000").into()));
    drop(crowd);
}
