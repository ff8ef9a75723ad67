//! A room: its members in order of arrival, and the number of its last broadcast.

use std::collections::BTreeMap;

use chat_proto::{Name, Notice, RoomEntry, RoomId, Title};
use serde::{Deserialize, Serialize};

use crate::output::{Output, RoomEvent};
use crate::session_id::SessionId;

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) title: Title,
    seq: u64,
    /// Keyed by arrival, so that lists show them in that order.
    members: BTreeMap<u64, SessionId>,
    /// Whether a member has said something. If rooms last, such a one does.
    pub(crate) was_talked_in: bool,
    /// When the last member left, in ms since 1970; `None` while there are members.
    pub(crate) empty_since: Option<u64>,
}

/// The room a session is in, and the key of the session there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Membership {
    pub(crate) room: RoomId,
    /// The number of the broadcast that tells the others of its arrival; 0 if it created the room.
    pub(crate) arrival: u64,
}

/// A room without its members, as it is in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SavedRoom {
    pub(crate) id: RoomId,
    pub(crate) title: Title,
    pub(crate) seq: u64,
    pub(crate) was_talked_in: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) empty_since: Option<u64>,
}

impl Room {
    pub(crate) fn new(id: RoomId, title: Title) -> Self {
        let members = BTreeMap::new();
        Self { id, title, seq: 0, members, was_talked_in: false, empty_since: None }
    }

    /// A room without members, whoever they will be.
    pub(crate) fn restore(saved: SavedRoom) -> Self {
        let SavedRoom { id, title, seq, was_talked_in, empty_since } = saved;
        Self { id, title, seq, members: BTreeMap::new(), was_talked_in, empty_since }
    }

    /// The room without its members, which know their places.
    pub(crate) fn save(&self) -> SavedRoom {
        let Self { id, seq, was_talked_in, empty_since, .. } = *self;
        SavedRoom { id, title: self.title.clone(), seq, was_talked_in, empty_since }
    }

    /// The number of the last broadcast; 0 before the first.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// Numbers the next broadcast, which happens at `at`.
    pub(crate) fn broadcast(
        &mut self,
        at: u64,
        except: Option<SessionId>,
        event: RoomEvent,
    ) -> Output {
        self.seq += 1;
        Output::Broadcast { room: self.id, seq: self.seq, at, except, event }
    }

    pub(crate) fn notify(&mut self, at: u64, except: Option<SessionId>, notice: Notice) -> Output {
        self.broadcast(at, except, RoomEvent::Notice(notice))
    }

    /// Admits a session, whose arrival is told by the broadcast with this number.
    pub(crate) fn enter(&mut self, session: SessionId, arrival: u64) -> Membership {
        self.members.insert(arrival, session);
        Membership { room: self.id, arrival }
    }

    /// Puts a session in its place; `None` if that cannot be its place.
    pub(crate) fn restore_member(&mut self, place: Membership, session: SessionId) -> Option<()> {
        let is_free = self.members.insert(place.arrival, session).is_none();
        (is_free && place.arrival <= self.seq).then_some(())
    }

    pub(crate) fn leave(&mut self, membership: Membership) {
        self.members.remove(&membership.arrival);
    }

    /// Puts another session in the place of a member.
    pub(crate) fn replace(&mut self, membership: Membership, session: SessionId) {
        self.members.insert(membership.arrival, session);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn member_count(&self) -> usize {
        self.members.len()
    }

    /// The members, in order of arrival.
    pub(crate) fn members(&self) -> impl Iterator<Item = SessionId> + '_ {
        self.members.values().copied()
    }

    /// The members whose arrivals have this number or a higher one, with these numbers.
    pub(crate) fn members_from(&self, arrival: u64) -> impl Iterator<Item = (u64, SessionId)> + '_ {
        self.members.range(arrival..).map(|(arrival, id)| (*arrival, *id))
    }

    pub(crate) fn member(&self, membership: Membership) -> Option<SessionId> {
        self.members.get(&membership.arrival).copied()
    }

    /// The room as it appears in a list.
    pub(crate) fn entry<'a>(
        &'a self,
        name_of: impl Fn(SessionId) -> &'a Name,
    ) -> RoomEntry<&'a str> {
        let names = self.members().map(name_of);
        RoomEntry::new(self.id, &self.title, names, self.member_count())
    }
}
