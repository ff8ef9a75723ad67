//! Members that read slowly or not at all, and peers that make them slow.

use super::*;
use crate::limits::RateLimit;

const MS: Duration = Duration::from_millis(1);

/// The time `ms` milliseconds after the start.
fn at(ms: u32) -> Instant {
    Instant::START + MS * ms
}

fn chat(bytes: usize) -> Vec<u8> {
    frame(format!(r#"{{"type":"CSChat","text":"{}"}}"#, "x".repeat(bytes)))
}

fn rename(name: &str) -> Vec<u8> {
    frame(format!(r#"{{"type":"CSName","name":"{name}"}}"#))
}

impl Harness {
    /// Whether the hub still has the connection.
    fn has(&self, key: ConnKey) -> bool {
        let connection = self.engine.connections.get(key);
        connection.is_some_and(|connection| !connection.lifecycle.has_left_hub())
    }
}

/// What a peer keeps doing beside a steady reader.
enum Flood {
    Chats(usize),
    Renames,
    JoinsAndLeaves,
    JoinsAndResets,
}

/// A member reads 250 KB a second, in steps of 20 ms, while `flooders` flood its room for 10 s. It stays, and receives
/// a prefix of what was said.
fn reads_steadily(flooders: usize, flood: &Flood) {
    let mut harness = Harness::new(|_| {});
    let (_, _alone) = harness.member(CREATE);
    let (key, reader) = harness.member(JOIN);
    let mut peers: Vec<_> = (0..flooders)
        .map(|_| match flood {
            Flood::Chats(_) | Flood::Renames => harness.member(JOIN),
            Flood::JoinsAndLeaves | Flood::JoinsAndResets => harness.connect(),
        })
        .collect();
    reader.0.borrow_mut().is_full = true;
    let mut read = 0;
    for step in 0..500 {
        let now = at(20 * step);
        for (number, (peer, socket)) in peers.iter_mut().enumerate() {
            socket.0.borrow_mut().written.clear();
            if !harness.has(*peer) {
                (*peer, *socket) = harness.connect();
            }
            while socket.unread() < 130_000 {
                let bytes = match flood {
                    Flood::Chats(bytes) => chat(*bytes).repeat((130_000 / bytes).min(64)),
                    Flood::Renames => {
                        rename(&format!("{}{number}x{step}", "n".repeat(20))).repeat(64)
                    }
                    Flood::JoinsAndLeaves => {
                        [frame(JOIN), frame(r#"{"type":"CSLeaveRoom"}"#)].concat().repeat(700)
                    }
                    Flood::JoinsAndResets => frame(JOIN),
                };
                socket.comes(Come::Bytes(bytes));
                if matches!(flood, Flood::JoinsAndResets) {
                    break;
                }
            }
            harness.engine.readable(*peer, false);
        }
        harness.turns_at(now);
        if matches!(flood, Flood::JoinsAndResets) {
            for (peer, socket) in &peers {
                socket.comes(Come::Fail(ErrorKind::ConnectionReset));
                harness.engine.readable(*peer, true);
                harness.engine.failed(*peer);
            }
        }
        {
            let mut wire = reader.0.borrow_mut();
            wire.is_full = false;
            wire.writes.extend([Step::Take(5_000), Step::Fail(ErrorKind::WouldBlock)]);
        }
        harness.engine.writable(key);
        harness.turns_at(now + MS);
        let mut wire = reader.0.borrow_mut();
        (wire.is_full, read) = (true, read + wire.written.len());
        wire.written.clear();
        wire.writes.clear();
        drop(wire);
        assert!(harness.has(key), "evicted after {} ms, with {read} bytes read", 20 * step);
    }
    // The room moves at the reader's pace.
    assert!(read > 100_000, "{read} bytes in 10 s: the room stands still");
}

#[test]
fn b4_a_steady_reader_survives_a_flood_of_long_chats() {
    reads_steadily(1, &Flood::Chats(65_000));
}

#[test]
fn b4_a_steady_reader_survives_many_flooders() {
    reads_steadily(10, &Flood::Chats(65_000));
    reads_steadily(10, &Flood::Chats(100));
}

#[test]
fn b4_a_steady_reader_survives_renames_joins_and_leaves() {
    reads_steadily(10, &Flood::Renames);
    reads_steadily(10, &Flood::JoinsAndLeaves);
    reads_steadily(50, &Flood::JoinsAndResets);
}

/// Strangers with unread answers join a room, one every 60 ms, and reset. The room is read all the time, except for
/// 100 ms per second.
#[test]
fn b3_answers_unread_before_joining_hold_no_room_up() {
    for unread_answers in [false, true] {
        let mut harness = Harness::new(|_| {});
        let (talking, talker) = harness.member(CREATE);
        let (_, witness) = harness.member(JOIN);
        let mut strangers = VecDeque::new();
        let (mut since, mut longest, mut held) = (None::<u32>, 0, 0);
        for ms in 0..6_000 {
            let now = at(ms);
            if ms % 60 == 0 {
                let (stranger, socket) = harness.connect();
                socket.0.borrow_mut().is_full = true;
                if unread_answers {
                    // Just below the limit beyond which it would not be read.
                    let refused = frame(r#"{"type":"CSLeaveRoom"}"#);
                    while harness
                        .engine
                        .connections
                        .get(stranger)
                        .expect("there")
                        .outbound
                        .send
                        .pending()
                        < 255 * 1024
                    {
                        socket.comes(Come::Bytes(refused.repeat(64)));
                        harness.engine.readable(stranger, false);
                        harness.turns_at(now);
                    }
                }
                socket.comes(Come::Bytes(frame(JOIN)));
                harness.engine.readable(stranger, false);
                strangers.push_back((stranger, socket));
            }
            if strangers.len() > 8
                && let Some((stranger, socket)) = strangers.pop_front()
            {
                socket.comes(Come::Fail(ErrorKind::ConnectionReset));
                harness.engine.readable(stranger, true);
                harness.engine.failed(stranger);
            }
            // 8 KB every 10 ms, no more than the witness reads.
            if ms % 10 == 0 && talker.unread() == 0 {
                talker.comes(Come::Bytes(chat(if unread_answers { 200 } else { 8_000 })));
                harness.engine.readable(talking, false);
            }
            harness.turns_at(now);
            talker.take();
            witness.take();
            if talker.unread() > 0 {
                let began = *since.get_or_insert(ms);
                (longest, held) = (longest.max(ms + 1 - began), held + 1);
            } else {
                since = None;
            }
        }
        let allowed = if unread_answers { 0 } else { 110 };
        assert!(longest <= allowed, "not read for {longest} ms");
        assert!(unread_answers || held > 0, "the strangers do make the room wait");
    }
}

/// Whatever a connection waits for, its half frame or its unread output ends it in time, even if bytes keep dripping.
#[test]
fn b5_every_deadline_runs_whatever_else_is_waiting() {
    let half = &[0xEA, 0x60, b'{'][..];
    let free = RateLimit::per_second(0);
    let scarce = RateLimit { burst: 1, per_second: 1 };
    type Prepare = fn(&mut Config, RateLimit);
    let waits: [(&str, Prepare, &[u8], bool); 6] = [
        ("nothing", |_, _| {}, b"", false),
        ("commands", |c, scarce| c.limits.commands = scarce, &frame(CHAT).repeat(3), false),
        ("input", |c, scarce| c.limits.input = scarce, &chat(100), false),
        ("answers", |c, scarce| c.limits.answers = scarce, &frame(CHAT).repeat(3), false),
        ("a list", |_, _| {}, &frame(ROOMS), true),
        ("its backlog", |_, _| {}, &frame(CHAT).repeat(5_000), true),
    ];
    for (what, prepare, before, is_full) in waits {
        let mut harness = Harness::new(|config| {
            config.limits.room_pace = free;
            prepare(config, scarce);
        });
        let (key, socket) = harness.connect();
        socket.0.borrow_mut().is_full = is_full;
        socket.comes(Come::Bytes([before, half].concat()));
        let mut gone = None;
        for ms in (0..120_000).step_by(100) {
            if ms % 1_000 == 0 && ms > 0 {
                socket.comes(Come::Bytes(b" ".to_vec()));
            }
            harness.engine.readable(key, false);
            harness.turns_at(at(ms));
            if !harness.has(key) {
                gone = Some(ms);
                break;
            }
        }
        // A budget may delay the frames before it by some seconds.
        assert!(gone.is_some_and(|ms| ms <= 45_000), "{what}: gone after {gone:?} ms");
    }
}

/// The same in a room that is held and paced all the time.
#[test]
fn b5_a_frame_that_drips_into_a_paced_room_times_out() {
    let mut harness = Harness::new(|_| {});
    let (talking, talker) = harness.member(CREATE);
    let (reading, reader) = harness.member(JOIN);
    let (key, socket) = harness.member(JOIN);
    let mut gone = None;
    for ms in (0..60_000).step_by(20) {
        if talker.unread() < 65_000 {
            talker.comes(Come::Bytes(chat(65_000)));
            harness.engine.readable(talking, false);
        }
        socket.comes(Come::Bytes(if ms == 0 { vec![255, 255, b'{'] } else { vec![b' '] }));
        harness.engine.readable(key, false);
        reader.0.borrow_mut().writes.extend([Step::Take(5_000), Step::Fail(ErrorKind::WouldBlock)]);
        harness.engine.writable(reading);
        harness.turns_at(at(ms));
        [&talker, &reader, &socket].iter().for_each(|s| s.0.borrow_mut().written.clear());
        if !harness.has(key) {
            gone = Some(ms);
            break;
        }
    }
    assert!(gone.is_some_and(|ms| (30_000..32_000).contains(&ms)), "gone after {gone:?} ms");
    assert!(harness.has(reading));
}

/// A request to join a room that waits for a slow member is carried out before the next one.
#[test]
fn b3_nothing_overtakes_a_join_that_waits() {
    let mut harness = Harness::new(|_| {});
    let (talking, talker) = harness.member(CREATE);
    let (_, reader) = harness.member(JOIN);
    reader.0.borrow_mut().is_full = true;
    talker.comes(Come::Bytes(chat(60_000).repeat(6)));
    harness.engine.readable(talking, false);
    harness.turns_at(at(1));
    let (key, socket) = harness.connect();
    for payload in [JOIN, CREATE] {
        socket.comes(Come::Bytes(frame(payload)));
        // Whatever queues it.
        harness.engine.readable(key, false);
        harness.engine.enqueue_read(key);
        harness.turns_at(at(2));
        harness.engine.enqueue_read(key);
        harness.turns_at(at(3));
    }
    assert_eq!(socket.take(), [""; 0], "the room is held");
    for ms in 4..5_000 {
        harness.turns_at(at(ms));
    }
    assert_eq!(socket.take()[..2], ["room-entered", "already-in-room"]);
}
