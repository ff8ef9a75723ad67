//! Peers that read slowly or not at all, that end one direction, or end in the middle of something:
//! what they are owed and what the others see of it.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::Instant;

use crate::support::{Client, DEADLINE, Program, RunningServer, each_way, frame, start, stream_of};

/// A chat that is told from the others, of about 1 KB.
fn long_text(n: usize) -> String {
    format!("{n} {}", "긴 말 ".repeat(120))
}

/// A room with a talker, a witness and one that has little room for what it does not read.
fn room_with_a_slow_reader(server: &RunningServer) -> (Client, Client, Client) {
    let [mut talker, mut witness] = server.clients();
    let room = talker.enter_new("room");
    witness.enter(room);
    let mut slow = Client::connect_with_little_room(server.address());
    slow.enter(room);
    talker.expect_code("member-entered");
    talker.expect_code("member-entered");
    witness.expect_code("member-entered");
    (talker, witness, slow)
}

/// Says chats `from..to`, each of which the witness has before the next one is said.
fn talk(talker: &mut Client, witness: &mut Client, from: usize, to: usize) {
    for n in from..to {
        talker.chat(&long_text(n));
        witness.expect_chat("user1", &long_text(n));
    }
}

#[test]
fn r2_a_slow_reader_gets_everything_in_the_end_and_holds_nobody_up() {
    let server = start();
    let (mut talker, mut witness, mut slow) = room_with_a_slow_reader(&server);
    let [mut left, mut right] = server.clients();
    let other = left.enter_new("another room");
    right.enter(other);
    left.expect_code("member-entered");

    slow.ask_for_rooms();
    slow.expect_rooms();
    talk(&mut talker, &mut witness, 0, 300);
    slow.ask_for_rooms();
    for n in 0..100 {
        left.chat(&n.to_string());
        right.expect_chat("user4", &n.to_string());
    }
    // The answer stands where it was asked for.
    talker.expect_nothing();
    let between = slow_reads(&mut slow, 0, 300);
    assert_eq!(between, 0);
    assert_eq!(slow.expect_rooms().len(), 2);
    talk(&mut talker, &mut witness, 300, 600);
    slow_reads(&mut slow, 300, 600);
    slow.expect_nothing();
}

fn slow_reads(slow: &mut Client, from: usize, to: usize) -> usize {
    let mut others = 0;
    for n in from..to {
        let message = slow.next();
        if message.kind == "SCChat" {
            assert_eq!(message.text, long_text(n));
        } else {
            others += 1;
        }
    }
    others
}

#[test]
fn many_slow_readers_of_one_room_each_get_all_of_it() {
    let server = start();
    let [mut talker, mut witness] = server.clients();
    let room = talker.enter_new("room");
    witness.enter(room);
    let mut readers: Vec<_> =
        (0..30).map(|_| Client::connect_with_little_room(server.address())).collect();
    for reader in &mut readers {
        reader.enter(room);
        witness.expect_code("member-entered");
    }
    talk(&mut talker, &mut witness, 0, 300);
    for reader in &mut readers {
        while reader.next().code.as_deref() == Some("member-entered") {}
        // That was chat 0.
        slow_reads(reader, 1, 300);
        reader.expect_nothing();
    }
}

#[test]
fn s9_who_leaves_is_still_owed_what_was_said_before() {
    let server = start();
    let (mut talker, mut witness, mut slow) = room_with_a_slow_reader(&server);
    talk(&mut talker, &mut witness, 0, 200);
    slow.leave();
    witness.expect_code("member-left");
    talk(&mut talker, &mut witness, 200, 250);
    assert_eq!(slow_reads(&mut slow, 0, 200), 0);
    slow.expect_code("room-left");
    slow.expect_nothing();
}

#[test]
fn o7_who_ends_its_sending_gets_the_answers_to_all_it_sent_and_then_the_end() {
    each_way(|server| {
        let mut witness = server.client();
        witness.enter_new("room");
        let mut client = Client::connect(server.address());
        client.send_raw(&stream_of([
            r#"{"type":"CSJoinRoom","roomId":1}"#,
            r#"{"type":"CSChat","text":"goodbye"}"#,
            r#"{"type":"CSNope"}"#,
            r#"{"type":"CSRooms"}"#,
        ]));
        client.end_sending();
        client.expect_code("room-entered");
        client.expect_code("unknown-type");
        assert_eq!(client.expect_rooms()[0].member_count, 2);
        client.expect_end();
        witness.expect_code("member-entered");
        assert_eq!(witness.next().text, "goodbye");
        witness.expect_code("member-left");
        witness.expect_nothing();

        let mut silent = Client::connect(server.address());
        silent.end_sending();
        silent.expect_end();
    });
}

#[test]
fn o7_who_ends_its_sending_gets_the_broadcasts_it_is_owed_and_then_the_end() {
    let server = start();
    let (mut talker, mut witness, mut slow) = room_with_a_slow_reader(&server);
    talk(&mut talker, &mut witness, 0, 200);
    slow.end_sending();
    witness.expect_code("member-left");
    talk(&mut talker, &mut witness, 200, 210);
    assert_eq!(slow_reads(&mut slow, 0, 200), 0);
    slow.expect_end();
    talker.expect_code("member-left");
    talker.expect_nothing();
}

#[test]
fn p4_p5_a_frame_that_is_cut_off_is_not_carried_out_and_its_sender_leaves_once() {
    each_way(|server| {
        let mut witness = server.client();
        witness.enter_new("room");
        let whole = frame(r#"{"type":"CSChat","text":"whole"}"#);
        for at in [1, 2, 3, whole.len() - 1] {
            for reset in [false, true] {
                let mut client = Client::connect(server.address());
                client.enter(1);
                witness.expect_code("member-entered");
                client.send_raw(&[&whole[..], &whole[..at]].concat());
                // Before a reset, all of it has to have been read.
                assert_eq!(witness.next().text, "whole");
                if reset {
                    client.reset();
                } else {
                    client.end_sending();
                    client.expect_end();
                }
                witness.expect_code("member-left");
                witness.expect_nothing();
            }
        }
        assert_eq!(witness.rooms()[0].member_count, 1);
    });
}

#[test]
fn o8_a_reset_of_one_that_is_owed_much_is_a_leaving_like_any_other() {
    let server = start();
    let (mut talker, mut witness, slow) = room_with_a_slow_reader(&server);
    talk(&mut talker, &mut witness, 0, 400);
    slow.reset();
    witness.expect_code("member-left");
    talk(&mut talker, &mut witness, 400, 410);
    talker.expect_code("member-left");
    talker.expect_nothing();
    witness.expect_nothing();
}

#[test]
fn o8_members_that_are_reset_while_they_are_written_to_leave_once_each() {
    each_way(|server| {
        let [mut talker, mut witness] = server.clients();
        let room = talker.enter_new("room");
        witness.enter(room);
        let mut members: Vec<_> = (0..60).map(|_| Client::connect(server.address())).collect();
        for member in &mut members {
            member.enter(room);
            witness.expect_code("member-entered");
        }
        thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..1_500 {
                    talker.chat(&n.to_string());
                }
            });
            members.into_iter().for_each(Client::reset);
        });
        let (mut chats, mut left) = (0, BTreeSet::new());
        while chats < 1_500 || left.len() < 60 {
            let message = witness.next();
            if message.kind == "SCChat" {
                assert_eq!(message.text, chats.to_string());
                chats += 1;
            } else {
                assert_eq!(message.code.as_deref(), Some("member-left"));
                assert!(left.insert(message.text), "nobody leaves twice");
            }
        }
        assert_eq!(witness.rooms()[0].member_count, 2);
    });
}

#[test]
fn s9_who_is_gone_before_its_answer_leaves_no_ghost() {
    each_way(|server| {
        let mut witness = server.client();
        witness.enter_new("room");
        for round in 0..100 {
            let mut client = Client::connect(server.address());
            client.join(1);
            if round % 2 == 0 { client.reset() } else { drop(client) }
        }
        // Whoever came in goes out again; whoever was reset may never have come in.
        let deadline = Instant::now() + DEADLINE;
        loop {
            witness.ask_for_rooms();
            let mut message = witness.next();
            while message.kind == "SCSystemMessage" {
                message = witness.next();
            }
            if message.rooms[0].member_count == 1 && server.client().rooms().len() == 1 {
                break;
            }
            assert!(Instant::now() < deadline, "somebody is left in the room");
        }
    });
}

#[test]
fn the_last_message_reaches_a_peer_that_has_sent_much_that_nobody_reads() {
    let server = start();
    let much = vec![b'x'; 4 << 20];
    let mut foreign = Client::connect(server.address());
    foreign.send_raw(b"GET / HTTP/1.1\r\n\r\n");
    foreign.send_raw(&much);
    foreign.expect_code("bad-request");
    foreign.expect_end();

    let mut bad = server.client();
    bad.send_raw(&frame("").repeat(30));
    bad.send_raw(&much);
    for _ in 0..21 {
        bad.expect_code("empty-frame");
    }
    bad.expect_end();
}

#[test]
fn r9_one_connection_too_many_is_told_so_and_ended_until_one_is_gone() {
    let server = RunningServer::with(|config| config.limits.connections = 3);
    let [mut a, mut b, c] = server.clients();
    a.enter_new("room");
    b.enter(1);
    a.expect_code("member-entered");
    for sent in [0, 100, 1 << 20] {
        let mut refused = Client::connect(server.address());
        refused.send_raw(&frame(r#"{"type":"CSJoinRoom","roomId":1}"#));
        refused.send_raw(&vec![b'x'; sent]);
        assert!(refused.expect_code("server-full").text.contains('3'), "the limit is named");
        refused.expect_end();
        a.expect_nothing();
    }
    drop(b);
    a.expect_code("member-left");
    // The places of those that were refused may still be held for a moment.
    let deadline = Instant::now() + DEADLINE;
    loop {
        let mut next = Client::connect(server.address());
        next.ask_for_rooms();
        if next.next().kind == "SCRoomsResult" {
            break;
        }
        next.expect_end();
        assert!(Instant::now() < deadline, "there is place for one");
    }
    drop(c);
}

#[test]
fn descriptors_and_threads_are_given_back() {
    let (mut program, address) = Program::listening(&["--worker=4"]);
    let count = |what: &str| {
        let entries = fs::read_dir(format!("/proc/{}/{what}", program.pid()));
        entries.expect("the program runs").count()
    };
    let mut watcher = Client::of(address);
    let before = (count("fd"), count("task"));
    for round in 0..30 {
        let mut clients: Vec<_> = (0..10).map(|_| Client::connect(address)).collect();
        clients[0].send_raw(b"GET / HTTP/1.1\r\n\r\n");
        clients[1].send_raw(&[0, 9, b'{']);
        clients[2].create(&format!("room {round}"));
        clients[3].send_raw(&stream_of(vec![r#"{"type":"CSRooms"}"#; 50]));
        clients[4].end_sending();
        clients[5].send_urgent();
        clients.pop().expect("there are ten").reset();
        clients.remove(1).reset();
    }
    let deadline = Instant::now() + DEADLINE;
    while (count("fd"), count("task")) != before {
        // A round trip instead of a pause: the server has had its turn in between.
        watcher.rooms();
        let now = (count("fd"), count("task"));
        assert!(Instant::now() < deadline, "{now:?} instead of {before:?}");
    }
    assert_eq!(watcher.rooms(), []);
    drop(watcher);
    program.signal("TERM");
    program.expect_success();
}

/// A client that is closed with something unread resets the stream right behind its last words.
#[test]
fn o8_what_was_said_before_a_reset_is_heard() {
    let server = start();
    let [mut witness] = server.clients();
    let room = witness.enter_new("room");
    for n in 0..100 {
        let mut quitter = server.client();
        quitter.enter(room);
        witness.expect_code("member-entered");
        witness.chat("never read");
        // Its own notice: so what was said before it has been written to the quitter.
        witness.be(&format!("witness {n}"));
        quitter.chat("goodbye");
        drop(quitter);
        witness.expect_chat(&format!("user{}", n + 2), "goodbye");
        witness.expect_code("member-left");
    }
}

/// One that never reads is closed when it is owed too much; the others lose nothing.
#[test]
fn a_reader_that_is_owed_too_much_is_closed() {
    let server = start();
    let (mut talker, mut witness, slow) = room_with_a_slow_reader(&server);
    let text = "x".repeat(60_000);
    // The kernel takes some of it, on both sides; more than 1 MiB waits at the server soon.
    let mut said = 0;
    let left = loop {
        talker.chat(&text);
        said += 1;
        let message = witness.next();
        if message.code.is_some() {
            break message;
        }
        assert_eq!(message.text, text);
        assert!(said < 200, "12 MB are more than anybody may be owed");
    };
    assert_eq!(left.code.as_deref(), Some("member-left"));
    witness.expect_chat("user1", &text);
    assert!(said > 1024 * 1024 / text.len(), "not before it is owed so much: {said}");
    drop(slow);
}
