//! The server under test, and the reactor's part played over virtual sockets.
//!
//! Everything that the simulation knows of the engine's interface is here. The order of things, and
//! when there is a turn at all, is that of `reactor.rs`: a turn that no event, wake-up or deadline
//! asks for does not happen, so that whatever was forgotten stays undone.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chat_core::{HubLimits, Role};

use crate::config::Config;
use crate::connections::ConnKey;
use crate::desk::Desk;
use crate::engine::Engine;
use crate::limits::Limits;
use crate::moment::Moment;
use crate::simulation::net::{ClientEnd, Ready, SimSocket};
use crate::simulation::rng::Rng;
use crate::simulation::workers::VirtualPool;

pub(super) struct Server {
    engine: Engine<SimSocket, VirtualPool>,
    limits: Limits,
    desk: Arc<Desk>,
    pool: VirtualPool,
    woken: Arc<AtomicBool>,
    rng: Rng,
    state: State,
    /// Sockets that the kernel watches.
    watched: BTreeMap<ConnKey, ClientEnd>,
    /// Keys whose socket is closed: events for them may still come.
    gone: Vec<ConnKey>,
    /// Connections that wait to be accepted; `None` once the server stops listening.
    backlog: Option<VecDeque<Caller>>,
    /// There may be connections to accept; no event will tell.
    accept_pending: bool,
    /// An event of the listener that has not been taken.
    listener_ready: bool,
    pub(super) turns: u64,
}

/// A connection that waits to be accepted.
pub(super) struct Caller {
    pub(super) client: usize,
    pub(super) socket: SimSocket,
    pub(super) operator: bool,
}

/// A connection that was accepted, and the number of its session if it was not refused.
pub(super) struct Accepted {
    pub(super) client: usize,
    pub(super) session: Option<u64>,
}

/// Where the reactor is in its loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is about to look whether it may wait, and for how long.
    Deciding,
    /// It is in `poll`.
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
        let counters = Arc::default();
        let wake = Arc::clone(&woken);
        let desk = Desk::new(HubLimits { rooms: limits.rooms }, move || {
            wake.store(true, Ordering::SeqCst);
        });
        let desk = Arc::new(desk);
        let pool = VirtualPool::new(rng.fork(), Arc::clone(&desk), workers);
        Self {
            engine: Engine::new(
                Config { limits: limits.clone(), inline_requests, ..Config::default() },
                Arc::clone(&desk),
                pool.clone(),
                Arc::clone(&counters),
            ),
            limits,
            desk,
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
        }
    }
}

fn moment(now: u64) -> Moment {
    Moment::START + Duration::from_nanos(now)
}

/// The outside world.
impl Server {
    /// Has somebody connect. Returns false when nobody listens.
    pub(super) fn call(&mut self, caller: Caller) -> bool {
        let Some(backlog) = &mut self.backlog else { return false };
        backlog.push_back(caller);
        self.listener_ready = true;
        true
    }

    pub(super) fn request_stop(&self) {
        self.desk.request_stop();
    }

    /// The pool, for giving it time.
    pub(super) fn pool(&self) -> &VirtualPool {
        &self.pool
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

    /// Takes the reactor's next step: the decision to wait, or what is between two of them. Returns
    /// who was accepted.
    pub(super) fn step(&mut self, now: u64) -> Vec<Accepted> {
        match self.state {
            State::Deciding => {
                self.state = State::Polling { deadline: self.timeout(now) };
                Vec::new()
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
            || !self.desk.may_wait()
        {
            return Some(now);
        }
        let deadline = self.engine.next_deadline()?;
        Some(deadline.nanos_since(Moment::START))
    }

    fn once_around(&mut self, now: u64) -> Vec<Accepted> {
        self.turns += 1;
        self.woken.store(false, Ordering::SeqCst);
        if std::mem::take(&mut self.listener_ready) {
            self.accept_pending = true;
        }
        for (key, ready) in self.events() {
            if ready.readable || ready.cut {
                self.engine.readable(key, ready.cut);
            }
            if ready.writable {
                self.engine.writable(key);
            }
        }
        self.engine.turn(moment(now));
        if self.engine.is_stopping() {
            self.backlog = None;
        }
        let closed = self.watched.iter().filter(|(_, end)| end.is_closed_by_server());
        self.gone.extend(closed.map(|(key, _)| *key));
        self.watched.retain(|_, end| !end.is_closed_by_server());
        self.check_bounds();
        self.accept(now)
    }

    /// A batch of events: some that are due, in any order, and now and then one that is not.
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
                events.push((self.rng.pick(&keys), Ready { readable, cut, writable: !readable }));
            }
        }
        events
    }

    fn accept(&mut self, now: u64) -> Vec<Accepted> {
        let Some(backlog) = &mut self.backlog else { return Vec::new() };
        let mut accepted = Vec::new();
        if !self.accept_pending {
            return accepted;
        }
        for _ in 0..self.limits.accepts_per_turn {
            let Some(Caller { client, socket, operator }) = backlog.pop_front() else {
                self.accept_pending = false;
                return accepted;
            };
            let key = self.engine.next_key();
            self.watched.insert(key, socket.watch());
            self.engine.connect(
                moment(now),
                socket,
                if operator { Role::Operator } else { Role::Guest },
                (Ipv4Addr::LOCALHOST, 1).into(),
            );
            let connection = self.engine.connections.get(key);
            let mailbox = connection.and_then(|connection| connection.mailbox.as_ref());
            accepted.push(Accepted { client, session: mailbox.map(|m| m.session().number()) });
        }
        accepted
    }
}

/// What can be seen from inside.
impl Server {
    pub(super) fn is_stopping(&self) -> bool {
        self.engine.is_stopping()
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.engine.has_stopped()
    }

    pub(super) fn connection_count(&self) -> usize {
        self.engine.connection_count()
    }

    /// Sockets that the server has not closed.
    pub(super) fn socket_count(&self) -> usize {
        self.watched.values().filter(|end| !end.is_closed_by_server()).count()
    }

    fn check_bounds(&self) {
        if self.engine.fanout.is_dirty() {
            // Who waits has not been visited yet; what was added is kept for the others anyway.
            return;
        }
        let most = self.limits.backlog;
        for key in self.watched.keys() {
            if let Some(connection) = self.engine.connections.get(*key)
                && !connection.is_closing()
            {
                let by_room = connection.place.map_or(0, |place| self.engine.fanout.owed(&place));
                let owed = connection.send.len() + by_room;
                assert!(owed <= most, "I8: {key:?} is owed {owed} bytes, of at most {most}");
            }
        }
    }

    /// To be called when nothing happens any more: nobody waits for anything.
    pub(super) fn check_rest(&self) {
        assert!(self.desk.may_wait(), "I12: the reactor waits, and there is something to take");
        assert!(!self.pool.has_work(), "I12: there is work, and nobody is at it");
    }

    /// To be called when nothing is left to do: what there is agrees with what there was.
    pub(super) fn check_balance(&self, sessions: usize) {
        self.desk.look_at_hub(|hub| {
            hub.check_invariants();
            assert_eq!(
                hub.session_count(),
                sessions,
                "I10: the hub has the sessions that are live"
            );
            assert_eq!(self.engine.sessions.len(), sessions, "I10: and so has the engine");
            assert_eq!(self.engine.fanout.room_count(), hub.room_count(), "I10: rooms agree");
        });
        let connections = self.connection_count();
        assert_eq!(connections, self.socket_count(), "I10: each connection has its socket");
    }
}
