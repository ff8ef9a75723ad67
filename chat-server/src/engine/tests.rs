//! The engine over scripted sockets: how much it reads and writes in a turn, and how it reacts to errors and events.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use chat_core::{HubLimits, Role};
use chat_testing::frame;
use chat_testing::heap::HeapMeter;

use self::socket::{Come, TestSocket};
use super::*;
use crate::net::StreamState;
use crate::stats::CloseReason;
use crate::testing::scripted_socket::Step;
use crate::workers::{Job, Mailbox, MailboxState};

const ROOMS: &str = r#"{"type":"CSRooms"}"#;
const CHAT: &str = r#"{"type":"CSChat","text":"said in no room"}"#;

/// Workers that run nothing until the test tells them to.
#[derive(Clone, Default)]
struct Lazy(Rc<RefCell<Vec<Arc<Mailbox>>>>);

impl Workers for Lazy {
    fn start_job(&mut self, job: Job) {
        panic!("there is no store: {job:?}");
    }

    fn submit(&mut self, mailboxes: &mut Vec<Arc<Mailbox>>) {
        self.0.borrow_mut().append(mailboxes);
    }
}

struct Harness {
    engine: Engine<TestSocket, Lazy>,
    hub: Arc<SharedHub>,
    workers: Lazy,
    counters: Arc<Counters>,
    /// What the engine and the hub have allocated.
    heap: HeapMeter,
}

impl Harness {
    fn new(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.limits.lift_rates();
        change(&mut config);
        let hub = Arc::new(SharedHub::new(HubLimits::default(), || {}));
        let workers = Lazy::default();
        let counters = Arc::<Counters>::default();
        let engine = Engine::new(config, Arc::clone(&hub), workers.clone(), Arc::clone(&counters));
        Self { engine, hub, workers, counters, heap: HeapMeter::default() }
    }

    fn connect(&mut self) -> (ConnKey, TestSocket) {
        self.connect_at(Instant::START)
    }

    fn connect_at(&mut self, now: Instant) -> (ConnKey, TestSocket) {
        let (key, socket) = (self.engine.next_key(), TestSocket::default());
        let peer = IpAddr::from(Ipv4Addr::LOCALHOST);
        let theirs = socket.clone();
        self.run(|engine| engine.connect(now, theirs, Role::Guest, (peer, 1).into()));
        (key, socket)
    }

    /// Connects a peer that enters a room.
    fn member(&mut self, join: &str) -> (ConnKey, TestSocket) {
        let (key, socket) = self.connect();
        self.come(key, &socket, &[join]);
        assert_eq!(socket.take().len(), 1, "it is in");
        (key, socket)
    }

    /// Delivers payloads in one piece, announced by one event.
    fn come(&mut self, key: ConnKey, socket: &TestSocket, payloads: &[&str]) {
        socket.comes(Come::Bytes(payloads.iter().flat_map(frame).collect()));
        self.run(|engine| engine.readable(key, false));
        self.turns();
    }

    /// Runs a part of the engine, and counts what it allocates.
    fn run<R>(&mut self, run: impl FnOnce(&mut Engine<TestSocket, Lazy>) -> R) -> R {
        self.heap.measure(|| run(&mut self.engine))
    }

    /// Gives the engine turns until it wants no more. Returns how many.
    fn turns(&mut self) -> usize {
        for turns in 0..10_000 {
            if !self.engine.wants_turn() && turns > 0 {
                return turns;
            }
            self.run(|engine| engine.turn(Instant::START));
        }
        panic!("it never has enough");
    }

    /// Gives the engine its turns at time `now`.
    fn turns_at(&mut self, now: Instant) {
        self.engine.turn(now);
        while self.engine.wants_turn() {
            self.engine.turn(now);
        }
    }

    fn work(&mut self) {
        let Self { hub, workers, heap, .. } = self;
        heap.measure(|| {
            let mut requests = Vec::new();
            for mailbox in workers.0.take() {
                while hub.run(&mailbox, &mut requests) == MailboxState::Scheduled {}
            }
        });
    }
}

const CREATE: &str = r#"{"type":"CSCreateRoom","title":"room"}"#;
const JOIN: &str = r#"{"type":"CSJoinRoom","roomId":1}"#;

/// Errors after which a connection is useless.
const FATAL: [ErrorKind; 6] = [
    ErrorKind::ConnectionReset,
    ErrorKind::BrokenPipe,
    ErrorKind::TimedOut,
    ErrorKind::NotConnected,
    ErrorKind::HostUnreachable,
    ErrorKind::Other,
];

/// Reading waits for the workers, and continues without any event once they have caught up.
#[test]
fn c9_no_more_is_read_ahead_than_the_limit_says() {
    const FRAMES: usize = 10_000;
    const READ: usize = 8 * 1024;
    const AHEAD: usize = 64 * 1024;
    let mut harness = Harness::new(|config| {
        config.inline_requests = 0;
        config.limits.read_per_turn = READ;
        config.limits.read_ahead = AHEAD;
        // Pending bytes do not pause reading.
        config.limits.backlog = usize::MAX;
        config.limits.slow_backlog = usize::MAX;
        config.limits.total_backlog = usize::MAX;
    });
    let peers = [(); 3].map(|()| harness.connect());
    for (key, socket) in &peers {
        socket.comes(Come::Bytes(frame(CHAT).repeat(FRAMES)));
        harness.engine.readable(*key, false);
    }
    let all = 3 * FRAMES * frame(CHAT).len();
    let mut rounds = 0;
    let mut unread = all;
    while unread > 0 {
        harness.turns();
        let left = peers.iter().map(|(_, socket)| socket.unread()).sum();
        let read = unread - left;
        assert!(read > 0 && read <= AHEAD + READ, "{read} bytes ahead of the workers");
        unread = left;
        harness.work();
        rounds += 1;
    }
    harness.turns();
    assert!(rounds >= all / (AHEAD + READ), "{rounds}");
    for (_, socket) in &peers {
        assert_eq!(socket.take().len(), FRAMES, "every one is answered");
    }
    let stats = harness.counters.stats();
    assert_eq!(stats.requests, 3 * FRAMES as u64);
    assert_eq!(stats.requests_done, stats.requests);
}

#[test]
fn o6_a_read_that_fails_loses_its_connection_and_no_other() {
    for kind in FATAL {
        let mut harness = Harness::new(|_| {});
        let (_, witness) = harness.member(CREATE);
        let (key, socket) = harness.member(JOIN);
        assert_eq!(witness.take(), ["member-entered"]);
        socket.comes(Come::Bytes(frame(r#"{"type":"CSChat","text":"last"}"#)));
        socket.comes(Come::Fail(kind));
        harness.engine.readable(key, true);
        harness.turns();
        assert_eq!(witness.take(), ["SCChat", "member-left"], "{kind}");
        let stats = harness.counters.stats();
        assert_eq!((stats.connections, stats.closed.count(CloseReason::Lost)), (1, 1));
    }
}

#[test]
fn o6_a_write_that_fails_loses_its_connection_and_no_other() {
    for kind in FATAL {
        let mut harness = Harness::new(|_| {});
        let (talking, witness) = harness.member(CREATE);
        let (_, socket) = harness.member(JOIN);
        assert_eq!(witness.take(), ["member-entered"]);
        socket.0.borrow_mut().writes.push_back(Step::Fail(kind));
        harness.come(talking, &witness, &[r#"{"type":"CSChat","text":"to nobody"}"#]);
        assert_eq!(witness.take(), ["member-left"], "{kind}");
        let stats = harness.counters.stats();
        assert_eq!((stats.connections, stats.closed.count(CloseReason::Lost)), (1, 1));
    }
}

#[test]
fn o6_an_interruption_is_not_noticed() {
    let mut harness = Harness::new(|_| {});
    let (key, socket) = harness.connect();
    socket.comes(Come::Fail(ErrorKind::Interrupted));
    socket.0.borrow_mut().writes.push_back(Step::Fail(ErrorKind::Interrupted));
    harness.come(key, &socket, &[ROOMS]);
    assert_eq!(socket.take(), ["SCRoomsResult"]);
    assert_eq!(harness.engine.connection_count(), 1);
}

/// One event announces a stream as long as two reads. A read that ends where the buffer does has not met the end of
/// the stream, and no event announces the rest.
#[test]
fn o9_o11_a_full_buffer_is_neither_the_end_nor_the_last_of_it() {
    let length = frame(CHAT).len();
    let mut harness = Harness::new(|config| config.limits.read_per_turn = 4 * length);
    let (key, socket) = harness.connect();
    let (_, other) = harness.connect();
    socket.comes(Come::Bytes(frame(CHAT).repeat(8)));
    // With an end announced, the buffer is filled read by read.
    for cut in [false, true] {
        harness.engine.readable(key, cut);
        harness.engine.turn(Instant::START);
        assert_eq!(socket.take().len(), 4, "that is enough for a turn");
        assert!(harness.engine.wants_turn());
        harness.turns();
        assert_eq!(socket.take().len(), 4);
        for _ in 0..8 {
            socket.comes(Come::Bytes(frame(CHAT)));
        }
    }
    assert_eq!(harness.engine.connection_count(), 2);
    assert_eq!(other.take(), [""; 0]);
}

/// Spurious events, in any number and order, change nothing; one event announces both bytes and the end.
#[test]
fn o10_an_event_is_a_hint_and_nothing_more() {
    let mut harness = Harness::new(|_| {});
    let (key, socket) = harness.connect();
    for cut in [false, true, false] {
        harness.engine.readable(key, cut);
        harness.engine.writable(key);
        harness.engine.writable(key);
        harness.turns();
    }
    assert_eq!(socket.take(), [""; 0]);
    socket.comes(Come::Bytes(frame(ROOMS)));
    socket.comes(Come::End);
    harness.engine.readable(key, true);
    harness.engine.writable(key);
    harness.turns();
    assert_eq!(socket.take(), ["SCRoomsResult"]);
    let stats = harness.counters.stats();
    assert_eq!((stats.connections, stats.closed.count(CloseReason::PeerEnded)), (0, 1));
    // A late event may refer to a slot that is empty or has another occupant.
    let (_, next) = harness.connect();
    next.comes(Come::Bytes(frame(ROOMS)));
    harness.engine.readable(key, true);
    harness.engine.writable(key);
    harness.turns();
    assert_eq!((next.take().len(), next.unread()), (0, frame(ROOMS).len()));
}

/// No event announces that a socket keeps taking bytes: pending bytes are written at once, and after `WouldBlock` at
/// the next event.
#[test]
fn o12_pending_bytes_are_written_without_an_event() {
    let mut harness = Harness::new(|_| {});
    let (key, socket) = harness.connect();
    harness.come(key, &socket, &[ROOMS]);
    assert_eq!(socket.take(), ["SCRoomsResult"]);
    let block = [Step::Take(1), Step::Fail(ErrorKind::WouldBlock)];
    socket.0.borrow_mut().writes.extend(block);
    harness.come(key, &socket, &[ROOMS, ROOMS]);
    assert_eq!(socket.0.borrow().written.len(), 1);
    assert!(!harness.engine.wants_turn(), "it waits for the event");
    harness.engine.writable(key);
    harness.turns();
    assert_eq!(socket.take(), ["SCRoomsResult"; 2]);
}

/// After about `write_per_turn` bytes, other connections get their turn.
#[test]
fn r6_no_more_is_written_to_one_in_a_turn_than_the_limit_says() {
    const WRITE: usize = 1_000;
    let mut harness = Harness::new(|config| config.limits.write_per_turn = 4 * WRITE);
    let (key, socket) = harness.connect();
    socket.0.borrow_mut().writes.extend([Step::Take(WRITE); 1_000]);
    socket.comes(Come::Bytes(frame(r#"{"type":"CSLeaveRoom"}"#).repeat(1_000)));
    harness.engine.readable(key, false);
    let mut before = 0;
    loop {
        harness.engine.turn(Instant::START);
        let written = socket.0.borrow().written.len();
        assert!(written - before <= 5 * WRITE, "{} bytes in a turn", written - before);
        before = written;
        if !harness.engine.wants_turn() {
            break;
        }
    }
    assert_eq!(socket.take().len(), 1_000);
}

/// A slow member is evicted when its time is over, unless the server was suspended meanwhile.
#[test]
fn t2_while_the_server_sleeps_nobodys_time_passes() {
    let mut harness = Harness::new(|config| {
        config.limits.slow_backlog = 128 * 1024;
        config.limits.slow_backlog_time = Duration::from_secs(10);
    });
    let (talking, talker) = harness.member(CREATE);
    let (behind, slow) = harness.member(JOIN);
    assert_eq!(talker.take(), ["member-entered"]);
    slow.0.borrow_mut().is_full = true;
    let chat = format!(r#"{{"type":"CSChat","text":"{}"}}"#, "x".repeat(50_000));
    harness.come(talking, &talker, &[&chat, &chat, &chat]);

    let mut turn_at = |seconds| {
        harness.turns_at(Instant::START + Duration::from_secs(seconds));
        talker.take()
    };
    assert_eq!(turn_at(9), [""; 0]);
    assert_eq!(turn_at(3_600), [""; 0], "an hour of which it could use no second");
    assert_eq!(turn_at(3_609), [""; 0]);
    assert_eq!(turn_at(3_610), ["member-left"]);
    slow.0.borrow_mut().is_full = false;
    harness.engine.writable(behind);
    harness.turns();
    assert_eq!(slow.take(), ["slow-consumer"]);
}

/// Before a frame times out, everything that has arrived is read, even after an urgent mark that no event has
/// announced.
#[test]
fn p6_p10_a_frame_that_has_come_by_the_end_of_its_time_is_in_time() {
    let mut harness = Harness::new(|config| config.limits.frame_timeout = Duration::from_secs(30));
    let (key, socket) = harness.connect();
    let frame = frame(ROOMS);
    let mut pieces = frame.chunks(frame.len().div_ceil(3)).map(|piece| Come::Bytes(piece.into()));
    socket.comes(pieces.next().expect("there are three"));
    harness.engine.readable(key, false);
    harness.turns();
    pieces.for_each(|piece| socket.comes(piece));
    harness.engine.turn(Instant::START + Duration::from_secs(31));
    harness.turns();
    assert_eq!(socket.take(), ["SCRoomsResult"]);
}

/// Talkers enter a room with as much as one read takes. A member whose kernel takes nothing for a moment stays within
/// its backlog, and receives everything.
#[test]
fn r6_a_room_waits_a_moment_for_a_slow_member() {
    const TALKERS: usize = 8;
    let chats = frame(r#"{"type":"CSChat","text":"x"}"#).repeat(2_000);
    let burst = [frame(JOIN), chats].concat();
    for reads_again in [true, false] {
        let mut harness = Harness::new(|_| {});
        let _alone = harness.member(CREATE);
        let (key, reader) = harness.member(JOIN);
        reader.0.borrow_mut().is_full = true;
        for _ in 0..TALKERS {
            let (talker, socket) = harness.connect();
            socket.comes(Come::Bytes(burst.clone()));
            harness.engine.readable(talker, false);
        }
        harness.turns();
        let is_there = |harness: &Harness| {
            harness
                .engine
                .connections
                .get(key)
                .is_some_and(|connection| !connection.lifecycle.has_left_hub())
        };
        assert!(is_there(&harness), "time stands still: it had none to read");
        assert!(harness.engine.next_deadline().is_some(), "the talkers wait");
        reader.0.borrow_mut().is_full = !reads_again;
        harness.engine.writable(key);
        // The talkers wait no longer than that, and are paced for a second.
        let end = Instant::START + Duration::from_millis(1_500);
        while let Some(now) = harness.engine.next_deadline().filter(|now| *now < end) {
            harness.turns_at(now);
        }
        assert_eq!(is_there(&harness), reads_again);
        let chats = reader.take().into_iter().filter(|message| message == "SCChat").count();
        assert_eq!(chats, if reads_again { TALKERS * 2_000 } else { 0 });
    }
}

mod budgets;
mod lists;
mod memory;
mod refusals;
mod relief;
mod rooms;
mod slow_readers;
mod socket;
mod turns;
