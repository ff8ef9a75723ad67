//! Who talks on beside a fault: two in another room, who say numbered messages to each other in turn,
//! and one in the room of the fault, who hears every event there. What they find out is that nothing
//! was lost, doubled or out of order; what the [`Scene`] finds out is that nothing was left behind.

use std::net::SocketAddr;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use chat_server::{Config, Stats};

use super::own_process::is_alone;
use super::{Client, RunningServer, count, wait_for};

/// Three clients of a server, each end of which is watched by a thread.
#[derive(Debug)]
pub(crate) struct Witnesses {
    /// The room of the fault, in which one of them is alone at first.
    pub(crate) room: u64,
    stop: Arc<AtomicBool>,
    pair: JoinHandle<()>,
    near: JoinHandle<Heard>,
    chats: Arc<AtomicUsize>,
    /// The other handle on the connection of the one in the room of the fault.
    near_too: Client,
}

/// What the witness in the room of the fault heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) chats: usize,
    /// The code of each notice, and whom it is about.
    pub(crate) notices: Vec<(String, String)>,
}

impl Heard {
    /// How many notices there were with this code.
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
        let created = {
            near.create("the room of the fault");
            near.expect_code("room-created")
        };
        let room = created.room_id.expect("it has a number");
        let near_too = near.twin();
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let chats = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&chats);
        Self {
            room,
            stop,
            pair: thread::spawn(move || talk_in_turn(left, right, &told)),
            near: thread::spawn(move || hear_everything(near, room, &counted)),
            chats,
            near_too,
        }
    }

    /// How many chats the one in the room of the fault has heard by now.
    pub(crate) fn chats(&self) -> usize {
        self.chats.load(Ordering::Relaxed)
    }

    /// Ends the talk of all three. Nothing was lost, doubled or out of order.
    pub(crate) fn finish(mut self) -> Heard {
        self.stop.store(true, Ordering::Relaxed);
        // The answer tells the one who hears everything that this is the end.
        self.near_too.ask_for_rooms();
        self.pair.join().unwrap_or_else(|fault| panic::resume_unwind(fault));
        self.near.join().unwrap_or_else(|fault| panic::resume_unwind(fault))
    }
}

/// Says each number and hears it said back, until told to stop.
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
    // One by one: a notice that somebody does not read any more would end its stream with a reset.
    right.leave();
    right.expect_code("room-left");
    left.expect_code("member-left");
    left.expect_nothing();
    right.expect_nothing();
}

/// Hears everything in the room up to an answer of its own.
fn hear_everything(mut near: Client, room: u64, chats: &AtomicUsize) -> Heard {
    let mut heard = Heard::default();
    let mut last = None;
    loop {
        let message = near.next();
        if message.kind == "SCRoomsResult" {
            return heard;
        }
        assert_eq!(message.room_id, Some(room), "no other room is heard: {message:?}");
        let seq = message.seq.expect("every broadcast is numbered");
        assert!(last.is_none_or(|last| seq == last + 1), "{last:?} is followed by {seq}");
        last = Some(seq);
        match message.code {
            Some(code) => heard.notices.push((code, message.member)),
            None => {
                heard.chats += 1;
                chats.store(heard.chats, Ordering::Relaxed);
            }
        }
    }
}

/// A server of the library with its witnesses, and how everything was before.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) server: RunningServer,
    witnesses: Witnesses,
    workers: usize,
    descriptors: [usize; 2],
}

impl Scene {
    /// As [`RunningServer::with`].
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

    /// As [`Witnesses::chats`].
    pub(crate) fn chats(&self) -> usize {
        self.witnesses.chats()
    }

    /// A new connection in the room of the fault.
    pub(crate) fn member(&self) -> Client {
        let mut client = self.server.client();
        client.enter(self.room());
        client
    }

    /// A new connection in the room of the fault that has little room for what it does not read.
    pub(crate) fn slow_member(&self) -> Client {
        let mut client = Client::connect_with_little_room(self.address());
        client.enter(self.room());
        client
    }

    pub(crate) fn stats(&self) -> Stats {
        self.server.stats()
    }

    /// Once all clients of the test are gone: the witnesses have heard everything, and nothing is
    /// left of anybody. Returns what was heard, and the last statistics.
    pub(crate) fn finish(self) -> (Heard, Stats) {
        let Self { mut server, witnesses, workers, descriptors: [before, listening] } = self;
        // Of who is gone from the socket's side the server may hear later.
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
        assert_eq!(threads("chat-worker"), workers, "every worker lives");
        server.stop();
        server.join();
        wait_for("descriptors are given back", || count("self", "fd"), |&n| n <= before);
        wait_for("threads have ended", || threads("chat-"), |&n| n == 0);
        (heard, stats)
    }
}

/// How many threads of this process have a name that begins so.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux lists the threads");
    let names = tasks.flatten().filter_map(|task| {
        // One that has ended meanwhile has none.
        std::fs::read_to_string(task.path().join("comm")).ok()
    });
    names.filter(|task| task.starts_with(name)).count()
}
