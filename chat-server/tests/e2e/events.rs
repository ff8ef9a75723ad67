//! The events of a server, as the program around it observes them.

use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use chat_server::{
    CloseReason, Config, Event, Events, Name, RoomId, Server, SessionId, Text, Title,
};

use crate::support::{Client, DEADLINE, RunningServer, frame};

const ROOM: RoomId = RoomId::FIRST;

/// A server under observation, with `change` applied to its configuration.
fn observed(capacity: usize, change: impl FnOnce(&mut Config)) -> (RunningServer, Events) {
    let mut config = Config::default();
    config.limits.commands.per_second = 0;
    change(&mut config);
    let mut server = Server::bind(config).expect("a free port");
    let events = server.observe(capacity);
    (RunningServer::of(server.spawn().expect("a thread")), events)
}

fn next(events: &Events) -> Event {
    events.recv_timeout(DEADLINE).expect("an event")
}

/// The next event has to be a connection; returns its session.
fn connected(events: &Events) -> SessionId {
    match next(events) {
        Event::Connected { session, name, address } => {
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

fn name(name: &str) -> Name {
    Name::new(name).expect("a name")
}

fn text(text: &str) -> Text {
    Text::new(text).expect("a text")
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

        let [ann_is, bob_is] = [|| name("Ann"), || name("Bob")];
        let stopped = CloseReason::Stopped;
        let expected = [
            Event::Named { session: ann, from: name("user1"), to: ann_is(), room: None },
            Event::RoomCreated {
                room: ROOM,
                title: Title::new("차").expect("a title"),
                session: ann,
            },
            Event::Entered { session: ann, name: ann_is(), room: ROOM },
            Event::Entered { session: bob, name: name("user2"), room: ROOM },
            Event::Said {
                session: bob,
                name: name("user2"),
                room: ROOM,
                seq: 2,
                text: text("안녕\n:)"),
            },
            Event::Named { session: bob, from: name("user2"), to: bob_is(), room: Some((ROOM, 3)) },
            Event::Left { session: ann, name: ann_is(), room: ROOM },
            Event::Left { session: bob, name: bob_is(), room: ROOM },
            Event::RoomClosed { room: ROOM },
            Event::StopRequested { session: ann, name: ann_is() },
            Event::Ended { session: ann, name: ann_is(), reason: stopped },
            Event::Ended { session: bob, name: bob_is(), reason: stopped },
        ];
        assert_eq!(events.missed(), 0);
        assert_eq!(events.collect::<Vec<_>>(), expected);
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
        let name = name(&format!("user{session}"));
        let entered = Event::Entered { session, name: name.clone(), room: ROOM };
        assert_eq!(next(&events), entered);
        (member, session, name)
    };
    let ways: [(fn(Client), CloseReason); 3] = [
        (drop, CloseReason::PeerEnded),
        (|mut client| client.send_raw(&[0]), CloseReason::PeerEndedInFrame),
        (Client::reset, CloseReason::Lost),
    ];
    for (end, reason) in ways {
        let (member, session, name) = enter();
        end(member);
        assert_eq!(next(&events), Event::Left { session, name: name.clone(), room: ROOM });
        assert_eq!(next(&events), Event::Ended { session, name, reason });
    }
}

#[test]
fn an_event_carries_the_peer_address_and_bad_input_ends_a_stranger() {
    let (server, events) = observed(64, |_| {});
    let mut stranger = TcpStream::connect(server.address()).expect("the server listens");
    let from = stranger.local_addr().expect("it is connected");
    let Event::Connected { session, name, address } = next(&events) else {
        panic!("a connection expected")
    };
    assert_eq!(address, from);
    stranger.write_all(&frame("no JSON")).expect("the server reads");
    assert_eq!(next(&events), Event::Ended { session, name, reason: CloseReason::BadInput });
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

#[test]
fn a_stop_ends_sessions_without_closing_rooms_one_by_one() {
    let (mut server, events) = observed(64, |_| {});
    let (mut a, ann) = client(&server, &events);
    a.enter_new("room");
    server.stop();
    a.expect_code("server-stopping");
    drop(a);
    server.join();
    let [user1, title] = [name("user1"), name("room")];
    let title = Title::new(title.as_str()).expect("a title");
    let expected = [
        Event::RoomCreated { room: ROOM, title, session: ann },
        Event::Entered { session: ann, name: user1.clone(), room: ROOM },
        Event::Ended { session: ann, name: user1, reason: CloseReason::Stopped },
    ];
    assert_eq!(events.collect::<Vec<_>>(), expected);
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
    assert_eq!(next(&events), Event::Missed { events: 2 });
    let named = Event::Named { session: ann, from: name("two"), to: name("three"), room: None };
    assert_eq!(next(&events), named, "names changed by missed events are known");
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
