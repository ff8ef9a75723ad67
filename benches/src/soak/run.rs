//! The run: everybody enters, the load, everybody leaves, the stop.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::time::{Duration, Instant};

use chat_testing::{Checker, Received, Rng};
use mio::{Events, Interest, Poll};
use slab::Slab;

use super::attackers::Attackers;
use super::bad_input::BadPayloads;
use super::client::Route;
use super::config::Config;
use super::planner;
use super::report::Report;
use super::resources::Resources;
use super::scenario::{Kind, Rooms, Scenario};
use super::socket::Socket;
use super::talkers::Talkers;
use super::visitor::{MAX_TURN, Turn, Visitor};
use crate::error::Error;
use crate::measure::certificate::Certificate;
use crate::measure::chat_server::ChatServer;

/// The duration of a turn, in which every client is served once.
const TURN: Duration = Duration::from_millis(10);

/// The most visits that begin in a turn, apart from a crowd.
const MAX_VISITS: u64 = 20;

/// The most visitors at a time.
const MAX_VISITORS: usize = 800;

/// Connections that arrive at once, and the time between two such crowds.
const CROWD: usize = 200;
const CROWD_INTERVAL: Duration = Duration::from_secs(10);

/// How long the server may take for what it must do by itself: more than it lingers (5 s).
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Faults after which the run is abandoned.
const MAX_FAULTS: usize = 20;

/// The most rooms of visitors that are remembered.
const MAX_PASSING: usize = 64;

/// Bytes of the read buffer, which all clients share.
const BUFFER_LEN: usize = 256 * 1024;

/// Runs a soak.
///
/// # Errors
/// If there is no server to begin with, or no descriptor or port is left. The server's mistakes are in the report.
pub fn run(config: &Config) -> Result<Report, Error> {
    let bad = BadPayloads::load(&config.corpus)?;
    let mut command = Command::new(&config.program);
    let certificate = Certificate::new()?;
    // One of the attacks asks the server to stop, and two need TLS.
    command.args(&config.args).arg("--shutdown-from=nobody").args(certificate.arguments());
    let server = ChatServer::start(command)?;
    let before = server.process.open_files()?;
    let mut soak = Soak::new(config, server, bad)?;
    let rooms = soak.count_rooms().map_err(Error::Server)?;
    let began = Instant::now();
    // Faults found so far do not prevent the remaining checks.
    soak.load(config)?;
    soak.everybody_out()?;
    let seconds = began.elapsed().as_secs_f64();
    let after = soak.check_rest(before, rooms)?;
    let stopped = soak.stop();
    soak.check_memory();
    let (sent, delivered) = soak.talkers.totals();
    Ok(Report {
        seed: config.seed,
        seconds,
        visits: Kind::ALL.iter().map(|kind| kind.1).zip(soak.visits).collect(),
        connections: soak.connections(),
        cut_off: soak.cut_off,
        sent,
        delivered,
        overheard: soak.overheard,
        answers: soak.answers,
        trend: soak.resources.trend(),
        files: (before, soak.resources.most_files(), after),
        stopped,
        faults: soak.faults,
    })
}

/// A run in progress.
pub(super) struct Soak {
    pub(super) server: ChatServer,
    poll: Poll,
    events: Events,
    pub(super) buffer: Vec<u8>,
    rng: Rng,
    bad: BadPayloads,
    /// Compares what each client received with what the others did.
    pub(super) checker: Checker,
    /// The id of the next client.
    next_id: usize,
    pub(super) talkers: Talkers,
    pub(super) attackers: Attackers,
    /// The end of the last turn, in real time and in the time by which the server is judged: see [`Turn`].
    last: Instant,
    pub(super) now: Instant,
    rooms: Rooms,
    passing: VecDeque<u64>,
    pub(super) visitors: Slab<Visitor>,
    pub(super) resources: Resources,
    visits: [u64; Kind::ALL.len()],
    /// Connections made by talkers and visitors.
    connections: u64,
    cut_off: u64,
    overheard: u64,
    answers: u64,
    pub(super) faults: Vec<String>,
    /// Whether the talkers found a fault, after which their further findings mean nothing.
    pub(super) is_given_up: bool,
}

impl Soak {
    fn new(config: &Config, server: ChatServer, bad: BadPayloads) -> Result<Self, Error> {
        let mut rng = Rng::new(config.seed);
        let poll = Poll::new().map_err(Error::io("making an event queue"))?;
        let mut checker = Checker::live();
        let talkers = Talkers::connect(server.addr, &mut checker, &mut rng)
            .map_err(Error::io("opening a connection"))?;
        let now = Instant::now();
        let mut soak = Self {
            last: now,
            now,
            resources: Resources::new(server.process),
            checker,
            next_id: talkers.len(),
            connections: talkers.len() as u64,
            talkers,
            attackers: Attackers::new(server.addr, config.attack_percent, config.seed),
            server,
            poll,
            events: Events::with_capacity(1024),
            buffer: vec![0; BUFFER_LEN],
            rng,
            bad,
            rooms: Rooms::default(),
            passing: VecDeque::new(),
            visitors: Slab::new(),
            visits: [0; Kind::ALL.len()],
            cut_off: 0,
            overheard: 0,
            answers: 0,
            faults: Vec::new(),
            is_given_up: false,
        };
        for (index, socket) in soak.talkers.sockets().enumerate() {
            register(&soak.poll, socket, index)?;
        }
        Ok(soak)
    }

    /// Lets the talkers enter, and keeps up the load for its time or until there are too many faults.
    fn load(&mut self, config: &Config) -> Result<(), Error> {
        let deadline = self.now + PATIENCE;
        while !self.talkers.enter(&self.checker) && self.goes_on() {
            if self.now > deadline {
                self.faults.push("not all steady talkers got into their rooms".to_owned());
                return Ok(());
            }
            self.turn(false)?;
        }
        self.rooms = self.talkers.rooms(&self.checker);
        let began = Instant::now();
        let mut crowd = began + CROWD_INTERVAL / 10;
        let mut told = began;
        let mut begun = 0;
        while began.elapsed() < config.time && self.goes_on() {
            let now = Instant::now();
            let due = (began.elapsed().as_secs_f64() * f64::from(config.visits_per_second)) as u64;
            begun = begun.max(due.saturating_sub(MAX_VISITS));
            while begun < due && self.visitors.len() < MAX_VISITORS {
                begun += 1;
                self.rooms.passing = self.passing.iter().copied().collect();
                let scenario = planner::next(&mut self.rng, &self.rooms, &self.bad, self.next_id);
                self.visit(scenario)?;
            }
            if now >= crowd {
                crowd = now + CROWD_INTERVAL;
                for _ in 0..CROWD {
                    let scenario = planner::blink(&mut self.rng);
                    self.visit(scenario)?;
                }
            }
            self.turn(true)?;
            let room = self.rooms.quiet.first().copied().unwrap_or(u64::MAX);
            self.faults.extend(self.attackers.turn(now, room).err());
            if config.progress.is_some_and(|every| told.elapsed() >= every) {
                told = now;
                self.tell(began);
            }
        }
        Ok(())
    }

    /// Connections made so far, by everybody.
    fn connections(&self) -> u64 {
        self.connections + self.attackers.connections()
    }

    fn goes_on(&self) -> bool {
        !self.is_given_up && self.faults.len() < MAX_FAULTS
    }

    /// The id of a new client.
    pub(super) fn take_id(&mut self) -> usize {
        self.next_id += 1;
        self.next_id - 1
    }

    fn visit(&mut self, scenario: Scenario) -> Result<(), Error> {
        // A single address does not have enough ports for everybody who was here in the last minute.
        let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1 + self.rng.below(8) as u8));
        let from = self.server.addr.is_ipv4().then_some(from);
        let (receive_buffer, speech) = (scenario.receive_buffer, scenario.speech);
        let route = Route { to: self.server.addr, from, receive_buffer, speech };
        let (kind, id) = (scenario.kind, self.take_id());
        let visitor = Visitor::new(scenario, self.now, id, route, &mut self.checker);
        let mut visitor = visitor.map_err(Error::io("opening a connection"))?;
        let entry = self.visitors.vacant_entry();
        register(&self.poll, &mut visitor.client.socket, self.talkers.len() + entry.key())?;
        entry.insert(visitor);
        self.connections += 1;
        self.visits[kind as usize] += 1;
        Ok(())
    }

    /// Waits for the duration of a turn, then serves every client.
    pub(super) fn turn(&mut self, talk: bool) -> Result<(), Error> {
        let end = Instant::now() + TURN;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            match self.poll.poll(&mut self.events, Some(left)) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                result => result.map_err(Error::io("waiting for events"))?,
            }
            for event in &self.events {
                let index = event.token().0;
                let visitor = index.checked_sub(self.talkers.len());
                match visitor.and_then(|key| self.visitors.get_mut(key)) {
                    Some(visitor) => visitor.client.socket.wake(),
                    None => self.talkers.wake(index),
                }
            }
        }
        let now = Instant::now();
        let passed = now.duration_since(self.last);
        self.last = now;
        self.now += passed.min(MAX_TURN);
        let rng = talk.then_some(&mut self.rng);
        let turn = self.talkers.turn(self.now, &mut self.buffer, &mut self.checker, rng);
        if let Err(fault) = turn
            && !self.is_given_up
        {
            self.faults.push(fault);
            self.is_given_up = true;
        }
        self.serve_visitors(Turn { now: self.now, passed });
        if let Some(status) = self.server.ended() {
            return Err(Error::Server(format!(
                "the server has ended by itself: {status}; faults so far: {:?}",
                self.faults
            )));
        }
        self.resources.turn(now, self.connections())
    }

    fn serve_visitors(&mut self, turn: Turn) {
        let Self { visitors, checker, buffer, overheard, .. } = self;
        let (mut gone, mut faults) = (Vec::new(), Vec::new());
        for (key, visitor) in visitors.iter_mut() {
            let id = visitor.client.id();
            let was_in = checker.room_of(id).is_some();
            let over = visitor.turn(turn, buffer, checker, &mut |received| {
                let is_broadcast = matches!(received, Received::Chat(_) | Received::Notice);
                *overheard += u64::from(is_broadcast);
            });
            if visitor.kind == Kind::Founder && !was_in {
                self.passing.extend(checker.room_of(id));
            }
            match over {
                Ok(false) => continue,
                Ok(true) => {}
                Err(fault) => faults.push(format!("{:?}: {fault}", visitor.kind)),
            }
            gone.push(key);
        }
        self.faults.append(&mut faults);
        while self.passing.len() > MAX_PASSING {
            self.passing.pop_front();
        }
        for key in gone {
            // Closing the socket removes it from the event queue.
            let Visitor { client, .. } = self.visitors.remove(key);
            self.checker.remove(client.id());
            self.answers += client.conversation.answers();
            self.cut_off += u64::from(client.conversation.farewell() == Some("slow-consumer"));
        }
    }

    fn tell(&self, began: Instant) {
        let (sent, delivered) = self.talkers.totals();
        let sample = self.resources.last();
        eprintln!(
            "{:>6.0} s: {} connections made, {} visitors here; {sent} messages, {delivered} deliveries, \
             {} to come; {:.0} KiB, {} files; {} faults",
            began.elapsed().as_secs_f64(),
            self.connections(),
            self.visitors.len(),
            self.talkers.missing(&self.checker),
            sample.map_or(0.0, |sample| sample.resident_kib),
            sample.map_or(0, |sample| sample.files),
            self.faults.len(),
        );
    }
}

fn register(poll: &Poll, socket: &mut Socket, token: usize) -> Result<(), Error> {
    let interest = Interest::READABLE | Interest::WRITABLE;
    poll.registry()
        .register(socket.stream(), mio::Token(token), interest)
        .map_err(Error::io("registering a connection"))
}
