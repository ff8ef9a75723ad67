//! What the event loop has to remember of its store. A server without a data directory has none of this.

mod unconfirmed;

use std::mem;
use std::time::Duration;

use chat_core::RoomId;

pub(crate) use self::unconfirmed::Owed;
use self::unconfirmed::Unconfirmed;
use crate::net::Instant;
use crate::room_log::{BatchNumber, Progress, Store};

/// How long after a look for rooms that have been empty for too long the next one comes, at the earliest and the latest.
const EARLIEST_LOOK: Duration = Duration::from_secs(1);
const LATEST_LOOK: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Storage {
    /// Acknowledgements that wait for the disk, if they are to.
    unconfirmed: Option<Unconfirmed>,
    is_failing: bool,
    /// Deletions in the data directory, as last counted.
    deletions: [u64; 2],
    /// When to look for rooms that have been empty for too long.
    look_for_empty: Instant,
    /// The last ticket given out.
    ticket: u64,
    /// The store and what it leaves to the next server, once nothing more is noted.
    saved: Option<(Store, Option<Vec<u8>>)>,
}

impl Storage {
    /// If it `is_durable`, chats are acknowledged once they are on the disk.
    pub(crate) fn new(is_durable: bool) -> Self {
        Self {
            unconfirmed: is_durable.then(Unconfirmed::default),
            is_failing: false,
            deletions: [0; 2],
            look_for_empty: Instant::START,
            ticket: 0,
            saved: None,
        }
    }

    /// Hands over what the store has been told in this turn, and logs when the disk begins or ceases to fail. Returns
    /// how far the writer has come, with the deletions since the last call.
    pub(crate) fn hand_over(&mut self, store: &mut Store) -> Progress {
        let batch = store.hand_over();
        let progress = store.progress();
        if mem::replace(&mut self.is_failing, progress.is_failing) != progress.is_failing {
            match store.fault().filter(|_| progress.is_failing) {
                Some(error) => {
                    tracing::error!(error, "cannot write to the disk: what is said may be lost");
                }
                None => tracing::info!(lost = progress.lost, "writing to the disk again"),
            }
        }
        if let Some(unconfirmed) = &mut self.unconfirmed {
            unconfirmed.hand_over(batch);
        }
        let before = mem::replace(&mut self.deletions, progress.deletions);
        let deletions = [0, 1].map(|kind| progress.deletions[kind] - before[kind]);
        Progress { deletions, ..progress }
    }

    /// Returns an acknowledgement that need not wait; keeps any other.
    pub(crate) fn owe(&mut self, owed: Owed) -> Option<Owed> {
        match &mut self.unconfirmed {
            Some(unconfirmed) => {
                unconfirmed.add(owed);
                None
            }
            None => Some(owed),
        }
    }

    /// Takes the acknowledgements whose chats are on the disk.
    pub(crate) fn take_confirmed(&mut self, committed: BatchNumber) -> Vec<Owed> {
        self.unconfirmed.as_mut().map(|unconfirmed| unconfirmed.take(committed)).unwrap_or_default()
    }

    /// Notes that a room is gone.
    pub(crate) fn room_closed(&mut self, room: RoomId) {
        if let Some(unconfirmed) = &mut self.unconfirmed {
            unconfirmed.close(room);
        }
    }

    /// Whether to look for rooms that have been empty for too long.
    pub(crate) fn looks_for_empty(&self, now: Instant) -> bool {
        now >= self.look_for_empty
    }

    /// Looks for more of them only after a while, `room_age` being what is too long.
    pub(crate) fn look_later(&mut self, now: Instant, room_age: Duration) {
        self.look_for_empty = now + room_age.clamp(EARLIEST_LOOK, LATEST_LOOK);
    }

    /// A number for something that is read from the disk.
    pub(crate) fn next_ticket(&mut self) -> u64 {
        self.ticket += 1;
        self.ticket
    }

    /// Keeps the store, into which nothing goes any more, with what is left to the next server.
    pub(crate) fn save(&mut self, store: Store, snapshot: Option<Vec<u8>>) {
        self.saved = Some((store, snapshot));
    }

    /// Ends the writing. Waits for the disk, no longer than `patience`.
    pub(crate) fn end(self, patience: Duration) {
        let Some((store, snapshot)) = self.saved else { return };
        if let Err(error) = store.stop(snapshot, patience) {
            tracing::error!(%error, "cannot leave everything to the next server");
        }
    }
}
