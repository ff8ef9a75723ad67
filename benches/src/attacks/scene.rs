//! The common parts of attacks: scene, turns, pace.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

/// The target of an attack.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The server.
    pub server: SocketAddr,
    /// A room of innocent people.
    pub room: u64,
    /// The share of its connections that the attack uses, in percent.
    pub percent: usize,
    /// Counts the connections that the attack makes.
    pub connections: Arc<AtomicU64>,
}

impl Scene {
    /// Scales a number of connections by the share to be used.
    pub(super) fn scaled(&self, count: usize) -> usize {
        (count * self.percent).div_ceil(100)
    }
}

/// An attack that has begun.
pub(super) trait Attack {
    /// Takes the next step, which lasts some milliseconds at most.
    fn turn(&mut self) -> io::Result<()>;

    /// The harm done to a participant that behaved, if any.
    fn harm(&self) -> Option<&'static str> {
        None
    }
}

pub(super) type Prepared = io::Result<Box<dyn Attack>>;

/// Something that is due at regular intervals.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    next: Instant,
}

impl Pace {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, next: Instant::now() }
    }

    /// Whether it is due. Missed occasions are not made up for.
    pub(super) fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let is_due = now >= self.next;
        if is_due {
            self.next = now + self.interval;
        }
        is_due
    }
}

/// Time between two commands of a connection: as many as the server allows by default.
pub(super) const COMMAND_INTERVAL: Duration = Duration::from_millis(5);

/// How long a turn waits when there is nothing to do.
pub(super) const WAIT: Duration = Duration::from_millis(1);
