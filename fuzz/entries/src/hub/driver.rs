//! Drives a hub as a server would: delivers the outputs to the members, and checks that they are consistent.

use std::collections::{BTreeMap, BTreeSet};

use chat_core::{Hub, HubLimits, Name, Notice, Output, RoomEvent, RoomId, SessionId};
use chat_proto::{Framing, HEADER_LEN, Lang, MAX_LISTED_MEMBERS, ServerMessage, write_rooms_page};
use chat_testing::{Checker, Event, Violation};

use crate::messages;

#[derive(Debug, Default)]
pub(super) struct Driver {
    limits: HubLimits,
    alive: BTreeSet<SessionId>,
    operators: BTreeSet<SessionId>,
    /// The members of each room, in the order in which they entered.
    rooms: BTreeMap<RoomId, Vec<SessionId>>,
    last_room: u64,
    /// The names before the current step, which its broadcasts use.
    names: BTreeMap<SessionId, Name>,
    /// Chats so far.
    chats: u64,
    /// Checks what the members receive.
    checker: Checker,
}

impl Driver {
    pub(super) fn new(limits: HubLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    pub(super) fn connected(&mut self, session: SessionId, is_operator: bool) {
        assert!(self.alive.last().is_none_or(|last| *last < session), "ids rise");
        self.alive.insert(session);
        self.checker.connect(peer(session));
        if is_operator {
            self.operators.insert(session);
        }
    }

    /// Delivers the outputs of an action of `actor`. Returns how many of them answer it.
    ///
    /// # Panics
    /// If an output contradicts those before it.
    pub(super) fn deliver(&mut self, hub: &Hub, actor: SessionId, outputs: &[Output]) -> usize {
        outputs.iter().filter(|output| self.is_answer(hub, actor, output)).count()
    }

    /// Checks that every member has received everything.
    ///
    /// # Panics
    /// If a member has not.
    pub(super) fn finish(self) {
        right(self.checker.finish());
    }

    fn is_answer(&mut self, hub: &Hub, actor: SessionId, output: &Output) -> bool {
        match output {
            Output::Reply { to, notice, room } => {
                assert!(*to == actor && self.alive.contains(to), "{actor} acted: {output:?}");
                self.reply(*to, notice, *room);
                true
            }
            Output::Rooms { to } => {
                assert!(*to == actor && self.alive.contains(to));
                self.check_list(hub);
                true
            }
            Output::Entered { session, room } => {
                assert!(*session == actor && self.alive.contains(session));
                self.enter(*session, *room);
                false
            }
            Output::Left { session, room } => {
                let members = self.members(*room);
                let place = members.iter().position(|member| member == session);
                members.remove(place.expect("a leaver was a member"));
                false
            }
            Output::Broadcast { room, seq, except, event, .. } => {
                self.broadcast(actor, *room, *seq, *except, event)
            }
            Output::RoomClosed { room } => {
                let closed = self.rooms.remove(room).expect("it was there");
                assert!(closed.is_empty(), "somebody is left in {room}");
                false
            }
            Output::Disconnected { session } => {
                assert!(*session == actor && self.alive.remove(session), "{session} ends once");
                let is_in = |members: &Vec<SessionId>| members.contains(session);
                assert!(!self.rooms.values().any(is_in), "{session} left before it ended");
                self.checker.cut_off(peer(*session));
                false
            }
            Output::ShutdownRequested { by } => {
                assert!(*by == actor && self.operators.contains(by));
                true
            }
            other => panic!("unknown output {other:?}"),
        }
    }

    fn members(&mut self, room: RoomId) -> &mut Vec<SessionId> {
        self.rooms.get_mut(&room).expect("there is such a room")
    }

    fn reply(&mut self, to: SessionId, notice: &Notice, room: Option<(RoomId, u64)>) {
        assert_frame(ServerMessage::System { notice, room });
        match (notice, room) {
            (Notice::RoomCreated { .. } | Notice::RoomEntered { .. }, Some((room, seq))) => {
                right(self.checker.enter(peer(to), room.number(), seq));
            }
            (Notice::RoomLeft { .. }, Some((_, seq))) => right(self.checker.leave(peer(to), seq)),
            (_, room) => assert_eq!(room, None, "{notice:?} is of no room"),
        }
    }

    fn enter(&mut self, session: SessionId, room: RoomId) {
        let is_in = |members: &Vec<SessionId>| members.contains(&session);
        assert!(!self.rooms.values().any(is_in), "{session} is in one room at a time");
        if !self.rooms.contains_key(&room) {
            assert_eq!(room.number(), self.last_room + 1, "ids rise by 1 and do not come again");
            self.last_room += 1;
        }
        self.rooms.entry(room).or_default().push(session);
        assert!(self.rooms.len() <= self.limits.rooms, "too many rooms");
    }

    /// Delivers a broadcast to its receivers. Returns whether it also serves as an answer, since it tells others of
    /// the chat or the new name of `actor`.
    fn broadcast(
        &mut self,
        actor: SessionId,
        room: RoomId,
        seq: u64,
        except: Option<SessionId>,
        event: &RoomEvent,
    ) -> bool {
        let members = self.members(room).clone();
        assert!(except.is_none_or(|except| members.contains(&except)));
        assert!(!members.is_empty(), "somebody receives it");
        let (name, received) = match event {
            RoomEvent::Chat { member, text } => {
                assert_frame(ServerMessage::Chat { member, text, room, seq });
                self.chats += 1;
                self.checker.send(peer(actor), self.chats);
                (member, Event::chat(peer(actor), self.chats, text.as_str()))
            }
            RoomEvent::Notice(notice) => {
                assert_frame(ServerMessage::System { notice, room: Some((room, seq)) });
                let (Notice::Renamed { from: name, .. }
                | Notice::MemberEntered { name }
                | Notice::MemberLeft { name }) = notice
                else {
                    panic!("nothing to tell a room: {notice:?}")
                };
                (name, Event::notice(notice.code(), &notice.to_string()))
            }
        };
        assert_eq!(Some(name), self.names.get(&actor), "it is about {actor}");
        for member in members.into_iter().filter(|member| Some(*member) != except) {
            right(self.checker.receive(peer(member), room.number(), seq, received.clone()));
        }
        matches!(event, RoomEvent::Chat { .. } | RoomEvent::Notice(Notice::Renamed { .. }))
    }

    /// Checks that the list shows every room, its number of members, and the first of their names.
    fn check_list(&self, hub: &Hub) {
        let mut pages = Vec::new();
        let mut after = write_rooms_page(Framing::Length, hub.rooms_after(None), &mut pages);
        while after.is_some() {
            after = write_rooms_page(Framing::Length, hub.rooms_after(after), &mut pages);
        }
        let pages = messages::read_all(Framing::Length, &pages);
        let rooms: Vec<_> = pages.iter().flat_map(|page| &page.rooms).collect();
        assert_eq!(rooms.len(), self.rooms.len());
        for (listed, (id, members)) in rooms.into_iter().zip(&self.rooms) {
            assert_eq!(listed.room_id, id.number());
            assert_eq!(listed.member_count, members.len());
            let first = members.iter().take(MAX_LISTED_MEMBERS);
            let names = first.map(|&member| hub.name(member).expect("a member").as_str());
            assert!(names.eq(listed.members.iter().map(String::as_str)));
        }
    }

    /// Checks that the hub's getters agree with its outputs.
    pub(super) fn agree_with(&mut self, hub: &Hub) {
        assert_eq!(hub.session_count(), self.alive.len());
        assert_eq!(hub.room_count(), self.rooms.len());
        for (&id, members) in &self.rooms {
            assert!(hub.members(id).eq(members.iter().copied()), "members of {id}");
            assert!(members.iter().all(|&member| hub.room_of(member) == Some(id)));
        }
        let in_rooms: usize = self.rooms.values().map(Vec::len).sum();
        let has_room = |session: &&SessionId| hub.room_of(**session).is_some();
        assert_eq!(self.alive.iter().filter(has_room).count(), in_rooms);

        let name = |&session| (session, hub.name(session).expect("it is alive").clone());
        self.names = self.alive.iter().map(name).collect();
        let lower = self.names.values().map(|name| name.as_str().trim().to_lowercase());
        assert_eq!(lower.collect::<BTreeSet<_>>().len(), self.alive.len(), "a name has one holder");
    }
}

/// The number by which the checker knows a session.
fn peer(session: SessionId) -> usize {
    session.number() as usize
}

fn right(checked: Result<(), Violation>) {
    checked.unwrap_or_else(|found| panic!("{found}"));
}

/// Checks that the message fits a frame and contains no raw control characters.
fn assert_frame(message: ServerMessage<'_>) {
    let mut frame = Vec::new();
    message.write(Lang::En, &mut frame).expect("it fits a frame");
    messages::read(&frame[HEADER_LEN..]);
}
