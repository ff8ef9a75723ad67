//! The server under test, with the reactor's part played over virtual sockets.
//!
//! All calls to the engine are here. Their order, and whether there is a turn at all, are those of `reactor.rs`:
//! without an event, a wake-up or a deadline there is no turn, so that forgotten work stays undone.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chat_core::{HubLimits, Role, SessionId};
use chat_testing::Rng;
use chat_testing::heap::HeapMeter;
use chat_testing::is_alone;

use crate::config::Config;
use crate::engine::Engine;
use crate::limits::Limits;
use crate::net::ConnKey;
use crate::net::Instant;
use crate::stats::CloseReason;
use crate::stats::Counters;
use crate::testing::simulation::audit::{Audit, Ending, Record};
use crate::testing::simulation::net::{ClientEnd, Ready, SimSocket};
use crate::testing::simulation::workers::VirtualPool;
use crate::workers::SharedHub;

/// Bytes per connection that may go uncounted: the connection, its session and its name.
const HEAP_EACH: usize = 1024;

/// Bytes per room that may go uncounted: the room and its title.
const HEAP_ROOM: usize = 1536;

/// Bytes per chat to be acknowledged that may go uncounted: its id, and its number.
const HEAP_ACK: usize = 128;

/// Bytes that may go uncounted however many connections there are: queues and spare chunks.
const HEAP_FIXED: usize = 64 * 1024;

pub(super) struct Server {
    engine: Engine<SimSocket, VirtualPool>,
    limits: Limits,
    hub: Arc<SharedHub>,
    pool: VirtualPool,
    woken: Arc<AtomicBool>,
    rng: Rng,
    state: State,
    audit: Audit,
    counters: Arc<Counters>,
    /// Sockets that the kernel watches.
    watched: BTreeMap<ConnKey, ClientEnd>,
    /// Keys whose sockets are closed; events for them may still come.
    gone: Vec<ConnKey>,
    /// Connections that wait to be accepted; `None` once the server stops listening.
    backlog: Option<VecDeque<Caller>>,
    /// Whether there may be connections to accept without a further event.
    accept_pending: bool,
    /// Whether the listener has an event that was not taken.
    listener_ready: bool,
    pub(super) turns: u64,
    /// The session that each client began with.
    sessions: BTreeMap<usize, SessionId>,
    /// Chats that may be remembered because they were to be acknowledged.
    pub(super) remembered: usize,
    /// What engine, hub and workers have allocated.
    heap: HeapMeter,
}

/// A connection that waits to be accepted.
pub(super) struct Caller {
    pub(super) client: usize,
    pub(super) socket: SimSocket,
    pub(super) operator: bool,
    pub(super) address: IpAddr,
}

/// An accepted connection, with the number of its session unless it was refused.
pub(super) struct Accepted {
    pub(super) client: usize,
    pub(super) session: Option<u64>,
    /// Why it was refused, if it was.
    pub(super) refusal: Option<CloseReason>,
}

/// The outcome of a step.
#[derive(Default)]
pub(super) struct Step {
    pub(super) accepted: Vec<Accepted>,
    pub(super) endings: Vec<Ending>,
}

/// Where the reactor is in its loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// About to decide whether it may wait, and for how long.
    Deciding,
    /// In `poll`.
    Polling { deadline: Option<u64> },
}

impl Server {
    pub(super) fn new(
        mut rng: Rng,
        limits: Limits,
        inline_requests: usize,
        workers: usize,
    ) -> Self {
        let woken = Arc::new(AtomicBool::new(false));
        let counters = Arc::<Counters>::default();
        let wake = Arc::clone(&woken);
        let hub = SharedHub::new(HubLimits::new().with_rooms(limits.rooms), move || {
            wake.store(true, Ordering::SeqCst);
        });
        let hub = Arc::new(hub);
        let pool = VirtualPool::new(rng.fork(), Arc::clone(&hub), workers);
        Self {
            engine: Engine::new(
                Config { limits: limits.clone(), inline_requests, ..Config::default() },
                Arc::clone(&hub),
                pool.clone(),
                Arc::clone(&counters),
            ),
            audit: Audit::new(limits.clone(), counters.stats()),
            counters,
            limits,
            hub,
            pool,
            woken,
            rng,
            state: State::Deciding,
            watched: BTreeMap::new(),
            gone: Vec::new(),
            backlog: Some(VecDeque::new()),
            accept_pending: true,
            listener_ready: false,
            turns: 0,
            sessions: BTreeMap::new(),
            remembered: 0,
            heap: HeapMeter::default(),
        }
    }
}

fn moment(now: u64) -> Instant {
    Instant::START + Duration::from_nanos(now)
}

/// The outside world.
impl Server {
    /// Connects a client. Returns false when nobody listens.
    pub(super) fn call(&mut self, caller: Caller) -> bool {
        let Some(backlog) = &mut self.backlog else { return false };
        backlog.push_back(caller);
        self.listener_ready = true;
        true
    }

    pub(super) fn request_stop(&self) {
        self.hub.request_stop();
    }

    /// Whether workers have something to do.
    pub(super) fn has_work(&self) -> bool {
        self.pool.has_work()
    }

    /// Lets some worker take one step.
    pub(super) fn work(&mut self) {
        self.heap.measure(|| self.pool.step());
        self.check_heap();
    }
}

/// The reactor's loop.
impl Server {
    /// Whether the reactor would run now. Times are nanoseconds since the beginning.
    pub(super) fn can_run(&self, now: u64) -> bool {
        if self.engine.has_stopped() {
            return false;
        }
        match self.state {
            State::Deciding => true,
            State::Polling { deadline } => {
                deadline.is_some_and(|deadline| deadline <= now)
                    || self.woken.load(Ordering::SeqCst)
                    || self.listener_ready
                    || self.watched.values().any(ClientEnd::is_ready)
            }
        }
    }

    /// When the reactor would run without any event.
    pub(super) fn deadline(&self) -> Option<u64> {
        match self.state {
            State::Polling { deadline } if !self.engine.has_stopped() => deadline,
            State::Polling { .. } | State::Deciding => None,
        }
    }

    /// Takes the reactor's next step: the decision to wait, or the turn after it.
    pub(super) fn step(&mut self, now: u64) -> Step {
        match self.state {
            State::Deciding => {
                self.state = State::Polling { deadline: self.timeout(now) };
                Step::default()
            }
            State::Polling { .. } => {
                self.state = State::Deciding;
                self.once_around(now)
            }
        }
    }

    fn timeout(&self, now: u64) -> Option<u64> {
        if (self.accept_pending && self.backlog.is_some())
            || self.engine.wants_turn()
            || !self.hub.may_wait()
        {
            return Some(now);
        }
        let deadline = self.engine.next_deadline()?;
        Some(deadline.nanos_since(Instant::START))
    }

    fn once_around(&mut self, now: u64) -> Step {
        self.turns += 1;
        self.woken.store(false, Ordering::SeqCst);
        if std::mem::take(&mut self.listener_ready) {
            self.accept_pending = true;
        }
        for (key, ready) in self.events() {
            self.heap.measure(|| {
                if ready.readable || ready.cut {
                    self.engine.readable(key, ready.cut);
                }
                if ready.writable {
                    self.engine.writable(key);
                }
                if ready.failed {
                    self.engine.failed(key);
                }
            });
        }
        self.heap.measure(|| self.engine.turn(moment(now)));
        self.check_heap();
        let closed = self.watched.iter().filter(|(_, end)| end.is_closed_by_server());
        self.gone.extend(closed.map(|(key, _)| *key));
        self.watched.retain(|_, end| !end.is_closed_by_server());
        let endings = self.audit.turn(now, &self.engine, &self.counters.stats());
        let accepted = if self.engine.is_stopping() {
            let accepted = self.accept(now, usize::MAX);
            self.backlog = None;
            accepted
        } else {
            self.accept(now, self.limits.accepts_per_turn)
        };
        Step { accepted, endings }
    }

    /// Returns a batch of events: some of those that are due, in any order, and sometimes a spurious one.
    fn events(&mut self) -> Vec<(ConnKey, Ready)> {
        let ready = self.watched.iter().filter(|(_, end)| end.is_ready());
        let mut ready: Vec<_> = ready.map(|(key, _)| *key).collect();
        let most = self.rng.portion(ready.len().max(1));
        let mut events = Vec::new();
        while events.len() < most && !ready.is_empty() {
            let key = ready.swap_remove(self.rng.within(0..ready.len()));
            events.push((key, self.watched[&key].take_ready()));
        }
        if self.rng.chance(1, 8) {
            let keys: Vec<_> =
                self.watched.keys().copied().chain(self.gone.iter().copied()).collect();
            if !keys.is_empty() {
                let (readable, cut) = (self.rng.chance(1, 2), self.rng.chance(1, 4));
                events.push((
                    self.rng.pick(&keys),
                    Ready { readable, cut, writable: !readable, failed: false },
                ));
            }
        }
        events
    }

    fn accept(&mut self, now: u64, budget: usize) -> Vec<Accepted> {
        let mut accepted = Vec::new();
        if !self.accept_pending {
            return accepted;
        }
        for _ in 0..budget {
            let Some(caller) = self.backlog.as_mut().and_then(VecDeque::pop_front) else {
                self.accept_pending = false;
                return accepted;
            };
            accepted.push(self.take(now, caller));
        }
        accepted
    }

    fn take(&mut self, now: u64, caller: Caller) -> Accepted {
        let Caller { client, socket, operator, address } = caller;
        let role = if operator { Role::Operator } else { Role::Guest };
        let stopped = self.engine.is_stopping().then_some(CloseReason::Stopped);
        let refusal = stopped.or_else(|| self.audit.refusal(address));
        let key = self.engine.next_key();
        let end = socket.watch();
        self.watched.insert(key, end.clone());
        let engine = &mut self.engine;
        self.heap.measure(|| engine.connect(moment(now), socket, role, (address, 1).into()));
        let connection = self.engine.connections().get(key);
        let mailbox = connection.and_then(|connection| connection.lifecycle.mailbox());
        let session = mailbox.map(|mailbox| mailbox.session());
        self.sessions.extend(session.map(|session| (client, session)));
        let session = session.map(SessionId::number);
        assert_eq!(session.is_none(), refusal.is_some(), "I10: client {client}: {refusal:?}");
        self.audit.open(key, Record::new(client, address, end, refusal, now));
        Accepted { client, session, refusal }
    }
}

/// Checks from inside.
impl Server {
    /// Checks that the heap has grown by no more than what is counted, a share for each connection and room, and a
    /// constant. Needs a process of its own, since other tests would count as well.
    fn check_heap(&self) {
        let engine = &self.engine;
        let kept = engine.fanout().history_memory();
        let counted = engine.memory() + engine.in_flight_memory() + kept;
        let (sessions, rooms) = self.hub.inspect(|hub| (hub.session_count(), hub.room_count()));
        let connections = engine.connection_count().max(sessions);
        let remembered = self.remembered * HEAP_ACK;
        let most = counted + connections * HEAP_EACH + rooms * HEAP_ROOM + remembered + HEAP_FIXED;
        let grown = self.heap.grown();
        assert!(
            grown <= most || !is_alone(),
            "I9: {grown} bytes allocated, {counted} counted: {connections} connections, {rooms} rooms"
        );
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.engine.is_stopping()
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.engine.has_stopped()
    }

    pub(super) fn connection_count(&self) -> usize {
        self.engine.connection_count()
    }

    /// Checks the server at rest: nobody waits for anything.
    pub(super) fn check_rest(&self) {
        assert!(self.hub.may_wait(), "I12: the reactor waits, and there is something to take");
        assert!(!self.pool.has_work(), "I12: there is work, and nobody is at it");
        self.audit.check_rest(&self.engine);
    }

    /// The room that a client's session is in, and the number of the last broadcast there.
    pub(super) fn whereabouts(&self, client: usize) -> Option<(u64, u64)> {
        let session = *self.sessions.get(&client)?;
        self.hub.inspect(|hub| {
            let room = hub.room_of(session)?;
            Some((room.number(), hub.seq(room)?))
        })
    }

    /// See [`Audit::taken`].
    pub(super) fn taken(&self, client: usize) -> Option<u64> {
        self.audit.taken(client)
    }

    /// Checks that hub, engine and counters agree, once nothing is left to do.
    pub(super) fn check_balance(&self, sessions: usize) {
        self.hub.inspect(|hub| {
            hub.check_invariants();
            assert_eq!(
                hub.session_count(),
                sessions,
                "I10: the hub has the sessions that are live"
            );
            assert_eq!(self.engine.session_count(), sessions, "I10: and so has the engine");
            assert_eq!(self.engine.fanout().room_count(), hub.room_count(), "I10: rooms agree");
        });
        let stats = self.counters.stats();
        assert_eq!(stats.requests, stats.requests_done, "I10: every request is done");
        let kept = self.engine.fanout().history_memory();
        assert!(sessions > 0 || kept == 0, "I9: {kept} bytes are kept of rooms that are closed");
    }

    /// The clients that are owed something.
    pub(super) fn owed(&self) -> Vec<usize> {
        self.audit.owed(&self.engine)
    }

    /// Checks that nothing is left over, once everybody is gone.
    pub(super) fn check_end(&self) {
        for (what, count) in self.engine.left_over() {
            assert_eq!(count, 0, "I10: {what} are left over");
        }
        assert_eq!(self.engine.fanout().room_count(), 0, "I10: rooms are left over");
        let stats = self.counters.stats();
        assert_eq!(stats.requests, stats.requests_done, "I10: every request is done");
        assert_eq!(stats.accepted, stats.closed.total(), "I10: everyone who came has gone");
    }
}
