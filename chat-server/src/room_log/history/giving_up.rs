//! The limits of what is kept: the oldest of a room goes first, and the oldest of all.
//!
//! Memory is given up by the segment, the first one first. What rooms still keep of it moves to the end, so that one
//! room that says much takes nothing from those that say little. That costs no more copies than there are broadcasts,
//! as long as half of the memory is not kept.

use std::mem;

use chat_core::RoomId;
use rustc_hash::FxHashMap;

use super::room::History;
use super::segments::{Oldest, Record, Run};
use super::{GivenUp, Histories};

/// Segments that are moved at once, at most: as long as it takes to copy 256 KiB.
const MOVES: usize = 4;

impl Histories {
    /// Gives up what exceeds the limits since a room has grown.
    #[inline(never)]
    pub(super) fn keep_limits(&mut self, room: RoomId) {
        if self.rooms.get(&room).is_some_and(|history| history.kept() > self.most_of_room) {
            self.trim(room);
        }
        self.give_up(self.memory().saturating_sub(self.available()));
    }

    /// The most memory of all histories now, in bytes.
    fn available(&self) -> usize {
        self.left.min(self.most.saturating_sub(self.lent))
    }

    /// Gives up the oldest of a room, and a few more than its limit asks for, so that this is rare.
    fn trim(&mut self, room: RoomId) {
        let enough = self.most_of_room - self.most_of_room / 8;
        let runs =
            self.forget_while(room, |history| history.kept() > enough && !fault!(EndlessHistory));
        self.given_up.of_room += runs;
    }

    /// Adds a broadcast that begins a history, or a segment.
    #[cold]
    pub(super) fn add_slowly(&mut self, record: &Record<'_>) {
        let Record { room, event } = *record;
        let space = Record::space(event.payload);
        // Its first broadcast, or the first since the server was started.
        if self.last(room) + 1 != event.seq || !self.rooms.contains_key(&room) {
            self.forget_through(room, u64::MAX);
            self.rooms.insert(room, History::up_to(event.seq - 1));
        }
        if !self.log.has_room(space) {
            self.make_room(self.log.next_memory(space));
            if self.memory() + self.log.next_memory(space) > self.available() {
                // It is longer than all that may be kept.
                self.forget_through(room, u64::MAX);
                self.rooms.insert(room, History::up_to(event.seq));
                self.given_up.of_all += 1;
                return;
            }
            self.log.begin(space);
        }
        self.add_to_room(record);
    }

    /// Forgets what is kept of a room.
    pub(super) fn forget(&mut self, room: RoomId) {
        self.forget_through(room, u64::MAX);
        self.make_room(0);
    }

    /// Forgets what is kept of a room up to a number.
    fn forget_through(&mut self, room: RoomId, seq: u64) {
        self.forget_while(room, |history| history.first() <= seq);
    }

    /// Forgets the oldest runs of a room. Returns how many.
    fn forget_while(&mut self, room: RoomId, is_too_much: impl Fn(&History) -> bool) -> u64 {
        let Some(history) = self.rooms.get_mut(&room) else { return 0 };
        let (before, mut runs) = (history.memory(), 0);
        while is_too_much(history)
            && let Some(oldest) = history.pop()
        {
            self.kept -= oldest.space();
            self.log.release(oldest);
            runs += 1;
        }
        self.places = self.places - before + history.memory();
        runs
    }

    /// Makes room for `more` bytes of memory. Moves what is kept out of the first segments, if there is much memory beside
    /// that is not kept, or little left.
    fn make_room(&mut self, more: usize) {
        self.log.drop_released();
        let most = self.available();
        let few = MOVES * self.log.next_memory(0);
        let wanted = (2 * self.kept + few).min(most.saturating_sub(few));
        // When nearly all is kept, moving it makes no room.
        let most_moves = if self.kept <= most - most / 4 { MOVES } else { 0 };
        let mut moves = 0;
        while moves < most_moves && self.memory() + more > wanted && self.move_oldest() {
            self.log.drop_released();
            moves += 1;
        }
        self.give_up((self.memory() + more).saturating_sub(most));
    }

    /// Moves the runs of the first segment that are kept to the end. Returns whether there was a segment.
    fn move_oldest(&mut self) -> bool {
        let Some(oldest) = self.log.take_oldest() else { return false };
        for (start, record) in oldest.records() {
            if let Some(run) = kept_run(&mut self.rooms, &oldest, start, &record) {
                *run = self.log.add_moved(*run, &oldest);
            }
        }
        self.log.recycle(oldest.bytes);
        true
    }

    /// Gives up at least so many bytes, the oldest first; all if there are fewer.
    pub(crate) fn give_up(&mut self, bytes: usize) {
        let enough = self.memory().saturating_sub(bytes);
        while self.memory() > enough
            && let Some(oldest) = self.log.take_oldest()
        {
            let before = self.kept;
            for (start, record) in oldest.records() {
                if kept_run(&mut self.rooms, &oldest, start, &record).is_some() {
                    // What is kept has no holes.
                    self.forget_through(record.room, record.event.seq);
                }
            }
            self.given_up.of_all += u64::from(self.kept < before);
            self.log.drop_released();
        }
    }

    /// Gives up at least so many bytes, or all that is kept, which count as lent until they are asked back.
    pub(crate) fn lend(&mut self, bytes: usize) {
        let before = self.memory();
        self.give_up(bytes);
        self.left = self.memory();
        self.lent += before - self.left;
    }

    /// Asks back what was lent beyond so many bytes.
    pub(crate) fn ask_back(&mut self, lent: usize) {
        let returned = self.lent.saturating_sub(lent);
        self.lent -= returned;
        self.left = if self.lent == 0 { self.most } else { self.left + returned };
    }

    /// Bytes that are lent.
    pub(crate) fn lent(&self) -> usize {
        self.lent
    }

    /// Returns what has been given up since the last call.
    pub(crate) fn take_given_up(&mut self) -> GivenUp {
        mem::take(&mut self.given_up)
    }
}

/// The run that begins with this record of a segment that was taken out, if its room still keeps it.
fn kept_run<'a>(
    rooms: &'a mut FxHashMap<RoomId, History>,
    oldest: &Oldest,
    start: usize,
    record: &Record<'_>,
) -> Option<&'a mut Run> {
    let run = rooms.get_mut(&record.room)?.run_mut(record.event.seq)?;
    oldest.begins(*run, start).then_some(run)
}
