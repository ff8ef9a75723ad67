//! Who sends too much: R6, R7, the rate of commands, and the reading ahead of the workers.

use std::thread;
use std::time::{Duration, Instant};

use chat_server::{CloseReason, LimitKind, RateLimit};

use crate::support::{Client, Scene, frame, in_own_process, stream_of, wait_until};

fn chats(count: usize) -> Vec<u8> {
    stream_of((0..count).map(|n| format!(r#"{{"type":"CSChat","text":"{n}"}}"#)))
}

/// Whoever asks something gets its answer long before the flood is over.
#[test]
fn r6_a_flood_from_one_holds_nobody_up() {
    in_own_process(|| {
        const CHATS: usize = 30_000;
        let scene = Scene::with(|config| {
            config.limits.read_per_turn = 4 * 1024;
            // The witness takes its time to look at 30,000 chats.
            config.limits.backlog = 64 << 20;
            config.limits.slow_backlog = 64 << 20;
        });
        let mut asking = scene.server.client();
        let mut flooding = scene.member();
        let before = scene.stats().requests;
        thread::scope(|scope| {
            scope.spawn(|| flooding.send_raw(&chats(CHATS)));
            for _ in 0..20 {
                asking.rooms();
            }
            let done = scene.stats().requests - before;
            assert!(done < CHATS as u64, "20 answers behind {done} of {CHATS} chats");
        });
        flooding.expect_nothing();
        drop((asking, flooding));
        let (heard, _) = scene.finish();
        assert_eq!(heard.chats, CHATS);
    });
}

/// 100 talkers at once, from those that go through the workers to those that do not.
#[test]
fn r6_a_flood_from_many_is_carried_out_to_the_last() {
    in_own_process(|| {
        for inline_requests in [0, 50, usize::MAX] {
            let scene = Scene::with(|config| {
                config.inline_requests = inline_requests;
                config.limits.backlog = 64 << 20;
                config.limits.slow_backlog = 64 << 20;
            });
            // Each in a room of its own, but for ten in the room of the witness.
            let mut talkers: Vec<_> = (0..90).map(|_| scene.server.client()).collect();
            for talker in &mut talkers {
                talker.enter_new("own");
            }
            talkers.extend((0..10).map(|_| scene.member()));
            let flood = chats(100);
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

/// One of ten in a room hears 100 chats of each of the nine others, each in order.
fn hear_the_others(member: &mut Client) {
    let mut next = std::collections::BTreeMap::<String, usize>::new();
    let mut chats = 0;
    while chats < 900 {
        let message = member.next();
        if message.kind == "SCChat" {
            let next = next.entry(message.member).or_default();
            assert_eq!(message.text, next.to_string());
            *next += 1;
            chats += 1;
        }
    }
    assert_eq!(next.len(), 9);
}

/// Beyond the rate nothing is dropped: it comes later, and in order.
#[test]
fn r6_beyond_the_rate_of_commands_everything_comes_later() {
    in_own_process(|| {
        const CHATS: usize = 60;
        let scene = Scene::with(|config| {
            config.limits.commands = RateLimit { burst: 40, per_second: 60 };
        });
        let mut talkers: Vec<_> = (0..5).map(|_| scene.member()).collect();
        let began = Instant::now();
        for talker in &mut talkers {
            talker.send_raw(&chats(CHATS));
        }
        for mut talker in talkers {
            talker.end_sending();
            while talker.next_payload().is_some() {}
        }
        // To enter the room was a command.
        let at_least = Duration::from_secs(1) * (1 + CHATS as u32 - 40) / 60;
        assert!(began.elapsed() >= at_least, "{:?}", began.elapsed());
        assert!(scene.stats().limits.count(LimitKind::Commands) >= 5);
        let (heard, _) = scene.finish();
        assert_eq!(heard.chats, 5 * CHATS);
    });
}

/// What it has sent would take a minute to be carried out. When its connection fails it is gone, not then.
#[test]
fn r6_o8_who_is_reset_while_it_is_read_no_further_leaves_at_once() {
    in_own_process(|| {
        let scene =
            Scene::with(|config| config.limits.commands = RateLimit { burst: 4, per_second: 1 });
        let mut ghost = scene.member();
        ghost.send_raw(&chats(60));
        wait_until("it is read no further", || scene.stats().limits.count(LimitKind::Commands) > 0);
        ghost.reset();
        wait_until("it is gone", || scene.stats().sessions == 3);
        let (heard, stats) = scene.finish();
        assert!(heard.chats < 60 && heard.count("member-left") == 1, "{heard:?}");
        assert_eq!(stats.closed.count(CloseReason::Lost), 1);
    });
}

/// 20,000 rooms are made and left.
#[test]
fn r7_rooms_that_are_made_and_left_leave_nothing_behind() {
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

/// Somebody comes into the room of the witness and goes, 2,000 times.
#[test]
fn r7_each_of_many_comings_and_goings_is_told_once() {
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
