//! Lists of rooms: the memory they take, the order of service, and their deadlines.

use super::*;

/// The longest frame, in bytes.
const FRAME: usize = 2 + 65_535;

const ASKERS: usize = 30;

type Peer = (ConnKey, TestSocket);

/// A harness with enough rooms that their list takes several frames, their members, and peers that ask for the list.
fn many_rooms() -> (Harness, Vec<Peer>, Vec<Peer>) {
    let mut harness = Harness::new(|_| {});
    let create = format!(r#"{{"type":"CSCreateRoom","title":"{}"}}"#, "방".repeat(100));
    let members = (0..400).map(|_| harness.member(&create)).collect();
    let askers = (0..ASKERS).map(|_| harness.connect()).collect();
    (harness, members, askers)
}

fn ask(harness: &mut Harness, askers: &[Peer]) {
    for (key, socket) in askers {
        socket.comes(Come::Bytes(frame(ROOMS)));
        harness.engine.readable(*key, false);
    }
}

fn frames(socket: &TestSocket) -> usize {
    socket.take().len()
}

/// An unread list holds one frame, whatever changes meanwhile: no version of a room is kept for it.
#[test]
fn b2_unread_lists_hold_one_frame_each() {
    let (mut harness, members, askers) = many_rooms();
    askers.iter().for_each(|(_, socket)| socket.0.borrow_mut().is_full = true);
    ask(&mut harness, &askers);
    harness.turns();
    for round in 0..3 {
        for (n, (key, socket)) in members.iter().enumerate() {
            harness.come(*key, socket, &[&format!(r#"{{"type":"CSName","name":"{round} {n}"}}"#)]);
        }
        let held = harness.counters.stats().backlog as usize;
        assert!(held > 0 && held <= ASKERS * (FRAME + 1024), "{held} bytes");
    }
    let (reader, socket) = harness.connect();
    harness.come(reader, &socket, &[ROOMS]);
    assert!(frames(&socket) > 1, "whoever reads gets the list at once");
    assert_eq!(harness.counters.stats().closed.total(), 0, "and nobody is evicted");
    for (key, socket) in &askers {
        socket.0.borrow_mut().is_full = false;
        harness.engine.writable(*key);
    }
    harness.turns();
    assert_eq!(harness.counters.stats().backlog, 0);
    let counts: Vec<_> = askers.iter().map(|(_, socket)| frames(socket)).collect();
    assert!(counts.iter().all(|&count| count > 1 && count == counts[0]), "{counts:?}");
}

/// A turn encodes a bounded number of frames, no matter how many peers ask. All get theirs in turn, and a peer that
/// chats is served in every turn.
#[test]
fn b7_lists_are_served_a_few_frames_a_turn_and_in_turn() {
    let (mut harness, members, askers) = many_rooms();
    let (chatting, listening) = (harness.member(JOIN), &members[0].1);
    listening.take();
    ask(&mut harness, &askers);
    let mut served = vec![0; ASKERS];
    while harness.engine.wants_turn() {
        chatting.1.comes(Come::Bytes(frame(r#"{"type":"CSChat","text":"hello"}"#)));
        harness.engine.readable(chatting.0, false);
        harness.engine.turn(Instant::START);
        assert_eq!(listening.take(), ["SCChat"]);
        let turn: Vec<_> = askers.iter().map(|(_, socket)| frames(socket)).collect();
        assert!(turn.iter().sum::<usize>() <= 8, "{turn:?}");
        served.iter_mut().zip(turn).for_each(|(sum, count)| *sum += count);
        let ends = served.iter().min().zip(served.iter().max());
        assert!(ends.is_some_and(|(least, most)| most - least <= 2), "{served:?}");
    }
    assert!(served.iter().all(|&count| count > 1), "{served:?}");
}

/// Nobody waits for a list whose reader takes nothing, whatever else the peer has begun.
#[test]
fn b5_a_list_that_is_not_read_ends_like_any_backlog() {
    for begun in [&[][..], &[0], &[0, 100, b'{']] {
        let (mut harness, _, askers) = many_rooms();
        let (key, socket) = &askers[0];
        socket.0.borrow_mut().is_full = true;
        socket.comes(Come::Bytes([&frame(ROOMS), begun].concat()));
        harness.engine.readable(*key, false);
        let mut now = Instant::START;
        let mut deadlines = 0;
        harness.engine.turn(now);
        while let Some(deadline) = harness.engine.next_deadline() {
            now = deadline.max(now);
            harness.engine.turn(now);
            deadlines += 1;
            assert!(deadlines < 100);
            if harness.engine.connections.get(*key).is_none() {
                break;
            }
        }
        let stats = harness.counters.stats();
        assert_eq!(stats.closed.count(CloseReason::SlowBacklog), 1, "{begun:?}");
        assert!(now <= Instant::START + Duration::from_secs(16), "{now:?}");
    }
}

#[test]
fn b5_part_of_a_frame_after_a_list_times_out_when_the_list_is_read() {
    let mut harness = Harness::new(|_| {});
    let (key, socket) = harness.connect();
    socket.comes(Come::Bytes([&frame(ROOMS), &[0, 100, b'{'][..]].concat()));
    harness.engine.readable(key, false);
    harness.turns();
    assert!(!socket.take().is_empty(), "the list is read");
    let latest = Instant::START + Duration::from_secs(40);
    while let Some(now) = harness.engine.next_deadline().filter(|now| *now < latest) {
        harness.turns_at(now);
    }
    assert!(harness.engine.connections.get(key).is_none());
    assert_eq!(harness.counters.stats().closed.count(CloseReason::FrameTimeout), 1);
}
