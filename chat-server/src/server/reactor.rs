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
use mio::{Events, Interest, Poll, Registry, Token, Waker};

#[cfg(feature = "store")]
use super::data;
use super::start_error::StartError;
use crate::config::{Config, ShutdownFrom};
use crate::engine::{Engine, Stored, Workers};
use crate::events::Observer;
use crate::limits::Limits;
use crate::net::{Acceptor, Arrival, Clock, ConnKey, Instant, Listener, Lobby, NoHeader, Origin};
use crate::net::{SockDiag, Stream, canonical, written_by_this_thread};
use crate::stats::{CloseReason, Counters, LimitKind};
use crate::workers::{Job, Mailbox, Pool, SharedHub};

// Above every token of a connection, including those in the lobby.
const WAKER: Token = Token(usize::MAX);

/// The token of the first listener; each further listener has the token below.
const FIRST_LISTENER: usize = usize::MAX - 1;

/// Events taken from the kernel at once: the set of connections from which the next to be read is chosen.
const EVENTS: usize = 4096;

/// Both directions from the start: an edge that leaves nothing to do costs nothing, whereas changing the interest
/// would cost a system call.
const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE).add(URGENT);

/// Urgent data matters only as a mark in the stream, at which a read stops short.
#[cfg(any(target_os = "linux", target_os = "android"))]
const URGENT: Interest = Interest::PRIORITY;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const URGENT: Interest = Interest::READABLE;

/// Everything that a reactor needs, ready to be sent to its thread.
#[derive(Debug)]
pub(crate) struct Setup {
    poll: Poll,
    listeners: Vec<Listener>,
    hub: Arc<SharedHub>,
    pool: Pool,
    config: Config,
    counters: Arc<Counters>,
    sock_diag: SockDiag,
    acceptor: Option<Arc<Acceptor>>,
    stored: Option<Stored>,
    pub(crate) observer: Option<Box<Observer>>,
}

impl Setup {
    /// Registers the listeners, opens the data directory and starts the workers.
    pub(crate) fn new(mut listeners: Vec<Listener>, config: Config) -> Result<Self, StartError> {
        let system = StartError::System;
        let poll = Poll::new().map_err(system)?;
        // The shared hub keeps the waker alive as long as the reactor: a waker that is dropped right after `wake()`
        // takes the wake-up with it.
        let waker = Waker::new(poll.registry(), WAKER).map_err(system)?;
        for (i, listener) in listeners.iter_mut().enumerate() {
            let token = Token(FIRST_LISTENER - i);
            let added = poll.registry().register(listener.socket_mut(), token, Interest::READABLE);
            added.map_err(system)?;
        }
        let limits = HubLimits::new().with_rooms(config.limits.rooms);
        let limits = limits.with_lasting_rooms(config.data.is_some());
        let hub = Arc::new(SharedHub::new(limits, move || {
            // This cannot fail: it adds 1 to the counter of an eventfd, which is read long before it overflows.
            let _ = waker.wake();
        }));
        #[cfg(feature = "store")]
        let stored = {
            let opened = config.data.as_ref().map(|data| data::open(data, &config, limits, &hub));
            opened.transpose()?
        };
        #[cfg(not(feature = "store"))]
        let stored = None;
        hub.reserve_names(config.reserved_names.clone());
        let pool = Pool::start(config.workers, &hub).map_err(system)?;
        let (counters, sock_diag) = (Arc::default(), SockDiag::open());
        let acceptor = config.tls.as_ref().map(|tls| Arc::new(Acceptor::new(tls)));
        let observer = None;
        Ok(Self {
            poll,
            listeners,
            hub,
            pool,
            config,
            counters,
            sock_diag,
            acceptor,
            stored,
            observer,
        })
    }

    pub(crate) fn hub(&self) -> &Arc<SharedHub> {
        &self.hub
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// The acceptor of encrypted streams, if the server has a certificate.
    pub(crate) fn acceptor(&self) -> Option<&Arc<Acceptor>> {
        self.acceptor.as_ref()
    }

    /// Serves on this thread until the stop is complete. Calls `on_stop` when the stop begins.
    pub(crate) fn run(self, on_stop: impl FnOnce()) -> io::Result<()> {
        let Self { poll, listeners, hub, pool, config, counters, .. } = self;
        let (sock_diag, acceptor, observer) = (self.sock_diag, self.acceptor, self.observer);
        let stored = self.stored;
        let Limits { accepts_per_turn, connections, refused_connections, .. } = config.limits;
        let shutdown_from = config.shutdown_from;
        let lobby = Lobby::new(config.proxy_from.clone(), config.limits.frame_timeout);
        let mut engine = Engine::new(config, Arc::clone(&hub), pool, Arc::clone(&counters));
        engine.set_observer(observer);
        engine.set_sock_diag(sock_diag);
        if let Some(stored) = stored {
            engine.set_store(stored);
        }
        let ended = Reactor {
            poll,
            clock: Clock::start(),
            listeners,
            lobby,
            acceptor,
            accepts_per_turn,
            max_connections: connections.saturating_add(refused_connections / 2),
            shutdown_from,
            engine,
            hub: Arc::clone(&hub),
            counters,
        }
        .run(on_stop);
        hub.end_recording();
        ended
    }
}

#[derive(Debug)]
struct Reactor {
    poll: Poll,
    clock: Clock,
    /// Empty once the server stops.
    listeners: Vec<Listener>,
    lobby: Lobby,
    acceptor: Option<Arc<Acceptor>>,
    accepts_per_turn: usize,
    /// Connections, with those in the lobby, beyond which none waits there. Some may be more than are let in: once
    /// the header has come, the first bytes say in which form a refusal is to be.
    max_connections: usize,
    shutdown_from: ShutdownFrom,
    engine: Engine<Stream, Pool>,
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
                self.dispatch(now, event);
            }
            while let Some(arrival) = self.lobby.pop_late(now) {
                self.arrive(now, arrival);
            }
            let requests = self.counters.requests.value();
            let connections = self.engine.connection_count();
            self.engine.turn(now);
            if self.engine.connection_count() < connections {
                self.listeners.iter_mut().for_each(Listener::resume);
            }
            if self.engine.is_stopping() {
                // Connections that wait to be accepted are told of the stop as well.
                self.accept(now, Listener::BACKLOG * self.listeners.len());
                self.listeners.clear();
                while let Some(arrival) = self.lobby.pop() {
                    self.arrive(now, arrival);
                }
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
        self.engine.end_store();
        Ok(())
    }

    fn dispatch(&mut self, now: Instant, event: &Event) {
        match event.token() {
            WAKER => {}
            Token(listener) if FIRST_LISTENER - listener < self.listeners.len() => {
                self.listeners[FIRST_LISTENER - listener].ready();
            }
            token if Lobby::has_token(token) => {
                if let Some(arrival) = self.lobby.ready(token) {
                    self.arrive(now, arrival);
                }
            }
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

    /// Accepts connections, within a budget that the listeners share.
    fn accept(&mut self, now: Instant, budget: usize) {
        let share = budget.div_ceil(self.listeners.len().max(1));
        for listener in &mut self.listeners {
            let (engine, lobby, registry) =
                (&mut self.engine, &mut self.lobby, self.poll.registry());
            let acceptor = self.acceptor.as_ref();
            let accepted = listener.accept(now, share, |stream, peer| {
                let origin = self.shutdown_from.origin(&stream, peer);
                if !lobby.is_proxy(origin.peer) || engine.is_stopping() {
                    let role = self.shutdown_from.role(origin);
                    register(engine, registry, stream, |engine, stream| {
                        let stream = Stream::new(stream, acceptor);
                        engine.connect(now, stream, role, origin.peer);
                    });
                } else if engine.connection_count() + lobby.len() < self.max_connections {
                    lobby.add(registry, now, stream, origin);
                } else {
                    register(engine, registry, stream, |engine, stream| {
                        let stream = Stream::new(stream, acceptor);
                        engine.turn_away(now, stream, origin.peer, CloseReason::ServerFull);
                    });
                }
            });
            if let Err(error) = accepted {
                self.counters.accept_failures.add(1);
                self.engine.log_accept_failed(&error);
            } else if listener.is_pending() {
                self.counters.reach(LimitKind::AcceptsPerTurn);
            }
        }
    }

    /// Admits a connection that has waited for its PROXY header, or turns it away.
    fn arrive(&mut self, now: Instant, arrival: Arrival) {
        let Arrival { mut stream, proxy, origin } = arrival;
        let token = self.engine.next_key().to_token();
        // Registering again announces what has already arrived.
        if self.poll.registry().reregister(&mut stream, token, INTEREST).is_err() {
            return;
        }
        let stream = Stream::new(stream, self.acceptor.as_ref());
        let reason = match origin {
            Ok(origin) => {
                let role = self.shutdown_from.role(origin);
                return self.engine.connect_proxied(now, stream, role, origin.peer);
            }
            Err(_) if self.engine.is_stopping() => CloseReason::Stopped,
            Err(NoHeader::Bad) => CloseReason::BadProxyHeader,
            Err(NoHeader::Late) => CloseReason::FrameTimeout,
            Err(NoHeader::Ended) => CloseReason::PeerEnded,
            Err(NoHeader::EndedInside) => CloseReason::PeerEndedInFrame,
            Err(NoHeader::Failed) => CloseReason::Lost,
        };
        self.engine.turn_away(now, stream, proxy.peer, reason);
    }

    /// Returns how long to wait for events: not at all if there is something to do, otherwise until the next deadline.
    /// `now` is the end of the last turn.
    fn timeout(&self, now: Instant) -> Option<Duration> {
        let pending = self.listeners.iter().any(Listener::is_pending);
        if pending || self.engine.wants_turn() || !self.hub.may_wait() {
            return Some(Duration::ZERO);
        }
        let accept = self.listeners.iter().filter_map(Listener::next_deadline);
        let others = [self.engine.next_deadline(), self.lobby.next_deadline()];
        let deadline = accept.chain(others.into_iter().flatten()).min()?;
        Some(deadline.since(now))
    }
}

/// Registers a socket for the engine's next connection, and passes it on. Closes a socket that the kernel cannot
/// watch.
fn register(
    engine: &mut Engine<Stream, Pool>,
    registry: &Registry,
    mut stream: TcpStream,
    connect: impl FnOnce(&mut Engine<Stream, Pool>, TcpStream),
) {
    let token = engine.next_key().to_token();
    if registry.register(&mut stream, token, INTEREST).is_ok() {
        connect(engine, stream);
    }
}

impl ShutdownFrom {
    /// The origin of a connection. Asks the kernel only if this setting or a proxy's header requires it.
    fn origin(self, stream: &TcpStream, peer: SocketAddr) -> Origin {
        let matters = self == Self::Loopback && !canonical(peer).ip().is_loopback();
        Origin::direct(peer, matters.then(|| stream.local_addr().ok()).flatten())
    }

    fn role(self, origin: Origin) -> Role {
        let may = match self {
            Self::Anyone => true,
            Self::Loopback => origin.is_here,
            Self::Nobody => false,
        };
        if may { Role::Operator } else { Role::Guest }
    }
}

impl Workers for Pool {
    fn submit(&mut self, mailboxes: &mut Vec<Arc<Mailbox>>) {
        Self::submit(self, mailboxes.drain(..));
    }

    fn start_job(&mut self, job: Job) {
        Self::start_job(self, job);
    }

    fn steals(&self) -> u64 {
        Self::steals(self)
    }
}
