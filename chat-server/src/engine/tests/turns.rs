//! More work than fits a turn: what the engine does first, and how much at most.

use super::*;

const LEAVE: &str = r#"{"type":"CSLeaveRoom"}"#;

impl Harness {
    /// Delivers payloads with one event, without a turn.
    fn queue(&mut self, key: ConnKey, socket: &TestSocket, payloads: &[&str]) {
        socket.comes(Come::Bytes(payloads.iter().flat_map(frame).collect()));
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
        assert!(unread - left <= 64 && now <= 32, "{} read, {now} answered", unread - left);
        (unread, answered, turns) = (left, answered + now, turns + 1);
        assert!(turns < 200, "it gets on");
    }
    assert_eq!(answered, peers.len());
}

#[test]
fn b7_quiet_connections_are_read_before_busy_ones() {
    let long = frame(format!(r#"{{"type":"CSChat","text":"{}"}}"#, "\\n".repeat(30_000)));
    let name = frame(format!(r#"{{"type":"CSName","name":"{}"}}"#, "\u{1112}\u{1161}".repeat(8)));
    let refused = frame(format!(r#"{{"type":"CSName","name":"{}"}}"#, "\u{fdfa}".repeat(32)));
    let leave = frame(LEAVE);
    let cases = [
        ("long frames", vec![&long[..]; 2], &leave[..]),
        ("names", vec![&name; 20], &leave),
        ("names that are refused", vec![&refused; 20], &leave),
        ("many commands", vec![&leave; 150], &leave),
        ("pieces of frames", vec![&leave[..1], &leave[1..2], &leave[2..3]], &leave[3..]),
        ("nothing so far", vec![], &leave),
    ];
    let now = Instant::START + Duration::from_secs(2);
    for (what, before, last) in cases {
        let mut harness = Harness::new(|_| {});
        let (quiet, socket) = harness.connect();
        harness.turns_at(now);
        let busy: Vec<_> = (0..500).map(|_| harness.connect_at(now)).collect();
        for (key, socket) in &busy {
            for bytes in &before {
                socket.comes(Come::Bytes(bytes.to_vec()));
                harness.engine.readable(*key, false);
                harness.turns_at(now);
            }
        }
        for (key, socket) in &busy {
            socket.comes(Come::Bytes(last.to_vec()));
            harness.engine.readable(*key, false);
        }
        harness.queue(quiet, &socket, &[LEAVE]);
        harness.engine.turn(now);
        assert_eq!((socket.unread(), socket.take().len()), (0, 1), "{what}: in the first turn");
        let read = busy.iter().filter(|(_, socket)| socket.unread() == 0).count();
        assert!((1..50).contains(&read), "{what}: {read} busy ones as well");
        harness.turns_at(now);
        assert!(busy.iter().all(|(_, socket)| socket.unread() == 0), "{what}: all, in the end");
    }
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
