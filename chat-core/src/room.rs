//! A room: its members in the order they came in, and the number of its last broadcast.

use std::collections::BTreeMap;

use chat_proto::{Name, RoomEntry, RoomId, Title};

use crate::session::{Membership, SessionId};

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) title: Title,
    seq: u64,
    /// By place, so that a list shows them in the order they came in. Never empty between inputs.
    members: BTreeMap<u64, SessionId>,
    next_place: u64,
}

impl Room {
    pub(crate) fn new(id: RoomId, title: Title) -> Self {
        Self { id, title, seq: 0, members: BTreeMap::new(), next_place: 0 }
    }

    /// The number of the last broadcast; 0 before the first.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// The number of the next broadcast, which this call makes the last.
    pub(crate) fn advance_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    pub(crate) fn enter(&mut self, session: SessionId) -> Membership {
        let place = self.next_place;
        self.next_place += 1;
        self.members.insert(place, session);
        Membership { room: self.id, place }
    }

    pub(crate) fn leave(&mut self, place: u64) {
        self.members.remove(&place);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn member_count(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = SessionId> + '_ {
        self.members.values().copied()
    }

    pub(crate) fn member_at(&self, place: u64) -> Option<SessionId> {
        self.members.get(&place).copied()
    }

    /// How the room stands in a list.
    pub(crate) fn entry<'a>(&self, name_of: impl Fn(SessionId) -> &'a Name) -> RoomEntry {
        let names = self.members().map(name_of);
        RoomEntry::new(self.id, &self.title, names, self.member_count())
    }
}
