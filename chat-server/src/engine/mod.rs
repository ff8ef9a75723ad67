//! The server without the kernel: connections, rooms and the way between them and the hub.
//!
//! The engine never polls, accepts, looks at a clock or waits. The reactor tells it what happened to
//! which socket ([`Engine::connect`], [`Engine::readable`], [`Engine::writable`]) and then gives it
//! its turn ([`Engine::turn`]), in which requests are carried out, answers are handed out, and
//! everything that was added to a connection goes to the kernel in one write.

mod addresses;
mod backlogs;
mod closing;
mod connection_log;
mod deadlines;
mod egress;
mod ingress;
mod observation;
mod timers;

use self::addresses::Addresses;
use self::connection_log::ConnectionLog;
use self::timers::Timers;
use std::collections::VecDeque;
use std::sync::Arc;

use chat_core::{Lang, Output, SessionId};
use rustc_hash::FxHashMap;

use crate::config::Config;
use crate::connection::Connections;
use crate::connection::InputLimits;
use crate::events::Observer;
use crate::fanout::Fanout;
use crate::limits::Limits;
use crate::net::ConnKey;
use crate::net::Instant;
use crate::net::Socket;
use crate::stats::Counters;
use crate::stats::LimitKind;
use crate::workers::SharedHub;
use crate::workers::{Mailbox, Request};

/// Where scheduled mailboxes go that the reactor does not run itself.
pub(crate) trait Workers {
    /// Sees to it that each of `mailboxes` is run, and leaves none in the vector.
    fn submit(&mut self, mailboxes: &mut Vec<Arc<Mailbox>>);

    /// How many mailboxes a worker took from another.
    fn steals(&self) -> u64 {
        0
    }
}

#[derive(Debug)]
pub(crate) struct Engine<S, W> {
    limits: Limits,
    input_limits: InputLimits,
    /// The longest backlog, in requests, that is carried out here: below it, waking a worker costs
    /// more than the work.
    inline_requests: usize,
    /// What notices are written in.
    lang: Lang,
    pub(crate) connections: Connections<S>,
    addresses: Addresses,
    /// Connections that are told that there is no place for them.
    refused: usize,
    /// The connection of each session, until one of the two has ended.
    pub(crate) sessions: FxHashMap<SessionId, ConnKey>,
    pub(crate) fanout: Fanout,
    desk: Arc<SharedHub>,
    workers: W,
    /// Mailboxes that are scheduled and not run yet, and how many requests they were given.
    backlog: Vec<Arc<Mailbox>>,
    backlog_requests: usize,
    /// Requests put into mailboxes, and those of them that are done, since the server began.
    posted: u64,
    done: u64,
    /// How many requests have to be done until those are that were handed over to the workers, and
    /// since when that has been awaited.
    handed_over: Option<(u64, Instant)>,
    /// Bytes read since all requests were done.
    read_ahead: usize,
    /// Connections to read: those of which an event told, and those that were not read to the end,
    /// of which none will tell.
    unread: VecDeque<ConnKey>,
    /// How many of these were not read in the last turn because their rooms are ahead.
    postponed: usize,
    /// Connections with answers to flush.
    flush_plan: Vec<ConnKey>,
    /// When to look at a connection because of the time it takes.
    timers: Timers,
    /// When to read a connection again that is read no further until a time.
    resumes: Timers,
    stopping: Option<Stopping>,
    counters: Arc<Counters>,
    /// Whom to tell what happens.
    pub(crate) observer: Option<Box<Observer>>,
    pub(crate) journal: ConnectionLog,
    read_buffer: Box<[u8]>,
    requests: Vec<Request>,
    outputs: Vec<Output>,
}

/// How far the stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopping {
    /// Nothing is read any more. What was accepted is being carried out.
    Draining {
        /// When the wait for that ends in any case.
        deadline: Instant,
    },
    /// Everyone has been told; the connections are closing.
    Closing,
}

impl<S: Socket, W: Workers> Engine<S, W> {
    pub(crate) fn new(
        config: Config,
        desk: Arc<SharedHub>,
        workers: W,
        counters: Arc<Counters>,
    ) -> Self {
        let Config { limits, inline_requests, lang, .. } = config;
        Self {
            inline_requests,
            lang,
            input_limits: InputLimits::new(&limits),
            connections: Connections::new(limits.write_per_turn, limits.slow_backlog),
            addresses: Addresses::new(limits.connections_per_address),
            refused: 0,
            sessions: FxHashMap::default(),
            fanout: Fanout::new(&limits, lang),
            desk,
            workers,
            backlog: Vec::new(),
            backlog_requests: 0,
            posted: 0,
            done: 0,
            handed_over: None,
            read_ahead: 0,
            unread: VecDeque::new(),
            postponed: 0,
            flush_plan: Vec::new(),
            timers: Timers::default(),
            resumes: Timers::default(),
            stopping: None,
            counters,
            observer: None,
            journal: ConnectionLog::new(),
            read_buffer: vec![0; limits.read_per_turn].into(),
            requests: Vec::new(),
            outputs: Vec::new(),
            limits,
        }
    }

    /// Carries out what came in, hands out what came of it, and writes.
    pub(crate) fn turn(&mut self, now: Instant) {
        self.journal.tick(now);
        self.resume_reading(now);
        self.read_planned(now);
        self.run_backlog(now);
        self.take_outputs(now);
        self.fanout.flush(&mut self.connections);
        if self.fanout.is_dirty() {
            self.counters.reach(LimitKind::WritesPerRoomAndTurn);
        }
        self.flush_planned(now);
        self.follow_up_writes(now);
        self.expire(now);
        // Last, so that no turn ends with more than there may be.
        self.check_backlogs(now);
        self.count();
    }

    fn count(&self) {
        let counters = &self.counters;
        counters.connections.set(self.connections.len() as u64);
        counters.sessions.set(self.sessions.len() as u64);
        counters.rooms.set(self.fanout.room_count() as u64);
        counters.backlog.set(self.held() as u64);
        counters.members.set(self.fanout.member_count() as u64);
        counters.deliveries.set(self.fanout.deliveries);
        counters.requests.set(self.posted);
        counters.requests_done.set(self.done);
    }
}

/// What the reactor wants to know between turns.
impl<S, W> Engine<S, W> {
    /// Whether there is something to do without any event.
    pub(crate) fn wants_turn(&self) -> bool {
        self.wants_to_read()
            || !self.backlog.is_empty()
            || !self.flush_plan.is_empty()
            || self.connections.has_follow_ups()
            || self.fanout.is_dirty()
    }

    /// Whether there is somebody to read now. Whose room waits for workers is read when they are done,
    /// which they tell.
    fn wants_to_read(&self) -> bool {
        let postponed = if self.fanout.is_expecting() { self.postponed } else { 0 };
        self.unread.len() > postponed && self.may_read()
    }

    /// When there is something to do without any event.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let drained = match self.stopping {
            Some(Stopping::Draining { deadline }) => Some(deadline),
            Some(Stopping::Closing) | None => None,
        };
        let deadlines =
            [drained, self.timers.next(), self.resumes.next(), self.journal.next_deadline()];
        deadlines.into_iter().flatten().min()
    }

    pub(crate) fn connection_count(&self) -> usize {
        self.connections.len()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// Whether the stop is complete.
    pub(crate) fn has_stopped(&self) -> bool {
        self.stopping == Some(Stopping::Closing) && self.connections.len() == 0
    }
}

#[cfg(test)]
impl<S, W> Engine<S, W> {
    /// What is left over of connections that are gone: nothing, once all are.
    pub(crate) fn left_over(&self) -> [(&'static str, usize); 4] {
        [
            ("refused", self.refused),
            ("addresses", self.addresses.len()),
            ("sessions", self.sessions.len()),
            ("bytes", self.held()),
        ]
    }
}

#[cfg(test)]
mod tests;
