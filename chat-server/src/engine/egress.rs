//! What comes of it: the hub's answers on their way to the sockets.

use std::mem;

use chat_core::{Notice, Output, RoomEvent, SessionId};

use super::{Engine, Stopping, Workers};
use crate::connection::SendBuffer;
use crate::connection::{Connection, Phase};
use crate::net::ConnKey;
use crate::net::Instant;
use crate::net::Socket;
use crate::stats::CloseReason;
use crate::stats::LimitKind;

impl<S: Socket, W: Workers> Engine<S, W> {
    pub(super) fn take_outputs(&mut self, now: Instant) {
        let mut outputs = mem::take(&mut self.outputs);
        let taken = self.desk.take(&mut outputs);
        self.done = taken.done;
        self.counters.panics.set(taken.panics);
        if let Some((_, since)) = self.handed_over.take_if(|(posted, _)| *posted <= taken.done) {
            self.counters.worker_wait.record(now.nanos_since(since));
            self.counters.steals.set(self.workers.steals());
        }
        if fault!(HastyStop) {
            self.done = self.posted;
        }
        if self.done == self.posted {
            self.read_ahead = 0;
            self.fanout.nothing_expected();
        }
        if self.observer.is_some() {
            outputs.iter().for_each(|output| self.observe(output));
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
                if let RoomEvent::Chat { text, .. } = &event {
                    assert!(!fault!(ReactorPanics, text.as_str()), "planted");
                }
                let except = except.and_then(|session| self.sessions.get(&session).copied());
                self.fanout.broadcast(room, seq, except, &event);
            }
            Output::Reply { to, notice, room } => {
                if let Notice::TooManyRooms { .. } = notice {
                    self.counters.reach(LimitKind::Rooms);
                }
                let lang = self.lang;
                self.answer(to, |send| send.push_notice(lang, &notice, room));
            }
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
        if let Some(connection) = self.connections.get_mut(key) {
            add(&mut connection.send);
            self.plan_flush(key);
        }
    }

    /// Goes on writing to a connection of which the kernel takes bytes again.
    pub(crate) fn writable(&mut self, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key) {
            if connection.is_blocked() {
                self.counters.reach(LimitKind::KernelSendBuffer);
            }
            connection.unblock();
            if fault!(ForgottenWaiter) && connection.may_catch_up() {
                return;
            }
            if connection.is_owed() {
                self.plan_flush(key);
            }
        }
    }

    /// Has the connection flushed at the end of the turn.
    pub(super) fn plan_flush(&mut self, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key)
            && !mem::replace(&mut connection.flush_planned, true)
        {
            self.flush_plan.push(key);
        }
    }

    pub(super) fn flush_planned(&mut self, now: Instant) {
        let mut plan = mem::take(&mut self.flush_plan);
        for key in plan.drain(..) {
            if let Some(connection) = self.connections.get_mut(key) {
                connection.flush_planned = false;
                self.flush(key);
                self.read_again(now, key);
                self.close_if_done(key);
            }
        }
        plan.append(&mut self.flush_plan);
        self.flush_plan = plan;
    }

    /// Sees to those whose budget ended, and those whose socket failed.
    pub(super) fn follow_up_writes(&mut self, now: Instant) {
        while let Some(key) = self.connections.take_unfinished() {
            self.counters.reach(LimitKind::WritePerTurn);
            self.plan_flush(key);
        }
        while let Some(key) = self.connections.take_failed() {
            // It may have said something before it went. Of a reset that the write was told of, the
            // read finds nothing but an end.
            self.read(now, key);
            if let Some(connection) = self.connections.get_mut(key)
                && connection.phase == Phase::Ending
            {
                connection.reason = Some(CloseReason::Lost);
            }
            self.lose(key);
        }
    }

    /// Writes what a connection is owed, also by its room if it has been waiting.
    pub(super) fn flush(&mut self, key: ConnKey) {
        if self.connections.get(key).is_some_and(Connection::may_catch_up) {
            self.fanout.settle(&mut self.connections, key);
        }
        self.connections.flush(key);
    }
}
