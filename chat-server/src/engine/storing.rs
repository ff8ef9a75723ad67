//! The disk, as the event loop sees it: it hands over what happens, learns what has arrived there, and has the pool read
//! what is no longer in memory. It never waits for it.

use std::sync::Arc;
use std::time::Duration;

use chat_core::{Notice, Output, RoomId, SessionId};
use chat_proto::Framing;
use chat_proto::extended::{Answer, RequestId};

use super::Engine;
use super::state::{Kept, Owed, Unconfirmed, Workers};
use crate::net::{Instant, Socket};
use crate::room_log::{Backfill, Progress, Store};
use crate::stats::LimitKind;
use crate::workers::{Finished, Job, Mailbox, Request};

/// Rooms closed at once because they have been empty for too long.
const CLOSED_AT_ONCE: usize = 64;

/// How often to look for them.
const LOOK_FOR_EMPTY: Duration = Duration::from_secs(30);

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
        self.unconfirmed = is_durable.then(Unconfirmed::default);
        for (session, is_resumable) in sessions {
            let mailbox = Arc::new(Mailbox::new(session));
            if is_resumable {
                self.kept.add(Kept { mailbox, seen: 0, address: None });
            } else {
                self.dispatcher.post(&mailbox, &mut vec![Request::Disconnect]);
            }
        }
    }

    /// Hands over what has happened in this turn, and learns what has arrived.
    #[inline]
    pub(super) fn store(&mut self, now: Instant) {
        if self.fanout.has_store() {
            self.exchange_with_store(now);
        }
    }

    fn exchange_with_store(&mut self, now: Instant) {
        let Some(store) = self.fanout.store_mut() else { return };
        let batch = store.hand_over();
        let progress = store.progress();
        self.counters.store_pending.set(store.memory() as u64);
        let fault = (progress.is_failing != self.is_store_failing).then(|| store.fault());
        if let Some(fault) = fault {
            self.is_store_failing = progress.is_failing;
            match fault.filter(|_| progress.is_failing) {
                Some(error) => {
                    tracing::error!(error, "cannot write to the disk: what is said may be lost");
                }
                None => tracing::info!(lost = progress.lost, "writing to the disk again"),
            }
        }
        let Progress { committed, is_failing, written, lost, size, deletions } = progress;
        self.counters.store_failing.set(u64::from(is_failing));
        self.counters.stored.set(written);
        self.counters.store_lost.set(lost);
        self.counters.store_size.set(size);
        for (kind, i) in [(LimitKind::HistoryAge, 0), (LimitKind::HistorySize, 1)] {
            self.counters.reach_often(kind, deletions[i] - self.deletions[i]);
        }
        self.deletions = deletions;
        if let Some(unconfirmed) = &mut self.unconfirmed {
            unconfirmed.hand_over(batch);
        }
        while let Some(owed) =
            self.unconfirmed.as_mut().and_then(|unconfirmed| unconfirmed.pop(committed))
        {
            owed.iter().for_each(|owed| self.send_ack(now, owed));
        }
        if now >= self.look_for_empty_rooms {
            self.close_old_rooms(now);
        }
    }

    /// Closes rooms that have been empty for too long.
    fn close_old_rooms(&mut self, now: Instant) {
        let age = u64::try_from(self.limits.room_age.as_millis()).unwrap_or(u64::MAX);
        let since = self.clock.now().saturating_sub(age);
        let closed = self.dispatcher.hub().close_empty_rooms(since, CLOSED_AT_ONCE);
        self.counters.reach_often(LimitKind::RoomAge, closed as u64);
        if closed < CLOSED_AT_ONCE {
            self.look_for_empty_rooms = now + LOOK_FOR_EMPTY;
        }
    }

    /// Notes what outlives the server besides what is said.
    pub(super) fn note_for_store(&mut self, output: &Output) {
        let at = self.clock.now();
        let Some(store) = self.fanout.store_mut() else { return };
        match output {
            Output::Reply { notice: Notice::RoomCreated { room, title }, .. } => {
                store.room_created(*room, title, at);
            }
            Output::RoomClosed { room } => {
                if let Some(unconfirmed) = &mut self.unconfirmed {
                    unconfirmed.close(*room);
                }
            }
            _ => {}
        }
    }

    /// Acknowledges a chat: now, or once it is on the disk.
    pub(super) fn acknowledge(&mut self, now: Instant, owed: Owed) {
        match &mut self.unconfirmed {
            Some(unconfirmed) => unconfirmed.add(owed),
            None => self.send_ack(now, &owed),
        }
    }

    fn send_ack(&mut self, now: Instant, owed: &Owed) {
        let &Owed { to, ref re, room, seq, at } = owed;
        self.push_extended(now, to, &Answer::Ack { re, room, seq, at });
    }

    /// Has the pool complete a part of a history from the store, and keeps its place among the answers.
    pub(super) fn start_backfill(
        &mut self,
        now: Instant,
        to: SessionId,
        framing: Framing,
        backfill: Backfill,
        re: Option<&RequestId>,
    ) {
        self.jobs += 1;
        let (ticket, re) = (self.jobs, re.cloned());
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
        let store = self.fanout.take_store();
        self.saved = store.map(|store| {
            let snapshot = serde_json::to_vec(&self.dispatcher.hub().snapshot()).ok();
            Box::new((store, snapshot))
        });
    }

    /// Ends the writing, and leaves the hub to the next server. Waits for the disk, no longer than
    /// [`Limits::linger`](crate::Limits::linger).
    pub(crate) fn end_store(&mut self) {
        let Some(saved) = self.saved.take() else { return };
        let (store, snapshot) = *saved;
        if let Err(error) = store.stop(snapshot, self.limits.linger) {
            tracing::error!(%error, "cannot leave everything to the next server");
        }
    }
}
