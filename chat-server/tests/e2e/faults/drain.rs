//! The stop under load, with clients that stand in its way: A4, A5.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chat_proto::Incoming;

use crate::support::{Client, End, Program, frame};

/// The number of chats from each talker in a stream; these are its first chats, in order.
type Chats = BTreeMap<String, usize>;

/// `Limits::linger` of the program: how long the stop waits for clients that do not read.
const LINGER: Duration = Duration::from_secs(5);

/// Clients that talk and read, clients that only read, and clients that stand in the way of the stop.
struct Load {
    talkers: Vec<JoinHandle<(Vec<Incoming>, End)>>,
    readers: Vec<JoinHandle<(Vec<Incoming>, End)>>,
    /// In the room; reads nothing until the program has ended.
    stuck: Client,
    /// Like `stuck`, and half-closed.
    half_closed: Client,
    /// In no room, in the middle of a frame.
    half_sent: Client,
}

impl Load {
    /// Starts all clients, and returns once the talk is well under way.
    fn start(address: SocketAddr) -> Self {
        let mut first = Client::of(address);
        let room = first.enter_new("room");
        let member = || {
            let mut client = Client::of(address);
            client.enter(room);
            client
        };
        let slow_member = || {
            let mut client = Client::connect_with_little_room(address);
            client.enter(room);
            client
        };
        let (stuck, half_closed) = (slow_member(), slow_member());
        let mut half_sent = Client::of(address);
        half_sent.send_raw(&frame(r#"{"type":"CSRooms"}"#)[..9]);
        let others = [(); 2].map(|()| member());
        let talkers = [(); 3].map(|()| member());
        let talkers = talkers.into_iter().map(talk).collect();
        let (mut talking, mut is_under_way) = (BTreeSet::new(), false);
        while talking.len() < 3 || !is_under_way {
            let message = first.receive();
            is_under_way |= message.text == text(250);
            if message.kind == "SCChat" {
                talking.insert(message.member);
            }
        }
        half_closed.end_sending();
        let readers = others.into_iter().chain([first]);
        let readers = readers.map(|mut reader| thread::spawn(move || reader.until_end())).collect();
        Self { talkers, readers, stuck, half_closed, half_sent }
    }

    /// Checks, after the end of the program, that every reader receives everything and a clean end.
    fn check_end(self) {
        let join = |thread: JoinHandle<_>| thread.join().expect("it reads to the end");
        let mut readers: Vec<_> = self.readers.into_iter().map(join).collect();
        // The last reader has already consumed some of it.
        readers.pop();
        let everything = expect_goodbye(readers.pop().expect("there are others"));
        assert_eq!(everything.len(), 3, "three have talked");
        for reader in readers {
            assert_eq!(expect_goodbye(reader), everything);
        }
        for talker in self.talkers {
            let heard = expect_goodbye(join(talker));
            assert_eq!(heard.len(), 2, "the others");
            assert!(heard.iter().all(|(name, chats)| everything[name] == *chats), "{heard:?}");
        }
        let mut half_sent = self.half_sent;
        let (messages, end) = half_sent.until_end();
        assert_eq!((messages.len(), end), (1, End::Clean));
        assert_eq!(messages[0].code.as_deref(), Some("server-stopping"));
        for mut slow in [self.stuck, self.half_closed] {
            let (messages, end) = slow.until_end();
            let heard = in_order(&messages);
            assert!(heard.iter().all(|(name, chats)| everything[name] >= *chats), "{heard:?}");
            assert_eq!(end, End::Reset, "the client must not take this for everything");
        }
    }
}

fn text(n: usize) -> String {
    format!("{n} {}", "x".repeat(400))
}

/// Sends numbered chats until the stream ends. Another thread reads that stream.
fn talk(mut talker: Client) -> JoinHandle<(Vec<Incoming>, End)> {
    let mut sending = talker.twin();
    let reader = thread::spawn(move || talker.until_end());
    thread::spawn(move || {
        for n in 0.. {
            let chat = format!(r#"{{"type":"CSChat","text":"{}"}}"#, text(n));
            if reader.is_finished() || !sending.try_send(chat) {
                break;
            }
        }
        reader.join().expect("it reads to the end")
    })
}

/// Counts the chats in `messages`, which must be in order.
fn in_order(messages: &[Incoming]) -> Chats {
    let mut chats = Chats::new();
    for message in messages.iter().filter(|message| message.kind == "SCChat") {
        let next = chats.entry(message.member.clone()).or_default();
        assert!(message.text == text(*next), "{}: no chat {next}", message.member);
        *next += 1;
    }
    chats
}

fn expect_goodbye((messages, end): (Vec<Incoming>, End)) -> Chats {
    let last = messages.last().and_then(|message| message.code.as_deref());
    assert_eq!((last, end), (Some("server-stopping"), End::Clean));
    in_order(&messages)
}

#[test]
fn a4_a_stop_under_load_delivers_what_was_accepted_to_every_reader() {
    let stop = |how: &str| {
        let (mut program, address) = Program::listening(&[]);
        let mut asking = Client::of(address);
        let load = Load::start(address);
        let asked = Instant::now();
        match how {
            "/shutdown" => asking.shutdown(),
            signal => program.signal(signal),
        }
        asking.expect_code("server-stopping");
        asking.expect_end();
        drop(asking);
        program.expect_success();
        // The stop waited for the clients that do not read, but no longer than that.
        let took = asked.elapsed();
        assert!(took >= LINGER - Duration::from_millis(100) && took < 2 * LINGER, "{took:?}");
        load.check_end();
    };
    // In parallel, since each takes as long as the linger time.
    thread::scope(|scope| {
        for how in ["/shutdown", "TERM", "INT"] {
            scope.spawn(move || stop(how));
        }
    });
}
