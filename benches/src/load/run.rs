//! A run: connect, warm up, measure, drain.
//!
//! In a closed loop, a talker keeps at most `window` messages in flight. Each message causes one delivery to every
//! other member; when as many deliveries have arrived as one message causes, the talker sends the next. (Waiting for
//! the slowest member of each message instead would tie a window together forever: all of it would arrive at once, and
//! be sent at once.) Talkers send at the end of a turn of the event loop, everything that they may in one write. With
//! a window above 1, the latency of every eighth message is recorded. The generator sleeps while it has nothing to do,
//! and the server pays for waking it, as it does for other readers; one that spins costs it nothing, so that servers
//! compare by their own work.
//!
//! In an open loop, message *i* is due at `i / rate` whatever the server does, and its latency counts from then. The
//! generator does not sleep, since a timer of 1 ms would be coarser than what is measured. So it needs a core of its
//! own, and the server never pays for waking it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::Events;
use serde::Serialize;

use super::clients::{Clients, Listener};
use super::dialect::Dialect;
use super::plan::{Plan, Talkers};
use super::protocol::Protocol;
use super::report::{Latency, Report, ServerCost};
use super::schedule::Schedule;
use super::tally::{Tally, Totals};
use super::template::Template;
use super::token::{TOKEN_LEN, Token};
use crate::error::Error;
use crate::measure::process::{CpuTime, CpuUsed, Process, machine_cpu_time};

/// How long the last deliveries may take.
const DRAIN_DEADLINE: Duration = Duration::from_secs(5);

/// The shortest sleep. It delays messages, which counts as their latency.
const DOZE: Duration = Duration::from_millis(1);

/// The longest sleep in a closed loop.
const NAP: Duration = Duration::from_millis(100);

/// With a window above 1, one message in this many has its latency recorded.
const SAMPLE_EVERY: u32 = 8;

/// The longest latency that can be recorded, in ns.
const MAX_LATENCY: u64 = 60_000_000_000;

/// Events polled at once. Few in an open loop, so that messages that become due are not late.
const EVENTS_CLOSED: usize = 4096;
const EVENTS_OPEN: usize = 64;

/// When the talkers send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pace {
    /// Each keeps this many messages in flight.
    Closed {
        /// Messages per talker, counted in deliveries: see the module documentation.
        window: u32,
    },
    /// All together send this many messages per second, in turn.
    Open {
        /// Messages a second.
        rate: u32,
    },
}

/// The settings of a run.
#[derive(Debug, Clone)]
pub struct Config {
    /// The dialect to speak.
    pub dialect: Dialect,
    /// The server's address, a loopback address.
    pub addr: SocketAddr,
    /// Rooms.
    pub rooms: u32,
    /// Members of each.
    pub members: u32,
    /// How many of them talk.
    pub talkers: Talkers,
    /// When they send.
    pub pace: Pace,
    /// Whether to sleep between messages in an open loop.
    pub doze: bool,
    /// Whether to stay awake between messages in a closed loop.
    pub spin: bool,
    /// Bytes of text, at least [`TOKEN_LEN`].
    pub size: usize,
    /// How long to send before measuring.
    pub warmup: Duration,
    /// How long to measure.
    pub measure: Duration,
    /// The server's process id, to measure its cost.
    pub server: Option<u32>,
    /// Whether to print a line each second on standard error.
    pub progress: bool,
}

impl Config {
    fn check(&self) -> Result<(), Error> {
        const MAX_SIZE: usize = 60_000;
        const MAX_SECONDS: u64 = 3_600;
        const MAX_WINDOW: u32 = 65_536;
        const MAX_RATE: u32 = 10_000_000;
        let complaint = match self.pace {
            _ if !self.addr.ip().is_loopback() => "the server must be at a loopback address",
            _ if !(TOKEN_LEN..=MAX_SIZE).contains(&self.size) => {
                "a text has 33 (the token that is in it) to 60000 bytes"
            }
            _ if (self.warmup + self.measure).as_secs() > MAX_SECONDS => {
                "a run ends within an hour"
            }
            _ if self.measure < Duration::from_millis(10) => "10 ms have to be measured at least",
            Pace::Closed { window } if !(1..=MAX_WINDOW).contains(&window) => {
                "a window is 1 to 65536 messages"
            }
            Pace::Open { rate } if !(1..=MAX_RATE).contains(&rate) => {
                "a rate is 1 to 10000000 messages a second"
            }
            _ => return Ok(()),
        };
        Err(Error::Config(complaint.to_owned()))
    }
}

/// Runs the load.
///
/// # Errors
/// If the settings are invalid, or the server breaks its protocol.
pub fn run(config: &Config) -> Result<Report, Error> {
    config.check()?;
    let plan = Plan::new(config.dialect.protocol, config.rooms, config.members, config.talkers)?;
    let server = config.server.map(Process::new).transpose()?;
    let mut clients = Clients::new(config.dialect, plan.seats.len(), server)?;
    let rooms = clients.enter(config.addr, &plan)?;
    let mut run = Run::new(config, &plan, &rooms, clients);

    run.talk_for(config.warmup)?;
    run.traffic.measure_from = run.traffic.clock.now();
    let before = Snapshot::take(server, &run.traffic)?;
    run.talk_for(config.measure)?;
    let after = Snapshot::take(server, &run.traffic)?;
    run.drain()?;
    let resident = server.map(Process::resident_kib).transpose()?;
    Ok(report(config, &plan, &run, (&before, &after), resident))
}

/// Everything that is read before and after the measured seconds.
struct Snapshot {
    at: u64,
    totals: Totals,
    server: Option<CpuTime>,
    own: CpuTime,
    machine: Duration,
}

impl Snapshot {
    fn take(server: Option<Process>, traffic: &Traffic) -> Result<Self, Error> {
        let server = server.map(Process::cpu_time).transpose()?;
        let own = Process::own().cpu_time()?;
        let machine = machine_cpu_time()?;
        Ok(Self { at: traffic.clock.now(), totals: traffic.tally.totals(), server, own, machine })
    }
}

fn report(
    config: &Config,
    plan: &Plan,
    run: &Run,
    (before, after): (&Snapshot, &Snapshot),
    resident: Option<u64>,
) -> Report {
    let seconds = (after.at - before.at) as f64 / 1e9;
    let delivered = after.totals.delivered - before.totals.delivered;
    let totals = run.traffic.tally.totals();
    let used = before.server.zip(after.server).map(|(before, after)| before.until(after));
    let own = before.own.until(after.own);
    let machine = after.machine.saturating_sub(before.machine).as_nanos() as f64;
    let (window, rate) = match config.pace {
        Pace::Closed { window } => (Some(window), None),
        Pace::Open { rate } => (None, Some(rate)),
    };
    Report {
        dialect: config.dialect,
        rooms: config.rooms,
        members: config.members,
        talkers: plan.talkers_per_room,
        window,
        rate,
        size: config.size,
        seconds,
        sent: totals.sent,
        delivered,
        delivered_per_second: delivered as f64 / seconds,
        lost: run.traffic.tally.outstanding(),
        repeated: totals.repeated,
        alien: totals.alien,
        server: used
            .zip(resident)
            .map(|(used, resident)| ServerCost::new(used, delivered, seconds, resident)),
        latency: Latency::of(&run.traffic.latency),
        late_p99_us: rate.map(|_| Latency::of(&run.late).p99_us),
        generator_busy: own.total() / 1e9 / seconds,
        others_busy: (machine - own.total() - used.map_or(0.0, CpuUsed::total)).max(0.0)
            / 1e9
            / seconds,
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(MAX_LATENCY, 3).expect("three digits of a minute are within its bounds")
}

/// Nanoseconds since the run began.
#[derive(Debug, Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn now(self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }
}

/// The messages of the run.
struct Traffic {
    protocol: Protocol,
    clock: Clock,
    /// When the last chunk was read.
    now: u64,
    tally: Tally,
    /// Latencies of messages sent since `measure_from`, in nanoseconds.
    latency: Histogram<u64>,
    measure_from: u64,
    /// A message is recorded if its counter has none of these bits.
    sample_mask: u32,
}

impl Listener for Traffic {
    fn arrived(&mut self) {
        self.now = self.clock.now();
    }

    #[inline]
    fn message(&mut self, seat: usize, token: Token) {
        if self.tally.arrived(seat, token)
            && token.counter & self.sample_mask == 0
            && token.sent >= self.measure_from
        {
            self.latency.saturating_record(self.now.saturating_sub(token.sent));
        }
    }

    fn other(&mut self, seat: usize, payload: &[u8]) -> Result<(), Error> {
        match self.protocol.complaint(payload) {
            Some(why) => Err(Error::Server(format!("connection {seat} was told: {why}"))),
            None => Ok(()),
        }
    }
}

/// A run in progress.
struct Run {
    clients: Clients,
    events: Events,
    traffic: Traffic,
    /// The message of each talker.
    templates: Vec<Template>,
    pace: Pace,
    doze: bool,
    /// Closed loop: the longest sleep.
    nap: Duration,
    /// Open loop: the schedule, from the first turn on.
    schedule: Option<Schedule>,
    /// Open loop: how late each message was sent, in nanoseconds.
    late: Histogram<u64>,
    progress: Option<Progress>,
}

impl Run {
    fn new(config: &Config, plan: &Plan, rooms: &[u64], clients: Clients) -> Self {
        let sample_mask = match config.pace {
            Pace::Closed { window: 1 } | Pace::Open { .. } => 0,
            Pace::Closed { .. } => SAMPLE_EVERY - 1,
        };
        let tally = Tally::new(plan);
        let template = |talker| {
            let seat = tally.seat(talker);
            let room = rooms[plan.seats[seat].room as usize];
            Template::new(config.dialect, seat, room, config.size)
        };
        Self {
            templates: (0..tally.talkers()).map(template).collect(),
            clients,
            events: Events::with_capacity(match config.pace {
                Pace::Closed { .. } => EVENTS_CLOSED,
                Pace::Open { .. } => EVENTS_OPEN,
            }),
            traffic: Traffic {
                protocol: config.dialect.protocol,
                clock: Clock(Instant::now()),
                now: 0,
                tally,
                latency: histogram(),
                measure_from: u64::MAX,
                sample_mask,
            },
            pace: config.pace,
            doze: config.doze,
            nap: if config.spin { Duration::ZERO } else { NAP },
            schedule: None,
            late: histogram(),
            progress: config.progress.then(Progress::default),
        }
    }

    fn talk_for(&mut self, time: Duration) -> Result<(), Error> {
        let mut now = self.traffic.clock.now();
        let end = now + time.as_nanos() as u64;
        while now < end {
            let timeout = match self.pace {
                Pace::Closed { .. } => self.send_windows(now)?,
                Pace::Open { rate } => self.send_due(now, rate)?,
            };
            let timeout = timeout.min(Duration::from_nanos(end - now));
            self.clients.turn(&mut self.events, Some(timeout), &mut self.traffic)?;
            now = self.traffic.clock.now();
            if let Some(progress) = &mut self.progress {
                progress.tell(now, self.traffic.tally.totals());
            }
        }
        Ok(())
    }

    /// Waits for deliveries in progress.
    fn drain(&mut self) -> Result<(), Error> {
        let end = self.traffic.clock.now() + DRAIN_DEADLINE.as_nanos() as u64;
        while self.traffic.tally.outstanding() > 0 && self.traffic.clock.now() < end {
            self.clients.turn(&mut self.events, Some(NAP), &mut self.traffic)?;
        }
        Ok(())
    }

    /// Closed loop: fills the windows that have room.
    fn send_windows(&mut self, now: u64) -> Result<Duration, Error> {
        let Pace::Closed { window } = self.pace else { return Ok(self.nap) };
        while let Some(talker) = self.traffic.tally.next_due() {
            for _ in self.traffic.tally.in_flight(talker)..window {
                self.queue(talker, now);
            }
            self.clients.flush(self.traffic.tally.seat(talker))?;
        }
        Ok(self.nap)
    }

    /// Open loop: sends what is due, and sleeps only if configured to.
    fn send_due(&mut self, now: u64, rate: u32) -> Result<Duration, Error> {
        let schedule = self.schedule.get_or_insert_with(|| Schedule::new(now, rate));
        let due = schedule.take_due(now);
        let schedule = *schedule;
        let talkers = self.templates.len() as u64;
        for message in due.clone() {
            let intended = schedule.due_at(message);
            if intended >= self.traffic.measure_from {
                self.late.saturating_record(now - intended);
            }
            self.queue((message % talkers) as usize, intended);
        }
        for message in due.take(talkers as usize) {
            self.clients.flush(self.traffic.tally.seat((message % talkers) as usize))?;
        }
        Ok(if self.doze { DOZE } else { Duration::ZERO })
    }

    fn queue(&mut self, talker: usize, now: u64) {
        let token = self.traffic.tally.send(talker, now);
        let out = self.clients.connection(self.traffic.tally.seat(talker)).out();
        self.templates[talker].write(token, out);
    }
}

/// Progress lines, one per second.
#[derive(Debug, Default)]
struct Progress {
    seconds: u64,
    delivered: u64,
}

impl Progress {
    fn tell(&mut self, now: u64, totals: Totals) {
        let seconds = now / 1_000_000_000;
        if seconds > self.seconds {
            let delivered = totals.delivered - self.delivered;
            eprintln!("{seconds:>4} s  {delivered:>10} delivered  {:>10} sent", totals.sent);
            *self = Self { seconds, delivered: totals.delivered };
        }
    }
}
