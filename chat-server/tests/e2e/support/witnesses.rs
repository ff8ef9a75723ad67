//! Clients that keep talking beside a fault: two in another room, which send each other numbered messages in turn, and
//! one in the room of the fault, which hears every event there. They check that nothing is lost, doubled or out of
//! order; the [`Scene`] checks that nothing is left behind.

use std::net::SocketAddr;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use chat_server::{Config, Stats};
use chat_testing::{Checker, Event, is_alone};

use super::{Client, RunningServer, count, threads, wait_for};

/// Three clients of a server, whose messages are received by threads of their own.
#[derive(Debug)]
pub(crate) struct Witnesses {
    /// The room of the fault, where one of them is alone at first.
    pub(crate) room: u64,
    stop: Arc<AtomicBool>,
    pair: JoinHandle<()>,
    near: JoinHandle<Heard>,
    chats: Arc<AtomicUsize>,
    /// A second handle on the connection of the witness in the room of the fault.
    near_too: Client,
}

/// What the witness in the room of the fault received.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) chats: usize,
    /// The code of each notice, and the member it is about.
    pub(crate) notices: Vec<(String, String)>,
}

impl Heard {
    /// The number of notices with this code.
    pub(crate) fn count(&self, code: &str) -> usize {
        self.notices.iter().filter(|notice| notice.0 == code).count()
    }
}

impl Witnesses {
    const COUNT: u64 = 3;

    pub(crate) fn start(address: SocketAddr) -> Self {
        let [mut left, mut right, mut near] = [(); 3].map(|()| Client::of(address));
        let other = left.enter_new("another room");
        right.enter(other);
        left.expect_code("member-entered");
        near.create("the room of the fault");
        let created = near.expect_code("room-created");
        let (room, entered) = created.room_id.zip(created.seq).expect("they are numbered");
        let near_too = near.twin();
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let chats = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&chats);
        Self {
            room,
            stop,
            pair: thread::spawn(move || talk_in_turn(left, right, &told)),
            near: thread::spawn(move || hear_everything(near, room, entered, &counted)),
            chats,
            near_too,
        }
    }

    /// The number of chats that the witness in the room of the fault has received so far.
    pub(crate) fn chats(&self) -> usize {
        self.chats.load(Ordering::Relaxed)
    }

    /// Ends the talk, and checks that nothing was lost, doubled or out of order.
    pub(crate) fn finish(mut self) -> Heard {
        self.stop.store(true, Ordering::Relaxed);
        // Its answer ends `hear_everything`.
        self.near_too.ask_for_rooms();
        self.pair.join().unwrap_or_else(|fault| panic::resume_unwind(fault));
        self.near.join().unwrap_or_else(|fault| panic::resume_unwind(fault))
    }
}

/// Two members send each number to each other, until told to stop.
fn talk_in_turn(mut left: Client, mut right: Client, stop: &AtomicBool) {
    let [left_name, right_name] = ["left", "right"];
    left.be(left_name);
    right.expect_code("renamed");
    right.be(right_name);
    left.expect_code("renamed");
    for round in 0_u64.. {
        left.chat(&round.to_string());
        right.expect_chat(left_name, &round.to_string());
        right.chat(&round.to_string());
        left.expect_chat(right_name, &round.to_string());
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    // One by one, since an unread notice would end its stream with a reset.
    right.leave();
    right.expect_code("room-left");
    left.expect_code("member-left");
    left.expect_nothing();
    right.expect_nothing();
}

/// Receives everything in the room, up to an answer to itself.
fn hear_everything(mut near: Client, room: u64, entered: u64, chats: &AtomicUsize) -> Heard {
    let mut heard = Heard::default();
    let mut checker = Checker::live();
    checker.connect(0);
    checker.enter(0, room, entered).expect("it is in no room");
    loop {
        let message = near.receive();
        if message.kind == "SCRoomsResult" {
            return heard;
        }
        let (room, seq) = message.room_id.zip(message.seq).expect("every broadcast is numbered");
        let by = message.code.as_deref().unwrap_or(&message.member);
        checker.receive(0, room, seq, Event::notice(by, &message.text)).expect("a delivery");
        match message.code {
            Some(code) => heard.notices.push((code, message.member)),
            None => {
                heard.chats += 1;
                chats.store(heard.chats, Ordering::Relaxed);
            }
        }
    }
}

/// A server of the library, its witnesses, and the resources that the process had in use before.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) server: RunningServer,
    witnesses: Witnesses,
    workers: usize,
    descriptors: [usize; 2],
}

impl Scene {
    /// Like [`RunningServer::with`], for a test that runs [`in_own_process`](super::in_own_process).
    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        assert!(is_alone(), "what is counted here is of the whole process");
        let before = count("self", "fd");
        let mut workers = 0;
        let server = RunningServer::with(|config| {
            change(config);
            workers = config.workers;
        });
        let descriptors = [before, count("self", "fd")];
        let witnesses = Witnesses::start(server.address());
        Self { server, witnesses, workers, descriptors }
    }

    /// The room of the fault.
    pub(crate) fn room(&self) -> u64 {
        self.witnesses.room
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// See [`Witnesses::chats`].
    pub(crate) fn chats(&self) -> usize {
        self.witnesses.chats()
    }

    /// A new connection in the room of the fault.
    pub(crate) fn member(&self) -> Client {
        let mut client = self.server.client();
        client.enter(self.room());
        client
    }

    /// A new connection in the room of the fault, with a small receive buffer.
    pub(crate) fn slow_member(&self) -> Client {
        let mut client = Client::connect_with_little_room(self.address());
        client.enter(self.room());
        client
    }

    pub(crate) fn stats(&self) -> Stats {
        self.server.stats()
    }

    /// Ends the scene once all clients of the test are gone: checks that the witnesses have received everything, and
    /// that nothing is left of anybody. Returns what they received, and the last statistics.
    pub(crate) fn finish(self) -> (Heard, Stats) {
        let Self { mut server, witnesses, workers, descriptors: [before, listening] } = self;
        // The server may learn later that a client has gone.
        let is_alone = |stats: &Stats| {
            stats.sessions == Witnesses::COUNT && stats.requests == stats.requests_done
        };
        wait_for("everybody else is gone", || server.stats(), is_alone);
        let heard = witnesses.finish();
        let is_over = |stats: &Stats| {
            let left = [stats.connections, stats.sessions, stats.rooms, stats.backlog];
            left == [0; 4]
                && stats.accepted == stats.closed.total()
                && stats.requests == stats.requests_done
        };
        wait_for("nothing is left of anybody", || server.stats(), is_over);
        wait_for("descriptors are given back", || count("self", "fd"), |&n| n <= listening);
        let stats = server.stats();
        assert_eq!(stats.panics, 0);
        // A worker names its thread itself, possibly after a short test has ended.
        wait_for("every worker lives", || threads("self", "chat-worker"), |&n| n == workers);
        server.stop();
        server.join();
        wait_for("descriptors are given back", || count("self", "fd"), |&n| n <= before);
        wait_for("threads have ended", || threads("self", "chat-"), |&n| n == 0);
        (heard, stats)
    }
}
