//! Chats that are acknowledged once they are on the disk.

use std::collections::VecDeque;
use std::mem;

use chat_core::{RoomId, SessionId};
use chat_proto::extended::RequestId;
use rustc_hash::FxHashMap;

use crate::room_log::BatchNumber;

/// An acknowledgement that is owed.
#[derive(Debug)]
pub(crate) struct Owed {
    pub(crate) to: SessionId,
    pub(crate) re: RequestId,
    pub(crate) room: RoomId,
    pub(crate) seq: u64,
    /// In ms since 1970.
    pub(crate) at: u64,
}

/// Acknowledgements that are owed, in order.
#[derive(Debug, Default)]
pub(super) struct Unconfirmed {
    /// Of this turn.
    new: Vec<Owed>,
    /// Of earlier turns, with what each waits for.
    waiting: VecDeque<(BatchNumber, Vec<Owed>)>,
    /// The first and the last of the chats of each room that the disk did not take. They are never acknowledged.
    lost: FxHashMap<RoomId, (u64, u64)>,
}

impl Unconfirmed {
    pub(super) fn add(&mut self, owed: Owed) {
        let is_lost = |(first, last): &(u64, u64)| (*first..=*last).contains(&owed.seq);
        if !self.lost.get(&owed.room).is_some_and(is_lost) {
            self.new.push(owed);
        }
    }

    /// Makes the acknowledgements of this turn wait for a batch. Without a batch, their chats are lost.
    pub(super) fn hand_over(&mut self, batch: Option<BatchNumber>) {
        if self.new.is_empty() {
            return;
        }
        let new = mem::take(&mut self.new);
        match batch {
            Some(batch) => self.waiting.push_back((batch, new)),
            None => {
                for Owed { room, seq, .. } in new {
                    let (first, last) = self.lost.entry(room).or_insert((seq, seq));
                    (*first, *last) = ((*first).min(seq), (*last).max(seq));
                }
            }
        }
    }

    /// Takes those whose chats are on the disk.
    pub(super) fn take(&mut self, committed: BatchNumber) -> Vec<Owed> {
        let due = self.waiting.partition_point(|(batch, _)| *batch <= committed);
        self.waiting.drain(..due).flat_map(|(_, owed)| owed).collect()
    }

    /// Forgets a room.
    pub(super) fn close(&mut self, room: RoomId) {
        self.lost.remove(&room);
    }
}
