//! Attacks on a chat server, each bounded in connections, over loopback only.
//!
//! A [`Kind`] prepares an attack: it opens its connections and enters its rooms. From then on the attack does a
//! little in each turn, until it is told to stop ([`Running`]). What the attack does to others is measured by
//! [`fairness`](crate::fairness), and checked by the [`soak`](crate::soak). An attack never checks what the
//! server answers, and goes on when the server ends its connections.

mod commands;
mod connects;
mod crowd;
mod debts;
mod flood;
mod input;
mod lists;
mod rooms;
mod running;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

pub use running::Running;

/// What an attack is directed at.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The server.
    pub server: SocketAddr,
    /// A room of people who do no harm.
    pub room: u64,
    /// The share of its connections that the attack uses, in percent.
    pub percent: usize,
    /// Counts the connections that the attack makes.
    pub connections: Arc<AtomicU64>,
}

impl Scene {
    /// So many connections, or the share of them that is to be used.
    fn scaled(&self, count: usize) -> usize {
        (count * self.percent).div_ceil(100)
    }
}

/// An attack that has begun.
trait Attack {
    /// Does the next part, which takes some milliseconds at most.
    fn turn(&mut self) -> io::Result<()>;

    /// Whether the server harmed somebody who took part and behaved.
    fn harm(&self) -> Option<&'static str> {
        None
    }
}

type Prepared = io::Result<Box<dyn Attack>>;

/// A kind of attack.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Its name in tables and on the command line.
    pub name: &'static str,
    /// How long it takes until its effect shows.
    pub time: Duration,
    prepare: fn(&Scene) -> Prepared,
}

const fn kind(name: &'static str, prepare: fn(&Scene) -> Prepared) -> Kind {
    Kind { name, time: Duration::from_secs(5), prepare }
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        kind("renames in a room of 6,000", rooms::renames),
        kind("joins and leaves in a room of 6,000", rooms::visits),
        kind("readers that stop in a busy room", rooms::stopped_readers),
        kind("lists of 3,000 rooms, 300 askers", lists::many_askers),
        kind("lists of 3,000 rooms, one asker", lists::one_asker),
        kind("fragments of one byte", input::fragments),
        kind("urgent bytes", input::urgent_bytes),
        kind("invalid frames", input::invalid_frames),
        kind("big frames", input::big_frames),
        kind("half frames", input::half_frames),
        kind("connect and reset", connects::resets),
        kind("rooms made and left", commands::rooms),
        kind("names set", commands::names),
        kind("shutdowns refused", commands::shutdowns),
        kind("debts brought into the room", debts::debts),
        Self {
            time: Duration::from_secs(15),
            ..kind("a flood beside a slow reader", flood::flood)
        },
    ];
}

/// Something that is due again and again.
#[derive(Debug)]
struct Pace {
    interval: Duration,
    next: Instant,
}

impl Pace {
    fn new(interval: Duration) -> Self {
        Self { interval, next: Instant::now() }
    }

    /// Whether it is due. What was missed is not made up for.
    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let is_due = now >= self.next;
        if is_due {
            self.next = now + self.interval;
        }
        is_due
    }
}

/// Between two commands of a connection: as many as the server allows by default.
const COMMAND_INTERVAL: Duration = Duration::from_millis(5);

/// How long a turn waits when there is nothing to do.
const WAIT: Duration = Duration::from_millis(1);
