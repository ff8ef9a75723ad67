//! Writing: the hub's outputs on their way to the sockets.

use std::mem;

use chat_core::{Notice, Output, RoomEvent, RoomId, SessionId};

use super::dispatcher::Completed;
use super::{Engine, Workers};
use crate::connection::{Connection, FollowUp, SendBuffer, Writer};
use crate::limits::Limits;
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::CloseReason;
use crate::stats::LimitKind;

/// The connections to flush, and what writing leaves to do.
#[derive(Debug)]
pub(super) struct Egress {
    /// Connections with answers to flush at the end of the turn.
    queue: Vec<ConnKey>,
    pub(super) writer: Writer,
}

impl Egress {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { queue: Vec::new(), writer: Writer::new(limits) }
    }

    /// Whether a connection is to be flushed without any event.
    pub(super) fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.writer.has_follow_ups()
    }
}

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Takes what the hub has answered, and applies it in the hub's order.
    pub(super) fn apply_outputs(&mut self, now: Instant) {
        let Completed { mut outputs, progress, worker_wait } = self.dispatcher.take(now);
        self.counters.panics.set(progress.panics);
        if let Some(wait) = worker_wait {
            self.counters.worker_wait.record(wait.as_nanos() as u64);
            self.counters.steals.set(self.dispatcher.steals());
        }
        if self.dispatcher.is_idle() {
            self.ingress.caught_up();
            self.fanout.clear_in_flight();
        }
        if self.observer.is_some() {
            outputs.iter().for_each(|output| self.observe(output));
        }
        for output in outputs.drain(..) {
            self.apply(now, output);
        }
        self.dispatcher.recycle(outputs);
        if progress.stop_requested {
            self.begin_stop(now);
        }
        self.advance_stop(now);
    }

    fn apply(&mut self, now: Instant, output: Output) {
        match output {
            Output::Broadcast { room, seq, except, event } => {
                if let RoomEvent::Chat { text, .. } = &event
                    && fault!(ReactorPanics, text.as_str())
                {
                    panic!("planted");
                }
                let except = except.and_then(|session| self.sessions.get(&session).copied());
                self.fanout.broadcast(room, seq, except, &event);
            }
            Output::Reply { to, notice, room } => {
                if let Notice::TooManyRooms { .. } = notice {
                    self.counters.reach(LimitKind::Rooms);
                }
                let is_removed = matches!(notice, Notice::Removed { .. });
                self.reply(to, &notice, room);
                if is_removed && let Some(&key) = self.sessions.get(&to) {
                    self.begin_close(key, CloseReason::Removed);
                }
            }
            Output::NotifyAll { notice } => {
                for session in self.sessions.keys().copied().collect::<Vec<_>>() {
                    self.reply(session, &notice, None);
                }
            }
            Output::Rooms { to, rooms } => self.answer(to, |send| send.push_rooms(rooms)),
            Output::Entered { session, room } => {
                if let Some(&key) = self.sessions.get(&session) {
                    self.fanout.join(&mut self.connections, key, room);
                }
            }
            Output::Left { session, .. } => {
                if let Some(&key) = self.sessions.get(&session) {
                    self.fanout.leave(&mut self.connections, key);
                    self.enqueue_flush(key);
                }
            }
            Output::Disconnected { session } => {
                if let Some(key) = self.sessions.remove(&session) {
                    // Without a reason so far, nobody asked for it: the hub failed.
                    self.drain(now, key, CloseReason::Internal);
                }
            }
            Output::ShutdownRequested { .. } => self.begin_stop(now),
            // The log of a room ends with its last member.
            Output::RoomClosed { .. } => {}
            // `Output` may grow: what is not known here has to be added here.
            other => debug_assert!(false, "not applied: {other:?}"),
        }
    }

    /// Adds a notice after everything that is pending for the session's connection.
    fn reply(&mut self, to: SessionId, notice: &Notice, room: Option<(RoomId, u64)>) {
        let lang = self.lang;
        self.answer(to, |send| send.push_notice(lang, notice, room));
    }

    /// Adds an answer after everything that is pending for the session's connection.
    fn answer(&mut self, to: SessionId, add: impl FnOnce(&mut SendBuffer)) {
        let Some(&key) = self.sessions.get(&to) else { return };
        self.fanout.drain_log(&mut self.connections, key);
        if let Some(connection) = self.connections.get_mut(key) {
            add(&mut connection.outbound.send);
            self.enqueue_flush(key);
        }
    }

    /// Handles an event that says that the kernel takes bytes again.
    pub(crate) fn writable(&mut self, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.outbound.is_blocked() {
            self.counters.reach(LimitKind::KernelSendBuffer);
        }
        connection.outbound.unblock();
        if fault!(ForgottenWaiter) && connection.can_catch_up() {
            return;
        }
        if connection.has_pending() {
            self.enqueue_flush(key);
        }
    }

    /// Queues a connection to be flushed at the end of the turn.
    pub(super) fn enqueue_flush(&mut self, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key)
            && connection.outbound.enqueue()
        {
            self.egress.queue.push(key);
        }
    }

    /// Flushes the rooms that have something to hand out.
    pub(super) fn flush_rooms(&mut self) {
        self.fanout.flush(&mut self.connections, &mut self.egress.writer);
        if self.fanout.is_dirty() {
            self.counters.reach(LimitKind::WritesPerRoomAndTurn);
        }
    }

    /// Flushes the connections that are queued now.
    pub(super) fn flush_queued(&mut self, now: Instant) {
        let mut queue = mem::take(&mut self.egress.queue);
        for key in queue.drain(..) {
            if let Some(connection) = self.connections.get_mut(key) {
                connection.outbound.dequeue();
                self.flush(key);
                self.resume_if_caught_up(now, key);
                self.advance_close(key);
            }
        }
        queue.append(&mut self.egress.queue);
        self.egress.queue = queue;
    }

    /// Writes what is pending for a connection, including its room's log if it has been parked.
    pub(super) fn flush(&mut self, key: ConnKey) {
        if self.connections.get(key).is_some_and(Connection::can_catch_up) {
            self.fanout.drain_log(&mut self.connections, key);
        }
        self.egress.writer.flush(&mut self.connections, key);
    }

    /// Does what the writes of this turn have left to do.
    pub(super) fn follow_up_writes(&mut self, now: Instant) {
        while let Some((key, follow_up)) = self.egress.writer.next_follow_up() {
            match follow_up {
                FollowUp::Resume => {
                    self.counters.reach(LimitKind::WritePerTurn);
                    self.enqueue_flush(key);
                }
                FollowUp::Failed => self.write_failed(now, key),
                FollowUp::CheckBacklog => self.check_backlog(now, key),
            }
        }
    }

    /// Closes a connection whose socket has failed at a write. What it said before is read first; after a
    /// reset that the write met, the read finds nothing but an end.
    fn write_failed(&mut self, now: Instant, key: ConnKey) {
        self.read(now, key);
        if let Some(connection) = self.connections.get_mut(key) {
            connection.lifecycle.override_reason(CloseReason::Lost);
        }
        self.socket_failed(key);
    }
}
