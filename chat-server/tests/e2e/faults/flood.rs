//! Clients that send too much, or come and go too often: R6, R7.

use std::io::{self, Write};
use std::iter;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use chat_server::{CloseReason, LimitKind, RateLimit};

use crate::support::{
    Client, Program, Scene, Witnesses, chats, frame, in_own_process, stream_of, wait_until,
};

/// While the program is suspended, a flood from one client arrives, and then requests from others. These are answered
/// after a few turns, not after the whole flood.
#[test]
fn r6_a_flood_from_one_client_delays_nobody_else() {
    const CHATS: usize = 10_000;
    // Some 100 chats of the flood.
    let limits = ["--limit=read-per-turn=4KiB", "--limit=commands=0/s"];
    let (program, address) = Program::listening(&limits);
    let witnesses = Witnesses::start(address);
    let [mut flooding, mut asking] = [(); 2].map(|()| Client::of(address));
    flooding.enter(witnesses.room);
    asking.enter(witnesses.room);
    flooding.expect_code("member-entered");
    program.signal("STOP");
    flooding.send_raw(&chats(0..CHATS));
    asking.ask_for_rooms();
    program.signal("CONT");
    let before =
        iter::from_fn(|| Some(asking.receive())).take_while(|m| m.kind == "SCChat").count();
    assert!(before < CHATS / 10, "an answer after {before} of {CHATS} chats");
    flooding.expect_nothing();
    drop(asking);
    flooding.expect_code("member-left");
    drop(flooding);
    wait_until("the witness has received the flood", || witnesses.chats() == CHATS);
    witnesses.finish();
    program.stop();
}

/// 100 talkers at once, whose commands go through the workers, are carried out inline, or both.
#[test]
fn r6_a_flood_from_many_clients_is_carried_out_completely() {
    in_own_process(|| {
        for inline_requests in [0, 50, usize::MAX] {
            let scene = Scene::with(|config| {
                config.inline_requests = inline_requests;
                config.limits.backlog = 64 << 20;
                config.limits.slow_backlog = 64 << 20;
            });
            // Each has a room of its own, except for ten in the room of the witness.
            let mut talkers: Vec<_> = (0..90).map(|_| scene.server.client()).collect();
            for talker in &mut talkers {
                talker.enter_new("own");
            }
            talkers.extend((0..10).map(|_| scene.member()));
            let flood = chats(0..100);
            thread::scope(|scope| {
                for talkers in talkers.chunks_mut(25) {
                    scope.spawn(|| {
                        for talker in talkers {
                            talker.send_raw(&flood);
                        }
                    });
                }
            });
            for talker in &mut talkers[..90] {
                talker.expect_nothing();
            }
            for talker in &mut talkers[90..] {
                hear_the_others(talker);
            }
            drop(talkers);
            let (heard, _) = scene.finish();
            assert_eq!(heard.chats, 1_000);
        }
    });
}

/// A member of a room of ten receives 100 chats of each of the others, each in order.
fn hear_the_others(member: &mut Client) {
    let mut next = std::collections::BTreeMap::<String, usize>::new();
    let mut chats = 0;
    while chats < 900 {
        let message = member.receive();
        if message.kind == "SCChat" {
            let next = next.entry(message.member).or_default();
            assert_eq!(message.text, next.to_string());
            *next += 1;
            chats += 1;
        }
    }
    assert_eq!(next.len(), 9);
}

/// A peer that sends `flood` over and over, and reads everything, until the room is gone or the peer is dropped.
struct Flooder(TcpStream, Vec<thread::JoinHandle<()>>);

impl Flooder {
    fn start(address: SocketAddr, flood: Vec<u8>) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        let [mut reads, mut writes] = [(); 2].map(|()| stream.try_clone().expect("a descriptor"));
        let writer = thread::spawn(move || {
            let _ = writes.write_all(&frame(r#"{"type":"CSJoinRoom","roomId":1}"#));
            while writes.write_all(&flood).is_ok() {}
        });
        let reader = thread::spawn(move || {
            let _ = io::copy(&mut reads, &mut io::sink());
        });
        Self(stream, vec![writer, reader])
    }
}

impl Drop for Flooder {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Both);
        self.1.drain(..).for_each(|thread| thread.join().expect("it only sends and reads"));
    }
}

/// A member reads 250 KB a second, no more and no less. Whatever the others do in its room, it stays, and they are
/// slowed down.
#[test]
fn b4_a_reader_of_2_mbit_a_second_survives_any_flood() {
    const STEP: (usize, Duration) = (5_000, Duration::from_millis(20));
    let long = chats(["x".repeat(65_000)]);
    let join_and_leave =
        stream_of([r#"{"type":"CSJoinRoom","roomId":1}"#, r#"{"type":"CSLeaveRoom"}"#]);
    let renames = stream_of((0..50).map(|n| format!(r#"{{"type":"CSName","name":"{n:030}"}}"#)));
    for (flooders, flood) in [(1, &long), (16, &long), (16, &renames), (16, &join_and_leave)] {
        let (program, address) = Program::listening(&[]);
        let mut owner = Client::of(address);
        let room = owner.enter_new("room");
        let mut steady = Client::connect_with_little_room(address);
        steady.enter(room);
        let flooders: Vec<_> =
            (0..flooders).map(|_| Flooder::start(address, flood.clone())).collect();
        // This sets the speed of the reader; nothing is waited for.
        let began = Instant::now();
        for step in 0..80 {
            thread::sleep((began + step * STEP.1).saturating_duration_since(Instant::now()));
            steady.drip(STEP.0);
        }
        drop(flooders);
        drop(owner);
        let rooms = Client::of(address).rooms();
        let is_there = rooms.iter().any(|room| room.members.iter().any(|name| name == "user2"));
        assert!(is_there, "the steady reader is gone: {rooms:?}");
        program.stop();
    }
}

/// Beyond the rate of commands, reading pauses, and nothing is dropped.
#[test]
fn r6_commands_beyond_the_rate_are_delayed_and_none_is_dropped() {
    in_own_process(|| {
        const CHATS: usize = 60;
        let scene = Scene::with(|config| {
            config.limits.commands = RateLimit { burst: 40, per_second: 60 };
        });
        let mut talkers: Vec<_> = (0..5).map(|_| scene.member()).collect();
        let began = Instant::now();
        for talker in &mut talkers {
            talker.send_raw(&chats(0..CHATS));
        }
        for mut talker in talkers {
            talker.end_sending();
            while talker.next_payload().is_some() {}
        }
        // Entering the room was a command, too.
        let at_least = Duration::from_secs(1) * (1 + CHATS as u32 - 40) / 60;
        assert!(began.elapsed() >= at_least, "{:?}", began.elapsed());
        assert!(scene.stats().limits.count(LimitKind::Commands) >= 5);
        let (heard, _) = scene.finish();
        assert_eq!(heard.chats, 5 * CHATS);
    });
}

/// The input of the client would take a minute to carry out. The client leaves as soon as its connection fails.
#[test]
fn r6_o8_a_reset_during_a_rate_pause_is_noticed_at_once() {
    in_own_process(|| {
        let scene =
            Scene::with(|config| config.limits.commands = RateLimit { burst: 4, per_second: 1 });
        let mut ghost = scene.member();
        ghost.send_raw(&chats(0..60));
        wait_until("it is read no further", || scene.stats().limits.count(LimitKind::Commands) > 0);
        ghost.reset();
        wait_until("it is gone", || scene.stats().sessions == 3);
        let (heard, stats) = scene.finish();
        assert!(heard.chats < 60 && heard.count("member-left") == 1, "{heard:?}");
        assert_eq!(stats.closed.count(CloseReason::Lost), 1);
    });
}

/// 20,000 rooms are created and left.
#[test]
fn r7_rooms_made_and_left_leave_nothing_behind() {
    in_own_process(|| {
        const ROUNDS: usize = 500;
        let scene = Scene::with(|config| config.limits.rooms = 10);
        let round = [
            frame(r#"{"type":"CSCreateRoom","title":"short-lived"}"#),
            frame(r#"{"type":"CSLeaveRoom"}"#),
        ];
        let batch = round.concat().repeat(ROUNDS);
        let mut clients: Vec<_> = (0..4).map(|_| scene.server.client()).collect();
        thread::scope(|scope| {
            for client in &mut clients {
                scope.spawn(|| {
                    for _ in 0..10 {
                        client.send_raw(&batch);
                        for _ in 0..ROUNDS {
                            client.expect_code("room-created");
                            client.expect_code("room-left");
                        }
                    }
                });
            }
        });
        assert_eq!(clients[0].rooms().len(), 2, "those of the witnesses");
        drop(clients);
        scene.finish();
    });
}

/// A client joins and leaves the room of the witness 2,000 times.
#[test]
fn r7_each_of_many_joins_and_leaves_is_announced_once() {
    in_own_process(|| {
        const ROUNDS: usize = 2_000;
        let scene = Scene::with(|_| {});
        let mut client = scene.server.client();
        let join = frame(format!(r#"{{"type":"CSJoinRoom","roomId":{}}}"#, scene.room()));
        let leave = frame(r#"{"type":"CSLeaveRoom"}"#);
        client.send_raw(&[join, leave].concat().repeat(ROUNDS));
        for _ in 0..ROUNDS {
            client.expect_code("room-entered");
            client.expect_code("room-left");
        }
        drop(client);
        let (heard, _) = scene.finish();
        let told = [heard.count("member-entered"), heard.count("member-left")];
        assert_eq!(told, [ROUNDS, ROUNDS]);
    });
}
