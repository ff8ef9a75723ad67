//! Many clients at once: in one large room, in many small ones, silent, or too many for the descriptors.

use std::thread;
use std::time::Duration;

use crate::support::{
    Client, Program, RunningServer, Trace, chats, check_room, descriptors, in_own_process, start,
    stream_of,
};
use chat_server::CloseReason;

/// As many clients as asked for, or as half the descriptors of this process allow. Both ends of each are
/// in this process.
fn crowd(server: &RunningServer, wanted: usize) -> Vec<Client> {
    let count = wanted.min(descriptors().saturating_sub(300) / 2 / 2);
    (0..count).map(|_| Client::connect(server.address())).collect()
}

#[test]
fn a_thousand_members_receive_the_same() {
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
            Trace::new("-", room, entered.expect("an entry is an event"))
        };
        let mut traces: Vec<_> = members.iter_mut().map(enter).collect();
        maker.send_raw(&chats(0..10));
        let staying = members.len() * 9 / 10;
        for (member, trace) in members.iter_mut().zip(&mut traces).skip(staying) {
            trace.leave(member);
        }
        maker.send_raw(&chats(10..20));
        // Every member that stays gets all chats and all notices of leaving.
        for (member, trace) in members.iter_mut().zip(&mut traces).take(staying) {
            trace.read_chats(member, 20);
        }
        assert_eq!(maker.rooms_after_notices()[0].member_count, staying + 1);
        for (member, trace) in members.iter_mut().zip(&mut traces).take(staying) {
            trace.read_rest(member);
        }
        check_room(&traces, &[("user1".to_owned(), 20)]);
    });
}

#[test]
fn r6_a_room_flushed_in_slices_stays_ordered_and_complete() {
    const ROUNDS: usize = 40;
    const A_ROUND: usize = 3;
    let server = RunningServer::with(|config| config.limits.writes_per_room_and_turn = 7);
    let mut maker = server.client();
    let room = maker.enter_new("room");
    let names: Vec<_> = (0..3).map(|n| (format!("talker{n}"), ROUNDS * A_ROUND)).collect();
    let mut talkers: Vec<_> = names.iter().map(|(name, _)| enter_as(&server, name, room)).collect();
    let mut listeners: Vec<_> = (0..60).map(|_| enter_as(&server, "-", room)).collect();
    let mut traces = Vec::new();
    for round in 0..ROUNDS {
        // While a turn has served only a few members, others come and go, before and after the one
        // being served.
        for (talker, _) in &mut talkers {
            talker.send_raw(&chats(round * A_ROUND..(round + 1) * A_ROUND));
        }
        let (mut leaver, mut trace) = listeners.remove(round * 7 % listeners.len());
        trace.leave(&mut leaver);
        traces.push(trace);
        listeners.push(enter_as(&server, "-", room));
    }
    // A talker's answer comes after its chats were carried out, so then they are on their way to all.
    for (talker, trace) in &mut talkers {
        trace.sent(0..ROUNDS * A_ROUND);
        trace.read_rest(talker);
    }
    for (member, trace) in talkers.iter_mut().chain(&mut listeners) {
        trace.read_rest(member);
    }
    traces.extend(talkers.into_iter().chain(listeners).map(|(_, trace)| trace));
    check_room(&traces, &names);
}

/// A new member of a room, by this name or, if `-`, its default one, and its trace.
fn enter_as(server: &RunningServer, name: &str, room: u64) -> (Client, Trace) {
    let mut client = server.client();
    if name != "-" {
        client.be(name);
    }
    let trace = Trace::enter(&mut client, name, room);
    (client, trace)
}

#[test]
fn five_hundred_rooms_of_two_do_not_mix() {
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
fn o10_silent_connections_cost_no_cpu() {
    let (program, address) = Program::listening(&["--worker=8"]);
    let mut silent: Vec<_> = (0..300).map(|_| Client::connect(address)).collect();
    for client in &mut silent {
        client.create("room");
        client.expect_code("room-created");
    }
    // One stops inside a frame, one half-closes, one has more output pending than the kernel takes and
    // does not read, and one has sent a byte out of band.
    silent[0].send_raw(&[0, 9, b'{']);
    silent[1].end_sending();
    silent[1].expect_end();
    let mut owed = Client::connect_with_little_room(address);
    owed.send_raw(&stream_of(vec![r#"{"type":"CSRooms"}"#; 40]));
    silent[2].send_urgent();
    silent[2].expect_nothing();
    // The work on all this is over when the program uses no processor for two seconds in a row. Idleness
    // takes time to see.
    let is_quiet = || {
        let before = program.ticks();
        thread::sleep(Duration::from_secs(1));
        program.ticks() <= before + 1
    };
    let quiet = (0..5).any(|_| is_quiet() && is_quiet());
    assert!(quiet, "the server uses the processor though nobody says anything");
    for _ in 0..40 {
        assert_eq!(owed.expect_rooms().len(), 299);
    }
    drop((silent, owed));
    program.stop();
}

#[test]
fn a3_connections_beyond_the_descriptors_are_answered() {
    let program = Program::start_by_shell("ulimit -n 128; ", &["--port=0"], "");
    let address = program.address();
    let mut waiting: Vec<_> = (0..300).map(|_| Client::connect(address)).collect();
    for client in &mut waiting {
        client.ask_for_rooms();
    }
    // Each is answered before it makes way for another, in the order of arrival.
    for mut client in waiting {
        let answer = client.next();
        let refused = answer.code.as_deref() == Some("server-full");
        assert!(refused || answer.kind == "SCRoomsResult", "{answer:?}");
    }
    Client::of(address).enter_new("room");
    program.stop();
}

#[test]
fn talkers_wait_for_a_large_room_and_readers_are_kept() {
    const CHATS: usize = 50;
    let server = RunningServer::with(|config| {
        config.limits.writes_per_room_and_turn = 1;
        config.limits.slow_backlog = 128 * 1024;
        config.limits.backlog = 512 * 1024;
    });
    let mut maker = server.client();
    let room = maker.enter_new("room");
    let mut members: Vec<_> = (0..30).map(|_| enter_as(&server, "-", room).0).collect();
    let talk = chats((0..CHATS).map(|n| format!("{n} {}", "x".repeat(20_000))));
    let talkers: Vec<_> = (0..4).map(|_| enter_as(&server, "-", room).0).collect();
    thread::scope(|scope| {
        for mut talker in talkers {
            let talk = &talk;
            scope.spawn(move || {
                let mut hearing = talker.twin();
                thread::scope(|scope| {
                    scope.spawn(move || hear_chats(&mut hearing, 3 * CHATS));
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

/// Receives so many chats, among any other messages.
fn hear_chats(member: &mut Client, count: usize) {
    let chats = std::iter::from_fn(|| Some(member.next())).filter(|m| m.kind == "SCChat");
    assert_eq!(chats.take(count).count(), count);
}
