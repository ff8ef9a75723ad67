//! What was said in the rooms, kept for those who come back, and for newcomers.
//!
//! Each broadcast is copied once, into the last block of its room; a block is what is given up at once. Copies are
//! compact and in one form, whereas the chunks of a log are sized for writing, and exist once per framing.

mod block;

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

use chat_core::{Name, RoomId};
use chat_proto::extended::{Event, HistoryHead, Since};
use rustc_hash::FxHashMap;

use self::block::Block;
use super::store::Store;

/// The histories of all rooms.
#[derive(Debug)]
pub(crate) struct Histories {
    rooms: FxHashMap<RoomId, History>,
    /// The rooms of the blocks, in order of their beginnings, and the numbers that these begin with. Some are gone.
    order: VecDeque<(RoomId, u64)>,
    blocks: usize,
    /// Memory of all blocks, in bytes.
    memory: usize,
    /// The most memory of one room, and of all together, in bytes.
    most_of_room: usize,
    most: usize,
    /// Memory given up for the sake of connections, in bytes. `memory + lent <= most`, whenever something is added.
    lent: usize,
    given_up: GivenUp,
    /// Where all of it is written, if it is.
    store: Option<Box<Store>>,
}

/// Blocks given up since this was last asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct GivenUp {
    /// Because of the limit on one room.
    pub(crate) of_room: u64,
    /// Because of the limit on all.
    pub(crate) of_all: u64,
}

/// The last broadcasts of a room.
#[derive(Debug, Default)]
struct History {
    blocks: VecDeque<Block>,
    memory: usize,
    /// The number of the last broadcast, kept or not.
    last: u64,
}

/// A part of a history, to be sent.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    history: Option<&'a History>,
    range: Range<u64>,
    /// As [`HistoryHead`] says.
    pub(crate) more: bool,
    /// As [`HistoryHead`] says.
    pub(crate) gap: bool,
}

impl History {
    /// The number of the first broadcast that is kept; without any, that of the next.
    fn first(&self) -> u64 {
        self.blocks.front().map_or(self.last + 1, |block| block.first)
    }

    /// The block that the next broadcast belongs to, unless it begins one.
    #[inline]
    fn open_block(&mut self, seq: u64) -> Option<&mut Block> {
        self.blocks.back_mut().filter(|block| block.end() == seq)
    }

    /// Makes room for the next broadcast in the last block, unless that is full.
    fn grow(&mut self, seq: u64, payload: &[u8], full: usize) -> bool {
        let Some(block) = self.open_block(seq) else { return false };
        let before = block.memory();
        let has_grown = block.grow(payload, full);
        let added = block.memory() - before;
        self.memory += added;
        has_grown
    }

    /// Begins a block with room for a broadcast, in the memory of the oldest if that has to go. Returns how many have
    /// gone.
    fn begin_block(&mut self, seq: u64, payload: &[u8], full: usize, most: usize) -> usize {
        let mut block = Block::new(seq);
        let (mut bytes, mut events) = (payload.len(), 1);
        if let Some(done) = self.blocks.back_mut() {
            self.memory -= done.memory();
            done.shrink();
            self.memory += done.memory();
            // Much is said in this room.
            (bytes, events) = (bytes.max(full), done.events.capacity());
        }
        let mut gone = 0;
        while self.memory + block.memory().max(bytes) > most
            && !fault!(EndlessHistory)
            && let Some(oldest) = self.blocks.pop_front()
        {
            self.memory -= oldest.memory();
            gone += 1;
            block = oldest.recycle(seq, full);
        }
        block.bytes.reserve_exact(bytes);
        block.events.reserve_exact(events);
        self.memory += block.memory();
        self.blocks.push_back(block);
        gone
    }

    /// Gives up the oldest blocks until what is left takes at most so many bytes. Returns how many.
    fn trim(&mut self, most: usize) -> usize {
        let mut gone = 0;
        while self.memory > most
            && !fault!(EndlessHistory)
            && let Some(oldest) = self.blocks.pop_front()
        {
            self.memory -= oldest.memory();
            gone += 1;
        }
        gone
    }

    fn event(&self, seq: u64) -> Event<'_> {
        let index = self.blocks.partition_point(|block| block.end() <= seq);
        self.blocks[index].event(seq)
    }

    fn fits_message(&self, seq: u64) -> bool {
        self.event(seq).space() <= HistoryHead::SPACE
    }

    /// As many broadcasts from `from` on as fit one message, at most `limit`.
    fn after(&self, from: u64, limit: usize) -> Part<'_> {
        let (wanted, next) = (from, self.last + 1);
        let mut from = from.max(self.first()).min(next);
        // What fits no message is a gap.
        while from < next && !self.fits_message(from) {
            from += 1;
        }
        let (mut end, mut space) = (from, HistoryHead::SPACE);
        while end < next && ((end - from) as usize) < limit {
            let Some(left) = space.checked_sub(self.event(end).space()) else { break };
            space = left;
            end += 1;
        }
        Part { history: Some(self), range: from..end, more: end < next, gap: wanted < from }
    }

    /// As many broadcasts before `end` as fit one message, at most `limit`.
    fn before(&self, end: u64, limit: usize) -> Part<'_> {
        let first = self.first();
        let wanted = end.min(self.last + 1);
        let mut end = wanted.max(first);
        while end > first && !self.fits_message(end - 1) {
            end -= 1;
        }
        let (mut from, mut space) = (end, HistoryHead::SPACE);
        while from > first && ((end - from) as usize) < limit {
            let Some(left) = space.checked_sub(self.event(from - 1).space()) else { break };
            space = left;
            from -= 1;
        }
        let is_all = limit == 0 || from == 1;
        let gap = end < wanted || (from == first && !is_all);
        Part { history: Some(self), range: from..end, more: from > first, gap }
    }
}

impl Part<'_> {
    /// The number of the first broadcast; without any, that of the next.
    pub(crate) fn from(&self) -> u64 {
        self.range.start
    }

    /// The number after the last broadcast.
    pub(super) fn end(&self) -> u64 {
        self.range.end
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = Event<'_>> {
        let events = self.history.map(|history| self.range.clone().map(|seq| history.event(seq)));
        events.into_iter().flatten()
    }
}

impl Histories {
    /// Entries of gone blocks that `order` may keep, no matter how few blocks there are.
    const FEW: usize = 256;

    /// Keeps `most_of_room` bytes of each room, and `most` of all.
    pub(crate) fn new(most_of_room: usize, most: usize) -> Self {
        let (rooms, order) = (FxHashMap::default(), VecDeque::new());
        let given_up = GivenUp::default();
        let store = None;
        Self { rooms, order, blocks: 0, memory: 0, most_of_room, most, lent: 0, given_up, store }
    }

    /// Writes everything to `store` from now on. `rooms` are those in it, with their last numbers.
    pub(crate) fn set_store(
        &mut self,
        store: Store,
        rooms: impl IntoIterator<Item = (RoomId, u64)>,
    ) {
        self.store = Some(Box::new(store));
        let history = |last| History { last, ..History::default() };
        self.rooms.extend(rooms.into_iter().map(|(room, last)| (room, history(last))));
    }

    /// Where everything is written.
    pub(crate) fn store(&self) -> Option<&Store> {
        self.store.as_deref()
    }

    pub(crate) fn store_mut(&mut self) -> Option<&mut Store> {
        self.store.as_deref_mut()
    }

    /// Takes the store, into which nothing goes any more.
    pub(crate) fn take_store(&mut self) -> Option<Store> {
        self.store.take().map(|store| *store)
    }

    /// Memory of what is kept, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    /// Adds a broadcast, the next one of its room, with who said it.
    #[inline]
    pub(crate) fn add(
        &mut self,
        room: RoomId,
        seq: u64,
        at: u64,
        member: Option<&Name>,
        payload: &[u8],
    ) {
        if let Some(store) = &mut self.store {
            store.event(room, seq, at, member, payload);
        }
        if let Some(history) = self.rooms.get_mut(&room)
            && let Some(block) = history.open_block(seq)
            && block.add(at, payload)
        {
            history.last = seq;
        } else {
            self.make_room(room, seq, payload);
            let block = self.rooms.get_mut(&room).and_then(|history| history.open_block(seq));
            // Without a block, it is more than is kept.
            block.map(|block| block.add(at, payload));
        }
    }

    /// Makes room for the next broadcast of a room, and gives up what exceeds the limits with it.
    fn make_room(&mut self, room: RoomId, seq: u64, payload: &[u8]) {
        let history = self.rooms.entry(room).or_default();
        history.last = seq;
        let (before, full) = (history.memory, self.most_of_room / Block::OF_ROOM);
        let mut gone = 0;
        if !history.grow(seq, payload, full) {
            gone = history.begin_block(seq, payload, full, self.most_of_room);
            self.blocks += 1;
            self.order.push_back((room, seq));
        }
        gone += history.trim(self.most_of_room);
        self.blocks -= gone;
        self.given_up.of_room += gone as u64;
        self.memory = self.memory - before + history.memory;
        let most = self.most.saturating_sub(self.lent);
        if self.memory > most {
            self.give_up(self.memory - most);
        }
        if self.order.len() > 2 * self.blocks + Self::FEW {
            self.forget_gone_blocks();
        }
    }

    #[cold]
    fn forget_gone_blocks(&mut self) {
        let rooms = &self.rooms;
        let is_kept = |(room, first): &(RoomId, u64)| {
            rooms.get(room).is_some_and(|history| history.first() <= *first)
        };
        self.order.retain(is_kept);
        self.order.shrink_to(2 * self.order.len());
    }

    /// Gives up at least so many bytes, the oldest first; all if there are fewer.
    pub(crate) fn give_up(&mut self, bytes: usize) {
        let enough = self.memory.saturating_sub(bytes);
        while self.memory > enough
            && let Some((room, first)) = self.order.pop_front()
        {
            let Some(history) = self.rooms.get_mut(&room) else { continue };
            if history.first() == first
                && let Some(oldest) = history.blocks.pop_front()
            {
                history.memory -= oldest.memory();
                self.memory -= oldest.memory();
                self.blocks -= 1;
                self.given_up.of_all += 1;
            }
        }
    }

    /// Gives up at least so many bytes, or all that is kept, which count as lent until they are asked back.
    pub(crate) fn lend(&mut self, bytes: usize) {
        let before = self.memory;
        self.give_up(bytes);
        self.lent += before - self.memory;
    }

    /// Asks back what was lent beyond so many bytes.
    pub(crate) fn ask_back(&mut self, lent: usize) {
        self.lent = self.lent.min(lent);
    }

    /// Bytes that are lent.
    pub(crate) fn lent(&self) -> usize {
        self.lent
    }

    /// Returns how many blocks have been given up since the last call.
    pub(crate) fn take_given_up(&mut self) -> GivenUp {
        mem::take(&mut self.given_up)
    }

    /// Forgets a room.
    pub(crate) fn close(&mut self, room: RoomId, at: u64) {
        if let Some(store) = &mut self.store {
            store.room_closed(room, at);
        }
        let Some(history) = self.rooms.remove(&room) else { return };
        self.memory -= history.memory;
        self.blocks -= history.blocks.len();
        if self.rooms.capacity() > Self::FEW.max(4 * self.rooms.len()) {
            self.rooms.shrink_to(2 * self.rooms.len());
        }
    }

    /// The number of the last broadcast of a room; 0 before the first.
    pub(crate) fn last(&self, room: RoomId) -> u64 {
        self.rooms.get(&room).map_or(0, |history| history.last)
    }

    /// The number of the first broadcast of a room that is kept here; without any, that of the next.
    pub(super) fn first(&self, room: RoomId) -> u64 {
        self.rooms.get(&room).map_or(1, History::first)
    }

    /// The last chats of a room, in order: at most `limit`, as far as they fit one message.
    pub(crate) fn last_chats(&self, room: RoomId, limit: usize) -> Vec<Event<'_>> {
        /// Broadcasts that are looked through.
        const MOST: usize = 4_096;
        let (mut chats, mut space) = (Vec::new(), HistoryHead::SPACE);
        let Some(history) = self.rooms.get(&room) else { return chats };
        let events =
            (history.first()..=history.last).rev().take(MOST).map(|seq| history.event(seq));
        for chat in events.filter(Event::is_chat).take(limit) {
            let Some(left) = space.checked_sub(chat.space()) else { break };
            space = left;
            chats.push(chat);
        }
        chats.reverse();
        chats
    }

    /// The part of a room's history that was asked for, as far as it fits one message: at most `limit` broadcasts.
    pub(crate) fn part(&self, room: RoomId, since: Since, limit: usize) -> Part<'_> {
        let Some(history) = self.rooms.get(&room) else {
            return Part { history: None, range: 1..1, more: false, gap: false };
        };
        match since {
            Since::After(seq) => history.after(seq.saturating_add(1), limit),
            Since::Before(seq) => history.before(seq, limit),
            Since::Last(n) => history.before(u64::MAX, limit.min(n)),
        }
    }
}

#[cfg(test)]
impl Histories {
    /// Memory of each room's blocks, counted from scratch.
    pub(crate) fn count_memory(&self) -> impl Iterator<Item = usize> + '_ {
        self.rooms.values().map(|history| history.blocks.iter().map(Block::memory).sum())
    }
}

#[cfg(test)]
mod tests;
