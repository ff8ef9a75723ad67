//! What comes in: connections, and their bytes on the way to the hub.

use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chat_core::Role;

use super::{Engine, Workers};
use crate::connection::{Connection, Pause, Phase, Read, ReadEnd, Subscription};
use crate::net::ConnKey;
use crate::net::Instant;
use crate::net::Socket;
use crate::stats::CloseReason;
use crate::stats::LimitKind;
use crate::workers::Ran;
use crate::workers::{Mailbox, Request};

/// Bytes that what a room hears is longer than the command for it, mostly: a name, a room and a number
/// with a chat, a sentence with others.
const NAMED: usize = 160;

/// After which time it is looked again whether a room still waits for somebody.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// When a connection is to be read that has something to read.
enum When {
    Now,
    /// When its room has handed out some of what was said.
    NextTurn,
    /// When whoever paused it ends that.
    Resumed,
}

impl<S: Socket, W: Workers> Engine<S, W> {
    /// The key that [`Engine::connect`] will give next, for registering its socket.
    pub(crate) fn next_key(&self) -> ConnKey {
        self.connections.next_key()
    }

    /// Takes a new connection, or tells it why it cannot stay.
    pub(crate) fn connect(&mut self, now: Instant, socket: S, role: Role, peer: SocketAddr) {
        self.counters.accepted.add(1);
        let key = self.next_key();
        self.journal.accepted(key, || socket.peer());
        if self.stopping.is_some() {
            return self.refuse(now, socket, CloseReason::Stopped);
        }
        if self.connections.len() - self.refused >= self.limits.connections {
            return self.refuse(now, socket, CloseReason::ServerFull);
        }
        if !self.addresses.add(key, peer.ip()) {
            return self.refuse(now, socket, CloseReason::TooManyFromAddress);
        }
        let session = self.desk.connect(role);
        let mailbox = Arc::new(Mailbox::new(session));
        self.connections.insert(Connection::new(socket, mailbox, now));
        self.sessions.insert(session, key);
        if let Some(observer) = &mut self.observer {
            observer.connected(session, peer);
        }
    }

    /// Has a connection read that has, or may have, something to read. `cut`: the event said that
    /// there is an end or a mark in the stream, at which a read stops short of what is behind it.
    pub(crate) fn readable(&mut self, key: ConnKey, cut: bool) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if cut {
            connection.announce_cut();
        }
        if !connection.is_read_paused() {
            self.plan_read(key);
        }
    }

    /// The socket has failed. Who is read no further for now would notice later, and be a ghost until
    /// then; the others have what came before it read.
    pub(crate) fn failed(&mut self, key: ConnKey) {
        let is_kept_waiting = |c: &Connection<S>| c.is_read_paused() || c.has_kept_frames();
        if self.connections.get(key).is_some_and(is_kept_waiting) {
            self.lose(key);
        }
    }

    /// Has the connection read in the next turn.
    pub(super) fn plan_read(&mut self, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key)
            && !mem::replace(&mut connection.read_planned, true)
        {
            self.unread.push_back(key);
        }
    }

    /// Has those read again that were not until a time, which has come.
    pub(super) fn resume_reading(&mut self, now: Instant) {
        while let Some((_, key)) = self.resumes.pop_due(now) {
            if fault!(NeverResumed) {
                continue;
            }
            if let Some(connection) = self.connections.get_mut(key) {
                connection.resume_reading(now);
                self.plan_read(key);
            }
        }
    }

    pub(super) fn read_planned(&mut self, now: Instant) {
        self.postponed = 0;
        for _ in 0..self.unread.len() {
            if !self.may_read() {
                return self.counters.reach(LimitKind::ReadAhead);
            }
            let Some(key) = self.unread.pop_front() else { return };
            match self.when_to_read(now, key) {
                When::Now => self.read(now, key),
                When::NextTurn => {
                    self.plan_read(key);
                    self.postponed += 1;
                }
                When::Resumed => {}
            }
        }
    }

    fn when_to_read(&mut self, now: Instant, key: ConnKey) -> When {
        let Some(connection) = self.connections.get_mut(key) else { return When::Resumed };
        connection.read_planned = false;
        if connection.phase != Phase::Open {
            return When::Now;
        }
        if connection.is_owed_much() {
            connection.pause_reading(Pause::Owed);
            return When::Resumed;
        }
        if let Some(until) = connection.must_pause(now, self.input_limits) {
            self.pause(key, until);
            self.counters.reach(LimitKind::Commands);
            let connections = &self.connections;
            self.journal.paused(key, || connections.get(key)?.peer());
            return When::Resumed;
        }
        let Some(Subscription { room, .. }) = connection.place else { return When::Now };
        if self.fanout.is_ahead(room) {
            return When::NextTurn;
        }
        if self.waits_for_somebody(now, room) {
            self.pause(key, now + LOOK_AGAIN);
            return When::Resumed;
        }
        When::Now
    }

    /// Has a connection read again that was not because it was owed much, if it no longer is.
    pub(super) fn read_again(&mut self, now: Instant, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key)
            && connection.read_pause() == Some(Pause::Owed)
            && !connection.is_owed_much()
        {
            connection.resume_reading(now);
            self.plan_read(key);
        }
    }

    /// Has a connection read no further before `until`.
    fn pause(&mut self, key: ConnKey, until: Instant) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.pause_reading(Pause::Timed);
            self.resumes.add(until, key);
        }
    }

    /// Reads a connection, up to its budget.
    pub(super) fn read(&mut self, now: Instant, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        // What was not read before the stop is not accepted.
        let too_late = self.stopping.is_some() && connection.phase == Phase::Open;
        if too_late || connection.peer_ended {
            return;
        }
        let mut requests = mem::take(&mut self.requests);
        let limits = self.input_limits;
        let Read { bytes, taken, end } =
            connection.read(now, limits, &mut self.read_buffer, &mut requests);
        let is_settled = connection.is_at_rest() && connection.input_len() == 0;
        if !requests.is_empty() {
            self.read_ahead += taken;
            if let Some(place) = &connection.place {
                self.fanout.expect(place.room, taken + requests.len() * NAMED);
            }
            self.post(key, &mut requests);
        }
        self.requests = requests;
        if !is_settled {
            // A part of a frame, mostly: it is held, and has its time.
            self.connections.count_held(key);
            self.arm(now, key);
        }
        self.counters.bytes_read.add(bytes as u64);
        if fault!(ForgottenRead) && end == ReadEnd::Budget {
            return;
        }
        match end {
            ReadEnd::Failed => self.lose(key),
            ReadEnd::Ended => self.close_if_done(key),
            ReadEnd::Budget => {
                self.counters.reach(LimitKind::ReadPerTurn);
                self.plan_read(key);
            }
            ReadEnd::Kept => self.plan_read(key),
            ReadEnd::Drained => {}
        }
    }

    /// Puts requests into the mailbox of a connection.
    pub(super) fn post(&mut self, key: ConnKey, requests: &mut Vec<Request>) {
        if requests.is_empty() {
            return;
        }
        let mailbox = self.connections.get(key).and_then(|connection| connection.mailbox.as_ref());
        let Some(mailbox) = mailbox else { return requests.clear() };
        self.backlog_requests += requests.len();
        self.posted += requests.len() as u64;
        self.counters.receive(requests);
        if mailbox.post(requests) {
            self.backlog.push(Arc::clone(mailbox));
        }
    }

    /// Runs a short backlog here, and has a long one run by the workers.
    pub(super) fn run_backlog(&mut self, now: Instant) {
        if mem::take(&mut self.backlog_requests) > self.inline_requests {
            self.handed_over.get_or_insert((self.posted, now));
            return self.workers.submit(&mut self.backlog);
        }
        for mailbox in self.backlog.drain(..) {
            while self.desk.run_here(&mailbox, &mut self.requests) == Ran::More {}
        }
    }
}

impl<S, W> Engine<S, W> {
    /// Whether the workers have kept up with what was read.
    pub(super) fn may_read(&self) -> bool {
        self.read_ahead < self.limits.read_ahead
    }
}
