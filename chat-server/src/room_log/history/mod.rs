//! What was said in the rooms, kept for those who come back, and for newcomers.
//!
//! Each broadcast is copied once, into [`segments`] that all rooms share; a [`room`] knows where its own are. Copies are
//! compact and in one form, whereas the chunks of a room's log are sized for writing, and exist once per framing.
//! [`giving_up`] keeps the limits.

mod giving_up;
mod room;
mod segments;

use chat_core::{Name, RoomId};
use chat_proto::extended::{Event, HistorySpace, Since};
use rustc_hash::FxHashMap;

use self::room::History;
pub(crate) use self::room::Part;
use self::segments::{Record, Segments};
use super::store::Store;

/// The histories of all rooms.
#[derive(Debug)]
pub(crate) struct Histories {
    rooms: FxHashMap<RoomId, History>,
    log: Segments,
    /// Bytes of the records in the log that are kept.
    kept: usize,
    /// Memory of what the rooms know of them, in bytes.
    places: usize,
    /// The most bytes of one room's records, and the most memory of all together, in bytes.
    most_of_room: usize,
    most: usize,
    /// Memory given up for the sake of connections, in bytes. `memory + lent <= most`, whenever something is added.
    lent: usize,
    /// The most memory while some is lent: what was left. Otherwise what is said would be lent again and again.
    left: usize,
    given_up: GivenUp,
    /// Where all of it is written, if it is.
    store: Option<Box<Store>>,
}

/// What has been given up since this was last asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct GivenUp {
    /// Runs of broadcasts, because of the limit on one room.
    pub(crate) of_room: u64,
    /// Segments, because of the limit on all.
    pub(crate) of_all: u64,
}

impl Histories {
    /// Rooms that there may be memory for, no matter how few there are.
    const FEW: usize = 256;

    /// Keeps `most_of_room` bytes of each room, and `most` of all.
    pub(crate) fn new(most_of_room: usize, most: usize) -> Self {
        Self {
            rooms: FxHashMap::default(),
            log: Segments::new(most_of_room, most),
            kept: 0,
            places: 0,
            most_of_room,
            most,
            lent: 0,
            left: most,
            given_up: GivenUp::default(),
            store: None,
        }
    }

    /// Writes everything to `store` from now on. `rooms` are those in it, with their last numbers.
    pub(crate) fn set_store(
        &mut self,
        store: Store,
        rooms: impl IntoIterator<Item = (RoomId, u64)>,
    ) {
        self.store = Some(Box::new(store));
        self.rooms.extend(rooms.into_iter().map(|(room, last)| (room, History::up_to(last))));
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
        self.log.memory() + self.places
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
        let record = Record { room, event: Event { seq, at, payload } };
        if !self.add_to_room(&record) {
            self.add_slowly(&record);
        }
    }

    /// Adds a broadcast to its room, unless it begins a history or a segment.
    #[inline(always)]
    fn add_to_room(&mut self, record: &Record<'_>) -> bool {
        let Record { room, event } = *record;
        let Some(history) = self.rooms.get_mut(&room).filter(|room| room.last() + 1 == event.seq)
        else {
            return false;
        };
        let (kept, places) = (history.kept(), history.memory());
        if !history.add(&mut self.log, record) {
            return false;
        }
        self.kept += history.kept() - kept;
        self.places += history.memory() - places;
        if history.kept() > self.most_of_room || history.memory() > places {
            self.keep_limits(room);
        }
        true
    }

    /// Forgets a room.
    pub(crate) fn close(&mut self, room: RoomId, at: u64) {
        if let Some(store) = &mut self.store {
            store.room_closed(room, at);
        }
        self.forget(room);
        self.rooms.remove(&room);
        if self.rooms.capacity() > Self::FEW.max(4 * self.rooms.len()) {
            self.rooms.shrink_to(2 * self.rooms.len());
        }
    }

    /// The number of the last broadcast of a room; 0 before the first.
    pub(crate) fn last(&self, room: RoomId) -> u64 {
        self.rooms.get(&room).map_or(0, History::last)
    }

    /// The number of the first broadcast of a room that is kept here; without any, that of the next.
    #[cfg(feature = "store")]
    pub(super) fn first(&self, room: RoomId) -> u64 {
        self.rooms.get(&room).map_or(1, History::first)
    }

    /// The last chats of a room, in order: at most `limit`, as far as they fit one message.
    pub(crate) fn last_chats(&self, room: RoomId, limit: usize) -> Vec<Event<'_>> {
        /// Broadcasts that are looked through.
        const MOST: usize = 4_096;
        let (mut chats, mut space): (Vec<Event<'_>>, _) = (Vec::new(), HistorySpace::new(limit));
        let Some(history) = self.rooms.get(&room) else { return chats };
        let latest = (history.first()..=history.last()).rev().take(MOST);
        let events = latest.map(|seq| history.event(&self.log, seq));
        chats.extend(events.filter(Event::is_chat).take_while(|chat| space.take(chat)));
        chats.reverse();
        chats
    }

    /// The part of a room's history that was asked for, as far as it fits one message: at most `limit` broadcasts.
    pub(crate) fn part(&self, room: RoomId, since: Since, limit: usize) -> Part<'_> {
        self.rooms.get(&room).map_or(Part::EMPTY, |history| history.part(&self.log, since, limit))
    }
}

#[cfg(test)]
impl Histories {
    /// The most bytes that are kept of a room, and the memory of all, counted from scratch.
    pub(crate) fn count(&self) -> (usize, usize) {
        let of_rooms = self.rooms.values().map(History::kept);
        assert_eq!(of_rooms.clone().sum::<usize>(), self.kept, "bytes that are kept");
        let places: usize = self.rooms.values().map(History::memory).sum();
        let records: usize = self.rooms.values().map(History::count).sum();
        assert_eq!(self.log.count_kept(), records, "records that are kept");
        (of_rooms.max().unwrap_or(0), self.log.count_memory() + places)
    }
}

#[cfg(test)]
mod tests;
