//! Applies the hub's outputs, in order, to rooms, to connections, and to the stop.

use chat_core::{Notice, Output, RoomEvent, RoomId, SessionId};

use super::Engine;
use super::state::{Completed, Workers};
use crate::connection::Connection;
use crate::net::{Instant, Socket};
use crate::stats::{CloseReason, LimitKind};
use crate::workers::{AskedList, List};

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Takes what the hub has answered, and applies it in the hub's order.
    pub(super) fn apply_outputs(&mut self, now: Instant) {
        let Completed { mut outputs, progress, worker_wait } = self.dispatcher.take(now);
        self.counters.panics.set(progress.panics);
        self.counters.lost_recordings.set(progress.lost_recordings);
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
        if self.storage.is_some() {
            outputs.iter().for_each(|output| self.note_for_store(output));
        }
        for output in outputs.drain(..) {
            self.apply(now, output);
        }
        if progress.has_finished {
            self.apply_finished(now);
        }
        self.dispatcher.recycle(outputs);
        if progress.stop_requested {
            self.begin_stop(now);
        }
        self.advance_stop(now);
    }

    fn apply(&mut self, now: Instant, output: Output) {
        match output {
            Output::Broadcast { room, seq, at, except, event } => {
                if let RoomEvent::Chat { text, .. } = &event
                    && fault!(ReactorPanics, text.as_str())
                {
                    panic!("planted");
                }
                if fault!(AckUnsaid) && except.is_some_and(|by| self.askers.is_lasting(by)) {
                    return;
                }
                let except = except.and_then(|session| self.sessions.get(&session).copied());
                self.fanout.broadcast(room, seq, at, except, &event);
            }
            Output::Reply { to, notice, room } => {
                if let Notice::TooManyRooms { .. } = notice {
                    self.counters.reach(LimitKind::Rooms);
                }
                let is_removed = matches!(notice, Notice::Removed { .. });
                self.reply(now, to, &notice, room);
                if self.replay > 0
                    && let (Notice::RoomEntered { .. }, Some((room, _))) = (&notice, room)
                {
                    self.replay(now, to, room);
                }
                if is_removed && let Some(&key) = self.sessions.get(&to) {
                    self.begin_close(key, CloseReason::Removed);
                }
            }
            Output::NotifyAll { notice } => {
                for session in self.sessions.keys().copied().collect::<Vec<_>>() {
                    self.reply(now, session, &notice, None);
                }
            }
            Output::Rooms { to } => {
                let list = match self.askers.take_re(to) {
                    Some(re) => List::Asked(Box::new(AskedList::Rooms { re, after: None })),
                    None => List::Rooms { after: None },
                };
                self.push_list(now, to, list);
            }
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
            Output::Disconnected { session } | Output::Detached { session } => {
                self.askers.remove(session);
                if let Some(key) = self.sessions.remove(&session) {
                    // If there is no reason yet, nobody asked for the end: the hub failed.
                    self.drain(now, key, CloseReason::Internal);
                }
            }
            Output::ShutdownRequested { .. } => self.begin_stop(now),
            Output::RoomClosed { room } => self.fanout.close_room(room, self.clock.now()),
            other => self.apply_asked(now, other),
        }
    }

    /// Adds a notice after everything that is pending for the session's connection.
    fn reply(&mut self, now: Instant, to: SessionId, notice: &Notice, room: Option<(RoomId, u64)>) {
        let lang = self.lang;
        let re = self.askers.take_re(to);
        self.answer(now, to, |connection| match &re {
            None => connection.outbound.push_notice(lang, notice, room),
            Some(re) => {
                let framing = connection.outbound.framing();
                connection.outbound.send.push_answer(framing, lang, re, notice, room);
            }
        });
    }

    /// Adds an answer after everything that is pending for the session's connection, out of the budget for
    /// its answers.
    pub(super) fn answer(
        &mut self,
        now: Instant,
        to: SessionId,
        add: impl FnOnce(&mut Connection<S>),
    ) {
        let Some(&key) = self.sessions.get(&to) else { return };
        self.fanout.drain_log(&mut self.connections, key);
        if let Some(connection) = self.connections.get_mut(key) {
            let before = connection.outbound.send.pending();
            add(connection);
            let outbound = &mut connection.outbound;
            let added = outbound.send.pending() - before;
            outbound.charge_answer(now, self.egress.answers, added);
            self.enqueue_flush(key);
        }
    }
}
