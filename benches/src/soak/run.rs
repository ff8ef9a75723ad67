//! The run: everybody in, the load, everybody out, the stop.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll};
use slab::Slab;

use super::bad::Bad;
use super::peer::Peer;
use super::rng::Rng;
use super::server::Server;
use super::steady::Steady;
use super::visitor::{MAX_TURN, Turn, Visitor};
use super::visits::{self, Kind, Rooms, Visit};
use super::watch::Watch;
use super::{Config, Report};
use crate::error::Error;

/// Everybody is looked after so often.
const TURN: Duration = Duration::from_millis(10);

/// The most visits that begin in a turn, but for a crowd.
const MAX_VISITS: u64 = 20;

/// The most visitors at a time.
const MAX_VISITORS: usize = 800;

/// Connections of a flood of them, and the time between two.
const CROWD: usize = 200;
const CROWD_INTERVAL: Duration = Duration::from_secs(10);

/// How long anything may take that the server has to do by itself: more than it lingers (5 s).
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Faults after which there is no point in going on.
const MAX_FAULTS: usize = 20;

/// Rooms of visitors that are remembered.
const MAX_PASSING: usize = 64;

/// Bytes of the buffer that all read into.
const BUFFER_LEN: usize = 256 * 1024;

/// Runs it.
///
/// # Errors
/// When there is no server to begin with, or no descriptor or port left. What the server does wrong
/// is in the report.
pub fn run(config: &Config) -> Result<Report, Error> {
    let bad = Bad::load(config.corpus.as_deref())?;
    let server = Server::new(&config.target)?;
    let before = server.process.open_files()?;
    let mut soak = Soak::new(config, server, bad)?;
    let rooms = soak.count_rooms().map_err(Error::Server)?;
    let began = Instant::now();
    // Whatever is found wrong, the rest is looked at all the same.
    soak.load(config)?;
    soak.everybody_out()?;
    let seconds = began.elapsed().as_secs_f64();
    let after = soak.check_rest(before, rooms)?;
    let stopped = soak.stop();
    soak.check_memory();
    let (sent, delivered) = soak.steady.totals();
    Ok(Report {
        seed: config.seed,
        seconds,
        visits: Kind::ALL.iter().map(|kind| kind.1).zip(soak.visits).collect(),
        connections: soak.connections,
        cut_off: soak.cut_off,
        sent,
        delivered,
        overheard: soak.overheard,
        answers: soak.answers,
        trend: soak.watch.trend(),
        files: (before, soak.watch.most_files(), after),
        stopped,
        faults: soak.faults,
    })
}

/// Everything that a run is about.
pub(super) struct Soak {
    pub(super) server: Server,
    poll: Poll,
    events: Events,
    pub(super) buffer: Vec<u8>,
    rng: Rng,
    bad: Bad,
    pub(super) steady: Steady,
    /// The end of the last turn, and its time as this process counts it.
    last: Instant,
    pub(super) now: Instant,
    rooms: Rooms,
    passing: VecDeque<u64>,
    pub(super) visitors: Slab<Visitor>,
    pub(super) watch: Watch,
    visits: [u64; Kind::ALL.len()],
    connections: u64,
    cut_off: u64,
    overheard: u64,
    answers: u64,
    pub(super) faults: Vec<String>,
    /// The steady talkers' books are wrong: nothing they say from here on means anything.
    pub(super) is_given_up: bool,
}

impl Soak {
    fn new(config: &Config, server: Server, bad: Bad) -> Result<Self, Error> {
        let mut rng = Rng::new(config.seed);
        let poll = Poll::new().map_err(Error::io("making an event queue"))?;
        let steady = Steady::connect(server.addr, &mut rng);
        let now = Instant::now();
        let mut soak = Self {
            last: now,
            now,
            watch: Watch::new(server.process),
            steady: steady.map_err(Error::io("opening a connection"))?,
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
            connections: 0,
            cut_off: 0,
            overheard: 0,
            answers: 0,
            faults: Vec::new(),
            is_given_up: false,
        };
        soak.connections = soak.steady.len() as u64;
        for (index, peer) in soak.steady.peers().enumerate() {
            register(&soak.poll, peer, index)?;
        }
        Ok(soak)
    }

    /// Everybody in, and the load for its time, or until there are too many faults.
    fn load(&mut self, config: &Config) -> Result<(), Error> {
        let deadline = self.now + PATIENCE;
        while !self.steady.enter() && self.goes_on() {
            if self.now > deadline {
                self.faults.push("not all steady talkers got into their rooms".to_owned());
                return Ok(());
            }
            self.turn(false)?;
        }
        self.rooms = self.steady.rooms();
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
                let number = self.connections;
                let visit = visits::next(&mut self.rng, &self.rooms, &self.bad, number);
                self.visit(visit)?;
            }
            if now >= crowd {
                crowd = now + CROWD_INTERVAL;
                for _ in 0..CROWD {
                    let visit = visits::blink(&mut self.rng);
                    self.visit(visit)?;
                }
            }
            self.turn(true)?;
            if config.progress.is_some_and(|every| told.elapsed() >= every) {
                told = now;
                self.tell(began);
            }
        }
        Ok(())
    }

    fn goes_on(&self) -> bool {
        !self.is_given_up && self.faults.len() < MAX_FAULTS
    }

    fn visit(&mut self, visit: Visit) -> Result<(), Error> {
        // So that the ports of one address need not do for all who were here in the last minute.
        let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1 + self.rng.below(8) as u8));
        let from = self.server.addr.is_ipv4().then_some(from);
        let kind = visit.kind;
        let visitor = Visitor::new(visit, self.now, self.server.addr, from);
        let mut visitor = visitor.map_err(Error::io("opening a connection"))?;
        let entry = self.visitors.vacant_entry();
        register(&self.poll, &mut visitor.peer, self.steady.len() + entry.key())?;
        entry.insert(visitor);
        self.connections += 1;
        self.visits[kind as usize] += 1;
        Ok(())
    }

    /// Waits for the time of a turn, and looks after everybody.
    pub(super) fn turn(&mut self, talk: bool) -> Result<(), Error> {
        let end = Instant::now() + TURN;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            match self.poll.poll(&mut self.events, Some(left)) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                result => result.map_err(Error::io("waiting for events"))?,
            }
            for event in &self.events {
                let index = event.token().0;
                let visitor = index.checked_sub(self.steady.len());
                match visitor.and_then(|key| self.visitors.get_mut(key)) {
                    Some(visitor) => visitor.peer.wake(),
                    None => self.steady.wake(index),
                }
            }
        }
        let now = Instant::now();
        let passed = now.duration_since(self.last);
        self.last = now;
        self.now += passed.min(MAX_TURN);
        let rng = talk.then_some(&mut self.rng);
        if let Err(fault) = self.steady.turn(self.now, &mut self.buffer, rng)
            && !self.is_given_up
        {
            self.faults.push(fault);
            self.is_given_up = true;
        }
        self.look_after_visitors(Turn { now: self.now, passed });
        if let Some(status) = self.server.ended() {
            return Err(Error::Server(format!(
                "the server has ended by itself: {status}; faults so far: {:?}",
                self.faults
            )));
        }
        self.watch.turn(now, self.connections)
    }

    fn look_after_visitors(&mut self, turn: Turn) {
        let Self { visitors, steady, buffer, overheard, .. } = self;
        let (mut gone, mut faults) = (Vec::new(), Vec::new());
        for (key, visitor) in visitors.iter_mut() {
            let was_in = visitor.dialogue.place().is_some();
            let over = visitor.turn(turn, buffer, &mut |heard| {
                *overheard += 1;
                steady.overhear(heard)
            });
            if visitor.kind == Kind::Founder && !was_in {
                self.passing.extend(visitor.dialogue.place().map(|place| place.room));
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
            // Closing the socket takes it out of the event queue.
            let visitor = self.visitors.remove(key);
            self.answers += visitor.dialogue.answers;
            self.cut_off += u64::from(visitor.dialogue.last_word() == Some("slow-consumer"));
        }
    }

    fn tell(&self, began: Instant) {
        let (sent, delivered) = self.steady.totals();
        let sample = self.watch.last();
        eprintln!(
            "{:>6.0} s: {} connections made, {} visitors here; {sent} messages, {delivered} deliveries, \
             {} to come; {:.0} KiB, {} files; {} faults",
            began.elapsed().as_secs_f64(),
            self.connections,
            self.visitors.len(),
            self.steady.missing(),
            sample.map_or(0.0, |sample| sample.resident_kib),
            sample.map_or(0, |sample| sample.files),
            self.faults.len(),
        );
    }
}

fn register(poll: &Poll, peer: &mut Peer, token: usize) -> Result<(), Error> {
    let interest = Interest::READABLE | Interest::WRITABLE;
    poll.registry()
        .register(peer.stream(), mio::Token(token), interest)
        .map_err(Error::io("registering a connection"))
}
