//! The server without the kernel: connections, rooms and the way between them and the hub.
//!
//! The engine never polls, accepts, looks at a clock or waits. The reactor tells it what happened to
//! which socket ([`Engine::connect`], [`Engine::readable`], [`Engine::writable`]) and then gives it
//! its turn ([`Engine::turn`]), in which requests are carried out, answers are handed out, and
//! everything that was added to a connection goes to the kernel in one write.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chat_core::{Notice, Output, Role, SessionId};
use chat_proto::ServerMessage;
use rustc_hash::FxHashMap;

use crate::connection::{Connection, Phase, ReadEnd};
use crate::connections::{ConnKey, Connections};
use crate::desk::{Desk, Ran};
use crate::fanout::Fanout;
use crate::limits::Limits;
use crate::mailbox::{Mailbox, Request};
use crate::send_buffer::SendBuffer;
#[cfg(test)]
use crate::simulation::bugs::{Bug, planted};
use crate::socket::Socket;
use crate::timers::Timers;

/// Where scheduled mailboxes go that the reactor does not run itself.
pub(crate) trait Workers {
    /// Sees to it that each of `mailboxes` is run, and leaves none in the vector.
    fn submit(&mut self, mailboxes: &mut Vec<Arc<Mailbox>>);
}

#[derive(Debug)]
pub(crate) struct Engine<S, W> {
    limits: Limits,
    /// The longest backlog, in requests, that is carried out here: below it, waking a worker costs
    /// more than the work.
    inline_requests: usize,
    pub(crate) connections: Connections<S>,
    /// The connection of each session that the hub has not ended.
    pub(crate) sessions: FxHashMap<SessionId, ConnKey>,
    pub(crate) fanout: Fanout,
    desk: Arc<Desk>,
    workers: W,
    /// Mailboxes that are scheduled and not run yet, and how many requests they were given.
    backlog: Vec<Arc<Mailbox>>,
    backlog_requests: usize,
    /// Requests put into mailboxes, and those of them that are done, since the server began.
    posted: u64,
    done: u64,
    /// Connections to read: those of which an event told, and those that were not read to the end,
    /// of which none will tell.
    unread: VecDeque<ConnKey>,
    /// Connections with answers to flush.
    flush_plan: Vec<ConnKey>,
    pub(crate) timers: Timers,
    pub(crate) stopping: Option<Stopping>,
    read_buffer: Box<[u8]>,
    requests: Vec<Request>,
    outputs: Vec<Output>,
}

/// How far the stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopping {
    /// Nothing is read any more. What was accepted is being carried out.
    Draining {
        /// When the wait for that ends in any case.
        deadline: Instant,
    },
    /// Everyone has been told; the connections are closing.
    Closing,
}

/// Inputs.
impl<S: Socket, W: Workers> Engine<S, W> {
    pub(crate) fn new(limits: Limits, inline_requests: usize, desk: Arc<Desk>, workers: W) -> Self {
        Self {
            inline_requests,
            connections: Connections::new(limits.write_per_turn, limits.backlog),
            sessions: FxHashMap::default(),
            fanout: Fanout::new(limits.writes_per_room_and_turn),
            desk,
            workers,
            backlog: Vec::new(),
            backlog_requests: 0,
            posted: 0,
            done: 0,
            unread: VecDeque::new(),
            flush_plan: Vec::new(),
            timers: Timers::default(),
            stopping: None,
            read_buffer: vec![0; limits.read_per_turn].into(),
            requests: Vec::new(),
            outputs: Vec::new(),
            limits,
        }
    }

    /// The key that [`Engine::connect`] will give next, for registering its socket.
    pub(crate) fn next_key(&self) -> ConnKey {
        self.connections.next_key()
    }

    /// Takes a new connection, or tells it that the server is full.
    pub(crate) fn connect(&mut self, now: Instant, socket: S, role: Role) {
        let limit = self.limits.connections;
        if self.sessions.len() >= limit {
            let deadline = now + self.limits.linger;
            let why = Notice::ServerFull { limit };
            let refused = Connection::refused(socket, &why, now, deadline);
            let key = self.connections.insert(refused);
            self.timers.add(deadline, key);
            self.plan_flush(key);
            return;
        }
        let session = self.desk.connect(role);
        let mailbox = Arc::new(Mailbox::new(session));
        let key = self.connections.insert(Connection::new(socket, mailbox, now));
        self.sessions.insert(session, key);
    }

    /// Has a connection read that has, or may have, something to read. `cut`: the event said that
    /// there is an end or a mark in the stream, at which a read stops short of what is behind it.
    pub(crate) fn readable(&mut self, key: ConnKey, cut: bool) {
        if let Some(connection) = self.connections.get_mut(key) {
            if cut {
                connection.announce_cut();
            }
            self.plan_read(key);
        }
    }

    /// Reads a connection, once a turn at the most.
    fn read(&mut self, now: Instant, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.read_planned = false;
        if self.stopping.is_some() && connection.phase == Phase::Open {
            // What was not read before the stop is not accepted.
            return;
        }
        if connection.peer_ended || !connection.is_alive() {
            return;
        }
        let mut requests = mem::take(&mut self.requests);
        let budget = self.limits.bad_frames;
        let end = connection.read(now, budget, &mut self.read_buffer, &mut requests);
        self.post(key, &mut requests);
        self.requests = requests;
        #[cfg(test)]
        if planted(Bug::ForgottenRead) && end == ReadEnd::Budget {
            return;
        }
        match end {
            ReadEnd::Failed => self.lose(key),
            ReadEnd::Ended => self.close_if_done(key),
            ReadEnd::Budget => self.plan_read(key),
            ReadEnd::Drained => {}
        }
    }

    /// Goes on writing to a connection of which the kernel takes bytes again.
    pub(crate) fn writable(&mut self, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.unblock();
            if !connection.send.is_empty() {
                self.plan_flush(key);
            }
        }
    }

    /// Carries out what came in, hands out what came of it, and writes.
    pub(crate) fn turn(&mut self, now: Instant) {
        for _ in 0..self.unread.len() {
            let Some(key) = self.unread.pop_front() else { break };
            self.read(now, key);
        }
        self.run_backlog();
        self.take_outputs(now);
        self.fanout.flush(&mut self.connections);
        self.flush_planned();
        while let Some(key) = self.connections.take_unfinished() {
            self.plan_flush(key);
        }
        while let Some(key) = self.connections.take_failed() {
            // It may have said something before it went.
            self.read(now, key);
            self.lose(key);
        }
        self.expire(now);
    }
}

/// What the reactor wants to know between turns.
impl<S, W> Engine<S, W> {
    /// Whether there is something to do without any event.
    pub(crate) fn wants_turn(&self) -> bool {
        !self.unread.is_empty()
            || !self.backlog.is_empty()
            || !self.flush_plan.is_empty()
            || self.fanout.is_dirty()
    }

    /// When there is something to do without any event.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        match self.stopping {
            Some(Stopping::Draining { deadline }) => Some(deadline),
            Some(Stopping::Closing) | None => self.timers.next(),
        }
    }

    /// How many more connections can be taken, or told that there is no place for them.
    pub(crate) fn free_places(&self) -> usize {
        let places = self.limits.connections.saturating_add(self.limits.refused_connections);
        places.saturating_sub(self.connections.len())
    }

    pub(crate) fn connection_count(&self) -> usize {
        self.connections.len()
    }

    pub(crate) fn linger(&self) -> Duration {
        self.limits.linger
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// Whether the stop is complete.
    pub(crate) fn has_stopped(&self) -> bool {
        self.stopping == Some(Stopping::Closing) && self.connections.len() == 0
    }
}

/// Requests to the hub.
impl<S: Socket, W: Workers> Engine<S, W> {
    /// Puts requests into the mailbox of a connection.
    pub(crate) fn post(&mut self, key: ConnKey, requests: &mut Vec<Request>) {
        if requests.is_empty() {
            return;
        }
        let mailbox = self.connections.get(key).and_then(|connection| connection.mailbox.as_ref());
        let Some(mailbox) = mailbox else { return requests.clear() };
        self.backlog_requests += requests.len();
        self.posted += requests.len() as u64;
        if mailbox.post(requests) {
            self.backlog.push(Arc::clone(mailbox));
        }
    }

    /// Runs a short backlog here, and has a long one run by the workers.
    fn run_backlog(&mut self) {
        if mem::take(&mut self.backlog_requests) > self.inline_requests {
            return self.workers.submit(&mut self.backlog);
        }
        for mailbox in self.backlog.drain(..) {
            while self.desk.run_here(&mailbox, &mut self.requests) == Ran::More {}
        }
    }
}

/// Answers of the hub.
impl<S: Socket, W: Workers> Engine<S, W> {
    fn take_outputs(&mut self, now: Instant) {
        let mut outputs = mem::take(&mut self.outputs);
        let taken = self.desk.take(&mut outputs);
        self.done = taken.done;
        #[cfg(test)]
        if planted(Bug::HastyStop) {
            self.done = self.posted;
        }
        for output in outputs.drain(..) {
            self.carry_out(now, output);
        }
        self.outputs = outputs;
        if taken.stop_requested {
            self.begin_stop(now);
        }
        if let Some(Stopping::Draining { deadline }) = self.stopping
            && (self.done == self.posted || deadline <= now)
        {
            self.say_goodbye(now);
        }
    }

    fn carry_out(&mut self, now: Instant, output: Output) {
        match output {
            Output::Broadcast { room, seq, except, event } => {
                let except = except.and_then(|session| self.sessions.get(&session).copied());
                self.fanout.broadcast(room, seq, except, &event);
            }
            Output::Reply { to, notice, room } => self.answer(to, |send| {
                send.push_message(ServerMessage::System { notice: &notice, room });
            }),
            Output::Rooms { to, rooms } => self.answer(to, |send| send.push_rooms(rooms)),
            Output::Entered { session, room } => {
                if let Some(&key) = self.sessions.get(&session) {
                    self.fanout.enter(&mut self.connections, key, room);
                }
            }
            Output::Left { session, .. } => {
                if let Some(&key) = self.sessions.get(&session) {
                    self.fanout.leave(&mut self.connections, key);
                    self.plan_flush(key);
                }
            }
            Output::Disconnected { session } => {
                if let Some(key) = self.sessions.remove(&session) {
                    self.finish(now, key);
                }
            }
            Output::ShutdownRequested { .. } => self.begin_stop(now),
            // The log of a room ends with its last member.
            Output::RoomClosed { .. } => {}
            // `Output` may grow: what is not known here has to be added here.
            other => debug_assert!(false, "not carried out: {other:?}"),
        }
    }

    /// Adds an answer behind everything that the connection is owed already.
    fn answer(&mut self, to: SessionId, add: impl FnOnce(&mut SendBuffer)) {
        let Some(&key) = self.sessions.get(&to) else { return };
        self.fanout.settle(&mut self.connections, key);
        if let Some(connection) = self.connections.get_mut(key)
            && connection.is_alive()
        {
            add(&mut connection.send);
            self.plan_flush(key);
        }
    }

    /// Has the connection read in the next turn.
    pub(crate) fn plan_read(&mut self, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key)
            && !mem::replace(&mut connection.read_planned, true)
        {
            self.unread.push_back(key);
        }
    }

    /// Has the connection flushed at the end of the turn.
    pub(crate) fn plan_flush(&mut self, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key)
            && !mem::replace(&mut connection.flush_planned, true)
        {
            self.flush_plan.push(key);
        }
    }

    fn flush_planned(&mut self) {
        let mut plan = mem::take(&mut self.flush_plan);
        for key in plan.drain(..) {
            if let Some(connection) = self.connections.get_mut(key) {
                connection.flush_planned = false;
                self.connections.flush(key);
                self.close_if_done(key);
            }
        }
        plan.append(&mut self.flush_plan);
        self.flush_plan = plan;
    }
}
