//! Peers that read slowly or not at all, half-close, or vanish in the middle of something: what they still receive,
//! and what others notice of it.

use std::collections::BTreeSet;
use std::thread;

use crate::support::{
    Client, Program, RunningServer, each_way, frame, start, stream_of, wait_for, wait_until,
};

/// The text of the `n`th chat, of about 1 KB.
fn long_text(n: usize) -> String {
    format!("{n} {}", "긴 말 ".repeat(120))
}

/// A talker, a witness and a member with a small receive buffer, in one room.
fn room_with_a_slow_reader(server: &RunningServer) -> (Client, Client, Client) {
    let ([mut talker, mut witness], room) = server.members();
    let mut slow = Client::connect_with_little_room(server.address());
    slow.enter(room);
    talker.expect_code("member-entered");
    witness.expect_code("member-entered");
    (talker, witness, slow)
}

/// Sends chats `from..to`, each once the witness has received the previous one.
fn talk(talker: &mut Client, witness: &mut Client, from: usize, to: usize) {
    for n in from..to {
        talker.chat(&long_text(n));
        witness.expect_chat("user1", &long_text(n));
    }
}

#[test]
fn r2_a_slow_reader_gets_everything_and_delays_nobody() {
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
    // The answer takes the place of its request in the stream.
    talker.expect_nothing();
    slow_reads(&mut slow, 0, 300);
    assert_eq!(slow.expect_rooms().len(), 2);
    talk(&mut talker, &mut witness, 300, 600);
    slow_reads(&mut slow, 300, 600);
    slow.expect_nothing();
}

/// Checks that the slow member receives chats `from..to` and nothing else.
fn slow_reads(slow: &mut Client, from: usize, to: usize) {
    for n in from..to {
        assert_eq!(slow.receive().text, long_text(n));
    }
}

#[test]
fn s9_a_leaver_still_gets_what_was_said_before() {
    let server = start();
    let (mut talker, mut witness, mut slow) = room_with_a_slow_reader(&server);
    talk(&mut talker, &mut witness, 0, 200);
    slow.leave();
    witness.expect_code("member-left");
    talk(&mut talker, &mut witness, 200, 250);
    slow_reads(&mut slow, 0, 200);
    slow.expect_code("room-left");
    slow.expect_nothing();
}

#[test]
fn o7_a_half_closed_client_gets_its_answers_then_the_end() {
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
        assert_eq!(witness.receive().text, "goodbye");
        witness.expect_code("member-left");
        witness.expect_nothing();

        let mut silent = Client::connect(server.address());
        silent.end_sending();
        silent.expect_end();
    });
}

#[test]
fn o7_a_half_closed_member_gets_its_broadcasts_then_the_end() {
    let server = start();
    let (mut talker, mut witness, mut slow) = room_with_a_slow_reader(&server);
    talk(&mut talker, &mut witness, 0, 200);
    slow.end_sending();
    witness.expect_code("member-left");
    talk(&mut talker, &mut witness, 200, 210);
    slow_reads(&mut slow, 0, 200);
    slow.expect_end();
    talker.expect_code("member-left");
    talker.expect_nothing();
}

#[test]
fn p4_p5_a_truncated_frame_is_not_carried_out_and_its_sender_leaves_once() {
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
                // The reset has to wait until everything has been read.
                assert_eq!(witness.receive().text, "whole");
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
fn o8_members_reset_during_a_flush_leave_once_each() {
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
            let message = witness.receive();
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
fn s9_a_client_gone_before_its_answer_leaves_no_ghost() {
    each_way(|server| {
        let mut witness = server.client();
        witness.enter_new("room");
        for round in 0..100 {
            let mut client = Client::connect(server.address());
            client.join(1);
            if round % 2 == 0 { client.reset() } else { drop(client) }
        }
        // Everyone who entered leaves again; clients that were reset may never have entered.
        wait_until("everybody has left the room", || {
            witness.rooms_after_notices()[0].member_count == 1 && server.client().rooms().len() == 1
        });
    });
}

#[test]
fn the_last_message_reaches_a_peer_with_unread_input() {
    let server = start();
    let much = vec![b'x'; 4 << 20];
    let mut foreign = Client::connect(server.address());
    foreign.send_raw(b"SSH-2.0-OpenSSH_9.6\r\n");
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
fn descriptors_and_threads_are_given_back() {
    let (program, address) = Program::listening(&["--worker=4"]);
    let mut watcher = Client::of(address);
    let counts = || (program.count("fd"), program.count("task"));
    let before = counts();
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
    wait_for("descriptors and threads are given back", counts, |now| *now == before);
    assert_eq!(watcher.rooms(), []);
    drop(watcher);
    program.stop();
}

/// A client that is closed with unread input resets the stream right after its last chat.
#[test]
fn o8_chats_before_a_reset_are_delivered() {
    let server = start();
    let ([mut witness], room) = server.members();
    for n in 0..100 {
        let mut quitter = server.client();
        quitter.enter(room);
        witness.expect_code("member-entered");
        witness.chat("never read");
        // The answer proves that the chat before it was written to the quitter.
        witness.be(&format!("witness {n}"));
        quitter.chat("goodbye");
        drop(quitter);
        witness.expect_chat(&format!("user{}", n + 2), "goodbye");
        witness.expect_code("member-left");
    }
}
