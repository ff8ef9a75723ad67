//! Thousands of members that lose their connections at once and come back for their sessions: how long that takes, and
//! what two [strangers](crate::strangers) notice of it.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use chat_proto::extended::{Feature, Features, Hello};
use chat_proto::{Command, Incoming, Received};
use chat_testing::frame;
use mio::{Events, Interest, Poll};
use rustix::process::{getpriority_process, setpriority_process};
use serde::Serialize;

use super::clients::{OPENING_DEADLINE, check_files, idle_source};
use super::connection::{BUFFER_LEN, Connection};
use super::dialect::Dialect;
use super::framing::Found;
use super::protocol::Protocol;
use crate::error::Error;
use crate::measure::process::{CpuTime, Process};
use crate::strangers::{Latencies, Strangers};
use crate::words;

/// The most connections: those before and those after have different ports.
const MAX_CONNECTIONS: usize = 500_000;

/// The most connections being opened at a time; fewer than the server's accept backlog.
const AT_ONCE: usize = 512;

/// By how much the members are nicer than the strangers, who run as soon as they have something to do.
const NICER: i32 = 10;

/// How long the strangers talk beside silent members.
const ALONE: Duration = Duration::from_secs(2);

const FEATURES: Features = Features::NONE.with(Feature::History).with(Feature::Resume);

/// The settings of a run.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server's address, a loopback address.
    pub addr: SocketAddr,
    /// How many connections.
    pub connections: usize,
    /// Members of each room.
    pub members: usize,
    /// The server's process id, to measure its cost.
    pub server: Option<u32>,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Connections that were lost.
    pub connections: usize,
    /// The rooms that their members were in.
    pub rooms: usize,
    /// Seconds from before the first connection was closed until the last member had its session back, and what it had
    /// missed.
    pub seconds: f64,
    /// Members that were told of a gap.
    pub gaps: usize,
    /// The strangers beside members that are silent.
    pub before: Latencies,
    /// The strangers while the members come back.
    pub meanwhile: Latencies,
    /// CPU time of the server for each member, in µs, and its resident memory at the end, in KiB, if its process is
    /// known.
    pub server: Option<(f64, u64)>,
}

/// Runs it.
///
/// # Errors
/// If the settings are invalid, descriptors run out, or a session is not handed back.
pub fn run(config: &Config) -> Result<Report, Error> {
    let &Config { addr, connections, members, server } = config;
    if !addr.ip().is_loopback() {
        return Err(Error::Config("the server must be at a loopback address".to_owned()));
    }
    if !(1..=MAX_CONNECTIONS).contains(&connections) || !(1..=connections).contains(&members) {
        return Err(Error::Config(format!(
            "there must be 1 to {MAX_CONNECTIONS} connections, and no more members in a room"
        )));
    }
    let server = server.map(Process::new).transpose()?;
    check_files(connections, server)?;
    let cpu = || server.map(Process::cpu_time).transpose();
    let mut strangers = Strangers::connect(addr)?;
    let mut crowd = Crowd::new(addr, connections.div_ceil(members))?;
    let is_back = &AtomicBool::new(false);
    let (go, going) = mpsc::channel();
    thread::scope(|scope| {
        let (entered, all_entered) = mpsc::channel();
        let crowd = scope.spawn(move || {
            let _done = SetOnDrop(is_back);
            // On Linux, this is the priority of the calling thread.
            getpriority_process(None)
                .and_then(|priority| setpriority_process(None, priority + NICER))
                .map_err(|error| Error::Io {
                    doing: "lowering a priority",
                    source: error.into(),
                })?;
            crowd.enter(connections)?;
            // If the strangers fail, nobody is waiting any more.
            let _ = entered.send(());
            if going.recv().is_err() {
                return Ok((crowd, 0.0));
            }
            let began = Instant::now();
            crowd.drop_all();
            crowd.come_back()?;
            Ok((crowd, began.elapsed().as_secs_f64()))
        });
        let measured = all_entered.recv().ok().map(|()| {
            let before = strangers.talk(ALONE)?;
            let cpu_before = cpu()?;
            let _ = go.send(());
            let meanwhile = strangers.talk_while(|| !is_back.load(Ordering::Relaxed))?;
            Ok((before, meanwhile, cpu_before.zip(cpu()?)))
        });
        drop(go);
        let joined: Result<_, Error> = crowd.join().expect("the members do not panic");
        let (crowd, seconds) = joined?;
        let unheard = || Err(Error::Server("the members never entered".to_owned()));
        let (before, meanwhile, cpu) = measured.unwrap_or_else(unheard)?;
        let each =
            |(from, to): (CpuTime, CpuTime)| from.until(to).total() / 1e3 / connections as f64;
        let resident = server.map(Process::resident_kib).transpose()?;
        Ok(Report {
            connections,
            rooms: crowd.rooms.len(),
            seconds,
            gaps: crowd.gaps,
            before,
            meanwhile,
            server: cpu.map(each).zip(resident),
        })
    })
}

/// Sets a flag when it is dropped, whatever happens.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// All members.
struct Crowd {
    addr: SocketAddr,
    poll: Poll,
    members: Vec<Member>,
    /// The server's number of each room; 0 until it exists.
    rooms: Vec<u64>,
    /// How many members have what they wait for.
    settled: usize,
    gaps: usize,
    buffer: Vec<u8>,
}

/// A member of a room.
struct Member {
    /// Empty between two connections.
    connection: Option<Connection>,
    waits_for: Awaited,
    token: String,
    /// The number of the last broadcast that it has.
    last: u64,
}

/// What a member waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Welcome,
    Entry,
    WelcomeBack,
    Missed,
    Nothing,
}

impl Crowd {
    fn new(addr: SocketAddr, rooms: usize) -> Result<Self, Error> {
        let poll = Poll::new().map_err(Error::io("making an event queue"))?;
        let (rooms, buffer) = (vec![0; rooms], vec![0; BUFFER_LEN]);
        Ok(Self { addr, poll, members: Vec::new(), rooms, settled: 0, gaps: 0, buffer })
    }

    /// Connects everybody. The first of each room makes it, then the others join.
    fn enter(&mut self, count: usize) -> Result<(), Error> {
        let rooms = self.rooms.len();
        for range in [0..rooms, rooms..count] {
            self.open_all(range, |crowd, _| {
                let (connection, token, last) = (None, String::new(), 0);
                let waits_for = Awaited::Welcome;
                crowd.members.push(Member { connection, waits_for, token, last });
                Hello::to_json("load", FEATURES, None)
            })?;
        }
        Ok(())
    }

    /// Closes all connections.
    fn drop_all(&mut self) {
        self.members.iter_mut().for_each(|member| member.connection = None);
        self.settled = 0;
    }

    /// Connects everybody again, and waits until all have got back what they had.
    fn come_back(&mut self) -> Result<(), Error> {
        self.open_all(0..self.members.len(), |crowd, seat| {
            let member = &mut crowd.members[seat];
            member.waits_for = Awaited::WelcomeBack;
            let last = Some((crowd.rooms[seat % crowd.rooms.len()], member.last));
            Hello::to_json("load", FEATURES, Some((&member.token, last)))
        })
    }

    /// Opens the connections of these members, [`AT_ONCE`] at a time, and waits until all members so far have what they
    /// wait for. `greeting` returns the first frame of each.
    fn open_all(
        &mut self,
        mut seats: Range<usize>,
        greeting: impl Fn(&mut Self, usize) -> String,
    ) -> Result<(), Error> {
        let mut events = Events::with_capacity(AT_ONCE);
        let (end, mut last, mut since) = (seats.end, self.settled, Instant::now());
        while self.settled < end {
            while seats.start < end && seats.start < self.settled + AT_ONCE {
                let seat = seats.start;
                let first = greeting(self, seat);
                self.open(seat, &first).map_err(Error::io("opening a connection"))?;
                seats.start += 1;
            }
            self.turn(&mut events)?;
            if self.settled > last {
                (last, since) = (self.settled, Instant::now());
            } else if since.elapsed() > OPENING_DEADLINE {
                return Err(Error::Server(format!(
                    "after {last} of {end} members, it took too long"
                )));
            }
        }
        Ok(())
    }

    fn open(&mut self, seat: usize, first: &str) -> io::Result<()> {
        let member = &mut self.members[seat];
        // The ports of the first connections are not free yet when the second ones are opened.
        let is_second = member.waits_for == Awaited::WelcomeBack;
        let place = if is_second { MAX_CONNECTIONS + seat } else { seat };
        let source = idle_source(place).filter(|_| self.addr.is_ipv4());
        let mut connection = Connection::open(self.addr, source)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut connection.stream, mio::Token(seat), interest)?;
        connection.out().extend_from_slice(&frame(first));
        connection.flush()?;
        member.connection = Some(connection);
        Ok(())
    }

    /// Polls once, and handles what has arrived.
    fn turn(&mut self, events: &mut Events) -> Result<(), Error> {
        match self.poll.poll(events, Some(Duration::from_millis(100))) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            result => result.map_err(Error::io("waiting for events"))?,
        }
        for event in &*events {
            let seat = event.token().0;
            self.receive(seat).map_err(|error| match error {
                Error::Io { source, .. } => Error::Server(format!("member {seat}: {source}")),
                error => error,
            })?;
        }
        Ok(())
    }

    /// Sends and reads what a connection is ready for.
    fn receive(&mut self, seat: usize) -> Result<(), Error> {
        let Some(mut connection) = self.members[seat].connection.take() else { return Ok(()) };
        let serving = || Error::io("serving a member");
        connection.flush().map_err(serving())?;
        let mut buffer = std::mem::take(&mut self.buffer);
        while let Some((filled, more)) = connection.fill(&mut buffer).map_err(serving())? {
            let (mut outcome, mut reply) = (Ok(()), None);
            let used = Dialect::plain(Protocol::Chat)
                .scan(&buffer[..filled], &mut connection.hint, |found| {
                    if let (Found::Other(payload), Ok(())) = (found, &outcome) {
                        outcome = self
                            .take(seat, payload)
                            .map(|command| reply = reply.take().or(command));
                    }
                })
                .map_err(|error| Error::Server(format!("member {seat}: {error}")))?;
            outcome?;
            connection.keep(&buffer[used..filled]);
            if let Some(command) = reply {
                connection.out().append(&mut words::frame(&command));
            }
            if !more {
                break;
            }
        }
        self.buffer = buffer;
        connection.flush().map_err(serving())?;
        self.members[seat].connection = Some(connection);
        Ok(())
    }

    /// Handles a message to a member. Returns what it answers.
    fn take(&mut self, seat: usize, payload: &[u8]) -> Result<Option<Command>, Error> {
        let unexpected = || {
            let payload = String::from_utf8_lossy(&payload[..payload.len().min(300)]);
            Error::Server(format!("member {seat} was told: {payload}"))
        };
        let message = Received::parse(payload).map_err(|_| unexpected())?;
        let room = seat % self.rooms.len();
        let member = &mut self.members[seat];
        match (member.waits_for, message) {
            (Awaited::Welcome, Received::Welcome(welcome)) => {
                member.token = welcome.resume.ok_or_else(unexpected)?;
                member.waits_for = Awaited::Entry;
                let makes_it = seat < self.rooms.len();
                let title = || words::create(&format!("load {room}"));
                return Ok(Some(if makes_it { title() } else { words::join(self.rooms[room]) }));
            }
            (Awaited::WelcomeBack, Received::Welcome(welcome)) => {
                if !welcome.resumed || welcome.room_id != Some(self.rooms[room]) {
                    return Err(unexpected());
                }
                member.token = welcome.resume.ok_or_else(unexpected)?;
                member.waits_for = Awaited::Missed;
            }
            (Awaited::Missed, Received::History(history)) => {
                self.gaps += usize::from(history.gap);
                self.settle(seat);
            }
            (_, Received::Plain { message, .. }) => {
                let Incoming { code, seq, room_id, .. } = message;
                member.last = seq.unwrap_or(member.last);
                match code.as_deref() {
                    Some("room-created" | "room-entered") => {
                        self.rooms[room] = room_id.ok_or_else(unexpected)?;
                        self.settle(seat);
                    }
                    Some("member-entered") => {}
                    _ => return Err(unexpected()),
                }
            }
            _ => return Err(unexpected()),
        }
        Ok(None)
    }

    /// Counts a member that has what it waited for.
    fn settle(&mut self, seat: usize) {
        self.members[seat].waits_for = Awaited::Nothing;
        self.settled += 1;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, rooms, seconds, gaps, .. } = self;
        write!(
            f,
            "{connections} connections lost in {rooms} rooms: all back after {seconds:.3} s, with {gaps} gaps"
        )?;
        for (when, times) in [("before", self.before), ("meanwhile", self.meanwhile)] {
            let Latencies { p50, p99, max, late } = times;
            write!(
                f,
                "\nstrangers {when:<9} {p50:>7.2} ms   p99 {p99:.2}, max {max:.2}; p99 of sending too late {late:.2}"
            )?;
        }
        let Some((each, resident)) = self.server else { return Ok(()) };
        write!(f, "\nserver CPU {each:>16.1} µs   per member that came back; RSS {resident} KiB")
    }
}
