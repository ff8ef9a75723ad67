//! Many at once: a large room, a large room that is flushed in slices, many small rooms, and many
//! that are silent.

use std::thread;
use std::time::Duration;

use crate::support::{
    Client, Program, RunningServer, Trace, check_room, descriptors, in_own_process, start,
    stream_of,
};
use chat_server::CloseReason;

/// As many clients as wished for, or as this process has descriptors for, both ends of each and all
/// tests at the same time.
fn crowd(server: &RunningServer, wished: usize) -> Vec<Client> {
    let count = wished.min(descriptors().saturating_sub(300) / 2 / 2);
    (0..count).map(|_| Client::connect(server.address())).collect()
}

fn chats(numbers: impl Iterator<Item = usize>) -> Vec<u8> {
    stream_of(numbers.map(|n| format!(r#"{{"type":"CSChat","text":"{n}"}}"#)))
}

#[test]
fn a_thousand_members_hear_the_same() {
    in_own_process(|| {
        let server = start();
        let mut maker = server.client();
        let room = maker.enter_new("room");
        let mut members = crowd(&server, 1_000);
        for member in &mut members {
            member.join(room);
        }
        let enter = |member: &mut Client| {
            let entered = member.expect_code("room-entered").seq;
            Trace::new("-", entered.expect("an entry is an event"))
        };
        let mut traces: Vec<_> = members.iter_mut().map(enter).collect();
        maker.send_raw(&chats(0..10));
        let staying = members.len() * 9 / 10;
        for (member, trace) in members.iter_mut().zip(&mut traces).skip(staying) {
            trace.leave(member, room);
        }
        maker.send_raw(&chats(10..20));
        // The last notice is that of the last one's leaving or the last chat; all are owed both.
        for (member, trace) in members.iter_mut().zip(&mut traces).take(staying) {
            trace.read_chats(member, room, 20);
        }
        assert_eq!(maker.rooms_behind_notices()[0].member_count, staying + 1);
        for (member, trace) in members.iter_mut().zip(&mut traces).take(staying) {
            trace.read_rest(member, room);
        }
        check_room(&traces, &["user1".to_owned()], 20);
    });
}

#[test]
fn r6_a_room_that_is_flushed_in_slices_is_in_order_and_complete_for_everybody() {
    const ROUNDS: usize = 40;
    const A_ROUND: usize = 3;
    let server = RunningServer::with(|config| config.limits.writes_per_room_and_turn = 7);
    let mut maker = server.client();
    let room = maker.enter_new("room");
    let names: Vec<_> = (0..3).map(|n| format!("talker{n}")).collect();
    let mut talkers: Vec<_> = names.iter().map(|name| enter_as(&server, name, room)).collect();
    let mut listeners: Vec<_> = (0..60).map(|_| enter_as(&server, "-", room)).collect();
    let mut traces = Vec::new();
    for round in 0..ROUNDS {
        // Between two of the few members that a turn serves, others come and go: the places of those
        // that stay move, before and behind the one that is being served.
        for (talker, _) in &mut talkers {
            talker.send_raw(&chats(round * A_ROUND..(round + 1) * A_ROUND));
        }
        let (mut leaver, mut trace) = listeners.remove(round * 7 % listeners.len());
        trace.leave(&mut leaver, room);
        traces.push(trace);
        listeners.push(enter_as(&server, "-", room));
    }
    // What each talker said has been carried out when it is answered; then everybody is owed it.
    for (talker, trace) in &mut talkers {
        trace.read_rest(talker, room);
    }
    for (member, trace) in talkers.iter_mut().chain(&mut listeners) {
        trace.read_rest(member, room);
    }
    traces.extend(talkers.into_iter().chain(listeners).map(|(_, trace)| trace));
    check_room(&traces, &names, ROUNDS * A_ROUND);
}

/// A new member of a room, and its trace.
fn enter_as(server: &RunningServer, name: &str, room: u64) -> (Client, Trace) {
    let mut client = server.client();
    if name != "-" {
        client.be(name);
    }
    let trace = Trace::enter(&mut client, name, room);
    (client, trace)
}

#[test]
fn five_hundred_rooms_of_two_hear_their_own_talk_only() {
    in_own_process(|| {
        let server = RunningServer::with(|config| config.inline_requests = 16);
        let mut makers = crowd(&server, 500);
        let mut guests = crowd(&server, 500);
        for (maker, number) in makers.iter_mut().zip(0..) {
            maker.create(&format!("pair {number}"));
        }
        let created = |maker: &mut Client| maker.expect_code("room-created").room_id;
        let rooms: Vec<_> = makers.iter_mut().filter_map(created).collect();
        for (guest, &room) in guests.iter_mut().zip(&rooms) {
            guest.join(room);
        }
        for (guest, maker) in guests.iter_mut().zip(&mut makers) {
            guest.expect_code("room-entered");
            maker.expect_code("member-entered");
        }
        for round in 0..5 {
            for (pair, (maker, guest)) in makers.iter_mut().zip(&mut guests).enumerate() {
                maker.chat(&format!("{pair} {round} from maker"));
                guest.chat(&format!("{pair} {round} from guest"));
            }
        }
        for (pair, (maker, guest)) in makers.iter_mut().zip(&mut guests).enumerate() {
            for (client, from) in [(&mut *maker, "guest"), (&mut *guest, "maker")] {
                for round in 0..5 {
                    let chat = client.next();
                    assert_eq!(chat.text, format!("{pair} {round} from {from}"));
                    assert_eq!(chat.room_id, Some(rooms[pair]));
                }
            }
        }
        drop(guests);
        for maker in &mut makers {
            maker.expect_code("member-left");
        }
        assert_eq!(makers[0].rooms().len(), makers.len());
    });
}

#[test]
fn o10_silent_connections_cost_no_time() {
    let (mut program, address) = Program::listening(&["--worker=8"]);
    let mut silent: Vec<_> = (0..300).map(|_| Client::connect(address)).collect();
    for client in &mut silent {
        client.create("room");
        client.expect_code("room-created");
    }
    // One stops in the middle of a frame, one ends its sending in no room, one does not read what it
    // is owed, which is more than the kernel takes, and one has sent a byte out of band.
    silent[0].send_raw(&[0, 9, b'{']);
    silent[1].end_sending();
    silent[1].expect_end();
    let mut owed = Client::connect_with_little_room(address);
    owed.send_raw(&stream_of(vec![r#"{"type":"CSRooms"}"#; 40]));
    silent[2].send_urgent();
    silent[2].expect_nothing();
    // The work on all this is done when the processor says so: two seconds, one after the other, in
    // which nothing was worked. Quiet cannot be had without waiting for it, here alone in these tests.
    let is_quiet = || {
        let before = program.ticks();
        thread::sleep(Duration::from_secs(1));
        program.ticks() <= before + 1
    };
    let quiet = (0..5).any(|_| is_quiet() && is_quiet());
    assert!(quiet, "the server works though nobody says anything");
    for _ in 0..40 {
        assert_eq!(owed.expect_rooms().len(), 299);
    }
    drop((silent, owed));
    program.signal("TERM");
    program.expect_success();
}

#[test]
fn a3_beyond_what_descriptors_allow_each_is_answered() {
    let mut program = Program::start_by_shell("ulimit -n 128; ", &["--port=0"], "");
    let address = program.address();
    let mut waiting: Vec<_> = (0..300).map(|_| Client::connect(address)).collect();
    for client in &mut waiting {
        client.ask_for_rooms();
    }
    // Each is answered before it makes room for another, in the order in which they came.
    for mut client in waiting {
        let answer = client.next();
        let refused = answer.code.as_deref() == Some("server-full");
        assert!(refused || answer.kind == "SCRoomsResult", "{answer:?}");
    }
    Client::of(address).enter_new("room");
    program.signal("TERM");
    program.expect_success();
}

impl Client {
    /// All rooms, which may come behind notices.
    fn rooms_behind_notices(&mut self) -> Vec<chat_proto::RoomEntry> {
        self.ask_for_rooms();
        loop {
            let message = self.next();
            if message.kind == "SCRoomsResult" {
                return message.rooms;
            }
        }
    }
}

#[test]
fn who_talks_much_in_a_large_room_waits_for_it_and_nobody_who_reads_is_cut_off() {
    const CHATS: usize = 50;
    let server = RunningServer::with(|config| {
        config.limits.writes_per_room_and_turn = 1;
        config.limits.slow_backlog = 128 * 1024;
        config.limits.backlog = 512 * 1024;
    });
    let mut maker = server.client();
    let room = maker.enter_new("room");
    let mut members: Vec<_> = (0..30).map(|_| server.client()).collect();
    for member in &mut members {
        member.enter(room);
    }
    let long: Vec<_> = (0..CHATS).map(|n| format!("{n} {}", "x".repeat(20_000))).collect();
    let talk = stream_of(long.iter().map(|t| format!(r#"{{"type":"CSChat","text":"{t}"}}"#)));
    let talkers: Vec<_> = (0..4).map(|_| enter_as(&server, "-", room).0).collect();
    thread::scope(|scope| {
        for mut talker in talkers {
            let talk = &talk;
            scope.spawn(move || {
                let mut other_half = talker.other_half();
                thread::scope(|scope| {
                    scope.spawn(move || hear_chats(&mut other_half, 3 * CHATS));
                    talker.send_raw(talk);
                });
            });
        }
        for member in members.iter_mut().chain([&mut maker]) {
            scope.spawn(|| hear_chats(member, 4 * CHATS));
        }
    });
    let closed = server.stats().closed;
    let slow = [CloseReason::Backlog, CloseReason::SlowBacklog, CloseReason::TotalBacklog];
    assert_eq!(slow.map(|reason| closed.count(reason)), [0; 3]);
}

fn hear_chats(member: &mut Client, count: usize) {
    let chats = std::iter::from_fn(|| Some(member.next())).filter(|m| m.kind == "SCChat");
    assert_eq!(chats.take(count).count(), count);
}
