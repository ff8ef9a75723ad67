//! The list of rooms, in pages: a list shares with the one before it every page that is the same in
//! both.

use std::collections::BTreeSet;
use std::fmt;
use std::iter::Peekable;
use std::mem;
use std::sync::Arc;

use chat_proto::{RoomEntry, RoomId};

/// The most rooms of a page. What a change costs is one page and one reference for each page, so
/// this is near the square root of many rooms.
const PAGE: usize = 256;

/// All rooms at one time, in the order of their ids. Cheap to clone.
///
/// A list never changes. To hold an old one keeps every room in it as it was then: those that have
/// not changed since are shared, [`RoomList::memory`] bounds the others.
#[derive(Clone, Default)]
pub struct RoomList(Arc<Pages>);

impl RoomList {
    /// How many rooms there are.
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether there is no room.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the list itself, without the rooms in it: few, however many rooms there are.
    pub fn size(&self) -> usize {
        size_of::<Pages>() + self.0.pages.len() * size_of::<Page>()
    }

    /// Bytes of memory that the list keeps if no other list shares its rooms, at most. It is known, not
    /// summed up.
    pub fn memory(&self) -> usize {
        let pages = block(self.0.pages.capacity() * size_of::<Page>());
        block(COUNTS + size_of::<Pages>())
            + pages
            + self.0.pages.len() * block(COUNTS)
            + self.0.cost
    }

    /// The rooms, in the order of their ids. To `skip` many takes far less than to visit them: whole
    /// pages are skipped at once.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<RoomEntry>> {
        self.0.pages.iter().flat_map(|page| page.rooms.iter())
    }

    /// Drops the first `count` rooms, or all if there are fewer: this list keeps them no longer. Clones
    /// of it stay as they are.
    pub fn drop_first(&mut self, count: usize) {
        let count = count.min(self.len());
        let cost = self.iter().take(count).map(|room| cost(room)).sum::<usize>();
        let own = Arc::make_mut(&mut self.0);
        own.len -= count;
        own.cost -= cost;
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
    fn newest(&self) -> Option<u64> {
        self.0.pages.last().map(|page| page.last)
    }

    /// This list without the rooms `gone`, and with `fresh` in the place of what stood there of these
    /// rooms, or at the end. Both come in the order of the ids; all of `gone` are in the list.
    fn updated(
        &self,
        gone: impl IntoIterator<Item = RoomId>,
        fresh: impl IntoIterator<Item = Arc<RoomEntry>>,
    ) -> Self {
        let mut gone = gone.into_iter().map(RoomId::number).peekable();
        let mut fresh = fresh.into_iter().peekable();
        let pages = Vec::with_capacity(self.0.pages.len() + 1);
        let mut updated = Pages { pages, len: 0, cost: 0 };
        let mut sum = self.0.cost;
        for page in &self.0.pages {
            let is_in_page = |room: u64| room <= page.last;
            if gone.peek().is_some_and(|&room| is_in_page(room))
                || fresh.peek().is_some_and(|room| is_in_page(room.room_id))
            {
                updated.extend(page.updated(&mut gone, &mut fresh, &mut sum));
            } else {
                updated.push(page.clone());
            }
        }
        while fresh.peek().is_some() {
            let rooms = fresh.by_ref().take(PAGE).inspect(|room| sum += cost(room));
            updated.extend(Page::new(rooms));
        }
        updated.cost = sum;
        Self(Arc::new(updated))
    }

    /// # Panics
    /// When an invariant of the pages does not hold.
    fn check_invariants(&self) {
        let sizes: Vec<_> = self.0.pages.iter().map(|page| page.rooms.len()).collect();
        assert!(sizes.iter().all(|size| (1..=PAGE).contains(size)), "{sizes:?}");
        assert!(sizes.windows(2).all(|pair| pair[0] + pair[1] > PAGE), "{sizes:?}");
        assert_eq!(sizes.iter().sum::<usize>(), self.len());
        assert_eq!(self.iter().map(|room| cost(room)).sum::<usize>(), self.0.cost);
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

/// The rooms must come in the order of their ids.
impl FromIterator<Arc<RoomEntry>> for RoomList {
    fn from_iter<I: IntoIterator<Item = Arc<RoomEntry>>>(rooms: I) -> Self {
        Self::default().updated([], rooms)
    }
}

/// Pages in the order of the ids. Any two neighbours hold more than [`PAGE`] rooms together: there
/// are never more than twice as many pages as it takes, however many rooms have closed. (The first page
/// of a list of which rooms were dropped may be smaller.)
#[derive(Clone, Default)]
struct Pages {
    pages: Vec<Page>,
    /// Rooms of all pages.
    len: usize,
    /// What all of them [`cost`].
    cost: usize,
}

/// Bytes of the counts in front of what an `Arc` holds.
const COUNTS: usize = 2 * size_of::<usize>();

/// Bytes of memory for a room, and for its place in a page.
fn cost(room: &RoomEntry) -> usize {
    let names = room.members.iter().map(|name| block(name.capacity())).sum::<usize>();
    let members = block(room.members.capacity() * size_of::<String>()) + names;
    let entry = block(COUNTS + size_of::<RoomEntry>()) + block(room.title.capacity());
    entry + members + size_of::<Arc<RoomEntry>>()
}

/// Bytes that an allocator takes for so many: as glibc's does, with 8 for itself, in steps of 16 from
/// 32 on.
fn block(bytes: usize) -> usize {
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
    /// The number of the last of the rooms: to look for a room, no page is opened.
    last: u64,
    rooms: Arc<[Arc<RoomEntry>]>,
}

impl Page {
    /// A page of these rooms, unless there are none.
    fn new(rooms: impl Iterator<Item = Arc<RoomEntry>>) -> Option<Self> {
        let rooms: Arc<[_]> = rooms.collect();
        let last = rooms.last()?.room_id;
        Some(Self { last, rooms })
    }

    /// As [`RoomList::updated`]; of `gone` and `fresh` it takes what is about rooms of this page. By as
    /// much as they cost less than what stood there, or more, `sum` changes.
    fn updated(
        &self,
        gone: &mut Peekable<impl Iterator<Item = u64>>,
        fresh: &mut Peekable<impl Iterator<Item = Arc<RoomEntry>>>,
        sum: &mut usize,
    ) -> Option<Self> {
        Self::new(self.rooms.iter().filter_map(|room| {
            let number = room.room_id;
            if gone.next_if_eq(&number).is_some() {
                *sum -= cost(room);
                return None;
            }
            let Some(new) = fresh.next_if(|new| new.room_id == number) else {
                return Some(Arc::clone(room));
            };
            *sum = *sum - cost(room) + cost(&new);
            Some(new)
        }))
    }
}

/// The list as it was when somebody last asked for it, and what has changed since.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    list: RoomList,
    /// Rooms that are not in the list yet, or not as they are now.
    changed: BTreeSet<RoomId>,
    /// Rooms in the list that are no more.
    closed: BTreeSet<RoomId>,
}

impl Listing {
    /// A room is new, or something in its entry is.
    pub(crate) fn room_changed(&mut self, room: RoomId) {
        self.changed.insert(room);
    }

    /// A room is no more.
    pub(crate) fn room_closed(&mut self, room: RoomId) {
        self.changed.remove(&room);
        if self.list.newest() < Some(room.number()) {
            return; // It came after the list, and is not in it.
        }
        self.closed.insert(room);
        // If nobody asks any more, the list must not hold for ever what a crowd has left behind.
        if self.closed.len() > self.list.len() / 2 {
            self.list = self.list.updated(mem::take(&mut self.closed), []);
        }
    }

    /// The list as it is now. Only the entries of rooms that have changed are made.
    pub(crate) fn list(&mut self, entry: impl Fn(RoomId) -> Option<RoomEntry>) -> RoomList {
        if !self.changed.is_empty() || !self.closed.is_empty() {
            let (closed, changed) = (mem::take(&mut self.closed), mem::take(&mut self.changed));
            let fresh = changed.into_iter().filter_map(entry).map(Arc::new);
            self.list = self.list.updated(closed, fresh);
        }
        self.list.clone()
    }

    /// # Panics
    /// When the list and what has changed do not come to `rooms`.
    pub(crate) fn check_invariants(&self, rooms: impl Iterator<Item = RoomId>) {
        self.list.check_invariants();
        let listed: BTreeSet<_> = self.list.iter().map(|room| room.room_id).collect();
        let of_now = |room: &RoomId| !listed.contains(&room.number());
        assert!(!self.closed.iter().any(of_now), "a closed room was listed");
        let mut rooms: BTreeSet<_> = rooms.collect();
        assert!(self.changed.is_subset(&rooms), "a changed room is there");
        rooms.retain(of_now);
        assert!(rooms.is_subset(&self.changed), "a room that was not listed has changed");
        assert!(self.closed.len() * 2 <= self.list.len(), "half of the list is true");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Arc<RoomEntry> {
        let (title, members) = (String::new(), Vec::new());
        Arc::new(RoomEntry { room_id: number, title, members, member_count: 0 })
    }

    fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<RoomId> {
        numbers.into_iter().map(|number| RoomId::new(number).expect("above 0")).collect()
    }

    /// How many pages of `list` are those of `other`.
    fn shared(list: &RoomList, other: &RoomList) -> usize {
        let is_in = |page: &&Page| other.0.pages.iter().any(|p| Arc::ptr_eq(&p.rooms, &page.rooms));
        list.0.pages.iter().filter(is_in).count()
    }

    #[test]
    fn s7_a_change_makes_one_page_anew() {
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

    /// What one list keeps alone is given back with it, and with each room that it drops.
    #[test]
    fn s7_a_list_without_its_first_rooms_is_the_rest_and_keeps_no_more() {
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
                assert_eq!(rest.0.cost, list.0.cost / 1_000 * kept);
                assert!(rest.memory() <= whole - list.0.cost / 1_000 * first);
                assert_eq!(rest, other);
                assert_eq!(rest, list.iter().skip(first).cloned().collect());
                rest.drop_first(step);
                other.drop_first(step);
            }
            assert!(rest.is_empty() && rest.0.cost == 0);
            assert_eq!(shared, list, "a clone stays as it is");
            shared.check_invariants();
        }
    }

    #[test]
    fn a_full_page_is_not_made_anew_for_a_new_room() {
        let list: RoomList = (1..=PAGE as u64).map(entry).collect();
        assert_eq!(shared(&list.updated([], [entry(1_000)]), &list), 1);
    }

    #[test]
    fn of_many_rooms_a_few_are_left_in_few_pages() {
        let list: RoomList = (1..=100_000).map(entry).collect();
        let few = list.updated(ids((1..=100_000).filter(|n| n % 200 != 0)), []);
        few.check_invariants();
        assert_eq!((few.len(), few.0.pages.len()), (500, 2));
        assert!(few.iter().map(|room| room.room_id).eq((1..=500).map(|n| n * 200)));
        assert_eq!(list.len(), 100_000);
    }
}
