//! The disk, as the event loop sees it: it hands over what happens, learns what has arrived there, and has the pool read
//! what is no longer in memory. It never waits for it.

use std::sync::Arc;

use chat_core::{Notice, Output, RoomId, SessionId};
use chat_proto::Framing;
use chat_proto::extended::{Answer, RequestId};

use super::Engine;
use super::state::{Kept, Owed, Storage, Workers};
use crate::net::{Instant, Socket};
use crate::room_log::{Backfill, Progress, Store};
use crate::stats::LimitKind;
use crate::workers::{Finished, Job, Mailbox, Request};

/// Rooms closed at once because they have been empty for too long.
const CLOSED_AT_ONCE: usize = 64;

/// The store, and what the last server left in it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) store: Store,
    /// Whether chats are acknowledged only once they are on the disk.
    pub(crate) is_durable: bool,
    pub(crate) epoch: Box<str>,
    /// The rooms, with the numbers of their last broadcasts.
    pub(crate) rooms: Vec<(RoomId, u64)>,
    /// The sessions in the hub, and whether each can be resumed.
    pub(crate) sessions: Vec<(SessionId, bool)>,
}

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Writes everything to a store from now on, and goes on with what the last server left. Before the first turn.
    pub(crate) fn set_store(&mut self, stored: Stored) {
        let Stored { store, is_durable, epoch, rooms, sessions } = stored;
        self.fanout.keep_histories(&self.limits).set_store(store, rooms);
        self.epoch = epoch;
        self.storage = Some(Box::new(Storage::new(is_durable)));
        for (session, is_resumable) in sessions {
            let mailbox = Arc::new(Mailbox::new(session));
            if is_resumable {
                self.kept.add(Kept { mailbox, seen: None, address: None });
            } else {
                self.dispatcher.post(&mailbox, &mut vec![Request::Disconnect]);
            }
        }
    }

    /// Hands over what has happened in this turn, and learns what has arrived.
    #[inline]
    pub(super) fn store(&mut self, now: Instant) {
        if self.storage.is_some() {
            self.exchange_with_store(now);
        }
    }

    fn exchange_with_store(&mut self, now: Instant) {
        let Some(storage) = &mut self.storage else { return };
        let Some(store) = self.fanout.store_mut() else { return };
        let progress = storage.hand_over(store);
        let Progress { committed, is_failing, written, lost, size, deletions } = progress;
        self.counters.store_pending.set(store.memory() as u64);
        self.counters.store_failing.set(u64::from(is_failing));
        self.counters.stored.set(written);
        self.counters.store_lost.set(lost);
        self.counters.store_size.set(size);
        self.counters.reach_often(LimitKind::HistoryAge, deletions[0]);
        self.counters.reach_often(LimitKind::HistorySize, deletions[1]);
        let looks_for_empty = storage.looks_for_empty(now);
        for owed in storage.take_confirmed(committed) {
            self.send_ack(now, &owed);
        }
        if looks_for_empty {
            self.close_old_rooms(now);
        }
    }

    /// Closes rooms that have been empty for too long.
    fn close_old_rooms(&mut self, now: Instant) {
        let age = u64::try_from(self.limits.room_age.as_millis()).unwrap_or(u64::MAX);
        let since = self.clock.now().saturating_sub(age);
        let closed = self.dispatcher.hub().close_empty_rooms(since, CLOSED_AT_ONCE);
        self.counters.reach_often(LimitKind::RoomAge, closed as u64);
        if let Some(storage) = &mut self.storage
            && closed < CLOSED_AT_ONCE
        {
            storage.look_later(now, self.limits.room_age);
        }
    }

    /// Notes what outlives the server besides what is said.
    pub(super) fn note_for_store(&mut self, output: &Output) {
        let at = self.clock.now();
        let Some(storage) = &mut self.storage else { return };
        let Some(store) = self.fanout.store_mut() else { return };
        match output {
            Output::Reply { notice: Notice::RoomCreated { room, title }, .. } => {
                store.room_created(*room, title, at);
            }
            Output::RoomClosed { room } => storage.room_closed(*room),
            _ => {}
        }
    }

    /// Acknowledges a chat: now, or once it is on the disk.
    pub(super) fn acknowledge(&mut self, now: Instant, owed: Owed) {
        let due = match &mut self.storage {
            Some(storage) => storage.owe(owed),
            None => Some(owed),
        };
        if let Some(owed) = due {
            self.send_ack(now, &owed);
        }
    }

    fn send_ack(&mut self, now: Instant, owed: &Owed) {
        let &Owed { to, ref re, room, seq, at } = owed;
        self.push_extended(now, to, &Answer::Ack { re, room, seq, at });
    }

    /// Asks the pool to complete a part of a history from the store, and keeps its place among the answers.
    pub(super) fn start_backfill(
        &mut self,
        now: Instant,
        to: SessionId,
        framing: Framing,
        backfill: Backfill,
        re: Option<&RequestId>,
    ) {
        let Some(storage) = &mut self.storage else { return };
        let (ticket, re) = (storage.next_ticket(), re.cloned());
        self.answer(now, to, |connection| connection.outbound.send.push_awaited(ticket));
        self.dispatcher.start_job(Job::new(move || {
            let frame = backfill.read(framing, re.as_ref());
            Finished { session: to, ticket, frame }
        }));
    }

    /// Sends the results of jobs.
    #[cold]
    pub(super) fn apply_finished(&mut self, now: Instant) {
        for Finished { session, ticket, frame } in self.dispatcher.take_finished() {
            let Some(&key) = self.sessions.get(&session) else { continue };
            let Some(connection) = self.connections.get_mut(key) else { continue };
            connection.outbound.charge_answer(now, self.egress.answers, frame.len());
            connection.outbound.send.fulfil(ticket, frame);
            self.enqueue_flush(key);
        }
    }

    /// Takes the hub as it is for the next server; nothing more is written then.
    pub(super) fn save_for_next_server(&mut self) {
        if let Some(storage) = &mut self.storage
            && let Some(store) = self.fanout.take_store()
        {
            storage.save(store, serde_json::to_vec(&self.dispatcher.hub().snapshot()).ok());
        }
    }

    /// Ends the writing, and leaves the hub to the next server. Waits for the disk, no longer than
    /// [`Limits::linger`](crate::Limits::linger).
    pub(crate) fn end_store(&mut self) {
        if let Some(storage) = self.storage.take() {
            storage.end(self.limits.linger);
        }
    }
}
