//! Relief, when all connections together hold more memory than allowed.

use super::*;
use crate::stats::ReliefStep;

const KIB: usize = 1024;

impl Harness {
    fn at(&mut self, ms: u64) -> Instant {
        Instant::START + Duration::from_millis(ms)
    }

    fn turns_at_ms(&mut self, ms: u64) {
        let now = self.at(ms);
        self.engine.turn(now);
        while self.engine.wants_turn() {
            self.engine.turn(now);
        }
    }

    /// Sends requests from a peer that reads nothing, until `memory` bytes are held for it or it is evicted.
    fn pile_up(&mut self, (key, socket): &(ConnKey, TestSocket), memory: usize, ms: u64) {
        socket.0.borrow_mut().is_full = true;
        let needs_more = |harness: &Self| {
            let connection = harness.engine.connections().get(*key);
            connection.is_some_and(|c| c.lifecycle.is_open() && c.memory() < memory)
        };
        for _ in 0..1_000 {
            if !needs_more(self) {
                return;
            }
            socket.comes(Come::Bytes(frame(CHAT).repeat(20)));
            self.engine.readable(*key, false);
            self.turns_at_ms(ms);
        }
        panic!("it is not read any more");
    }

    /// Reads some of the bytes pending for a peer.
    fn read_some(&mut self, (key, socket): &(ConnKey, TestSocket), ms: u64) {
        {
            let mut wire = socket.0.borrow_mut();
            wire.is_full = false;
            wire.writes.extend([Step::Take(10_000), Step::Fail(ErrorKind::WouldBlock)]);
        }
        self.engine.writable(*key);
        self.turns_at_ms(ms);
        socket.0.borrow_mut().is_full = true;
    }

    fn are_open(&self, peers: &[&(ConnKey, TestSocket)]) -> Vec<bool> {
        let is_open =
            |key| self.engine.connections().get(key).is_some_and(|c| c.lifecycle.is_open());
        peers.iter().map(|(key, _)| is_open(*key)).collect()
    }
}

/// Sends the beginning of a frame of 65,000 bytes.
fn begin_frame(harness: &mut Harness, (key, socket): &(ConnKey, TestSocket), len: usize) {
    let mut bytes = vec![b' '; len];
    bytes[..3].copy_from_slice(&[0xfd, 0xe8, b'{']);
    socket.comes(Come::Bytes(bytes));
    harness.engine.readable(*key, false);
}

#[test]
fn b1_a_byte_after_a_long_frame_holds_a_byte() {
    let mut harness = Harness::new(|_| {});
    let long = frame(format!(r#"{{"type":"CSChat","text":"{}"}}"#, "x".repeat(60_000)));
    for _ in 0..100 {
        let (key, socket) = harness.connect();
        socket.comes(Come::Bytes([&frame(ROOMS)[..], &long, &[0]].concat()));
        harness.engine.readable(key, false);
        harness.turns();
        assert_eq!(socket.take(), ["SCRoomsResult", "not-in-room"]);
    }
    assert_eq!(harness.engine.memory(), 100);
}

#[test]
fn b2_those_that_read_nothing_for_longest_go_first_and_a_steady_reader_last() {
    let mut harness = Harness::new(|config| {
        config.limits.total_backlog = 300 * KIB;
        config.limits.room_pace.per_second = 10_000;
    });
    let [stopped, later, steady, newest] = &[(); 4].map(|()| harness.connect());
    harness.pile_up(steady, 120 * KIB, 0);
    harness.pile_up(stopped, 76 * KIB, 100);
    harness.pile_up(later, 80 * KIB, 200);
    for ms in [300, 500, 700, 900] {
        harness.read_some(steady, ms);
    }
    let open = |harness: &Harness| harness.are_open(&[stopped, later, steady, newest]);
    harness.pile_up(newest, 76 * KIB, 1_000);
    assert_eq!(
        open(&harness),
        [false, true, true, true],
        "it was the first to stop, not the largest"
    );
    harness.pile_up(newest, 150 * KIB, 1_010);
    assert_eq!(open(&harness), [false, false, true, true], "the next");
    // It may have taken something a moment ago, but last read before the steady reader did.
    harness.read_some(steady, 1_200);
    harness.pile_up(newest, 240 * KIB, 1_210);
    assert_eq!(open(&harness), [false, false, true, false], "who reads is the last");
    let stats = harness.counters.stats();
    assert_eq!(stats.relief.count(ReliefStep::Evicted), 3);
    assert_eq!(harness.engine.memory() as u64, stats.backlog);
}

/// However many peers send part of a frame in one turn, no more is held than the limit allows, and peers with a small
/// share stay.
#[test]
fn b8_partial_frames_give_way_to_the_limit_the_oldest_first() {
    let mut harness = Harness::new(|config| config.limits.total_backlog = 1024 * KIB);
    let peers: Vec<_> = (0..100).map(|_| harness.connect()).collect();
    for (peer, ms) in peers.iter().zip(0..) {
        let len = if ms % 10 == 0 { 1_000 } else { 60_000 };
        begin_frame(&mut harness, peer, len);
        harness.turns_at_ms(ms);
        assert!(harness.engine.memory() <= 1024 * KIB);
    }
    let open = harness.are_open(&peers.iter().collect::<Vec<_>>());
    let oldest_left = (0..100).find(|n| n % 10 > 0 && open[*n]).expect("there is one");
    assert!((80..90).contains(&oldest_left), "{oldest_left}");
    for (n, open) in open.iter().enumerate() {
        assert_eq!(*open, n >= oldest_left || n % 10 == 0, "{n}");
    }
    // All of them at once, too.
    let peers: Vec<_> = (0..100).map(|_| harness.connect()).collect();
    peers.iter().for_each(|peer| begin_frame(&mut harness, peer, 60_000));
    harness.turns_at_ms(200);
    assert!(harness.engine.memory() <= 1024 * KIB);
}

/// Spare memory is freed before any connection is evicted.
#[test]
fn b8_spare_memory_is_freed_before_anyone_is_evicted() {
    let mut harness = Harness::new(|config| config.limits.total_backlog = 100 * KIB);
    let peer = harness.connect();
    let members: Vec<_> = (0..10).map(|_| harness.connect()).collect();
    for (key, socket) in &members {
        let chat = format!(r#"{{"type":"CSChat","text":"{}"}}"#, "x".repeat(1_500));
        harness.come(*key, socket, &[CREATE, &chat, &chat]);
    }
    assert!(harness.engine.fanout().spare_memory() > 0);
    harness.pile_up(&peer, 90 * KIB, 0);
    assert_eq!(harness.engine.fanout().spare_memory(), 0);
    assert_eq!(harness.are_open(&[&peer]), [true]);
    assert!(harness.counters.stats().relief.count(ReliefStep::Spare) > 0);
}

/// What was said gives way before any connection does, as much as is needed, and comes back when it is not.
#[test]
fn b8_history_is_given_up_before_anyone_is_evicted() {
    let mut harness = Harness::new(|config| {
        config.limits.total_backlog = 100 * KIB;
        config.limits.total_history = 50 * KIB;
    });
    let peer = harness.connect();
    let (key, socket) = harness.member(CREATE);
    let chat = format!(r#"{{"type":"CSChat","text":"{}"}}"#, "x".repeat(1_500));
    let say = |harness: &mut Harness, count| {
        for _ in 0..count {
            harness.come(key, &socket, &[&chat]);
        }
        harness.engine.fanout().history_memory()
    };
    let kept = say(&mut harness, 100);
    assert!(kept > 30 * KIB, "{kept}");
    harness.pile_up(&peer, 120 * KIB, 0);
    assert_eq!(harness.are_open(&[&peer]), [true]);
    let (left, lent) =
        (harness.engine.fanout().history_memory(), harness.engine.fanout().lent_history());
    assert!(left + 15 * KIB < kept && lent >= 20 * KIB, "{left} of {kept}, {lent} lent");
    assert!(harness.engine.memory() <= 100 * KIB + lent);
    let left = say(&mut harness, 100);
    let lent = harness.engine.fanout().lent_history();
    assert!(left + lent <= 50 * KIB, "{left} are kept, and {lent} lent");
    let count = |harness: &Harness, step| harness.counters.stats().relief.count(step);
    assert!(count(&harness, ReliefStep::History) > 0);
    assert_eq!(count(&harness, ReliefStep::Evicted), 0);
    harness.pile_up(&peer, 400 * KIB, 10);
    assert_eq!(harness.are_open(&[&peer]), [false], "there is no more to give up");
    harness.turns_at_ms(10_000);
    assert_eq!(harness.engine.fanout().lent_history(), 0);
    assert!(say(&mut harness, 100) + 9 * KIB >= kept, "but for a block");
}

/// While relief cannot help, since rooms are handing out what they have to members that read, nobody is read and
/// nobody is admitted; then everything continues.
#[test]
fn b8_while_memory_is_short_nothing_new_begins() {
    let mut harness = Harness::new(|config| {
        config.limits.total_backlog = 70 * KIB;
        config.limits.writes_per_room_and_turn = 1;
    });
    let (talker, socket) = harness.member(CREATE);
    let members: Vec<_> = (0..20).map(|_| harness.member(JOIN)).collect();
    harness.turns();
    let chat = format!(r#"{{"type":"CSChat","text":"{}"}}"#, "x".repeat(60_000));
    socket.comes(Come::Bytes(frame(&chat).repeat(2)));
    harness.engine.readable(talker, false);
    harness.turns_at_ms(0);
    socket.comes(Come::Bytes(frame(&chat)));
    harness.engine.readable(talker, false);
    harness.turns_at_ms(10);
    for (_, socket) in &members {
        let messages = socket.take();
        assert_eq!(messages.iter().filter(|message| *message == "SCChat").count(), 3);
    }
    let stats = harness.counters.stats();
    assert_eq!((stats.closed.total(), stats.backlog), (0, 0));
}
