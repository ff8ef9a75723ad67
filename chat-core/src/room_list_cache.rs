//! The most recent list of rooms, and the changes since.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use chat_proto::{RoomEntry, RoomId};

use crate::room_list::RoomList;

#[derive(Debug, Default)]
pub(crate) struct RoomListCache {
    list: RoomList,
    /// Rooms that are new or have changed since `list` was made.
    changed: BTreeSet<RoomId>,
    /// Rooms in `list` that have closed since.
    closed: BTreeSet<RoomId>,
}

impl RoomListCache {
    /// Notes that a room is new, or that its entry has changed.
    pub(crate) fn room_changed(&mut self, room: RoomId) {
        self.changed.insert(room);
    }

    /// Notes that a room has closed.
    pub(crate) fn room_closed(&mut self, room: RoomId) {
        self.changed.remove(&room);
        if self.list.newest() < Some(room.number()) {
            return; // It is newer than the list.
        }
        self.closed.insert(room);
        // Even if nobody asks for a list again, it must not hold the rooms of a crowd that has left.
        if self.closed.len() > self.list.len() / 2 {
            self.list = self.list.updated(mem::take(&mut self.closed), []);
        }
    }

    /// Returns the current list. Calls `entry` only for rooms that have changed.
    pub(crate) fn list(&mut self, entry: impl Fn(RoomId) -> Option<RoomEntry>) -> RoomList {
        if !self.changed.is_empty() || !self.closed.is_empty() {
            let (closed, changed) = (mem::take(&mut self.closed), mem::take(&mut self.changed));
            let changed = changed.into_iter().filter_map(entry).map(Arc::new);
            self.list = self.list.updated(closed, changed);
        }
        self.list.clone()
    }

    /// # Panics
    /// When the list and the changes since do not add up to `rooms`.
    pub(crate) fn check_invariants(&self, rooms: impl Iterator<Item = RoomId>) {
        self.list.check_invariants();
        let listed: BTreeSet<_> = self.list.iter().map(|room| room.room_id).collect();
        let is_unlisted = |room: &RoomId| !listed.contains(&room.number());
        assert!(!self.closed.iter().any(is_unlisted), "a closed room is not in the list");
        let mut rooms: BTreeSet<_> = rooms.collect();
        assert!(self.changed.is_subset(&rooms), "a changed room does not exist");
        rooms.retain(is_unlisted);
        assert!(rooms.is_subset(&self.changed), "a new room is not marked as changed");
        assert!(self.closed.len() * 2 <= self.list.len(), "more than half of the list has closed");
    }
}
