//! The list of rooms, in pages. A list shares with its predecessor every page that is equal in both.

use std::fmt;
use std::iter::Peekable;
use std::sync::Arc;

use chat_proto::{RoomEntry, RoomId};

/// The most rooms on a page. A change copies one page, and one reference to every other page, so this
/// is near the square root of a large number of rooms.
const PAGE: usize = 256;

/// All rooms at one time, in order of their ids. Cheap to clone.
///
/// A list never changes. Holding an old one keeps every room in it as it was then: rooms that have not
/// changed since are shared with the current list, and [`RoomList::memory`] bounds the rest.
#[derive(Clone, Default)]
pub struct RoomList(Arc<Pages>);

impl RoomList {
    /// The number of rooms.
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether there is no room.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The size of the list in bytes, without the rooms in it: small, however many rooms there are.
    pub fn size(&self) -> usize {
        size_of::<Pages>() + self.0.pages.len() * size_of::<Page>()
    }

    /// The most bytes of memory that dropping the list can free: those it uses if no other list shares
    /// its rooms. Takes constant time.
    pub fn memory(&self) -> usize {
        let pages = allocated(self.0.pages.capacity() * size_of::<Page>());
        allocated(ARC_COUNTS + size_of::<Pages>())
            + pages
            + self.0.pages.len() * allocated(ARC_COUNTS)
            + self.0.memory
    }

    /// The rooms, in order of their ids. `skip` passes over whole pages, and is far cheaper than visiting
    /// the rooms.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<RoomEntry>> {
        self.0.pages.iter().flat_map(|page| page.rooms.iter())
    }

    /// Removes the first `count` rooms, or all if there are fewer, and frees those that no other list
    /// shares. Clones of the list keep them.
    pub fn drop_first(&mut self, count: usize) {
        let count = count.min(self.len());
        let memory = self.iter().take(count).map(|room| entry_memory(room)).sum::<usize>();
        let own = Arc::make_mut(&mut self.0);
        own.len -= count;
        own.memory -= memory;
        let (mut pages, mut rest) = (0, count);
        while let Some(page) = own.pages.get(pages).filter(|page| page.rooms.len() <= rest) {
            pages += 1;
            rest -= page.rooms.len();
        }
        own.pages.drain(..pages);
        if rest > 0
            && let Some(first) = own.pages.first_mut()
        {
            first.rooms = first.rooms[rest..].into();
        }
    }

    /// The number of the newest room.
    pub(crate) fn newest(&self) -> Option<u64> {
        self.0.pages.last().map(|page| page.last)
    }

    /// Returns this list without the rooms `closed`, and with `changed` in place of their previous entries,
    /// or at the end. Both are in order of the ids, and the list contains all of `closed`.
    pub(crate) fn updated(
        &self,
        closed: impl IntoIterator<Item = RoomId>,
        changed: impl IntoIterator<Item = Arc<RoomEntry>>,
    ) -> Self {
        let mut closed = closed.into_iter().map(RoomId::number).peekable();
        let mut changed = changed.into_iter().peekable();
        let pages = Vec::with_capacity(self.0.pages.len() + 1);
        let mut updated = Pages { pages, len: 0, memory: 0 };
        let mut memory = self.0.memory;
        for page in &self.0.pages {
            let is_in_page = |room: u64| room <= page.last;
            if closed.peek().is_some_and(|&room| is_in_page(room))
                || changed.peek().is_some_and(|room| is_in_page(room.room_id))
            {
                updated.extend(page.updated(&mut closed, &mut changed, &mut memory));
            } else {
                updated.push(page.clone());
            }
        }
        while changed.peek().is_some() {
            let rooms = changed.by_ref().take(PAGE).inspect(|room| memory += entry_memory(room));
            updated.extend(Page::new(rooms));
        }
        updated.memory = memory;
        Self(Arc::new(updated))
    }

    /// # Panics
    /// When an invariant of the pages is violated.
    pub(crate) fn check_invariants(&self) {
        let sizes: Vec<_> = self.0.pages.iter().map(|page| page.rooms.len()).collect();
        assert!(sizes.iter().all(|size| (1..=PAGE).contains(size)), "{sizes:?}");
        assert!(sizes.windows(2).all(|pair| pair[0] + pair[1] > PAGE), "{sizes:?}");
        assert_eq!(sizes.iter().sum::<usize>(), self.len());
        assert_eq!(self.iter().map(|room| entry_memory(room)).sum::<usize>(), self.0.memory);
        assert!(self.iter().is_sorted_by(|a, b| a.room_id < b.room_id));
        for Page { last, rooms } in &self.0.pages {
            assert_eq!(rooms.last().map(|room| room.room_id), Some(*last));
        }
    }
}

impl PartialEq for RoomList {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for RoomList {}

impl fmt::Debug for RoomList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Makes a list of rooms that are in order of their ids.
impl FromIterator<Arc<RoomEntry>> for RoomList {
    fn from_iter<I: IntoIterator<Item = Arc<RoomEntry>>>(rooms: I) -> Self {
        Self::default().updated([], rooms)
    }
}

/// Pages in order of the ids. Any two neighbours hold more than [`PAGE`] rooms together: there are at
/// most twice as many pages as necessary, however many rooms have closed. (The first page may be smaller
/// after [`RoomList::drop_first`].)
#[derive(Clone, Default)]
struct Pages {
    pages: Vec<Page>,
    /// The number of rooms on all pages.
    len: usize,
    /// The sum of [`entry_memory`] over all rooms.
    memory: usize,
}

/// Bytes in front of the value in the allocation of an `Arc`.
const ARC_COUNTS: usize = 2 * size_of::<usize>();

/// Bytes of memory for a room and for the reference to it on its page.
fn entry_memory(room: &RoomEntry) -> usize {
    let names = room.members.iter().map(|name| allocated(name.capacity())).sum::<usize>();
    let members = allocated(room.members.capacity() * size_of::<String>()) + names;
    let entry = allocated(ARC_COUNTS + size_of::<RoomEntry>()) + allocated(room.title.capacity());
    entry + members + size_of::<Arc<RoomEntry>>()
}

/// Bytes that an allocator such as glibc's uses for an allocation: a header of 8 bytes, in steps of 16,
/// at least 32.
fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16).max(32) }
}

impl Pages {
    fn push(&mut self, page: Page) {
        self.len += page.rooms.len();
        match self.pages.last_mut() {
            Some(before) if before.rooms.len() + page.rooms.len() <= PAGE => {
                before.rooms = before.rooms.iter().chain(page.rooms.iter()).cloned().collect();
                before.last = page.last;
            }
            _ => self.pages.push(page),
        }
    }

    fn extend(&mut self, page: Option<Page>) {
        if let Some(page) = page {
            self.push(page);
        }
    }
}

#[derive(Clone)]
struct Page {
    /// The number of the last room, so that finding a room opens no page.
    last: u64,
    rooms: Arc<[Arc<RoomEntry>]>,
}

impl Page {
    /// Returns a page of these rooms, or `None` when there are none.
    fn new(rooms: impl Iterator<Item = Arc<RoomEntry>>) -> Option<Self> {
        let rooms: Arc<[_]> = rooms.collect();
        let last = rooms.last()?.room_id;
        Some(Self { last, rooms })
    }

    /// Updates one page, as [`RoomList::updated`] does the list. Takes the rooms of the page from `closed`
    /// and `changed`, and keeps `memory` the sum over all rooms.
    fn updated(
        &self,
        closed: &mut Peekable<impl Iterator<Item = u64>>,
        changed: &mut Peekable<impl Iterator<Item = Arc<RoomEntry>>>,
        memory: &mut usize,
    ) -> Option<Self> {
        Self::new(self.rooms.iter().filter_map(|room| {
            let number = room.room_id;
            if closed.next_if_eq(&number).is_some() {
                *memory -= entry_memory(room);
                return None;
            }
            let Some(new) = changed.next_if(|new| new.room_id == number) else {
                return Some(Arc::clone(room));
            };
            *memory = *memory - entry_memory(room) + entry_memory(&new);
            Some(new)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Arc<RoomEntry> {
        let title = chat_proto::Title::new("title").expect("a title");
        Arc::new(RoomEntry::new(ids([number])[0], &title, [], 0))
    }

    fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<RoomId> {
        numbers.into_iter().map(|number| RoomId::new(number).expect("above 0")).collect()
    }

    /// The number of pages that `list` shares with `other`.
    fn shared(list: &RoomList, other: &RoomList) -> usize {
        let is_in = |page: &&Page| other.0.pages.iter().any(|p| Arc::ptr_eq(&p.rooms, &page.rooms));
        list.0.pages.iter().filter(is_in).count()
    }

    #[test]
    fn s7_a_change_copies_one_page() {
        let list: RoomList = (1..=10_000).map(entry).collect();
        let pages = list.0.pages.len();
        assert_eq!(pages, 10_000_usize.div_ceil(PAGE));
        let changed = list.updated([], [entry(5_000)]);
        let closed = list.updated(ids([5_000]), []);
        let made = list.updated([], [entry(10_001)]);
        for list in [&changed, &closed, &made] {
            list.check_invariants();
        }
        assert_eq!([changed.len(), closed.len(), made.len()], [10_000, 9_999, 10_001]);
        for new in [changed, closed, made] {
            assert_eq!((new.0.pages.len(), shared(&new, &list)), (pages, pages - 1));
        }
    }

    #[test]
    fn s7_dropping_the_first_rooms_keeps_the_rest_and_frees_what_no_other_list_shares() {
        let list: RoomList = (1..=1_000).map(entry).collect();
        for step in [1, 100, PAGE, PAGE + 1, 999, 1_000, 2_000] {
            let mut rest: RoomList = (1..=1_000).map(entry).collect();
            let rooms: Vec<_> = rest.iter().map(Arc::downgrade).collect();
            let shared = list.clone();
            let mut other = shared.clone();
            let whole = rest.memory();
            for first in (0..1_000).step_by(step) {
                let kept = rooms.iter().filter(|room| room.strong_count() > 0).count();
                assert_eq!((kept, rest.len(), rest.iter().count()), (1_000 - first, kept, kept));
                assert_eq!(rest.0.memory, list.0.memory / 1_000 * kept);
                assert!(rest.memory() <= whole - list.0.memory / 1_000 * first);
                assert_eq!(rest, other);
                assert_eq!(rest, list.iter().skip(first).cloned().collect());
                rest.drop_first(step);
                other.drop_first(step);
            }
            assert!(rest.is_empty() && rest.0.memory == 0);
            assert_eq!(shared, list, "a clone stays as it is");
            shared.check_invariants();
        }
    }

    #[test]
    fn a_new_room_does_not_copy_a_full_page() {
        let list: RoomList = (1..=PAGE as u64).map(entry).collect();
        assert_eq!(shared(&list.updated([], [entry(1_000)]), &list), 1);
    }

    #[test]
    fn few_rooms_left_of_many_are_on_few_pages() {
        let list: RoomList = (1..=100_000).map(entry).collect();
        let few = list.updated(ids((1..=100_000).filter(|n| n % 200 != 0)), []);
        few.check_invariants();
        assert_eq!((few.len(), few.0.pages.len()), (500, 2));
        assert!(few.iter().map(|room| room.room_id).eq((1..=500).map(|n| n * 200)));
        assert_eq!(list.len(), 100_000);
    }
}
