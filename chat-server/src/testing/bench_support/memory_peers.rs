//! The server without the kernel, and peers in memory: bytes in, bytes out.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, IoSlice, Read};
use std::iter;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use chat_core::{HubLimits, Role};

use crate::engine::Engine;
use crate::limits::RateLimit;
use crate::net::ConnKey;
use crate::net::Instant;
use crate::net::Socket;
use crate::testing::bench_support::memory_room::{NoWorkers, config};
use crate::workers::SharedHub;

/// The address of every peer.
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// Budgets that pause for some milliseconds each, and in sum for less than the time after which another bad frame is
/// allowed.
const COMMANDS: RateLimit = RateLimit { burst: 4, per_second: 20_000 };
const INPUT: RateLimit = RateLimit { burst: 4_096, per_second: 1 << 20 };
const ANSWERS: RateLimit = RateLimit { burst: 16 << 10, per_second: 1 << 30 };

/// The longest pause that a budget causes; longer than it takes to earn a read and its answers.
const PAUSE: Duration = Duration::from_millis(300);

/// A server in frozen time, which passes only to end the pauses that budgets cause.
#[derive(Debug)]
pub struct MemoryPeers {
    engine: Engine<MemorySocket, NoWorkers>,
    peers: Vec<(ConnKey, Rc<RefCell<Pipe>>)>,
    now: Instant,
}

/// The state in which the server left a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It is still open.
    Open,
    /// Its stream has been ended, after everything pending.
    Ended,
    /// Its socket was dropped before the stream was ended.
    Dropped,
}

impl MemoryPeers {
    /// A server without peers. Each peer gets all it asks for, or, with `budgets`, little.
    pub fn new(budgets: bool) -> Self {
        let hub = Arc::new(SharedHub::new(HubLimits::default(), || {}));
        let mut config = config();
        if budgets {
            let limits = &mut config.limits;
            (limits.commands, limits.input, limits.answers) = (COMMANDS, INPUT, ANSWERS);
        }
        let engine = Engine::new(config, hub, NoWorkers, Arc::default());
        Self { engine, peers: Vec::new(), now: Instant::START }
    }

    /// Connects a peer, and returns its number, counted from 0. Its kernel takes as many bytes at a time as `takes`
    /// says, and is full after each of these writes; after them, it takes everything.
    pub fn connect(&mut self, takes: impl Iterator<Item = usize> + 'static) -> usize {
        let pipe = Rc::new(RefCell::new(Pipe { takes: Box::new(takes), ..Pipe::default() }));
        let key = self.engine.next_key();
        self.engine.connect(self.now, MemorySocket(Rc::clone(&pipe)), Role::Guest, PEER);
        self.peers.push((key, pipe));
        self.peers.len() - 1
    }

    /// Sends bytes from a peer.
    pub fn send(&mut self, peer: usize, bytes: &[u8]) {
        let (key, pipe) = &self.peers[peer];
        pipe.borrow_mut().input.extend(bytes);
        self.engine.readable(*key, false);
    }

    /// Ends a peer's stream or, with `reset`, resets it.
    pub fn end(&mut self, peer: usize, reset: bool) {
        let (key, pipe) = &self.peers[peer];
        let mut ended = pipe.borrow_mut();
        ended.peer_ended = true;
        ended.peer_reset = reset;
        drop(ended);
        self.engine.readable(*key, true);
    }

    /// Gives the server turns until the server and its peers wait for each other. Lets time pass for budgets.
    ///
    /// # Panics
    /// If that never happens, although each turn must make progress.
    pub fn settle(&mut self) {
        let mut idle_turns = 0;
        let mut before = 0;
        loop {
            if !self.deliver_writable() && !self.engine.wants_turn() {
                let latest = self.now + PAUSE;
                let resume = self.engine.next_deadline().filter(|at| *at <= latest);
                let Some(resume) = resume else { return };
                (self.now, idle_turns) = (resume, 0);
            }
            self.engine.turn(self.now);
            let moved = self.peers.iter().map(|(_, pipe)| pipe.borrow().moved).sum();
            idle_turns = if moved == before { idle_turns + 1 } else { 0 };
            assert!(idle_turns < 16, "the server does not come to rest");
            before = moved;
        }
    }

    /// Tells the server about peers whose kernels were full and no longer are.
    fn deliver_writable(&mut self) -> bool {
        let mut any = false;
        for (key, pipe) in &self.peers {
            if std::mem::take(&mut pipe.borrow_mut().full) {
                self.engine.writable(*key);
                any = true;
            }
        }
        any
    }

    /// Returns everything sent to a peer so far.
    pub fn received(&self, peer: usize) -> Vec<u8> {
        self.peers[peer].1.borrow().output.clone()
    }

    /// Returns the state in which the server left a peer.
    pub fn left(&self, peer: usize) -> Left {
        self.peers[peer].1.borrow().left
    }

    /// The number of connections that the server still has.
    pub fn connections(&self) -> usize {
        self.engine.connection_count()
    }
}

/// The stream between the server and a peer, in both directions.
struct Pipe {
    input: VecDeque<u8>,
    peer_ended: bool,
    peer_reset: bool,
    output: Vec<u8>,
    takes: Box<dyn Iterator<Item = usize>>,
    /// Whether a write was cut short, so that an event will follow.
    full: bool,
    left: Left,
    /// Bytes that have gone either way.
    moved: usize,
}

impl Default for Pipe {
    fn default() -> Self {
        Self {
            input: VecDeque::new(),
            peer_ended: false,
            peer_reset: false,
            output: Vec::new(),
            takes: Box::new(iter::empty()),
            full: false,
            left: Left::Open,
            moved: 0,
        }
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct MemorySocket(Rc<RefCell<Pipe>>);

impl Socket for MemorySocket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        assert!(!buf.is_empty(), "reading nothing looks like the end");
        let pipe = &mut *self.0.borrow_mut();
        // All there is, or the engine would consider it drained.
        pipe.input.make_contiguous();
        let read = pipe.input.read(buf)?;
        pipe.moved += read;
        match read {
            0 if pipe.peer_reset => Err(ErrorKind::ConnectionReset.into()),
            0 if !pipe.peer_ended => Err(ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let pipe = &mut *self.0.borrow_mut();
        assert_eq!(pipe.left, Left::Open, "nothing is written after the end");
        assert!(slices.iter().all(|slice| !slice.is_empty()), "no slice is empty");
        if pipe.peer_reset {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if pipe.full {
            return Err(ErrorKind::WouldBlock.into());
        }
        let most = pipe.takes.next().unwrap_or(usize::MAX);
        let before = pipe.output.len();
        let bytes = slices.iter().flat_map(|slice| slice.iter().copied());
        pipe.output.extend(bytes.take(most));
        let written = pipe.output.len() - before;
        pipe.full = written == most;
        pipe.moved += written;
        Ok(written)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        let pipe = &mut *self.0.borrow_mut();
        assert_eq!(pipe.left, Left::Open, "a stream ends once");
        pipe.left = Left::Ended;
        Ok(())
    }

    fn reset_on_close(&mut self) {}
}

impl Drop for MemorySocket {
    fn drop(&mut self) {
        let pipe = &mut *self.0.borrow_mut();
        if pipe.left == Left::Open {
            pipe.left = Left::Dropped;
        }
    }
}
