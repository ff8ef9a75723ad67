//! The program is replaced while its clients talk: to them it is a short dropped line.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Client, DEADLINE, Folder, Program, free_address, hello, receive, wait_until};

/// How many clients there are, unless the environment says so: `CHAT_REPLACEMENT_CLIENTS`.
const CLIENTS: usize = 60;

/// Members of a room. They are served by different threads where there are several.
const MEMBERS: usize = 10;

/// Clients that one thread serves.
const PER_THREAD: usize = 50;

/// Chats of each client that are acknowledged before the replacement, and again after it.
const CHATS: usize = 5;

/// What the threads of a run share.
struct Run {
    address: SocketAddr,
    rooms: Vec<u64>,
    /// Chats acknowledged so far, of all clients.
    acknowledged: AtomicU64,
    /// Clients that have come back.
    back: AtomicU64,
    /// Whether to say nothing more.
    done: AtomicBool,
    /// All threads meet here once nothing more is said.
    all_said: Barrier,
}

/// A client that talks, and comes back whenever its connection ends.
struct Talker {
    number: usize,
    room: u64,
    /// Empty from the end of a connection to the next one.
    client: Option<Client>,
    token: Value,
    name: String,
    /// The number of the broadcast with which it entered.
    entered: u64,
    /// What it has of the room, by number; an empty text for notices.
    log: BTreeMap<u64, String>,
    /// The first and the last number of each gap that it was told of.
    gaps: Vec<(u64, u64)>,
    /// How many chats it has begun to say.
    said: usize,
    /// Whether the last of them waits for its acknowledgement.
    is_waiting: bool,
}

impl Talker {
    fn enter(run: &Run, number: usize) -> Self {
        let mut client = Client::connect(run.address);
        let token = hello(&mut client, None)["resume"].clone();
        let name = format!("talker {number}");
        client.be(&name);
        let room = run.rooms[number % run.rooms.len()];
        client.join(room);
        let entered = client.expect_code("room-entered").seq.expect("a number");
        let (log, gaps) = (BTreeMap::new(), Vec::new());
        let (said, is_waiting) = (0, false);
        let client = Some(client);
        Self { number, room, client, token, name, entered, log, gaps, said, is_waiting }
    }

    fn client(&mut self) -> &mut Client {
        self.client.as_mut().expect("it is connected")
    }

    fn last(&self) -> u64 {
        self.log.last_key_value().map_or(self.entered, |(seq, _)| *seq)
    }

    /// The text of the chat that was said last.
    fn text(&self) -> String {
        format!("{} of {}", self.said, self.number)
    }

    fn say_next(&mut self) {
        self.said += 1;
        self.is_waiting = true;
        self.say();
    }

    /// Says the last chat, perhaps again. The end of the connection shows in the next read.
    fn say(&mut self) {
        let chat = json!({"type": "CSChat", "text": self.text(), "id": self.said.to_string()});
        self.client().try_send(chat.to_string());
    }

    /// Reads until the last chat is acknowledged. Returns false if the connection ends before.
    fn await_ack(&mut self) -> bool {
        while self.is_waiting && self.take_next() {}
        !self.is_waiting
    }

    /// Reads one message. Returns false if the connection has ended.
    fn take_next(&mut self) -> bool {
        let payload = self.client.as_mut().and_then(Client::payload_or_end);
        match &payload {
            Some(payload) => self.take(&serde_json::from_slice(payload).expect("JSON")),
            None => self.client = None,
        }
        payload.is_some()
    }

    /// Reads until the answer to a ping; returns the number of the room's last broadcast.
    fn catch_up(&mut self) -> u64 {
        self.client().send(r#"{"type":"CSPing"}"#);
        loop {
            let message = receive(self.client());
            if message["type"] == "SCPong" {
                return message["seq"].as_u64().expect("it is in a room");
            }
            self.take(&message);
        }
    }

    fn take(&mut self, message: &Value) {
        match message["type"].as_str() {
            Some("SCAck") => {
                assert_eq!(message["re"], self.said.to_string());
                self.is_waiting = false;
                self.note(&message["seq"], &self.text());
            }
            Some("SCHistory") => self.take_history(message),
            Some("SCSystemMessage") if message["code"] == "server-stopping" => {}
            _ => self.take_event(message),
        }
    }

    fn take_history(&mut self, history: &Value) {
        let (from, to) = (&history["from"], &history["to"]);
        if history["gap"] == true {
            self.gaps.push((self.last() + 1, from.as_u64().expect("a number") - 1));
        }
        history["events"].as_array().expect("a list").iter().for_each(|e| self.take_event(e));
        if history["more"] == true {
            let next = json!({"type": "CSHistory", "roomId": self.room, "after": to});
            self.client().try_send(next.to_string());
        }
    }

    fn take_event(&mut self, event: &Value) {
        let text = event["text"].as_str().filter(|_| event["type"] == "SCChat");
        self.note(&event["seq"], text.unwrap_or(""));
    }

    fn note(&mut self, seq: &Value, text: &str) {
        let seq = seq.as_u64().expect("a broadcast has a number");
        let before = self.log.insert(seq, text.to_owned());
        assert!(before.is_none_or(|before| before == text), "{seq} is two: {text}");
    }

    /// Connects until a server welcomes it, and says the last chat again unless it is acknowledged.
    fn come_back(&mut self, run: &Run) {
        let deadline = Instant::now() + DEADLINE;
        let welcome = loop {
            assert!(Instant::now() < deadline, "{} cannot come back", self.name);
            match self.try_to_come_back(run.address) {
                Some(welcome) => break welcome,
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        assert_eq!(welcome["resumed"], true, "{welcome}");
        assert_eq!((&welcome["name"], &welcome["roomId"]), (&json!(self.name), &json!(self.room)));
        self.token = welcome["resume"].clone();
        run.back.fetch_add(1, Ordering::Relaxed);
        if self.is_waiting {
            self.say();
        }
    }

    /// The welcome, or `None` if there is no server, or one that stops.
    fn try_to_come_back(&mut self, address: SocketAddr) -> Option<Value> {
        let stream = TcpStream::connect_timeout(&address, DEADLINE).ok()?;
        let hello = json!({
            "type": "CSHello", "client": "test/1", "features": ["ack", "history", "ping", "resume"],
            "resume": self.token, "after": self.last(),
        });
        let client = self.client.insert(Client::over(stream));
        client.try_send(hello.to_string());
        let answer: Value = serde_json::from_slice(&client.payload_or_end()?).expect("JSON");
        (answer["type"] == "SCWelcome").then_some(answer)
    }
}

/// Serves some of the clients until all are done: each says a chat, then each reads until its own is acknowledged.
fn talk(run: &Run, mut talkers: Vec<Talker>) -> Vec<Talker> {
    while !run.done.load(Ordering::Relaxed) {
        talkers.iter_mut().for_each(Talker::say_next);
        while !talkers.iter_mut().all(Talker::await_ack) {
            // A server that ends one connection ends all, and waits for clients that do not read.
            talkers.iter_mut().for_each(|talker| while talker.take_next() {});
            talkers.iter_mut().for_each(|talker| talker.come_back(run));
        }
        run.acknowledged.fetch_add(talkers.len() as u64, Ordering::Relaxed);
    }
    run.all_said.wait();
    for talker in &mut talkers {
        let mut last = talker.catch_up();
        // A history may have been asked for.
        while talker.log.len() as u64 + talker.entered < last && talker.gaps.is_empty() {
            last = talker.catch_up();
        }
        assert_eq!(talker.last(), last);
    }
    talkers
}

/// Checks the logs of a room's members against each other and against what was acknowledged.
fn check_room(members: &[&Talker]) {
    let mut room = BTreeMap::new();
    for (seq, text) in members.iter().flat_map(|member| &member.log) {
        let before = room.insert(*seq, text);
        assert!(before.is_none_or(|before| before == text), "{seq} is two: {text}");
    }
    let last = *room.last_key_value().expect("something was said").0;
    for member in members {
        let in_gap = |seq: &u64| member.gaps.iter().any(|(from, to)| (from..=to).contains(&seq));
        let mut expected = member.entered + 1..=last;
        let missing = expected.find(|seq| !member.log.contains_key(seq) && !in_gap(seq));
        assert_eq!(missing, None, "{} lacks it, and was not told", member.name);
    }
    let chats: Vec<_> = room.into_values().filter(|text| !text.is_empty()).collect();
    let distinct: BTreeSet<_> = chats.iter().map(ToString::to_string).collect();
    assert_eq!(chats.len(), distinct.len(), "something was said twice");
    let acknowledged = members.iter().flat_map(|member| {
        (1..=member.said).map(move |said| format!("{said} of {}", member.number))
    });
    assert!(distinct == acknowledged.collect(), "everything said is acknowledged, and is there");
}

/// Replaces the program. Returns the time for which there was none, and that until all clients were back.
fn replace(
    program: Program,
    run: &Run,
    clients: usize,
    start: impl Fn() -> Program,
) -> (Program, Duration, Duration) {
    let stopped = Instant::now();
    program.stop();
    let program = start();
    let started = stopped.elapsed();
    let all_back = || run.back.load(Ordering::Relaxed) >= clients as u64;
    wait_until("all are back", all_back);
    (program, started, stopped.elapsed())
}

#[test]
fn a_replaced_program_is_a_short_dropped_line() {
    let clients = std::env::var("CHAT_REPLACEMENT_CLIENTS")
        .map_or(CLIENTS, |count| count.parse().expect("a number of clients"));
    let folder = Folder::of("replacement");
    let data = format!("--data={}", folder.path("data").display());
    let address = free_address();
    let (ip, port) = (format!("--ip={}", address.ip()), format!("--port={}", address.port()));
    let start = || {
        let program = Program::start(&[&ip, &port, &data]);
        assert_eq!(program.address(), address);
        program
    };
    let program = start();
    let mut hosts: Vec<_> = (0..clients.div_ceil(MEMBERS)).map(|_| Client::of(address)).collect();
    let threads = clients.div_ceil(PER_THREAD);
    let run = Run {
        address,
        rooms: hosts.iter_mut().map(|host| host.enter_new("tea")).collect(),
        acknowledged: AtomicU64::new(0),
        back: AtomicU64::new(0),
        done: AtomicBool::new(false),
        all_said: Barrier::new(threads),
    };
    let mut talkers: Vec<_> = (0..clients).map(|number| Talker::enter(&run, number)).collect();
    drop(hosts);
    let said = |count| run.acknowledged.load(Ordering::Relaxed) >= count;
    let talkers = thread::scope(|scope| {
        let mut handles = Vec::new();
        while !talkers.is_empty() {
            let own = talkers.split_off(talkers.len().saturating_sub(PER_THREAD));
            let run = &run;
            handles.push(scope.spawn(move || talk(run, own)));
        }
        let enough = (clients * CHATS) as u64;
        wait_until("all talk", || said(enough));
        let (program, started, back) = replace(program, &run, clients, start);
        let before = run.acknowledged.load(Ordering::Relaxed);
        wait_until("all talk again", || said(before + enough));
        run.done.store(true, Ordering::Relaxed);
        let talkers = handles.into_iter().flat_map(|handle| handle.join().expect("they agree"));
        let talkers: Vec<_> = talkers.collect();
        println!(
            "{clients} clients, {} chats: started again after {started:?}, all back after {back:?}",
            run.acknowledged.load(Ordering::Relaxed),
        );
        drop(program);
        talkers
    });
    assert_eq!(run.back.load(Ordering::Relaxed), clients as u64, "each came back once");
    for room in &run.rooms {
        let members: Vec<_> = talkers.iter().filter(|talker| talker.room == *room).collect();
        check_room(&members);
        let gaps: usize = members.iter().map(|member| member.gaps.len()).sum();
        assert_eq!(gaps, 0, "all of it was kept");
    }
}
