//! The state machine, with every rule about sessions, names and rooms.
//!
//! Everything that happens enters by [`Hub::apply`]. The other files carry it out: `commands` what any session may do,
//! `hello` and `requests` what those may whose clients said hello; `snapshots` saves and hashes the result.

mod commands;
mod hello;
mod invariants;
mod requests;
mod snapshots;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use chat_proto::extended::ResumeToken;
use chat_proto::{Name, Notice, OperatorText, RoomEntry, RoomId, Title};
use rustc_hash::FxHashMap;

use crate::asking::Asking;
use crate::input::Input;
use crate::limits::HubLimits;
use crate::names::NameRegistry;
use crate::output::Output;
use crate::room::Room;
use crate::session::{Role, Session};
use crate::session_id::SessionId;
use crate::shrink;

/// All sessions, names and rooms of one chat.
#[derive(Debug)]
pub struct Hub {
    limits: HubLimits,
    // Only the hub chooses session and room ids, so nobody can flood these maps with collisions.
    sessions: FxHashMap<SessionId, Session>,
    /// In order of their ids, so that a list can continue after any of them.
    rooms: BTreeMap<RoomId, Room>,
    /// The rooms without members, with the times at which the last one left.
    empty_rooms: BTreeSet<(u64, RoomId)>,
    names: NameRegistry,
    /// What is known of sessions whose clients said hello.
    asking: FxHashMap<SessionId, Asking>,
    /// The sessions that can be taken over, by their secrets, which nobody can choose.
    tokens: FxHashMap<ResumeToken, SessionId>,
    next_session: SessionId,
    next_room: RoomId,
}

impl Hub {
    /// Returns a hub without sessions or rooms, which reserves the names of [`ReservedNames::default`].
    ///
    /// [`ReservedNames::default`]: crate::ReservedNames#impl-Default-for-ReservedNames
    pub fn new(limits: HubLimits) -> Self {
        Self {
            limits,
            sessions: FxHashMap::default(),
            rooms: BTreeMap::new(),
            empty_rooms: BTreeSet::new(),
            names: NameRegistry::default(),
            asking: FxHashMap::default(),
            tokens: FxHashMap::default(),
            next_session: SessionId(1),
            next_room: RoomId::FIRST,
        }
    }

    /// Applies an input at `now` (ms since 1970), and appends its outputs to `outputs`: [`Input`] says which.
    // Always: a caller that knows which input it is moves no command into an input and out of it, which would take
    // some 30 instructions.
    #[inline(always)]
    pub fn apply(&mut self, now: u64, input: Input, outputs: &mut Vec<Output>) {
        match input {
            Input::Command { session, command } => self.command(now, session, command, outputs),
            Input::Request { session, request } => self.request(now, session, *request, outputs),
            Input::Connect { role } => self.connect(role, outputs),
            Input::Greet { session, features, token, resume } => {
                self.greet(session, features, token, resume, outputs);
            }
            Input::Detach { session } => self.detach(session, outputs),
            Input::Disconnect { session } => self.disconnect(now, session, outputs),
            Input::Announce { room, text } => self.announce(now, room, text, outputs),
            Input::AnnounceToAll { text } => {
                outputs.push(Output::NotifyAll { notice: Notice::Announcement { text } });
            }
            Input::ReserveNames { names } => self.names.reserve(names),
            Input::CloseRoom { room } => self.close_room(room, outputs),
        }
    }

    fn connect(&mut self, role: Role, outputs: &mut Vec<Output>) {
        let session = self.next_session;
        self.next_session = SessionId(session.number() + 1);
        let name = Name::default_for(session.number());
        self.sessions.insert(session, Session { name, claim: None, role, membership: None });
        outputs.push(Output::Connected { session });
    }

    fn disconnect(&mut self, now: u64, session: SessionId, outputs: &mut Vec<Output>) {
        let Some(ended) = shrink::remove(&mut self.sessions, &session) else { return };
        if let Some(asking) = shrink::remove(&mut self.asking, &session) {
            self.forget_tokens(asking.tokens());
        }
        if let Some(claim) = &ended.claim {
            self.names.release(claim, None);
        }
        if let Some(membership) = ended.membership {
            outputs.push(Output::Left { session, room: membership.room });
            self.remove_member(now, membership, ended.name, outputs);
        }
        outputs.push(Output::Disconnected { session });
    }

    fn announce(&mut self, now: u64, room: RoomId, text: OperatorText, outputs: &mut Vec<Output>) {
        if let Some(room) = self.rooms.get_mut(&room) {
            outputs.push(room.notify(now, None, Notice::Announcement { text }));
        }
    }
}

/// Getters.
impl Hub {
    /// The name of a session; `None` once it has ended.
    pub fn name(&self, session: SessionId) -> Option<&Name> {
        self.sessions.get(&session).map(|session| &session.name)
    }

    /// The room that a session is in; `None` if it is in none, or has ended.
    pub fn room_of(&self, session: SessionId) -> Option<RoomId> {
        self.sessions.get(&session)?.membership.map(|membership| membership.room)
    }

    /// The title of a room; `None` when there is no such room.
    pub fn title(&self, room: RoomId) -> Option<&Title> {
        self.rooms.get(&room).map(|room| &room.title)
    }

    /// The members of a room, in order of arrival; none when there is no such room. Right after an input,
    /// they are the receivers of its broadcasts.
    pub fn members(&self, room: RoomId) -> impl Iterator<Item = SessionId> + '_ {
        self.rooms.get(&room).into_iter().flat_map(Room::members)
    }

    /// The members of a room, in order of arrival, from this arrival on: each with the number of the broadcast that told
    /// of its arrival (0 for the creator of the room), and its name. None when there is no such room. A list may be sent
    /// in parts: the next one begins from the number of the last, plus 1.
    pub fn members_from(
        &self,
        room: RoomId,
        arrival: u64,
    ) -> impl Iterator<Item = (u64, &Name)> + '_ {
        let name_of = |id| &self.sessions.get(&id).expect("a member is a session").name;
        let members =
            self.rooms.get(&room).into_iter().flat_map(move |room| room.members_from(arrival));
        members.map(move |(arrival, id)| (arrival, name_of(id)))
    }

    /// The number of members of a room; 0 when there is no such room.
    pub fn member_count(&self, room: RoomId) -> usize {
        self.rooms.get(&room).map_or(0, Room::member_count)
    }

    /// The number of the last broadcast of a room, 0 before the first; `None` when there is no such room.
    pub fn seq(&self, room: RoomId) -> Option<u64> {
        self.rooms.get(&room).map(Room::seq)
    }

    /// The rooms created after `room`, or all, in order of their ids: the list for [`Output::Rooms`], or the rest of
    /// it. A list may be sent in parts, with inputs in between: a room that exists throughout is in exactly one part.
    pub fn rooms_after(&self, room: Option<RoomId>) -> impl Iterator<Item = RoomEntry<&str>> {
        let from = room.map_or(Bound::Unbounded, Bound::Excluded);
        let name_of = |id| &self.sessions.get(&id).expect("a member is a session").name;
        self.rooms.range((from, Bound::Unbounded)).map(move |(_, room)| room.entry(name_of))
    }

    /// The limits.
    pub fn limits(&self) -> HubLimits {
        self.limits
    }

    /// The number of sessions.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// The number of rooms.
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// The sessions, in the order in which they began.
    pub fn sessions(&self) -> impl Iterator<Item = SessionId> {
        let mut sessions: Vec<_> = self.sessions.keys().copied().collect();
        sessions.sort_unstable();
        sessions.into_iter()
    }

    /// Whether another connection can take a session over, by a secret that its client has.
    pub fn is_resumable(&self, session: SessionId) -> bool {
        self.asking.get(&session).is_some_and(|asking| asking.token.is_some())
    }

    /// The rooms without members, each with the time at which the last one left (ms since 1970): first the one that has
    /// been empty the longest.
    pub fn empty_rooms(&self) -> impl Iterator<Item = (u64, RoomId)> + '_ {
        self.empty_rooms.iter().copied()
    }
}

// Free functions, so that callers can borrow a session and its room at the same time.

fn session_mut(sessions: &mut FxHashMap<SessionId, Session>, id: SessionId) -> &mut Session {
    sessions.get_mut(&id).expect("`command` has checked that it exists")
}

fn room_mut(rooms: &mut BTreeMap<RoomId, Room>, id: RoomId) -> &mut Room {
    rooms.get_mut(&id).expect("the room of a membership exists")
}
