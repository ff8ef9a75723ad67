//! One turn of the server, without the kernel: read, dispatch, apply, write, close.
//!
//! The reactor reports what happened to which socket ([`Engine::connect`], [`Engine::readable`],
//! [`Engine::writable`], [`Engine::failed`]) and then gives the engine its turn ([`Engine::turn`]). The
//! engine never polls, accepts, waits or reads a clock, so tests run it over sockets and a time of their own.
//!
//! What the engine knows is in [`state`], each part with one owner. What it does is in the other files, in
//! the order of a turn:
//!
//! | file | does |
//! |---|---|
//! | `accepting` | admits new connections |
//! | `reading` | reads connections, and posts their requests |
//! | `applying` | applies the hub's outputs |
//! | `asking` | answers clients that said hello |
//! | `storing` | hands over to the disk, and has it read |
//! | `resuming` | keeps sessions that outlive their connections, and hands them over |
//! | `writing` | flushes rooms and connections |
//! | `deadlines` | ends what takes too long |
//! | `slow_readers` | limits what is pending for one |
//! | `relieving` | limits the memory of all |
//! | `web` | answers browsers |
//! | `vanished` | removes connections whose peers have vanished |
//! | `closing` | closes connections, one by one and all together |
//! | `releasing` | gives memory back once a crowd has gone |
//! | `observing` | tells the program around the server |

mod accepting;
mod applying;
mod asking;
mod closing;
mod deadlines;
mod observing;
mod reading;
mod releasing;
mod relieving;
mod resuming;
mod slow_readers;
mod state;
mod storing;
mod vanished;
mod web;
mod writing;

use std::sync::Arc;

use chat_core::{Lang, SessionId};
use chat_proto::extended::MAX_HISTORY;
use rustc_hash::FxHashMap;

use self::state::{
    Admission, Askers, Candidates, ConnectionLog, Dispatcher, Egress, Ingress, KeptSessions, Stop,
    Storage, Timers, WallClock, Watch,
};
use crate::config::Config;
use crate::connection::Connections;
use crate::events::Observer;
use crate::fanout::Fanout;
use crate::limits::Limits;
use crate::net::{ConnKey, Instant, SockDiag, Socket};
use crate::room_log::GivenUp;
use crate::stats::{Counters, LimitKind};
use crate::web::Site;
use crate::workers::SharedHub;

pub(crate) use self::state::Workers;
pub(crate) use self::storing::Stored;

#[derive(Debug)]
pub(crate) struct Engine<S, W> {
    limits: Limits,
    /// The language of notices.
    lang: Lang,
    connections: Connections<S>,
    /// The connection of each session, until either has ended.
    sessions: FxHashMap<SessionId, ConnKey>,
    askers: Askers,
    kept: KeptSessions,
    clock: WallClock,
    /// A word that changes when numbers begin anew.
    epoch: Box<str>,
    fanout: Fanout,
    /// `None` without a data directory.
    storage: Option<Box<Storage>>,
    /// Chats that newcomers are shown who did not say hello.
    replay: usize,
    admission: Admission,
    ingress: Ingress,
    dispatcher: Dispatcher<W>,
    egress: Egress,
    /// Connections to evict next when memory is short.
    candidates: Candidates,
    /// When to check the deadlines of connections.
    timers: Timers,
    /// Connections whose peers may have vanished.
    watch: Watch,
    /// The kernel's answers about them.
    sock_diag: SockDiag,
    /// What browsers are served; `None` if they are not.
    site: Option<Box<Site>>,
    /// `None` before the stop.
    stop: Option<Stop>,
    counters: Arc<Counters>,
    log: ConnectionLog,
    observer: Option<Box<Observer>>,
}

impl<S: Socket, W: Workers> Engine<S, W> {
    pub(crate) fn new(
        config: Config,
        hub: Arc<SharedHub>,
        workers: W,
        counters: Arc<Counters>,
    ) -> Self {
        let Config { limits, inline_requests, lang, web, replay, .. } = config;
        let clock = WallClock::new();
        Self {
            lang,
            connections: Connections::new(),
            sessions: FxHashMap::default(),
            // Numbers begin anew with each start.
            epoch: format!("{:x}", clock.now()).into(),
            askers: Askers::default(),
            kept: KeptSessions::default(),
            clock,
            fanout: Fanout::new(&limits, lang),
            storage: None,
            replay: replay.min(MAX_HISTORY),
            admission: Admission::new(&limits),
            ingress: Ingress::new(&limits, web.is_some()),
            dispatcher: Dispatcher::new(hub, workers, inline_requests),
            egress: Egress::new(&limits),
            candidates: Candidates::default(),
            timers: Timers::default(),
            watch: Watch::new(limits.peer_timeout),
            sock_diag: SockDiag::default(),
            site: web.map(|web| Box::new(Site::new(web))),
            stop: None,
            counters,
            log: ConnectionLog::new(),
            observer: None,
            limits,
        }
    }

    /// Shows `observer` what happens from now on.
    pub(crate) fn set_observer(&mut self, observer: Option<Box<Observer>>) {
        self.observer = observer;
    }

    /// Asks `sock_diag` about peers that may have vanished. Until this is called, none has.
    pub(crate) fn set_sock_diag(&mut self, sock_diag: SockDiag) {
        self.sock_diag = sock_diag;
    }

    /// Runs a turn: reads, carries out, applies, writes.
    pub(crate) fn turn(&mut self, now: Instant) {
        self.log.tick(now);
        self.clock.tick(now);
        self.dispatcher.set_time(self.clock.now());
        self.admission.tick(now);
        self.egress.writer.begin_turn(now);
        self.resume_expired_pauses(now);
        self.read_queued(now);
        self.dispatcher.run(now);
        self.apply_outputs(now);
        self.store(now);
        self.flush_rooms();
        self.flush_queued();
        self.follow_up_writes(now);
        self.serve_lists(now);
        self.expire(now);
        self.end_kept_sessions(now);
        self.look_for_vanished(now);
        // Last, so that no turn ends with more held than the limits allow.
        self.follow_up_writes(now);
        self.relieve_memory(now);
        self.release_memory();
        self.publish();
    }

    /// Publishes the figures of this turn.
    fn publish(&mut self) {
        let given_up = self.fanout.take_given_up();
        let counters = &self.counters;
        counters.connections.set(self.connections.len() as u64);
        counters.sessions.set(self.sessions.len() as u64);
        counters.rooms.set(self.fanout.room_count() as u64);
        counters.backlog.set(self.memory() as u64);
        counters.members.set(self.fanout.member_count() as u64);
        if given_up != GivenUp::default() {
            counters.reach_often(LimitKind::History, given_up.of_room);
            counters.reach_often(LimitKind::TotalHistory, given_up.of_all);
        }
        counters.history.set(self.fanout.history_memory() as u64);
        counters.deliveries.set(self.fanout.deliveries());
        counters.requests.set(self.dispatcher.posted());
        counters.requests_done.set(self.dispatcher.done());
    }
}

/// What the reactor asks between turns.
impl<S, W> Engine<S, W> {
    /// Whether there is something to do without any event.
    pub(crate) fn wants_turn(&self) -> bool {
        self.ingress.has_work(self.fanout.has_admitted())
            || self.dispatcher.has_queued()
            || self.egress.has_work()
            || self.fanout.is_dirty()
    }

    /// The time at which there is something to do without any event.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let stop = match self.stop {
            Some(Stop::Finishing { deadline }) => Some(deadline),
            Some(Stop::Closing) | None => None,
        };
        let deadlines = [
            stop,
            self.timers.next(),
            self.watch.next_deadline(),
            self.ingress.next_deadline(),
            self.fanout.next_deadline(),
            self.log.next_deadline(),
            self.kept.next_end(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Logs that accepting has failed.
    pub(crate) fn log_accept_failed(&mut self, error: &std::io::Error) {
        self.log.accept_failed(error);
    }

    pub(crate) fn connection_count(&self) -> usize {
        self.connections.len()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_some()
    }

    /// Whether the stop is complete.
    pub(crate) fn has_stopped(&self) -> bool {
        self.stop == Some(Stop::Closing) && self.connections.len() == 0
    }
}

#[cfg(test)]
impl<S, W> Engine<S, W> {
    pub(crate) fn connections(&self) -> &Connections<S> {
        &self.connections
    }

    pub(crate) fn fanout(&self) -> &Fanout {
        &self.fanout
    }

    pub(crate) fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// State left over from closed connections: all zeros once every connection is gone.
    pub(crate) fn left_over(&self) -> [(&'static str, usize); 6] {
        [
            ("kept sessions", self.kept.len()),
            ("clients that said hello", self.askers.len()),
            ("refused", self.admission.refused()),
            ("addresses", self.admission.addresses()),
            ("sessions", self.sessions.len()),
            ("bytes", self.memory()),
        ]
    }
}

#[cfg(test)]
mod tests;
