//! Peers that take too long, or seem to, and many at the same instant: P4 to P6, T1, T2, T4.

use std::thread;
use std::time::{Duration, Instant};

use chat_server::{CloseReason, LimitKind};

use crate::support::{Client, Program, Scene, frame, in_own_process, wait_until};

/// 200 frames that grow byte by byte and never end.
#[test]
fn p6_t1_a_frame_that_arrives_drop_by_drop_times_out() {
    in_own_process(|| {
        const CLIENTS: usize = 200;
        const TIMEOUT: Duration = Duration::from_millis(500);
        let scene = Scene::with(|config| {
            config.limits.frame_timeout = TIMEOUT;
            config.limits.linger = Duration::from_secs(20);
        });
        let began = Instant::now();
        let mut clients: Vec<_> = (0..CLIENTS).map(|_| scene.server.client()).collect();
        for client in &mut clients {
            client.send_raw(b"\xea\x60{\"type\":");
        }
        // At least some drops, however slow this machine is.
        for _ in 0..3 {
            clients.iter_mut().for_each(|client| client.send_raw(b" "));
        }
        wait_until("all have timed out", || {
            clients.iter_mut().for_each(|client| client.send_raw(b" "));
            // The witnesses.
            scene.stats().sessions == 3
        });
        assert!(began.elapsed() >= TIMEOUT, "not before its time");
        for _ in 0..3 {
            clients.iter_mut().for_each(|client| client.send_raw(b" "));
        }
        for client in &mut clients {
            // Bytes sent after the server has closed do not destroy its answer.
            client.expect_code("frame-timeout");
            client.expect_end();
        }
        drop(clients);
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::FrameTimeout), CLIENTS as u64);
        assert_eq!(stats.limits.count(LimitKind::Linger), 0);
    });
}

#[test]
fn p6_t1_the_frame_timeout_begins_with_the_first_byte() {
    in_own_process(|| {
        let scene = Scene::with(|config| config.limits.frame_timeout = Duration::from_millis(300));
        // Clients that send nothing, one byte, and all but one byte.
        let mut silent = scene.server.client();
        let mut late: Vec<_> = (0..2).map(|_| scene.server.client()).collect();
        let whole = frame(r#"{"type":"CSRooms"}"#);
        late[0].send_raw(&whole[..1]);
        late[1].send_raw(&whole[..whole.len() - 1]);
        for client in &mut late {
            client.expect_code("frame-timeout");
            client.expect_end();
        }
        silent.expect_nothing();
        drop((silent, late));
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::FrameTimeout), 2);
    });
}

/// The program is suspended for longer than a connection may have a slow backlog or an incomplete frame. Clients that
/// wrote and read what they could meanwhile are kept.
#[test]
fn t2_nobody_is_evicted_because_the_server_slept() {
    // Longer than the program's `Limits::slow_backlog_time`, plus the second for which a peer counts as a steady
    // reader, plus the half second by which a late timer shows that the program was suspended.
    const SLEPT: Duration = Duration::from_secs(13);
    const CHATS: usize = 100;
    let (program, address) = Program::listening(&[]);
    let mut talker = Client::of(address);
    let room = talker.enter_new("room");
    let mut behind = Client::connect_with_little_room(address);
    behind.enter(room);
    let mut typing = Client::of(address);
    typing.enter(room);
    talker.expect_code("member-entered");
    talker.expect_code("member-entered");
    behind.expect_code("member-entered");

    let text = "x".repeat(8_000);
    for _ in 0..CHATS {
        talker.chat(&text);
    }
    // One client has a backlog, and another is in the middle of a frame.
    talker.expect_nothing();
    let whole = frame(r#"{"type":"CSChat","text":"typed"}"#);
    typing.send_raw(&whole[..10]);
    program.signal("STOP");
    let stopped = Instant::now();
    // Each immediately does what it can.
    typing.send_raw(&whole[10..]);
    let reader = thread::spawn(move || {
        for _ in 0..CHATS {
            let message = behind.receive_within(2 * SLEPT);
            assert_eq!(message.kind, "SCChat", "{message:?}");
        }
        behind
    });
    wait_for_time(stopped + SLEPT);
    program.signal("CONT");
    let mut behind = reader.join().expect("it gets everything");
    for _ in 0..CHATS {
        assert_eq!(typing.receive().kind, "SCChat");
    }
    for client in [&mut talker, &mut behind] {
        assert_eq!(client.receive().text, "typed");
    }
    for client in [&mut talker, &mut behind, &mut typing] {
        client.expect_nothing();
    }
    drop((talker, behind, typing));
    program.stop();
}

/// Waits for a point in time, since nothing else can be observed of a suspended process.
fn wait_for_time(end: Instant) {
    thread::sleep(end.saturating_duration_since(Instant::now()));
}

/// A crowd is reset and reconnects at once, three times over.
#[test]
fn t4_a_reconnect_storm_is_let_in_while_others_talk() {
    in_own_process(|| {
        const CROWD: usize = 400;
        let scene = Scene::with(|config| config.limits.accepts_per_turn = 4);
        for _ in 0..3 {
            let (room, address) = (scene.room(), scene.address());
            let crowd: Vec<_> = thread::scope(|scope| {
                let connect = || {
                    let mut clients: Vec<_> =
                        (0..CROWD / 4).map(|_| Client::connect(address)).collect();
                    for client in &mut clients {
                        client.join(room);
                    }
                    clients
                };
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(connect)).collect();
                threads.into_iter().flat_map(|thread| thread.join().expect("all connect")).collect()
            });
            for mut client in crowd {
                while client.receive().code.as_deref() != Some("room-entered") {}
                client.reset();
            }
        }
        let (heard, stats) = scene.finish();
        let told = [heard.count("member-entered"), heard.count("member-left")];
        assert_eq!(told, [3 * CROWD, 3 * CROWD]);
        // If a write met the reset, a read finds only an end.
        let [lost, ended] =
            [CloseReason::Lost, CloseReason::PeerEnded].map(|r| stats.closed.count(r));
        assert_eq!(lost + ended, 3 * CROWD as u64 + 3, "{stats:?}");
    });
}
