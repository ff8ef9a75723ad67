//! The state machine: every rule about sessions, names and rooms is here.

use chat_proto::{
    Command, MAX_PAYLOAD, Name, Notice, OperatorText, Rejection, RoomId, Text, Title,
    chat_payload_len,
};
use rustc_hash::FxHashMap;

use crate::limits::HubLimits;
use crate::names::{NameKey, NameRegistry, Taken};
use crate::output::{NoSuchRoom, Output, RoomEvent};
use crate::room::Room;
use crate::room_list::{Listing, RoomList};
use crate::session::{Membership, Role, Session, SessionId};
use crate::shrink::{self, is_tight};

/// All sessions, names and rooms of one chat.
#[derive(Debug)]
pub struct Hub {
    limits: HubLimits,
    // Nobody but the hub chooses session and room ids, so their maps cannot be flooded.
    sessions: FxHashMap<SessionId, Session>,
    rooms: FxHashMap<RoomId, Room>,
    names: NameRegistry,
    next_session: SessionId,
    next_room: RoomId,
    listing: Listing,
}

/// Inputs.
impl Hub {
    /// A hub without sessions or rooms.
    pub fn new(limits: HubLimits) -> Self {
        Self {
            limits,
            sessions: FxHashMap::default(),
            rooms: FxHashMap::default(),
            names: NameRegistry::default(),
            next_session: SessionId(1),
            next_room: RoomId::FIRST,
            listing: Listing::default(),
        }
    }

    /// Begins a session, under its default name and in no room.
    pub fn connect(&mut self, role: Role) -> SessionId {
        let id = self.next_session;
        self.next_session = SessionId(id.number() + 1);
        let name = Name::default_for(id.number());
        self.sessions.insert(id, Session { name, name_key: None, role, membership: None });
        id
    }

    /// Carries out a command and appends to `outputs` what follows from it, in this order:
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
    /// A refusal is one `Reply`, and nothing has changed. A session that has ended is not heard any
    /// more: nothing happens.
    pub fn handle(&mut self, session: SessionId, command: Command, outputs: &mut Vec<Output>) {
        if !self.sessions.contains_key(&session) {
            return;
        }
        let refused = match command {
            Command::Chat(text) => self.chat(session, text, outputs),
            Command::Rename(name) => self.rename(session, &name, outputs),
            Command::Rooms => {
                outputs.push(Output::Rooms { to: session, rooms: self.room_list() });
                Ok(())
            }
            Command::Create(title) => self.create(session, title, outputs),
            Command::Join(room) => self.join(session, room, outputs),
            Command::Leave => self.leave(session, outputs),
            Command::Shutdown => self.shutdown(session, outputs),
        };
        if let Err(notice) = refused {
            outputs.push(Output::Reply { to: session, notice, room: None });
        }
    }

    /// Ends a session: it leaves its room, and its name is free. Appends `Left`, and `Broadcast` to the
    /// others or `RoomClosed`, if it was in a room; then `Disconnected`. Does nothing the second time.
    pub fn disconnect(&mut self, session: SessionId, outputs: &mut Vec<Output>) {
        let Some(ended) = shrink::remove(&mut self.sessions, &session) else { return };
        if let Some(key) = &ended.name_key {
            self.names.release(key);
        }
        if let Some(membership) = ended.membership {
            outputs.push(Output::Left { session, room: membership.room });
            self.vacate(membership, ended.name, outputs);
        }
        outputs.push(Output::Disconnected { session });
    }
}

/// Inputs from the operator.
impl Hub {
    /// Announces `text` to every member of a room. Appends one `Broadcast`, numbered like any other.
    ///
    /// # Errors
    /// [`NoSuchRoom`] when the room does not exist (any more); nothing is appended then.
    pub fn announce(
        &mut self,
        room: RoomId,
        text: OperatorText,
        outputs: &mut Vec<Output>,
    ) -> Result<(), NoSuchRoom> {
        let announced = self.rooms.get_mut(&room).ok_or(NoSuchRoom(room))?;
        outputs.push(Output::Broadcast {
            room,
            seq: announced.advance_seq(),
            except: None,
            event: RoomEvent::Notice(Notice::Announcement { text }),
        });
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

    /// The room that a session is in.
    pub fn room_of(&self, session: SessionId) -> Option<RoomId> {
        self.sessions.get(&session)?.membership.map(|membership| membership.room)
    }

    /// The title of a room; `None` when there is no such room.
    pub fn title(&self, room: RoomId) -> Option<&Title> {
        self.rooms.get(&room).map(|room| &room.title)
    }

    /// The members of a room, in the order they came in; none when there is no such room. Right after an
    /// input, they are those that its broadcasts are for.
    pub fn members(&self, room: RoomId) -> impl Iterator<Item = SessionId> + '_ {
        self.rooms.get(&room).into_iter().flat_map(Room::members)
    }

    /// How many sessions there are.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// How many rooms there are.
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// Checks that sessions, names and rooms agree with each other, for tests.
    ///
    /// # Panics
    /// When they do not: that is a bug in this crate.
    pub fn check_invariants(&self) {
        for (&id, session) in &self.sessions {
            assert!(id < self.next_session, "session {id} was never begun");
            if let Some(Membership { room, place }) = session.membership {
                let room = self.rooms.get(&room).expect("a member's room exists");
                assert_eq!(room.member_at(place), Some(id), "the room knows its member");
            }
            if let Some(key) = &session.name_key {
                assert_eq!(self.names.holder(key), Some(id), "a chosen name is held");
            } else {
                let default = Name::default_for(id.number());
                let is_default =
                    session.name == default || NameKey::of(&session.name) == NameKey::of(&default);
                assert!(is_default, "or is the default one, in some spelling");
            }
        }
        let held = self.sessions.values().filter(|session| session.name_key.is_some()).count();
        assert_eq!(self.names.len(), held, "no name is held for nobody");
        let in_rooms = self.sessions.values().filter(|session| session.membership.is_some());
        let members: usize = self.rooms.values().map(Room::member_count).sum();
        assert_eq!(members, in_rooms.count(), "no room has a ghost");
        for (&id, room) in &self.rooms {
            assert!(id == room.id && id < self.next_room, "room {id} was never made");
            assert!(!room.is_empty(), "room {id} has nobody in it");
        }
        assert!(self.rooms.len() <= self.limits.rooms);
        let are_tight = is_tight(&self.sessions) && is_tight(&self.rooms) && self.names.is_tight();
        assert!(are_tight, "memory is given back");
        self.listing.check_invariants(self.rooms.keys().copied());
    }
}

/// Each command; an error is the refusal, and nothing has changed then.
impl Hub {
    fn chat(&mut self, id: SessionId, text: Text, outputs: &mut Vec<Output>) -> Result<(), Notice> {
        let session = session_mut(&mut self.sessions, id);
        let Membership { room, .. } = session.membership.ok_or(Notice::NotInRoom)?;
        let room = room_mut(&mut self.rooms, room);
        let len = chat_payload_len(&session.name, &text, room.id, room.seq() + 1);
        if let Some(excess @ 1..) = len.checked_sub(MAX_PAYLOAD) {
            return Err(Notice::TextTooLong { excess });
        }
        outputs.push(Output::Broadcast {
            room: room.id,
            seq: room.advance_seq(),
            except: Some(id),
            event: RoomEvent::Chat { member: session.name.clone(), text },
        });
        Ok(())
    }

    fn rename(
        &mut self,
        id: SessionId,
        name: &Name,
        outputs: &mut Vec<Output>,
    ) -> Result<(), Notice> {
        let key = NameKey::of(name).map_err(|e| Notice::Rejected(Rejection::BadName(e)))?;
        let session = session_mut(&mut self.sessions, id);
        let claimed = self.names.claim(key, id).map_err(|Taken| Notice::NameTaken)?;
        if session.name_key != claimed
            && let Some(old) = &session.name_key
        {
            self.names.release(old);
        }
        session.name_key = claimed;
        let from = std::mem::replace(&mut session.name, name.clone());
        let notice = Notice::Renamed { from, to: name.clone() };
        if let Some(Membership { room, .. }) = session.membership {
            self.listing.room_changed(room);
            let room = room_mut(&mut self.rooms, room);
            outputs.push(Output::Broadcast {
                room: room.id,
                seq: room.advance_seq(),
                except: None,
                event: RoomEvent::Notice(notice),
            });
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
        must_be_in_no_room(session)?;
        let limit = self.limits.rooms;
        if self.rooms.len() >= limit {
            return Err(Notice::TooManyRooms { limit });
        }
        let room = self.next_room;
        self.next_room = room.next();
        self.listing.room_changed(room);
        let new = self.rooms.entry(room).or_insert(Room::new(room, title.clone()));
        session.membership = Some(new.enter(id));
        let notice = Notice::RoomCreated { room, title };
        outputs.push(Output::Entered { session: id, room });
        outputs.push(Output::Reply { to: id, notice, room: Some((room, new.seq())) });
        Ok(())
    }

    fn join(
        &mut self,
        id: SessionId,
        room: RoomId,
        outputs: &mut Vec<Output>,
    ) -> Result<(), Notice> {
        let session = session_mut(&mut self.sessions, id);
        must_be_in_no_room(session)?;
        let joined = self.rooms.get_mut(&room).ok_or(Notice::NoSuchRoom { room })?;
        self.listing.room_changed(room);
        session.membership = Some(joined.enter(id));
        let seq = joined.advance_seq();
        let notice = Notice::RoomEntered { room, title: joined.title.clone() };
        outputs.push(Output::Entered { session: id, room });
        outputs.push(Output::Reply { to: id, notice, room: Some((room, seq)) });
        outputs.push(Output::Broadcast {
            room,
            seq,
            except: Some(id),
            event: RoomEvent::Notice(Notice::MemberEntered { name: session.name.clone() }),
        });
        Ok(())
    }

    fn leave(&mut self, id: SessionId, outputs: &mut Vec<Output>) -> Result<(), Notice> {
        let session = session_mut(&mut self.sessions, id);
        let membership = session.membership.take().ok_or(Notice::NotInRoom)?;
        let name = session.name.clone();
        let room = room_mut(&mut self.rooms, membership.room);
        let notice = Notice::RoomLeft { room: room.id, title: room.title.clone() };
        let event = Some((room.id, room.seq() + 1));
        outputs.push(Output::Left { session: id, room: room.id });
        outputs.push(Output::Reply { to: id, notice, room: event });
        self.vacate(membership, name, outputs);
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

    /// Takes a member out of its room and tells the others; the last one out removes the room.
    fn vacate(&mut self, membership: Membership, name: Name, outputs: &mut Vec<Output>) {
        let room = room_mut(&mut self.rooms, membership.room);
        room.leave(membership.place);
        let id = room.id;
        if room.is_empty() {
            shrink::remove(&mut self.rooms, &id);
            self.listing.room_closed(id);
            outputs.push(Output::RoomClosed { room: id });
        } else {
            self.listing.room_changed(id);
            outputs.push(Output::Broadcast {
                room: id,
                seq: room.advance_seq(),
                except: None,
                event: RoomEvent::Notice(Notice::MemberLeft { name }),
            });
        }
    }

    fn room_list(&mut self) -> RoomList {
        let (rooms, sessions) = (&self.rooms, &self.sessions);
        let name_of = |id| &sessions.get(&id).expect("a member is a session").name;
        self.listing.list(|id| rooms.get(&id).map(|room| room.entry(name_of)))
    }
}

fn must_be_in_no_room(session: &Session) -> Result<(), Notice> {
    match session.membership {
        Some(Membership { room, .. }) => Err(Notice::AlreadyInRoom { room }),
        None => Ok(()),
    }
}

// Free functions, so that a session and its room can be borrowed at the same time.

fn session_mut(sessions: &mut FxHashMap<SessionId, Session>, id: SessionId) -> &mut Session {
    sessions.get_mut(&id).expect("handle() has looked it up")
}

fn room_mut(rooms: &mut FxHashMap<RoomId, Room>, id: RoomId) -> &mut Room {
    rooms.get_mut(&id).expect("a membership names a room that exists")
}
