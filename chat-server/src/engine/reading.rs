//! Reading: which connections, when, and the requests in their input.

use std::time::Duration;

use chat_core::Command;

use super::Engine;
use super::state::Workers;
use crate::connection::{Pause, Read, ReadEnd, Subscription};
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::LimitKind;
use crate::workers::Request;

/// Bytes by which a broadcast is mostly longer than the command it comes of: a name, a room and a number
/// with a chat, a sentence with a notice.
const BROADCAST_OVERHEAD: usize = 160;

/// How long to wait before asking again whether a room still waits for a slow member.
const RETRY: Duration = Duration::from_millis(5);

/// When a connection that has something to read is read.
enum ReadDecision {
    Now,
    /// Once its room has handed out some of its broadcasts.
    NextTurn,
    /// Once its pause ends.
    Paused,
}

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Queues a connection to be read. `marked`: the event announced an end or an urgent mark in the stream,
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

    /// Handles a failed socket. A connection that is paused, or still has buffered frames, is closed at once:
    /// it would be a ghost until its next read. Any other is left to the read that meets the error.
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
            self.ingress.push(key);
        }
    }

    /// Resumes connections whose pause has expired.
    pub(super) fn resume_expired_pauses(&mut self, now: Instant) {
        while let Some(key) = self.ingress.pop_expired_pause(now) {
            if fault!(NeverResumed) {
                continue;
            }
            self.resume_reading(now, key);
        }
    }

    /// Resumes a connection that was paused because of its backlog, if that is over.
    pub(super) fn resume_if_caught_up(&mut self, now: Instant, key: ConnKey) {
        if let Some(connection) = self.connections.get(key)
            && connection.read_pause() == Some(Pause::Pending)
            && !connection.outbound.should_not_ask()
        {
            self.resume_reading(now, key);
        }
    }

    fn resume_reading(&mut self, now: Instant, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.inbound.resume(now);
            self.enqueue_read(key);
        }
    }

    /// Reads the connections that are queued now, each at most once.
    pub(super) fn read_queued(&mut self, now: Instant) {
        for _ in 0..self.ingress.begin_turn() {
            if !self.ingress.may_read() {
                return self.counters.reach(LimitKind::ReadAhead);
            }
            let Some(key) = self.ingress.pop() else { return };
            match self.decide_read(now, key) {
                ReadDecision::Now => self.read(now, key),
                ReadDecision::NextTurn => {
                    self.enqueue_read(key);
                    self.ingress.defer();
                }
                ReadDecision::Paused => {}
            }
        }
    }

    fn decide_read(&mut self, now: Instant, key: ConnKey) -> ReadDecision {
        let Some(connection) = self.connections.get_mut(key) else { return ReadDecision::Paused };
        connection.inbound.dequeue();
        if !connection.lifecycle.is_open() {
            return ReadDecision::Now;
        }
        if connection.outbound.should_not_ask() {
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
        let Some(Subscription { room, .. }) = connection.subscription else {
            return ReadDecision::Now;
        };
        if self.fanout.is_saturated(room) {
            return ReadDecision::NextTurn;
        }
        if self.waits_for_slow_member(now, room) {
            self.pause_until(key, now + RETRY);
            return ReadDecision::Paused;
        }
        ReadDecision::Now
    }

    fn pause_until(&mut self, key: ConnKey, until: Instant) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.inbound.pause(Pause::Timed);
            self.ingress.pause(key, until);
        }
    }

    /// Reads a connection, up to its budget for a turn, and posts the resulting requests.
    pub(super) fn read(&mut self, now: Instant, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        // What was not read before the stop is not accepted.
        let is_too_late = self.stop.is_some() && connection.lifecycle.is_open();
        if is_too_late || connection.inbound.has_ended() {
            return;
        }
        let mut requests = self.dispatcher.scratch();
        let Read { bytes, accepted, end } = self.ingress.read(now, connection, &mut requests);
        if let Some(Request::Do(Command::Rooms)) = requests.last() {
            connection.outbound.expect_list();
        }
        let is_settled = connection.outbound.is_at_rest() && connection.inbound.buffered() == 0;
        if !requests.is_empty() {
            if let Some(Subscription { room, .. }) = connection.subscription {
                let overhead = requests.len() * BROADCAST_OVERHEAD;
                self.fanout.add_in_flight(room, accepted + overhead);
            }
            self.post(key, &mut requests);
        }
        self.dispatcher.give_back(requests);
        if !is_settled {
            // Part of a frame, mostly: it takes memory, and has a deadline.
            self.connections.account_memory(key);
            self.arm_timer(now, key);
        }
        self.counters.bytes_read.add(bytes as u64);
        if fault!(ForgottenRead) && end == ReadEnd::Budget {
            return;
        }
        match end {
            ReadEnd::Failed => self.socket_failed(key),
            ReadEnd::Ended => self.advance_close(key),
            ReadEnd::Budget => {
                self.counters.reach(LimitKind::ReadPerTurn);
                self.enqueue_read(key);
            }
            ReadEnd::Kept => self.enqueue_read(key),
            ReadEnd::Drained => {}
        }
    }

    /// Posts requests to the mailbox of a connection, if it still has one.
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
