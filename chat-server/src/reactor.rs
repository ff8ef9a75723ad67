//! The event loop: the one thread that polls, accepts and owns sockets.
//!
//! It reports events to the engine, and gives it one turn after each batch. Everything else is the engine's.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chat_core::{HubLimits, Role};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::config::{Config, ShutdownFrom};
use crate::engine::{Engine, Workers};
use crate::events::Observer;
use crate::net::ConnKey;
use crate::net::Listener;
use crate::net::written_by_this_thread;
use crate::net::{Clock, Instant};
use crate::stats::Counters;
use crate::stats::LimitKind;
use crate::workers::Mailbox;
use crate::workers::Pool;
use crate::workers::SharedHub;

// Above every token of a connection.
const LISTENER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);

/// Events taken from the kernel at once.
const EVENTS: usize = 1024;

/// Both directions from the start: an edge that finds nothing to do costs nothing, and changing the
/// interest would cost a system call.
const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE).add(URGENT);

/// Urgent data matters only as a mark in the stream, at which a read stops short.
#[cfg(any(target_os = "linux", target_os = "android"))]
const URGENT: Interest = Interest::PRIORITY;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const URGENT: Interest = Interest::READABLE;

/// Everything a reactor needs, ready to be sent to the thread that it will run on.
#[derive(Debug)]
pub(crate) struct Setup {
    poll: Poll,
    listener: Listener,
    hub: Arc<SharedHub>,
    pool: Pool,
    config: Config,
    counters: Arc<Counters>,
    pub(crate) observer: Option<Box<Observer>>,
}

impl Setup {
    /// Registers the listener and starts the workers.
    pub(crate) fn new(mut listener: Listener, config: Config) -> io::Result<Self> {
        let poll = Poll::new()?;
        // The shared hub keeps the waker for as long as the reactor lives: one that is dropped right after
        // `wake()` takes the wake-up with it.
        let waker = Waker::new(poll.registry(), WAKER)?;
        poll.registry().register(listener.socket_mut(), LISTENER, Interest::READABLE)?;
        let hub =
            Arc::new(SharedHub::new(HubLimits::new().with_rooms(config.limits.rooms), move || {
                // It adds 1 to the counter of an eventfd, which is read long before it overflows: it cannot fail.
                let _ = waker.wake();
            }));
        let pool = Pool::start(config.workers, &hub)?;
        Ok(Self { poll, listener, hub, pool, config, counters: Arc::default(), observer: None })
    }

    pub(crate) fn hub(&self) -> &Arc<SharedHub> {
        &self.hub
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Serves on this thread until the stop is complete. `on_stop` is called when it begins.
    pub(crate) fn run(self, on_stop: impl FnOnce()) -> io::Result<()> {
        let Self { poll, listener, hub, pool, config, counters, observer } = self;
        let accepts_per_turn = config.limits.accepts_per_turn;
        let shutdown_from = config.shutdown_from;
        let mut engine = Engine::new(config, Arc::clone(&hub), pool, Arc::clone(&counters));
        engine.set_observer(observer);
        Reactor {
            poll,
            clock: Clock::start(),
            listener: Some(listener),
            accepts_per_turn,
            shutdown_from,
            engine,
            hub,
            counters,
        }
        .run(on_stop)
    }
}

#[derive(Debug)]
struct Reactor {
    poll: Poll,
    clock: Clock,
    /// `None` once the server stops.
    listener: Option<Listener>,
    accepts_per_turn: usize,
    shutdown_from: ShutdownFrom,
    engine: Engine<TcpStream, Pool>,
    hub: Arc<SharedHub>,
    counters: Arc<Counters>,
}

impl Reactor {
    fn run(mut self, on_stop: impl FnOnce()) -> io::Result<()> {
        let mut on_stop = Some(on_stop);
        let mut events = Events::with_capacity(EVENTS);
        let mut ended = self.clock.now();
        let before = written_by_this_thread();
        while !self.engine.has_stopped() {
            let timeout = self.timeout(ended);
            match self.poll.poll(&mut events, timeout) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {
                    ended = self.clock.now();
                    continue;
                }
                result => result?,
            }
            let now = self.clock.now();
            for event in &events {
                self.dispatch(event);
            }
            let requests = self.counters.requests.value();
            let connections = self.engine.connection_count();
            self.engine.turn(now);
            if let Some(listener) = &mut self.listener
                && self.engine.connection_count() < connections
            {
                listener.resume();
            }
            if self.engine.is_stopping() {
                // Connections that wait to be accepted are told as well.
                self.accept(now, Listener::BACKLOG);
                self.listener = None;
                if let Some(on_stop) = on_stop.take() {
                    on_stop();
                }
            } else {
                self.accept(now, self.accepts_per_turn);
            }
            ended = self.clock.now();
            self.counters.end_turn(ended.nanos_since(now), requests);
            self.counters.bytes_written.set(written_by_this_thread() - before);
        }
        Ok(())
    }

    fn dispatch(&mut self, event: &Event) {
        match event.token() {
            LISTENER => {
                if let Some(listener) = &mut self.listener {
                    listener.ready();
                }
            }
            WAKER => {}
            token => {
                let key = ConnKey::from_token(token);
                if event.is_readable() || event.is_read_closed() || event.is_error() {
                    let marked = event.is_read_closed() || event.is_error() || event.is_priority();
                    self.engine.readable(key, marked);
                }
                if event.is_writable() {
                    self.engine.writable(key);
                }
                if event.is_error() {
                    self.engine.failed(key);
                }
            }
        }
    }

    fn accept(&mut self, now: Instant, budget: usize) {
        let Some(listener) = &mut self.listener else { return };
        let registry = self.poll.registry();
        let accepted = listener.accept(now, budget, |mut stream, peer| {
            let token = self.engine.next_key().to_token();
            // A connection that the kernel cannot watch is closed again.
            if registry.register(&mut stream, token, INTEREST).is_ok() {
                self.engine.connect(now, stream, self.shutdown_from.role_of(peer), peer);
            }
        });
        if let Err(error) = accepted {
            self.counters.accept_failures.add(1);
            self.engine.log_accept_failed(&error);
        } else if listener.is_pending() {
            self.counters.reach(LimitKind::AcceptsPerTurn);
        }
    }

    /// The time to wait for events: none if there is something to do, otherwise until the next deadline.
    /// `now` is when the last turn ended.
    fn timeout(&self, now: Instant) -> Option<Duration> {
        let pending = self.listener.as_ref().is_some_and(Listener::is_pending);
        if pending || self.engine.wants_turn() || !self.hub.may_wait() {
            return Some(Duration::ZERO);
        }
        let accept = self.listener.as_ref().and_then(Listener::next_deadline);
        let deadline = accept.into_iter().chain(self.engine.next_deadline()).min()?;
        Some(deadline.since(now))
    }
}

impl ShutdownFrom {
    fn role_of(self, peer: SocketAddr) -> Role {
        let may = match self {
            Self::Anyone => true,
            Self::Loopback => peer.ip().to_canonical().is_loopback(),
            Self::Nobody => false,
        };
        if may { Role::Operator } else { Role::Guest }
    }
}

impl Workers for Pool {
    fn submit(&mut self, mailboxes: &mut Vec<Arc<Mailbox>>) {
        Self::submit(self, mailboxes.drain(..));
    }

    fn steals(&self) -> u64 {
        Self::steals(self)
    }
}
