//! The rules of the commands.

use chat_proto::{Command, MAX_PAYLOAD, Name, Notice, RoomId, Text, Title, chat_payload_len};

use super::{Hub, room_mut, session_mut};
use crate::names::Unavailable;
use crate::output::{Output, RoomEvent};
use crate::room::{Membership, Room};
use crate::session::{Role, Session};
use crate::session_id::SessionId;

impl Hub {
    /// Carries out [`Input::Command`](crate::Input::Command).
    pub(super) fn command(
        &mut self,
        now: u64,
        session: SessionId,
        command: Command,
        outputs: &mut Vec<Output>,
    ) {
        let refused = match command {
            // By far the most frequent command: it finds its session once.
            Command::Chat(text) => self.chat(now, session, text, outputs),
            _ if !self.sessions.contains_key(&session) => return,
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
        let Some(session) = self.sessions.get(&id) else { return Ok(()) };
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
        room.was_talked_in = true;
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
            // The one that has been empty the longest makes room.
            let (_, empty) = self.empty_rooms.pop_first().ok_or(Notice::TooManyRooms { limit })?;
            self.rooms.remove(&empty);
            outputs.push(Output::RoomClosed { room: empty });
        }
        let room = self.next_room;
        self.next_room = room.next();
        let new = self.rooms.entry(room).or_insert(Room::new(room, title.clone()));
        session.membership = Some(new.enter(id, new.seq()));
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
        if let Some(since) = joined.empty_since.take() {
            self.empty_rooms.remove(&(since, room));
        }
        let arrival = joined.seq() + 1;
        session.membership = Some(joined.enter(id, arrival));
        let notice = Notice::RoomEntered { room, title: joined.title.clone() };
        outputs.push(Output::Entered { session: id, room });
        outputs.push(Output::Reply { to: id, notice, room: Some((room, arrival)) });
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
    pub(super) fn remove_member(
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
            if !(self.limits.lasting_rooms && room.was_talked_in) {
                self.rooms.remove(&id);
                outputs.push(Output::RoomClosed { room: id });
                return;
            }
            room.empty_since = Some(now);
            self.empty_rooms.insert((now, id));
        }
        outputs.push(room.notify(now, None, Notice::MemberLeft { name }));
    }

    /// Carries out [`Input::CloseRoom`](crate::Input::CloseRoom).
    pub(super) fn close_room(&mut self, room: RoomId, outputs: &mut Vec<Output>) {
        let Some(since) = self.rooms.get(&room).and_then(|room| room.empty_since) else { return };
        self.empty_rooms.remove(&(since, room));
        self.rooms.remove(&room);
        outputs.push(Output::RoomClosed { room });
    }
}

fn require_no_room(session: &Session) -> Result<(), Notice> {
    match session.membership {
        Some(Membership { room, .. }) => Err(Notice::AlreadyInRoom { room }),
        None => Ok(()),
    }
}
