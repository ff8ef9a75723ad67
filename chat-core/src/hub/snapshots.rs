//! The whole of a hub: as a snapshot, and as a hash.

use std::collections::HashSet;

use chat_proto::extended::Feature;

use super::Hub;
use crate::asking::{Asking, MAX_UNACKNOWLEDGED};
use crate::digest::Digest;
use crate::limits::HubLimits;
use crate::room::{Membership, Room, SavedRoom};
use crate::session::{Role, Session};
use crate::session_id::SessionId;
use crate::snapshot::{RestoreError, SavedSession, Snapshot, VERSION};

/// Beyond every number that a hub comes to, and far enough from the end of the integers to go on from there.
const MAX_NUMBER: u64 = 1 << 62;

/// What is hashed, so that equal numbers of different things have different hashes.
const HUB: u64 = 1;
const NAMES: u64 = 2;
const SESSION: u64 = 3;
const ROOM: u64 = 4;

/// The whole of it.
impl Hub {
    /// Everything that the hub knows, but for its limits.
    pub fn snapshot(&self) -> Snapshot {
        let session_of = |id: SessionId| {
            let session = self.sessions.get(&id)?;
            let Session { name, role, membership, claim: _ } = session;
            let asking = self.asking.get(&id).cloned();
            Some(SavedSession {
                id,
                name: name.clone(),
                role: *role,
                membership: *membership,
                asking,
            })
        };
        Snapshot {
            version: VERSION,
            next_session: self.next_session,
            next_room: self.next_room,
            reserved_names: self.names.reserved().clone(),
            rooms: self.rooms.values().map(Room::save).collect(),
            sessions: self.sessions().filter_map(session_of).collect(),
        }
    }

    /// A hub that goes on from a snapshot. All its sessions are without connections: the caller ends those that
    /// cannot be [resumed](Self::is_resumable), and the others when their time is over.
    ///
    /// Of the rooms without members, those beyond the limit are left out, beginning with the one that has been empty the
    /// longest; all are if rooms do not [last](HubLimits::lasting_rooms).
    ///
    /// # Errors
    /// The part of the snapshot that is not possible. A snapshot may come from a file that is damaged, or forged.
    pub fn restore(limits: HubLimits, snapshot: Snapshot) -> Result<Self, RestoreError> {
        let Snapshot { version, next_session, next_room, reserved_names, rooms, sessions } =
            snapshot;
        if version != VERSION {
            return Err(RestoreError::Version(version));
        }
        if next_session.number() == 0
            || next_session.number() > MAX_NUMBER
            || next_room.number() > MAX_NUMBER
        {
            return Err(RestoreError::NextIds);
        }
        let mut hub = Self { next_session, next_room, ..Self::new(limits) };
        hub.names.reserve(reserved_names);
        for room in rooms {
            hub.restore_room(room)?;
        }
        let mut numbers = HashSet::new();
        for session in sessions {
            let id = session.id;
            hub.restore_session(session, &mut numbers).ok_or(RestoreError::Session(id))?;
        }
        for room in hub.rooms.values() {
            if room.is_empty() != room.empty_since.is_some() {
                return Err(RestoreError::Room(room.id));
            }
        }
        hub.trim_empty_rooms()?;
        Ok(hub)
    }

    fn restore_room(&mut self, saved: SavedRoom) -> Result<(), RestoreError> {
        let id = saved.id;
        let is_next = self.rooms.last_key_value().is_none_or(|(last, _)| *last < id);
        let is_possible = is_next
            && id < self.next_room
            && saved.seq <= MAX_NUMBER
            && (saved.seq > 0 || !saved.was_talked_in);
        if !is_possible {
            return Err(RestoreError::Room(id));
        }
        self.empty_rooms.extend(saved.empty_since.map(|since| (since, id)));
        self.rooms.insert(id, Room::restore(saved));
        Ok(())
    }

    /// `None` if the session is not possible. `numbers` are those that the sessions before it began with.
    fn restore_session(&mut self, saved: SavedSession, numbers: &mut HashSet<u64>) -> Option<()> {
        let SavedSession { id, name, role, membership, asking } = saved;
        let number = asking.as_ref().map_or(id.number(), |asking| asking.number);
        let is_possible = (1..self.next_session.number()).contains(&number)
            && (1..self.next_session.number()).contains(&id.number())
            && !self.sessions.contains_key(&id)
            && numbers.insert(number);
        if !is_possible {
            return None;
        }
        let claim = self.names.claim_reserved(&name, id, number).ok()?;
        if let Some(membership @ Membership { room, .. }) = membership {
            self.rooms.get_mut(&room)?.restore_member(membership, id)?;
        }
        if let Some(asking) = asking {
            self.restore_asking(id, asking)?;
        }
        self.sessions.insert(id, Session { name, claim, role, membership });
        Some(())
    }

    fn restore_asking(&mut self, id: SessionId, asking: Asking) -> Option<()> {
        if asking.acknowledgements.len() > MAX_UNACKNOWLEDGED {
            return None;
        }
        if asking.previous.is_some() && asking.token.is_none() {
            return None;
        }
        for token in asking.tokens() {
            let is_new = self.tokens.insert(token, id).is_none();
            (is_new && asking.features.has(Feature::Resume)).then_some(())?;
        }
        self.asking.insert(id, asking);
        Some(())
    }

    fn trim_empty_rooms(&mut self) -> Result<(), RestoreError> {
        let HubLimits { rooms: limit, lasting_rooms } = self.limits;
        while !lasting_rooms || self.rooms.len() > limit {
            let Some((_, room)) = self.empty_rooms.pop_first() else { break };
            self.rooms.remove(&room);
        }
        if self.rooms.len() > limit { Err(RestoreError::TooManyRooms { limit }) } else { Ok(()) }
    }

    /// A hash of everything that the hub knows, but for its limits: the same for the same inputs, on every platform and
    /// in every version of this crate that has the same rules. Visits everything.
    pub fn hash(&self) -> u64 {
        // Sums do not depend on the order of the map.
        let sessions = self.sessions.iter().map(|(id, session)| self.hash_of_session(*id, session));
        let rooms = self.rooms.values().map(Room::hash);
        let names = self.names.reserved().names();
        let names = names.fold(Digest::new(NAMES), Digest::text);
        Digest::new(HUB)
            .number(self.next_session.number())
            .number(self.next_room.number())
            .number(names.value())
            .number(sessions.fold(0, u64::wrapping_add))
            .number(rooms.fold(0, u64::wrapping_add))
            .value()
    }

    fn hash_of_session(&self, id: SessionId, session: &Session) -> u64 {
        let Session { name, claim: _, role, membership } = session;
        let role = match role {
            Role::Guest => 0,
            Role::Operator => 1,
        };
        let digest = Digest::new(SESSION).number(id.number()).text(name.as_str()).number(role);
        let digest = digest
            .maybe(membership.map(|membership| membership.room.number()))
            .maybe(membership.map(|membership| membership.arrival));
        match self.asking.get(&id) {
            Some(asking) => asking.hash_into(digest.number(1)).value(),
            None => digest.number(0).value(),
        }
    }
}

impl Room {
    fn hash(&self) -> u64 {
        let SavedRoom { id, title, seq, was_talked_in, empty_since } = self.save();
        Digest::new(ROOM)
            .number(id.number())
            .text(title.as_str())
            .number(seq)
            .number(was_talked_in.into())
            .maybe(empty_since)
            .value()
    }
}
