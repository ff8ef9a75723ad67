//! A room: its members in the order they came in, and the number of its last broadcast.

use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// How the room stands in a list, until something about it changes.
    listed: Option<Arc<RoomEntry>>,
}

impl Room {
    pub(crate) fn new(id: RoomId, title: Title) -> Self {
        Self { id, title, seq: 0, members: BTreeMap::new(), next_place: 0, listed: None }
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
        self.listed = None;
        Membership { room: self.id, place }
    }

    pub(crate) fn leave(&mut self, place: u64) {
        self.members.remove(&place);
        self.listed = None;
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

    /// To be called when a member has another name.
    pub(crate) fn forget_listing(&mut self) {
        self.listed = None;
    }

    /// How the room stands in a list, made again only after a change.
    pub(crate) fn listed<'a>(&mut self, name_of: impl Fn(SessionId) -> &'a Name) -> Arc<RoomEntry> {
        if let Some(listed) = &self.listed {
            return Arc::clone(listed);
        }
        let names = self.members.values().map(|&session| name_of(session));
        let entry = Arc::new(RoomEntry::new(self.id, &self.title, names, self.members.len()));
        self.listed = Some(Arc::clone(&entry));
        entry
    }
}
