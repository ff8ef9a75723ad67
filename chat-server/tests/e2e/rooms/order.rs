//! The order of a connection's commands and their answers, and of a room's broadcasts for all members,
//! with any number of workers, while others come and go.

use std::sync::Mutex;
use std::thread;

use crate::support::{Client, Member, chats, check_all, each_way, stream_of};

const TALKERS: usize = 4;
const CHATS: usize = 250;
const VISITORS: usize = 3;
const VISITS: usize = 25;

#[test]
fn c6_all_members_see_one_order_while_others_come_and_go() {
    each_way(|server| {
        let checker = Mutex::default();
        let mut listener = Member::maker(server.client(), 0, &checker);
        let enter = |peer| Member::new(server.client(), listener.room, peer, &checker);
        let mut talkers: Vec<_> = (1..=TALKERS).map(enter).collect();
        let visitors: Vec<_> = (TALKERS + 1..=TALKERS + VISITORS).map(enter).collect();
        // All have entered before the first one talks, so each receives everything that the others say.
        talkers.iter_mut().for_each(Member::enter);
        thread::scope(|scope| {
            for talker in talkers {
                scope.spawn(move || talk(talker));
            }
            for visitor in visitors {
                scope.spawn(move || visit(visitor));
            }
            listener.hear(TALKERS * CHATS + VISITORS * VISITS);
        });
        listener.hear_rest();
        check_all(checker);
    });
}

/// Says everything, a few frames per write, then receives what the other talkers and the visitors say, and leaves.
fn talk(mut member: Member<'_>) {
    for _ in 0..CHATS / 10 {
        member.say(10);
    }
    // A visitor says one thing per visit.
    member.hear((TALKERS - 1) * CHATS + VISITORS * VISITS);
    member.leave();
}

/// Enters and leaves the room over and over, and says something each time.
fn visit(mut member: Member<'_>) {
    for _ in 0..VISITS {
        member.enter();
        member.say(1);
        member.leave();
    }
}

#[test]
fn answers_come_in_the_order_of_the_commands() {
    each_way(|server| {
        thread::scope(|scope| {
            for n in 0..6 {
                let mut client = server.client();
                scope.spawn(move || ask_in_order(&mut client, n));
            }
        });
    });
}

fn ask_in_order(client: &mut Client, n: usize) {
    let mut sent = Vec::new();
    let mut codes = Vec::new();
    for round in 0..150 {
        let commands = [
            (format!(r#"{{"type":"CSName","name":"name {n} {round}"}}"#), "renamed"),
            (r#"{"type":"CSLeaveRoom"}"#.to_owned(), "not-in-room"),
            (format!(r#"{{"type":"CSCreateRoom","title":"{n} {round}"}}"#), "room-created"),
            // A broadcast that also serves as an answer, followed by plain answers.
            (format!(r#"{{"type":"CSName","name":"member {n} {round}"}}"#), "renamed"),
            (r#"{"type":"CSJoinRoom","roomId":1}"#.to_owned(), "already-in-room"),
            (r#"{"type":"CSChat","text":"to nobody"}"#.to_owned(), ""),
            (r#"{"type":"CSChat","text":""}"#.to_owned(), "bad-text"),
            (r#"{"type":"CSLeaveRoom"}"#.to_owned(), "room-left"),
            (r#"{"type":"CSJoinRoom","roomId":987654321}"#.to_owned(), "no-such-room"),
        ];
        for (command, code) in commands {
            sent.push(command);
            codes.push((round, code));
        }
    }
    for some in sent.chunks(37) {
        client.send_raw(&stream_of(some));
    }
    for (round, code) in codes {
        if !code.is_empty() {
            let answer = client.expect_code(code);
            if matches!(code, "renamed" | "room-created" | "room-left") {
                let told = format!("{n} {round}");
                assert!(answer.text.contains(&told), "{told}: {}", answer.text);
            }
        }
    }
    client.expect_nothing();
}

/// After each command, the workers and the event loop fall asleep or are about to; the next command has to wake them.
#[test]
fn c1_c2_no_wake_up_is_lost_between_commands() {
    each_way(|server| {
        thread::scope(|scope| {
            for _ in 0..2 {
                let mut client = server.client();
                scope.spawn(move || {
                    for _ in 0..1_500 {
                        client.leave();
                        client.expect_code("not-in-room");
                    }
                });
            }
        });
    });
}

#[test]
fn s9_a_room_is_heard_only_between_join_and_leave() {
    each_way(|server| {
        let [mut talker, mut visitor] = server.clients();
        let room = talker.enter_new("room");
        let chats = chats(0..40);
        for _ in 0..20 {
            // All of this is in flight at once.
            talker.send_raw(&chats);
            visitor.send_raw(&stream_of([
                format!(r#"{{"type":"CSJoinRoom","roomId":{room}}}"#),
                r#"{"type":"CSName","name":"same"}"#.to_owned(),
                r#"{"type":"CSLeaveRoom"}"#.to_owned(),
                r#"{"type":"CSRooms"}"#.to_owned(),
            ]));
            talker.send_raw(&chats);
            let entered = visitor.expect_code("room-entered");
            let mut seq = entered.seq.expect("an entry is an event");
            loop {
                let message = visitor.receive();
                seq += 1;
                assert_eq!(message.seq, Some(seq), "one event after the other: {message:?}");
                match message.code.as_deref() {
                    None => assert_eq!(message.member, "user1"),
                    Some("renamed") => {}
                    Some(code) => {
                        assert_eq!(code, "room-left");
                        break;
                    }
                }
            }
            visitor.expect_rooms();
        }
        visitor.expect_nothing();
    });
}

#[test]
fn s10_a_room_that_ends_during_a_join_is_neither_lost_nor_doubled() {
    each_way(|server| {
        let [mut keeper, mut joiner] = server.clients();
        for round in 0..60 {
            let room = keeper.enter_new("room");
            keeper.leave();
            joiner.join(room);
            let answer = joiner.receive();
            match answer.code.as_deref() {
                Some("room-entered") => {
                    keeper.expect_code("member-entered");
                    keeper.expect_code("room-left");
                    joiner.expect_code("member-left");
                    assert_eq!(joiner.rooms()[0].room_id, room);
                    joiner.leave();
                    joiner.expect_code("room-left");
                }
                Some("no-such-room") => {
                    keeper.expect_code("room-left");
                }
                _ => panic!("round {round}: {answer:?}"),
            }
            keeper.expect_nothing();
            assert_eq!(joiner.rooms(), []);
        }
    });
}
