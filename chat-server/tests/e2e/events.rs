//! The events of a server, as the program around it observes them.

use std::io::Write;
use std::iter;
use std::net::TcpStream;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use chat_server::{CloseReason, Config, Event, Events, OperatorText, RoomId, Server, SessionId};

use serde_json::{Value, json};

use crate::support::{Client, DEADLINE, RunningServer, frame, receive};

const ROOM: RoomId = RoomId::FIRST;

/// A server under observation, with `change` applied to its configuration.
fn observed(capacity: usize, change: impl FnOnce(&mut Config)) -> (RunningServer, Events) {
    let mut config = Config::default();
    config.limits.lift_rates();
    change(&mut config);
    let mut server = Server::bind(config).expect("a free port");
    let events = server.observe(capacity);
    (RunningServer::of(server.spawn().expect("a thread")), events)
}

/// An event as a line, with everything in it but the peer's address.
fn line(event: &Event) -> String {
    match event {
        Event::Connected { session, name, .. } => format!("{session} connected as {name}"),
        Event::Named { session, from, to, room, .. } => {
            let room = room.map(|(room, seq)| format!(", {room}:{seq}")).unwrap_or_default();
            format!("{session} renamed {from} to {to}{room}")
        }
        Event::RoomCreated { room, title, session, .. } => format!("{session} made {room} {title}"),
        Event::Entered { session, name, room, .. } => format!("{session} {name} entered {room}"),
        Event::Said { session, name, room, seq, text, .. } => {
            format!("{session} {name} said {room}:{seq} {text:?}", text = text.as_str())
        }
        Event::Left { session, name, room, .. } => format!("{session} {name} left {room}"),
        Event::RoomClosed { room, .. } => format!("{room} closed"),
        Event::StopRequested { session, name, .. } => format!("{session} {name} stops"),
        Event::Ended { session, name, reason, .. } => format!("{session} {name} ended: {reason}"),
        Event::Detached { session, name, reason, .. } => {
            format!("{session} {name} detached: {reason}")
        }
        Event::Resumed { session, from, name, room, .. } => {
            let room = room.map(|room| format!(" in {room}")).unwrap_or_default();
            format!("{session} {name} resumed {from}{room}")
        }
        Event::Missed { events, .. } => format!("{events} missed"),
        other => panic!("{other:?}"),
    }
}

/// All events to the end, as lines.
fn lines(events: Events) -> Vec<String> {
    events.map(|event| line(&event)).collect()
}

fn next(events: &Events) -> Event {
    events.recv_timeout(DEADLINE).expect("an event")
}

/// Receives the next event, which must be a connection. Returns its session.
fn connected(events: &Events) -> SessionId {
    match next(events) {
        Event::Connected { session, name, address, .. } => {
            assert_eq!(name.as_str(), format!("user{session}"));
            assert!(address.ip().is_loopback() && address.port() != 0, "{address}");
            session
        }
        other => panic!("a connection expected: {other:?}"),
    }
}

/// A new client and its session.
fn client(server: &RunningServer, events: &Events) -> (Client, SessionId) {
    (server.client(), connected(events))
}

#[test]
fn events_tell_a_conversation_in_order() {
    for inline_requests in [0, 4_096] {
        let (mut server, events) = observed(64, |c| c.inline_requests = inline_requests);
        let (mut a, ann) = client(&server, &events);
        let (mut b, bob) = client(&server, &events);
        a.be("Ann");
        assert_eq!(a.enter_new("차"), 1);
        b.enter(1);
        a.expect_code("member-entered");
        b.chat("안녕\n:)");
        a.expect_chat("user2", "안녕\n:)");
        b.name("ann");
        b.expect_code("name-taken");
        b.be("Bob");
        a.expect_code("renamed");
        a.leave();
        a.expect_code("room-left");
        b.expect_code("member-left");
        a.chat("is anybody here?");
        a.expect_code("not-in-room");
        b.leave();
        b.expect_code("room-left");
        a.shutdown();
        for client in [&mut a, &mut b] {
            client.expect_code("server-stopping");
            client.expect_end();
        }
        drop((a, b));
        server.join();

        let expected = [
            format!("{ann} renamed user1 to Ann"),
            format!("{ann} made 1 차"),
            format!("{ann} Ann entered 1"),
            format!("{bob} user2 entered 1"),
            format!(r#"{bob} user2 said 1:2 "안녕\n:)""#),
            format!("{bob} renamed user2 to Bob, 1:3"),
            format!("{ann} Ann left 1"),
            format!("{bob} Bob left 1"),
            "1 closed".to_owned(),
            format!("{ann} Ann stops"),
            format!("{ann} Ann ended: stopped"),
            format!("{bob} Bob ended: stopped"),
        ];
        assert_eq!(events.missed(), 0);
        assert_eq!(lines(events), expected);
    }
}

#[test]
fn a_session_leaves_its_room_then_ends_with_its_reason() {
    let (server, events) = observed(64, |_| {});
    let (mut witness, _) = client(&server, &events);
    witness.enter_new("room");
    assert!(matches!(next(&events), Event::RoomCreated { .. }));
    assert!(matches!(next(&events), Event::Entered { .. }));

    let enter = || {
        let (mut member, session) = client(&server, &events);
        member.enter(1);
        assert_eq!(line(&next(&events)), format!("{session} user{session} entered 1"));
        (member, session)
    };
    let ways: [(fn(Client), CloseReason); 3] = [
        (drop, CloseReason::PeerEnded),
        (|mut client| client.send_raw(&[0]), CloseReason::PeerEndedInFrame),
        (Client::reset, CloseReason::Lost),
    ];
    for (end, reason) in ways {
        let (member, session) = enter();
        end(member);
        assert_eq!(line(&next(&events)), format!("{session} user{session} left 1"));
        assert_eq!(line(&next(&events)), format!("{session} user{session} ended: {reason}"));
    }
}

#[test]
fn an_event_carries_the_peer_address_and_bad_input_ends_a_stranger() {
    let (server, events) = observed(64, |_| {});
    let mut stranger = TcpStream::connect(server.address()).expect("the server listens");
    let from = stranger.local_addr().expect("it is connected");
    let Event::Connected { session, address, .. } = next(&events) else {
        panic!("a connection expected")
    };
    assert_eq!(address, from);
    stranger.write_all(&frame("no JSON")).expect("the server reads");
    assert_eq!(line(&next(&events)), format!("{session} user{session} ended: bad-input"));
}

#[test]
fn a_slow_consumer_leaves_then_ends_as_such() {
    let (server, events) = observed(1_024, |config| {
        config.limits.slow_backlog = 100_000;
        config.limits.backlog = 100_000;
    });
    let (mut talker, _) = client(&server, &events);
    talker.enter_new("room");
    let mut slow = Client::connect_with_little_room(server.address());
    slow.join(1);
    talker.expect_code("member-entered");
    // Several times what the kernel buffers of both sides hold.
    for _ in 0..150 {
        talker.chat(&"x".repeat(60_000));
    }
    talker.expect_code("member-left");
    let mut told = Vec::new();
    loop {
        match next(&events) {
            Event::Ended { name, reason, .. } => {
                assert_eq!((name.as_str(), reason), ("user2", CloseReason::Backlog));
                break;
            }
            Event::Said { .. } => {}
            other => told.push(other),
        }
    }
    assert!(matches!(told.pop(), Some(Event::Left { room: ROOM, .. })), "it had left before");
}

/// A person who comes back has not left, and one who does not leaves when the session ends.
#[test]
fn a_session_that_outlives_its_connections_is_one_person() {
    let (mut server, events) =
        observed(64, |config| config.limits.resume_time = Duration::from_millis(200));
    let hello = |resume: Option<Value>| {
        let mut client = Client::connect(server.address());
        let mut hello = json!({"type": "CSHello", "client": "test/1", "features": ["resume"]});
        if let Some(token) = resume {
            hello["resume"] = token;
        }
        client.send(hello.to_string());
        let token = receive(&mut client)["resume"].clone();
        (client, token)
    };
    let (mut ann, token) = hello(None);
    ann.be("Ann");
    ann.enter_new("tea");
    // The connection still hangs, and then it is lost.
    let (mut again, token) = hello(Some(token));
    assert_eq!(receive(&mut again)["type"], "SCHistory");
    ann.expect_code("resumed-elsewhere");
    ann.expect_end();
    again.reset();
    let mut told: Vec<_> = iter::repeat_with(|| line(&next(&events))).take(7).collect();
    let (mut third, _) = hello(Some(token));
    assert_eq!(receive(&mut third)["type"], "SCHistory");
    third.chat("here");
    third.end_sending();
    third.expect_end();
    told.extend(iter::repeat_with(|| line(&next(&events))).take(7));
    let expected = [
        "1 connected as user1",
        "1 renamed user1 to Ann",
        "1 made 1 tea",
        "1 Ann entered 1",
        "2 connected as user2",
        "2 Ann resumed 1 in 1",
        "2 Ann detached: lost",
        "3 connected as user3",
        "3 Ann resumed 2 in 1",
        "3 Ann said 1:1 \"here\"",
        "3 Ann detached: peer-ended",
        "3 Ann left 1",
        "1 closed",
        "3 Ann ended: peer-ended",
    ];
    assert_eq!(told, expected);
    server.stop();
    server.join();
    assert_eq!(lines(events), [""; 0], "nobody ends twice");
}

#[test]
fn a_stop_ends_sessions_without_closing_rooms_one_by_one() {
    let (mut server, events) = observed(64, |_| {});
    let (mut a, ann) = client(&server, &events);
    a.enter_new("room");
    server.stop();
    a.expect_code("server-stopping");
    drop(a);
    server.join();
    let expected = [
        format!("{ann} made 1 room"),
        format!("{ann} user1 entered 1"),
        format!("{ann} user1 ended: stopped"),
    ];
    assert_eq!(lines(events), expected);
}

#[test]
fn an_observer_that_never_reads_costs_nobody_else_anything() {
    const CHATS: u64 = 2_000;
    let (mut server, events) = observed(4, |_| {});
    let ([mut a, mut b], _) = server.members();
    for n in 0..CHATS {
        a.chat(&n.to_string());
    }
    for n in 0..CHATS {
        b.expect_chat("user1", &n.to_string());
    }
    a.expect_nothing();
    let happened = 2 + 1 + 2 + CHATS;
    assert_eq!(events.missed(), happened - 4);
    server.stop();
    a.expect_code("server-stopping");
    b.expect_code("server-stopping");
    drop((a, b));
    server.join();
    assert_eq!(events.missed(), happened + 2 - 4, "the ends of both are missed as well");
    assert_eq!(events.count(), 4, "the events that fitted are still there");
}

#[test]
fn missed_events_are_reported_in_their_place() {
    let (server, events) = observed(2, |_| {});
    let [mut a, _b] = server.clients();
    a.be("one");
    a.be("two");
    assert_eq!(events.missed(), 2);
    let (ann, _) = (connected(&events), connected(&events));
    a.be("three");
    assert_eq!(line(&next(&events)), "2 missed");
    let renamed = format!("{ann} renamed two to three");
    assert_eq!(line(&next(&events)), renamed, "names changed by missed events are known");
    assert_eq!(events.missed(), 2);
}

#[test]
fn observation_ends_when_dropped_or_replaced() {
    let mut server = Server::bind(Config::default()).expect("a free port");
    let first = server.observe(8);
    let second = server.observe(0);
    assert_eq!(first.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Disconnected));
    let server = RunningServer::of(server.spawn().expect("a thread"));
    let (mut a, _) = client(&server, &second);
    drop(second);
    a.be("Ann");
    a.enter_new("room");
}

/// An announcement reaches its audience, in order and numbered. A removed session is told why, and leaves like any
/// other.
#[test]
fn a_program_announces_and_removes() {
    let (server, events) = observed(64, |_| {});
    let controller = server.controller();
    let operator = |text: &str| OperatorText::new(text).expect("it is short");
    let (mut a, _) = client(&server, &events);
    let (mut b, bob) = client(&server, &events);
    let mut outside = server.client();
    a.enter_new("방");
    b.enter(1);
    a.expect_code("member-entered");

    controller.announce(ROOM, operator("곧 점심이에요")).expect("the room exists");
    for member in [&mut a, &mut b] {
        let announcement = member.expect_code("announcement");
        assert!(announcement.text.contains("곧 점심이에요"), "{}", announcement.text);
        assert_eq!((announcement.room_id, announcement.seq), (Some(1), Some(2)));
    }
    controller.announce_to_all(operator("to everyone"));
    for everyone in [&mut a, &mut b, &mut outside] {
        let announcement = everyone.expect_code("announcement");
        assert_eq!(announcement.room_id, None);
    }
    let other = RoomId::new(2).expect("a number");
    assert!(controller.announce(other, operator("to nobody")).is_err());

    assert!(controller.remove(bob, operator("no more today")));
    let removed = b.expect_code("removed");
    assert!(removed.text.contains("no more today"), "{}", removed.text);
    b.expect_end();
    a.expect_code("member-left");
    drop(b);
    let ended = events.into_iter().find(|event| matches!(event, Event::Ended { .. }));
    assert_eq!(ended.map(|event| line(&event)), Some(format!("{bob} user2 ended: removed")));
    assert!(!controller.remove(bob, operator("again")), "the session has ended");
    a.expect_nothing();
    outside.expect_nothing();
}
