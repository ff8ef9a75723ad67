//! The engine with more to do than one turn takes: what it does first, and how much at most.

use super::*;
use crate::limits::RateLimit;

const LEAVE: &str = r#"{"type":"CSLeaveRoom"}"#;

impl Harness {
    /// Delivers payloads with one event, and gives no turn.
    fn queue(&mut self, key: ConnKey, socket: &TestSocket, payloads: &[&str]) {
        socket.comes(Come::Bytes(payloads.iter().flat_map(|p| frame(p)).collect()));
        self.engine.readable(key, false);
    }
}

#[test]
fn b7_a_turn_reads_and_answers_so_much_and_no_more() {
    let mut harness = Harness::new(|_| {});
    let peers: Vec<_> = (0..3_000).map(|_| harness.connect()).collect();
    for (key, socket) in &peers {
        harness.queue(*key, socket, &[LEAVE]);
    }
    let (mut answered, mut turns, mut unread) = (0, 0, peers.len());
    while harness.engine.wants_turn() {
        harness.engine.turn(Instant::START);
        let left = peers.iter().filter(|(_, socket)| socket.unread() > 0).count();
        let now: usize = peers.iter().map(|(_, socket)| socket.take().len()).sum();
        assert!(unread - left <= 768 && now <= 512, "{} read, {now} answered", unread - left);
        (unread, answered, turns) = (left, answered + now, turns + 1);
        assert!(turns < 100, "it gets on");
    }
    assert_eq!(answered, peers.len());
}

#[test]
fn b7_who_says_little_is_read_before_those_who_say_all_they_may() {
    let mut harness = Harness::new(|config| {
        config.limits.commands = RateLimit { burst: 8, per_second: 1 };
    });
    let busy: Vec<_> = (0..3_000).map(|_| harness.connect()).collect();
    let (quiet, socket) = harness.connect();
    for _ in 0..5 {
        for (key, socket) in &busy {
            harness.queue(*key, socket, &[LEAVE]);
        }
        harness.turns();
    }
    for (key, socket) in &busy {
        harness.queue(*key, socket, &[LEAVE]);
    }
    harness.queue(quiet, &socket, &[LEAVE]);
    harness.engine.turn(Instant::START);
    assert_eq!(socket.unread(), 0, "read in the first turn");
    let read = busy.iter().filter(|(_, socket)| socket.unread() == 0).count();
    assert!(read > 100 && read < busy.len(), "{read} busy ones as well");
}

#[test]
fn b7_large_rooms_share_a_slice_and_small_ones_are_done_first() {
    let mut harness = Harness::new(|config| config.limits.writes_per_room_and_turn = 10);
    let mut rooms = Vec::new();
    for (room, members) in [(1, 100), (2, 100), (3, 9)] {
        let join = format!(r#"{{"type":"CSJoinRoom","roomId":{room}}}"#);
        let joins = [CREATE].into_iter().chain(std::iter::repeat_n(join.as_str(), members - 1));
        rooms.push(joins.map(|join| harness.member(join)).collect::<Vec<_>>());
    }
    let written = |rooms: &[Vec<(ConnKey, TestSocket)>], of: std::ops::Range<usize>| -> usize {
        let members = rooms[of].iter().flatten();
        members.map(|(_, socket)| usize::from(!socket.take().is_empty())).sum()
    };
    written(&rooms, 0..3);
    for members in &rooms {
        let (key, socket) = &members[0];
        harness.queue(*key, socket, &[r#"{"type":"CSChat","text":"x"}"#]);
    }
    harness.engine.turn(Instant::START);
    assert_eq!((written(&rooms, 2..3), written(&rooms, 0..2)), (8, 10));
    let mut others = 10;
    while harness.engine.wants_turn() {
        harness.engine.turn(Instant::START);
        let now = written(&rooms, 0..2);
        assert!(now <= 10, "{now} in a turn");
        others += now;
    }
    assert_eq!(others, 2 * 99);
}

#[test]
fn b7_a_turn_reads_few_long_frames() {
    let mut harness = Harness::new(|_| {});
    let long = format!(r#"{{"type":"CSChat","text":"{}"}}"#, "\\n".repeat(30_000));
    let peers: Vec<_> = (0..100).map(|_| harness.connect()).collect();
    for (key, socket) in &peers {
        harness.queue(*key, socket, &[&long]);
    }
    let mut left = peers.len();
    while harness.engine.wants_turn() {
        harness.engine.turn(Instant::START);
        let unread = peers.iter().filter(|(_, socket)| socket.unread() > 0).count();
        assert!(left - unread <= 8, "{} in a turn", left - unread);
        left = unread;
    }
    assert_eq!(left, 0);
}
