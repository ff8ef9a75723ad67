//! The state machine, with every rule about sessions, names and rooms.

mod hello;
mod requests;

use std::collections::BTreeMap;
use std::ops::Bound;

use chat_proto::extended::ResumeToken;
use chat_proto::{
    Command, MAX_PAYLOAD, Name, Notice, OperatorText, RoomEntry, RoomId, Text, Title,
    chat_payload_len,
};
use rustc_hash::FxHashMap;

use crate::asking::Asking;
use crate::limits::HubLimits;
use crate::names::{NameRegistry, Unavailable};
use crate::output::{NoSuchRoom, Output, RoomEvent};
use crate::reserved_names::ReservedNames;
use crate::room::{Membership, Room};
use crate::session::{Role, Session};
use crate::session_id::SessionId;
use crate::shrink::{self, is_tight};

/// All sessions, names and rooms of one chat.
#[derive(Debug)]
pub struct Hub {
    limits: HubLimits,
    // Only the hub chooses session and room ids, so nobody can flood these maps with collisions.
    sessions: FxHashMap<SessionId, Session>,
    /// In order of their ids, so that a list can continue after any of them.
    rooms: BTreeMap<RoomId, Room>,
    names: NameRegistry,
    /// What is known of sessions whose clients said hello.
    asking: FxHashMap<SessionId, Asking>,
    /// The sessions that can be taken over, by their secrets, which nobody can choose.
    tokens: FxHashMap<ResumeToken, SessionId>,
    next_session: SessionId,
    next_room: RoomId,
}

/// Inputs from sessions.
impl Hub {
    /// Returns a hub without sessions or rooms, which reserves the names of [`ReservedNames::default`].
    pub fn new(limits: HubLimits) -> Self {
        Self {
            limits,
            sessions: FxHashMap::default(),
            rooms: BTreeMap::new(),
            names: NameRegistry::default(),
            asking: FxHashMap::default(),
            tokens: FxHashMap::default(),
            next_session: SessionId(1),
            next_room: RoomId::FIRST,
        }
    }

    /// Reserves these names instead of those before. A session that holds one of them keeps it.
    pub fn reserve_names(&mut self, reserved: ReservedNames) {
        self.names.reserve(reserved);
    }

    /// Begins a session, which has its default name and is in no room.
    pub fn connect(&mut self, role: Role) -> SessionId {
        let id = self.next_session;
        self.next_session = SessionId(id.number() + 1);
        let name = Name::default_for(id.number());
        self.sessions.insert(id, Session { name, claim: None, role, membership: None });
        id
    }

    /// Carries out a command at `now` (ms since 1970) and appends its outputs to `outputs`, in this order:
    ///
    /// | command | in no room | in a room |
    /// |---|---|---|
    /// | [`Rename`](Command::Rename) | `Reply` | `Broadcast` to all |
    /// | [`Rooms`](Command::Rooms) | `Rooms` | `Rooms` |
    /// | [`Create`](Command::Create) | `Entered`, `Reply` | refused |
    /// | [`Join`](Command::Join) | `Entered`, `Reply`, `Broadcast` to the others | refused |
    /// | [`Leave`](Command::Leave) | refused | `Left`, `Reply`, `Broadcast` to the others or `RoomClosed` |
    /// | [`Chat`](Command::Chat) | refused | `Broadcast` to the others |
    /// | [`Shutdown`](Command::Shutdown) | `ShutdownRequested`, or refused | the same |
    ///
    /// A refusal is one `Reply`, and changes nothing. The command of a session that has ended is ignored.
    pub fn handle(
        &mut self,
        now: u64,
        session: SessionId,
        command: Command,
        outputs: &mut Vec<Output>,
    ) {
        if !self.sessions.contains_key(&session) {
            return;
        }
        let refused = match command {
            Command::Chat(text) => self.chat(now, session, text, outputs),
            Command::Rename(name) => self.rename(now, session, &name, outputs),
            Command::Rooms => {
                outputs.push(Output::Rooms { to: session });
                Ok(())
            }
            Command::Create(title) => self.create(session, title, outputs),
            Command::Join(room) => self.join(now, session, room, outputs),
            Command::Leave => self.leave(now, session, outputs),
            Command::Shutdown => self.shutdown(session, outputs),
        };
        if let Err(notice) = refused {
            outputs.push(Output::Reply { to: session, notice, room: None });
        }
    }

    /// Ends a session: it leaves its room and releases its name. If it was in a room, appends `Left`, and
    /// `Broadcast` to the others or `RoomClosed`; then `Disconnected`. Does nothing if the session has
    /// ended already.
    pub fn disconnect(&mut self, now: u64, session: SessionId, outputs: &mut Vec<Output>) {
        let Some(ended) = shrink::remove(&mut self.sessions, &session) else { return };
        if let Some(asking) = shrink::remove(&mut self.asking, &session) {
            self.forget_token(asking.token);
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
}

/// Inputs from the operator.
impl Hub {
    /// Announces `text` to every member of a room. Appends one `Broadcast`, numbered like any other.
    ///
    /// # Errors
    /// [`NoSuchRoom`] when the room does not exist, or no longer does; nothing is appended then.
    pub fn announce(
        &mut self,
        now: u64,
        room: RoomId,
        text: OperatorText,
        outputs: &mut Vec<Output>,
    ) -> Result<(), NoSuchRoom> {
        let room = self.rooms.get_mut(&room).ok_or(NoSuchRoom(room))?;
        outputs.push(room.notify(now, None, Notice::Announcement { text }));
        Ok(())
    }

    /// Announces `text` to every session, in a room or not. Appends one `NotifyAll`.
    pub fn announce_to_all(&self, text: OperatorText, outputs: &mut Vec<Output>) {
        outputs.push(Output::NotifyAll { notice: Notice::Announcement { text } });
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

    /// The members of a room that arrived after so many others had, the members that have left included, in order of
    /// arrival: each with that number, and its name. None when there is no such room. A list may be sent in parts: the
    /// next one is of those after the number of the last, plus 1.
    pub fn members_after(
        &self,
        room: RoomId,
        arrivals: u64,
    ) -> impl Iterator<Item = (u64, &Name)> + '_ {
        let name_of = |id| &self.sessions.get(&id).expect("a member is a session").name;
        let members =
            self.rooms.get(&room).into_iter().flat_map(move |room| room.members_after(arrivals));
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

    /// The number of sessions.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// The number of rooms.
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// Checks that sessions, names and rooms agree with each other. For tests: it visits everything.
    ///
    /// # Panics
    /// When they do not, which is a bug in this crate.
    pub fn check_invariants(&self) {
        for (&id, session) in &self.sessions {
            assert!(id < self.next_session, "session {id} never began");
            if let Some(membership) = session.membership {
                let room = self.rooms.get(&membership.room).expect("a member's room exists");
                assert_eq!(room.member(membership), Some(id), "the room knows its member");
            }
            if let Some(claim) = &session.claim {
                let is_held = |key| self.names.holder(key) == Some(id);
                assert!(claim.keys().all(is_held), "a chosen name is claimed");
            } else {
                let default = self.default_name(id);
                let is_default = session.name == default || session.name.keys() == default.keys();
                assert!(is_default, "any other name is the default one, in some spelling");
            }
        }
        let claims = self.sessions.values().filter_map(|session| session.claim.as_ref());
        let claimed: usize = claims.map(|claim| claim.keys().count()).sum();
        assert_eq!(self.names.len(), claimed, "every claim belongs to a session");
        let are_known = self.asking.keys().all(|id| self.sessions.contains_key(id));
        assert!(are_known, "what is remembered belongs to a session");
        let tokens = self.asking.iter().filter_map(|(id, asking)| Some((asking.token?, *id)));
        let are_right = tokens.clone().all(|(token, id)| self.tokens.get(&token) == Some(&id));
        assert!(are_right && tokens.count() == self.tokens.len(), "a token is that of one session");
        let in_rooms = self.sessions.values().filter(|session| session.membership.is_some());
        let members: usize = self.rooms.values().map(Room::member_count).sum();
        assert_eq!(members, in_rooms.count(), "every member is a session");
        for (&id, room) in &self.rooms {
            assert!(id == room.id && id < self.next_room, "room {id} was never created");
            assert!(!room.is_empty(), "room {id} is empty");
        }
        assert!(self.rooms.len() <= self.limits.rooms);
        let are_tight = [
            is_tight(&self.sessions),
            is_tight(&self.asking),
            is_tight(&self.tokens),
            self.names.is_tight(),
        ];
        assert!(are_tight.into_iter().all(|is_tight| is_tight), "unused memory is freed");
    }
}

/// Commands. An error is a refusal, which has changed nothing.
impl Hub {
    fn chat(
        &mut self,
        now: u64,
        id: SessionId,
        text: Text,
        outputs: &mut Vec<Output>,
    ) -> Result<(), Notice> {
        let session = session_mut(&mut self.sessions, id);
        let Membership { room, .. } = session.membership.ok_or(Notice::NotInRoom)?;
        let room = room_mut(&mut self.rooms, room);
        // A text of half a frame fits, whatever the name and the numbers.
        if text.escaped_len() > MAX_PAYLOAD / 2 {
            let len = chat_payload_len(&session.name, &text, room.id, room.seq() + 1);
            if let Some(excess @ 1..) = len.checked_sub(MAX_PAYLOAD) {
                return Err(Notice::TextTooLong { excess });
            }
        }
        let chat = RoomEvent::Chat { member: session.name.clone(), text };
        outputs.push(room.broadcast(now, Some(id), chat));
        Ok(())
    }

    fn rename(
        &mut self,
        now: u64,
        id: SessionId,
        name: &Name,
        outputs: &mut Vec<Output>,
    ) -> Result<(), Notice> {
        let number = self.number(id);
        let claim =
            self.names.claim(name, id, number).map_err(|unavailable| match unavailable {
                Unavailable::Taken => Notice::NameTaken,
                Unavailable::Reserved => Notice::NameReserved,
            })?;
        let session = session_mut(&mut self.sessions, id);
        if let Some(old) = &session.claim {
            self.names.release(old, claim.as_ref());
        }
        session.claim = claim;
        let from = std::mem::replace(&mut session.name, name.clone());
        let notice = Notice::Renamed { from, to: name.clone() };
        if let Some(Membership { room, .. }) = session.membership {
            outputs.push(room_mut(&mut self.rooms, room).notify(now, None, notice));
        } else {
            outputs.push(Output::Reply { to: id, notice, room: None });
        }
        Ok(())
    }

    fn create(
        &mut self,
        id: SessionId,
        title: Title,
        outputs: &mut Vec<Output>,
    ) -> Result<(), Notice> {
        let session = session_mut(&mut self.sessions, id);
        require_no_room(session)?;
        let limit = self.limits.rooms;
        if self.rooms.len() >= limit {
            return Err(Notice::TooManyRooms { limit });
        }
        let room = self.next_room;
        self.next_room = room.next();
        let new = self.rooms.entry(room).or_insert(Room::new(room, title.clone()));
        session.membership = Some(new.enter(id));
        let notice = Notice::RoomCreated { room, title };
        outputs.push(Output::Entered { session: id, room });
        outputs.push(Output::Reply { to: id, notice, room: Some((room, new.seq())) });
        Ok(())
    }

    fn join(
        &mut self,
        now: u64,
        id: SessionId,
        room: RoomId,
        outputs: &mut Vec<Output>,
    ) -> Result<(), Notice> {
        let session = session_mut(&mut self.sessions, id);
        require_no_room(session)?;
        let joined = self.rooms.get_mut(&room).ok_or(Notice::NoSuchRoom { room })?;
        session.membership = Some(joined.enter(id));
        let notice = Notice::RoomEntered { room, title: joined.title.clone() };
        outputs.push(Output::Entered { session: id, room });
        outputs.push(Output::Reply { to: id, notice, room: Some((room, joined.seq() + 1)) });
        let notice = Notice::MemberEntered { name: session.name.clone() };
        outputs.push(joined.notify(now, Some(id), notice));
        Ok(())
    }

    fn leave(&mut self, now: u64, id: SessionId, outputs: &mut Vec<Output>) -> Result<(), Notice> {
        let session = session_mut(&mut self.sessions, id);
        let membership = session.membership.take().ok_or(Notice::NotInRoom)?;
        let name = session.name.clone();
        let room = room_mut(&mut self.rooms, membership.room);
        let notice = Notice::RoomLeft { room: room.id, title: room.title.clone() };
        outputs.push(Output::Left { session: id, room: room.id });
        outputs.push(Output::Reply { to: id, notice, room: Some((room.id, room.seq() + 1)) });
        self.remove_member(now, membership, name, outputs);
        Ok(())
    }

    fn shutdown(&mut self, id: SessionId, outputs: &mut Vec<Output>) -> Result<(), Notice> {
        match session_mut(&mut self.sessions, id).role {
            Role::Operator => {
                outputs.push(Output::ShutdownRequested { by: id });
                Ok(())
            }
            Role::Guest => Err(Notice::ShutdownRefused),
        }
    }

    /// Removes a member from its room and tells the others, or closes the room after its last member.
    fn remove_member(
        &mut self,
        now: u64,
        membership: Membership,
        name: Name,
        outputs: &mut Vec<Output>,
    ) {
        let room = room_mut(&mut self.rooms, membership.room);
        room.leave(membership);
        let id = room.id;
        if room.is_empty() {
            self.rooms.remove(&id);
            outputs.push(Output::RoomClosed { room: id });
        } else {
            outputs.push(room.notify(now, None, Notice::MemberLeft { name }));
        }
    }
}

fn require_no_room(session: &Session) -> Result<(), Notice> {
    match session.membership {
        Some(Membership { room, .. }) => Err(Notice::AlreadyInRoom { room }),
        None => Ok(()),
    }
}

// Free functions, so that callers can borrow a session and its room at the same time.

fn session_mut(sessions: &mut FxHashMap<SessionId, Session>, id: SessionId) -> &mut Session {
    sessions.get_mut(&id).expect("`handle` has checked that it exists")
}

fn room_mut(rooms: &mut BTreeMap<RoomId, Room>, id: RoomId) -> &mut Room {
    rooms.get_mut(&id).expect("the room of a membership exists")
}
