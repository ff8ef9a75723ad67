//! Reading: which connections to read, when, and the requests in their input.

use chat_core::{Command, RoomId};

use super::Engine;
use super::state::Workers;
use crate::connection::{Handshake, Pause, Read, ReadEnd, Subscription};
use crate::fanout::Waiter;
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::LimitKind;
use crate::workers::Request;

/// Bytes by which a broadcast is typically longer than the command that caused it: a chat gains a name, a room and a
/// number; a notice gains a sentence.
const BROADCAST_OVERHEAD: usize = 160;

/// Bytes broadcast to a room because a member joins and later leaves.
const JOIN: usize = 2 * BROADCAST_OVERHEAD;

/// When to read a connection that has something to read.
enum ReadDecision {
    Now,
    /// Once its room admits it.
    Waits(RoomId),
    /// Once its pause ends.
    Paused,
}

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Queues a connection to be read. `marked` says that the event announced an end or an urgent mark in the stream,
    /// at which a read stops short.
    pub(crate) fn readable(&mut self, key: ConnKey, marked: bool) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if marked {
            connection.inbound.mark();
        }
        if connection.read_pause().is_none() {
            self.enqueue_read(key);
        }
    }

    /// Handles a failed socket. A connection that is paused, or still has buffered frames, is closed at once: it would
    /// be a ghost until its next read. Any other is closed by the read that meets the error.
    pub(crate) fn failed(&mut self, key: ConnKey) {
        let Some(connection) = self.connections.get(key) else { return };
        if connection.read_pause().is_some() || connection.inbound.has_frames() {
            self.socket_failed(key);
        }
    }

    /// Queues a connection to be read in the next turn.
    pub(super) fn enqueue_read(&mut self, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key)
            && connection.inbound.enqueue()
        {
            self.ingress.push(key, &connection.inbound);
        }
    }

    /// Queues a connection that was not read to the end, unless it is paused; the end of the pause will queue it.
    fn enqueue_rest(&mut self, key: ConnKey) {
        if self.connections.get(key).is_some_and(|connection| connection.read_pause().is_none()) {
            self.enqueue_read(key);
        }
    }

    /// Resumes connections whose pause has expired.
    pub(super) fn resume_expired_pauses(&mut self, now: Instant) {
        while let Some(key) = self.ingress.pop_expired_pause(now) {
            if fault!(NeverResumed) {
                continue;
            }
            // By now, it may be waiting for something else.
            let connection = self.connections.get(key);
            if connection.is_some_and(|c| c.inbound.paused() == Some(Pause::Timed)) {
                self.resume_reading(key);
            }
        }
    }

    /// Resumes a connection that was paused because of its backlog, if that is over.
    pub(super) fn resume_if_caught_up(&mut self, key: ConnKey) {
        if let Some(connection) = self.connections.get(key)
            && connection.read_pause() == Some(Pause::Pending)
            && !connection.should_not_ask()
        {
            self.resume_reading(key);
        }
    }

    fn resume_reading(&mut self, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.inbound.resume();
            self.enqueue_read(key);
        }
    }

    /// Reads the connections that are queued now, each at most once, within the budget of the turn.
    pub(super) fn read_queued(&mut self, now: Instant) {
        self.ingress.begin_turn(now, self.fanout.dirty_rooms());
        if self.fanout.has_waiting() {
            self.read_admitted(now, true);
        }
        while let Some(key) = self.pop_to_read() {
            match self.decide_read(now, key) {
                ReadDecision::Now => self.read(now, key),
                ReadDecision::Waits(room) => self.wait_for(now, room, Waiter { key, joins: false }),
                ReadDecision::Paused => {}
            }
        }
        if self.fanout.has_waiting() {
            self.read_admitted(now, false);
        }
    }

    fn pop_to_read(&mut self) -> Option<ConnKey> {
        if self.ingress.may_read() {
            return if self.is_short_of_memory() { None } else { self.ingress.pop() };
        }
        if self.ingress.has_queued() {
            self.counters.reach(LimitKind::ReadAhead);
        }
        None
    }

    /// Reads the connections whose rooms admit them again.
    fn read_admitted(&mut self, now: Instant, first: bool) {
        while self.ingress.may_read()
            && self.ingress.has_time(first)
            && let Some((room, Waiter { key, joins })) = self.fanout.next_admitted(now)
        {
            self.ingress.spend(1);
            let Some(connection) = self.connections.get_mut(key) else { continue };
            if connection.read_pause() != Some(Pause::Room) {
                continue;
            }
            connection.inbound.resume();
            if joins {
                self.join(now, key, room);
                self.enqueue_read(key);
            } else if matches!(self.decide_read_alone(now, key), ReadDecision::Now) {
                self.read(now, key);
            }
        }
    }

    /// Takes the request to join a room out of what was read if the room does not admit anyone now: joins and leaves
    /// are broadcast to the room. The request is the last one, except for the `Disconnect` of a lost connection.
    fn target(
        &mut self,
        now: Instant,
        key: ConnKey,
        end: ReadEnd,
        requests: &mut Vec<Request>,
    ) -> Option<RoomId> {
        let last = requests.len().checked_sub(1 + usize::from(end.has_failed()))?;
        let room = requests.get(last)?.joins()?;
        if self.fanout.admits(now, room) {
            self.fanout.add_in_flight(now, room, JOIN);
            return None;
        }
        let join = requests.remove(last);
        let session = self.connections.get(key).and_then(|c| c.lifecycle.session());
        self.askers.keep_join(session, join);
        (!end.has_failed()).then_some(room)
    }

    /// Posts the request of a connection to join a room.
    pub(super) fn join(&mut self, now: Instant, key: ConnKey, room: RoomId) {
        let mut requests = self.dispatcher.scratch();
        let session = self.connections.get(key).and_then(|c| c.lifecycle.session());
        let join = self.askers.take_join(session);
        requests.push(join.unwrap_or(Request::Do(Command::Join(room))));
        self.fanout.add_in_flight(now, room, JOIN);
        self.post(key, &mut requests);
        self.dispatcher.give_back(requests);
    }

    fn wait_for(&mut self, now: Instant, room: RoomId, waiter: Waiter) {
        if let Some(connection) = self.connections.get_mut(waiter.key) {
            connection.inbound.pause(Pause::Room);
            if self.fanout.wait(now, room, waiter) {
                self.counters.reach(LimitKind::RoomPace);
            }
        }
    }

    #[inline]
    fn decide_read(&mut self, now: Instant, key: ConnKey) -> ReadDecision {
        let decision = self.decide_read_alone(now, key);
        let connection = self.connections.get(key);
        let subscription =
            connection.filter(|c| c.lifecycle.is_open()).and_then(|c| c.subscription);
        match (decision, subscription) {
            (ReadDecision::Now, Some(Subscription { room, .. }))
                if !self.fanout.admits(now, room) =>
            {
                ReadDecision::Waits(room)
            }
            (decision, _) => decision,
        }
    }

    /// Decides by the state of this connection alone.
    #[inline]
    fn decide_read_alone(&mut self, now: Instant, key: ConnKey) -> ReadDecision {
        let Some(connection) = self.connections.get_mut(key) else { return ReadDecision::Paused };
        connection.inbound.dequeue();
        if connection.read_pause() == Some(Pause::Room) {
            // Its request to join may be waiting, and nothing may overtake it.
            return ReadDecision::Paused;
        }
        if !connection.lifecycle.is_open() {
            return ReadDecision::Now;
        }
        if connection.should_not_ask() {
            connection.inbound.pause(Pause::Pending);
            return ReadDecision::Paused;
        }
        let answers = connection.outbound.answers_wait_until(now, self.egress.answers);
        let wait = connection.inbound.over_budget_until(now, self.ingress.limits());
        let wait = wait.into_iter().chain(answers.map(|at| (at, LimitKind::Answers)));
        if let Some((until, limit)) = wait.max_by_key(|(at, _)| *at) {
            self.pause_until(key, until);
            self.counters.reach(limit);
            let connections = &self.connections;
            self.log.paused(key, || connections.get(key)?.peer());
            return ReadDecision::Paused;
        }
        ReadDecision::Now
    }

    pub(super) fn pause_until(&mut self, key: ConnKey, until: Instant) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.inbound.pause(Pause::Timed);
            self.ingress.pause(key, until);
        }
    }

    /// Reads a connection, up to its budget for a turn, and posts the resulting requests.
    pub(super) fn read(&mut self, now: Instant, key: ConnKey) {
        self.read_within(now, key, true);
    }

    /// Reads a connection whose frame is late; while it is paused, nothing is accepted. Returns whether
    /// everything available has been read that brings anything.
    pub(super) fn read_late(&mut self, now: Instant, key: ConnKey) -> bool {
        let is_paused = self.connections.get(key).is_some_and(|c| c.read_pause().is_some());
        self.read_within(now, key, !is_paused).is_some_and(|read| read.has_drained())
    }

    fn read_within(&mut self, now: Instant, key: ConnKey, accepts: bool) -> Option<Read> {
        let connection = self.connections.get_mut(key)?;
        // Input that was not read before the stop is not accepted.
        let is_too_late = self.stop.is_some() && connection.lifecycle.is_open();
        if is_too_late || connection.inbound.has_ended() {
            return None;
        }
        let mut requests = self.dispatcher.scratch();
        let read = self.ingress.read(now, connection, accepts, &mut requests);
        let Read { bytes, accepted, end, handshake, .. } = read;
        if requests.last().is_some_and(Request::lists_rooms) {
            connection.inbound.expect_list();
        }
        let is_refused = connection.lifecycle.is_refused();
        let is_settled = connection.outbound.is_at_rest()
            && connection.inbound.is_empty()
            && !connection.state().is_incomplete();
        let subscription = connection.subscription;
        if requests.first().is_some_and(Request::is_asked) {
            self.prepare_asked(key, &mut requests);
        }
        self.keep_session(key, &mut requests);
        let target = self.target(now, key, end, &mut requests);
        if !requests.is_empty() {
            if let Some(Subscription { room, .. }) = subscription {
                let overhead = requests.len() * BROADCAST_OVERHEAD;
                self.fanout.add_in_flight(now, room, accepted + overhead);
            }
            self.post(key, &mut requests);
        }
        self.dispatcher.give_back(requests);
        if let Some(room) = target {
            self.wait_for(now, room, Waiter { key, joins: true });
        }
        if !is_settled {
            self.advance_web(now, key);
            // Usually part of a frame, which takes memory and has a deadline.
            self.connections.account_memory(key);
            self.arm_timer(now, key);
            self.relieve_memory(now);
        }
        if is_refused {
            self.advance_refusal(now, key, &read);
        }
        if handshake != Handshake::Unchanged {
            self.note_handshake(key, handshake);
        }
        self.counters.bytes_read.add(bytes as u64);
        if fault!(ForgottenRead) && end == ReadEnd::Budget {
            return None;
        }
        match end {
            ReadEnd::Failed | ReadEnd::Garbled => self.socket_failed(key),
            ReadEnd::Ended => self.advance_close(key),
            ReadEnd::Budget => {
                self.counters.reach(LimitKind::ReadPerTurn);
                self.enqueue_rest(key);
            }
            ReadEnd::Kept => self.enqueue_rest(key),
            ReadEnd::Drained => {}
        }
        Some(read)
    }

    /// Counts a completed handshake, and continues writing to a connection that takes bytes from now on.
    #[cold]
    fn note_handshake(&mut self, key: ConnKey, handshake: Handshake) {
        match handshake {
            Handshake::Unchanged => return,
            Handshake::Complete => self.counters.tls_handshakes.add(1),
            Handshake::Absent => {}
        }
        self.resume_writing(key);
    }

    /// Posts requests to the mailbox of a connection, if it still has one.
    #[inline]
    pub(super) fn post(&mut self, key: ConnKey, requests: &mut Vec<Request>) {
        let connection = self.connections.get(key);
        match connection.and_then(|connection| connection.lifecycle.mailbox()) {
            Some(mailbox) if !requests.is_empty() => {
                self.counters.receive(requests);
                self.dispatcher.post(mailbox, requests);
            }
            _ => requests.clear(),
        }
    }
}
