//! The heap of the engine and the hub compared with their own count: after any input, it has grown by at most what is
//! counted, 1 KiB per connection, and a constant.

use chat_testing::{Watchdog, in_own_process};

use super::*;

/// Bytes per connection that may go uncounted.
const EACH: usize = 1024;

/// Bytes per room that may go uncounted: the room itself and its title.
const ROOM: usize = 1536;

/// Bytes that may go uncounted however many connections there are: queues and spare chunks.
const FIXED: usize = 640 * 1024;

const LEAVE: &str = r#"{"type":"CSLeaveRoom"}"#;

/// A chat of `len` bytes.
fn chat(len: usize) -> Vec<u8> {
    frame(format!(r#"{{"type":"CSChat","text":"{}"}}"#, "x".repeat(len)))
}

/// Runs a test in a process of its own, so that the heap is that of the test.
fn alone(test: impl FnOnce()) {
    in_own_process(|| {
        let _watchdog = Watchdog::start();
        test();
    });
}

impl Harness {
    /// Fails if the heap has grown by more than is allowed.
    fn check_heap(&self, when: &str) {
        let grown = self.heap.grown();
        let kept = self.engine.fanout.history_memory();
        let counted = self.engine.memory() + self.engine.in_flight_memory() + kept;
        let connections = self.engine.connection_count();
        let rooms = self.engine.fanout.room_count();
        let least = counted + connections * EACH + rooms * ROOM;
        let excess = grown as isize - least as isize;
        assert!(
            excess <= FIXED as isize,
            "{when}: {grown} bytes allocated, {counted} counted: {connections} connections, {rooms} rooms"
        );
    }

    fn peers(&mut self, count: usize) -> Vec<(ConnKey, TestSocket)> {
        (0..count).map(|_| self.connect()).collect()
    }

    /// Delivers bytes, and gives the engine its turns.
    fn arrive(&mut self, peer: &(ConnKey, TestSocket), bytes: Vec<u8>) {
        peer.1.comes(Come::Bytes(bytes));
        self.run(|engine| engine.readable(peer.0, false));
        self.turns();
        peer.1.0.borrow_mut().written = Vec::new();
    }

    /// Gives the engine and the workers turns until nothing is left to do.
    fn rest(&mut self) {
        self.turns();
        while !self.workers.0.borrow().is_empty() {
            self.work();
            self.turns();
        }
    }

    /// Resets all connections, which gives back what they held.
    fn gone(&mut self, peers: &[(ConnKey, TestSocket)]) {
        for (key, socket) in peers {
            socket.comes(Come::Fail(ErrorKind::ConnectionReset));
            self.run(|engine| engine.readable(*key, true));
            self.run(|engine| engine.failed(*key));
        }
        self.rest();
        // Connections that were already closing wait for their deadlines.
        let mut now = Instant::START;
        while self.engine.connection_count() > 0 {
            assert!(now < Instant::START + Duration::from_secs(60), "nobody is left");
            now = now + Duration::from_secs(1);
            self.rest();
            while self.engine.next_deadline().is_some_and(|at| at <= now) {
                self.run(|engine| engine.turn(now));
            }
        }
        self.rest();
        self.check_heap("when all are gone");
    }
}

/// One write with a command, a frame of 65.5 KB, and one byte of the next frame.
#[test]
fn b1_a_byte_after_a_long_frame_holds_no_more_than_it_counts() {
    alone(|| {
        let mut harness = Harness::new(|_| {});
        let peers = harness.peers(200);
        let stream = [frame(ROOMS), frame(format!("{ROOMS:65500}")), vec![0]].concat();
        for peer in &peers {
            harness.arrive(peer, stream.clone());
        }
        harness.check_heap("a byte after a long frame");
        harness.gone(&peers);
    });
}

/// Parts of frames of every size, whole and in pieces.
#[test]
fn b1_parts_of_frames_are_counted() {
    alone(|| {
        for whole in [10, 100, 1_000, 5_000, 20_000, 65_000] {
            for piece in [1, 100, 3_000, 65_536] {
                if whole / piece > 700 {
                    continue;
                }
                let mut harness = Harness::new(|_| {});
                let peers = harness.peers(100);
                let frame = chat(whole);
                for peer in &peers {
                    for piece in frame[..frame.len() - 1].chunks(piece) {
                        harness.arrive(peer, piece.to_vec());
                    }
                }
                harness.check_heap(&format!("{whole} bytes but one, by {piece}"));
                // The last byte, and the first of another frame.
                for peer in &peers {
                    harness.arrive(peer, vec![frame[frame.len() - 1], 0xff]);
                }
                harness.check_heap(&format!("{whole} bytes and the first of another, by {piece}"));
                for peer in &peers {
                    harness.arrive(peer, vec![0xff, b'{']);
                }
                harness.check_heap(&format!("and the beginning of it, after {whole}"));
                harness.gone(&peers);
            }
        }
    });
}

/// More commands in one write than are accepted at a time, and part of a long frame.
#[test]
fn b1_frames_for_later_are_counted() {
    alone(|| {
        let mut harness = Harness::new(|config| config.limits.commands.per_second = 200);
        let peers = harness.peers(100);
        for commands in [100, 400, 1_000, 2_500] {
            for peer in &peers {
                let stream = [frame(LEAVE).repeat(commands), chat(60_000)[..60_000].to_vec()];
                harness.arrive(peer, stream.concat());
            }
            harness.check_heap(&format!("{commands} commands and part of a long frame"));
        }
        harness.gone(&peers);
    });
}

/// With slow workers, requests wait in mailboxes.
#[test]
fn b1_requests_that_wait_for_workers_are_counted() {
    alone(|| {
        for len in [1, 1_000, 60_000] {
            let mut harness = Harness::new(|config| config.inline_requests = 0);
            let peers = harness.peers(100);
            for peer in &peers {
                harness.arrive(peer, chat(len).repeat((60_000 / len).clamp(1, 60)));
            }
            harness.check_heap(&format!("chats of {len} bytes wait for workers"));
            for peer in &peers {
                let name = format!(r#"{{"type":"CSName","name":"{}"}}"#, r"\uc548".repeat(10_000));
                harness.arrive(peer, frame(&name));
            }
            harness.check_heap("and names full of escapes");
            harness.work();
            harness.check_heap("the workers have run");
            harness.turns();
            harness.check_heap("the outputs are applied");
            harness.gone(&peers);
        }
    });
}

/// Members that do not read, in a talkative room.
#[test]
fn b1_backlogs_of_members_are_counted() {
    alone(|| {
        for len in [1, 200, 3_000, 50_000] {
            let mut harness = Harness::new(|_| {});
            let talker = harness.connect();
            harness.arrive(&talker, frame(CREATE));
            let members = harness.peers(100);
            for member in &members {
                harness.arrive(member, frame(JOIN));
                member.1.0.borrow_mut().is_full = true;
            }
            for n in 0..20 {
                harness.arrive(&talker, chat(len).repeat(10));
                // Answers in between seal chunks.
                for member in members.iter().skip(n).step_by(20) {
                    harness.arrive(member, frame(JOIN));
                }
            }
            harness.check_heap(&format!("{len} bytes a chat"));
            harness.gone(&[&members[..], &[talker]].concat());
        }
    });
}

/// Answers that are never read, or read drop by drop.
#[test]
fn b1_answers_that_are_not_read_are_counted() {
    alone(|| {
        for answers in [100, 800] {
            let mut harness = Harness::new(|_| {});
            let peers = harness.peers(100);
            for peer in &peers {
                peer.1.0.borrow_mut().is_full = true;
                harness.arrive(peer, frame(LEAVE).repeat(answers));
            }
            harness.check_heap(&format!("{answers} answers"));
            for peer in &peers {
                let mut wire = peer.1.0.borrow_mut();
                wire.is_full = false;
                let most = 120 * answers - 50;
                wire.writes.extend([Step::Take(most), Step::Fail(ErrorKind::WouldBlock)]);
                drop(wire);
                harness.run(|engine| engine.writable(peer.0));
                harness.turns();
            }
            harness.check_heap(&format!("{answers} answers, nearly all read"));
            harness.gone(&peers);
        }
    });
}

/// Lists of many rooms with long titles, asked for and not read.
#[test]
fn b2_lists_that_are_not_read_are_counted_once() {
    alone(|| {
        let mut harness = Harness::new(|_| {});
        let makers = harness.peers(500);
        let title = format!(r#"{{"type":"CSCreateRoom","title":"{}"}}"#, "😀".repeat(100));
        for maker in &makers {
            harness.arrive(maker, frame(&title));
        }
        harness.check_heap("rooms with long titles");
        let askers = harness.peers(100);
        let before = harness.heap.grown();
        for (n, asker) in askers.iter().enumerate() {
            asker.1.0.borrow_mut().is_full = true;
            harness.arrive(asker, frame(ROOMS));
            if n % 50 == 49 {
                let name = format!(r#"{{"type":"CSName","name":"name {n}"}}"#);
                harness.arrive(&makers[n], frame(&name));
            }
        }
        harness.check_heap("lists asked for");
        let (grown, counted) = (harness.heap.grown() - before, harness.engine.memory());
        println!("{grown} grown for the lists, {counted} counted");
        assert!(
            counted < 2 * grown + FIXED,
            "shared memory counts once: {counted} are counted of {grown}"
        );
        harness.gone(&[makers, askers].concat());
    });
}

/// Rooms that each have a backlog, and are all closed.
#[test]
fn b6_rooms_that_are_closed_give_their_backlog_back() {
    alone(|| {
        let mut harness = Harness::new(|_| {});
        let mut peers = Vec::new();
        for room in 1..=100 {
            let talker = harness.connect();
            harness.arrive(&talker, frame(CREATE));
            let member = harness.connect();
            let join = format!(r#"{{"type":"CSJoinRoom","roomId":{room}}}"#);
            harness.arrive(&member, frame(&join));
            member.1.0.borrow_mut().is_full = true;
            harness.arrive(&talker, chat(50_000).repeat(15));
            peers.extend([talker, member]);
        }
        harness.check_heap("backlogs");
        harness.gone(&peers);
    });
}

/// A crowd that comes, does all kinds of things, and goes.
#[test]
fn b6_a_crowd_leaves_no_memory_behind() {
    alone(|| {
        let mut harness = Harness::new(|config| config.limits.connections_per_address = 100_000);
        for round in 0..2 {
            let peers = harness.peers(1_000);
            harness.check_heap("connected");
            for (n, peer) in peers.iter().enumerate() {
                let name = format!("{}{n}-{round}", "한".repeat(20));
                let name = format!(r#"{{"type":"CSName","name":"{name}"}}"#);
                let title = format!(r#"{{"type":"CSCreateRoom","title":"{}"}}"#, "글".repeat(100));
                harness.arrive(peer, [frame(&name), frame(&title)].concat());
            }
            harness.check_heap("each in a room of its own");
            // All at once, so that the queues are as long as they can get.
            for (key, socket) in &peers {
                socket.comes(Come::Bytes([frame(LEAVE), frame(LEAVE)].concat()));
                harness.run(|engine| engine.readable(*key, false));
            }
            harness.rest();
            harness.check_heap("all have left");
            for peer in &peers {
                harness.arrive(peer, frame(CREATE)[..10].to_vec());
            }
            harness.check_heap("all are inside a frame");
            harness.gone(&peers);
        }
    });
}

/// A room that a crowd visits while one member stays.
#[test]
fn b6_a_room_that_a_crowd_has_left_keeps_no_memory_for_it() {
    alone(|| {
        let mut harness = Harness::new(|_| {});
        let owners = harness.peers(40);
        let crowd = harness.peers(100);
        for (room, owner) in owners.iter().enumerate() {
            harness.arrive(owner, frame(CREATE));
            let join = format!(r#"{{"type":"CSJoinRoom","roomId":{}}}"#, room + 1);
            for visitor in &crowd {
                harness.arrive(visitor, [frame(&join), frame(LEAVE)].concat());
            }
            for visitor in &crowd {
                harness.arrive(visitor, frame(&join));
            }
            for visitor in &crowd {
                harness.arrive(visitor, frame(LEAVE));
            }
        }
        harness.check_heap("the crowd has visited each room");
        harness.gone(&[owners, crowd].concat());
    });
}

/// Strangers that are answered, begin a frame and go leave neither a timer nor a watch behind.
#[test]
fn b6_strangers_that_come_and_go_leave_nothing_behind() {
    alone(|| {
        let mut harness = Harness::new(|_| {});
        for _ in 0..200 {
            let peers = harness.peers(100);
            for peer in &peers {
                harness.arrive(peer, [&frame(LEAVE)[..], &[0, 9]].concat());
            }
            harness.gone(&peers);
        }
    });
}
