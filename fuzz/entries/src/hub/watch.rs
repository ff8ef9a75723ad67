//! What an owner of connections sees of a hub: its outputs, and whether they fit together.

use std::collections::{BTreeMap, BTreeSet};

use chat_core::{Hub, HubLimits, Name, Notice, Output, RoomEvent, RoomId, RoomList, SessionId};
use chat_proto::{HEADER_LEN, Lang, MAX_LISTED_MEMBERS, ServerMessage, write_rooms_page};

use crate::said;

#[derive(Debug)]
pub(super) struct Watch {
    limits: HubLimits,
    alive: BTreeSet<SessionId>,
    operators: BTreeSet<SessionId>,
    rooms: BTreeMap<RoomId, Room>,
    last_room: u64,
    /// The names before the last step: what somebody said or did, it did under that one.
    names: BTreeMap<SessionId, Name>,
}

#[derive(Debug, Default)]
struct Room {
    seq: u64,
    /// In the order in which they came.
    members: Vec<SessionId>,
}

impl Watch {
    pub(super) fn new(limits: HubLimits) -> Self {
        Self {
            limits,
            alive: BTreeSet::new(),
            operators: BTreeSet::new(),
            rooms: BTreeMap::new(),
            last_room: 0,
            names: BTreeMap::new(),
        }
    }

    pub(super) fn connected(&mut self, session: SessionId, is_operator: bool) {
        assert!(self.alive.last().is_none_or(|last| *last < session), "ids rise");
        self.alive.insert(session);
        if is_operator {
            self.operators.insert(session);
        }
    }

    /// Takes what followed from something that `actor` did. Returns how many of the outputs are
    /// answers to it.
    ///
    /// # Panics
    /// When an output makes no sense after those before it.
    pub(super) fn outputs(&mut self, hub: &Hub, actor: SessionId, outputs: &[Output]) -> usize {
        outputs.iter().filter(|output| self.is_answer(hub, actor, output)).count()
    }

    fn is_answer(&mut self, hub: &Hub, actor: SessionId, output: &Output) -> bool {
        match output {
            Output::Reply { to, notice, room } => self.reply(actor, *to, notice, *room),
            Output::Rooms { to, rooms } => {
                assert!(*to == actor && self.alive.contains(to));
                self.list(hub, rooms);
                true
            }
            Output::Entered { session, room } => {
                assert!(*session == actor && self.alive.contains(session));
                self.enter(*session, *room);
                false
            }
            Output::Left { session, room } => {
                let members = &mut self.room(*room).members;
                let place = members.iter().position(|member| member == session);
                members.remove(place.expect("who leaves was there"));
                false
            }
            Output::Broadcast { room, seq, except, event } => {
                self.broadcast(actor, *room, *seq, *except, event)
            }
            Output::RoomClosed { room } => {
                let closed = self.rooms.remove(room).expect("it was there");
                assert!(closed.members.is_empty(), "somebody is left in {room}");
                false
            }
            Output::Disconnected { session } => {
                assert!(*session == actor && self.alive.remove(session), "{session} ends once");
                let is_in = |room: &Room| room.members.contains(session);
                assert!(!self.rooms.values().any(is_in), "{session} left before it ended");
                false
            }
            Output::ShutdownRequested { by } => {
                assert!(*by == actor && self.operators.contains(by));
                true
            }
            other => panic!("what is {other:?}?"),
        }
    }

    fn room(&mut self, room: RoomId) -> &mut Room {
        self.rooms.get_mut(&room).expect("there is such a room")
    }

    fn reply(
        &mut self,
        actor: SessionId,
        to: SessionId,
        notice: &Notice,
        room: Option<(RoomId, u64)>,
    ) -> bool {
        assert!(to == actor && self.alive.contains(&to), "a reply to {to}, but {actor} acted");
        if let Some((room, number)) = room {
            let seq = self.room(room).seq;
            assert!(number == seq || number == seq + 1, "{number} at {seq}");
        }
        assert_frame(ServerMessage::System { notice, room });
        true
    }

    fn enter(&mut self, session: SessionId, room: RoomId) {
        let is_in = |room: &Room| room.members.contains(&session);
        assert!(!self.rooms.values().any(is_in), "{session} is in one room at a time");
        if !self.rooms.contains_key(&room) {
            assert_eq!(room.number(), self.last_room + 1, "ids rise by 1 and do not come again");
            self.last_room += 1;
        }
        self.rooms.entry(room).or_default().members.push(session);
        assert!(self.rooms.len() <= self.limits.rooms, "too many rooms");
    }

    fn broadcast(
        &mut self,
        actor: SessionId,
        room: RoomId,
        seq: u64,
        except: Option<SessionId>,
        event: &RoomEvent,
    ) -> bool {
        let actors_name = self.names.get(&actor).cloned();
        let heard = self.room(room);
        heard.seq += 1;
        assert_eq!(seq, heard.seq, "one more than before");
        assert!(except.is_none_or(|except| heard.members.contains(&except)));
        assert!(!heard.members.is_empty(), "somebody hears it");
        match event {
            RoomEvent::Chat { member, text } => {
                assert_eq!(except, Some(actor), "all but the one who said it");
                assert_eq!(Some(member), actors_name.as_ref());
                assert_frame(ServerMessage::Chat { member, text, room, seq });
                true
            }
            RoomEvent::Notice(notice) => {
                assert_frame(ServerMessage::System { notice, room: Some((room, seq)) });
                match notice {
                    Notice::Renamed { from, .. } => {
                        assert_eq!(Some(from), actors_name.as_ref());
                        assert_eq!(except, None, "all, the one renamed included");
                        true
                    }
                    Notice::MemberEntered { name } | Notice::MemberLeft { name } => {
                        assert_eq!(Some(name), actors_name.as_ref());
                        false
                    }
                    other => panic!("nothing to tell a room: {other:?}"),
                }
            }
        }
    }

    /// The list shows every room, its true number of members, and the first of their names.
    fn list(&self, hub: &Hub, list: &RoomList) {
        let (mut next, mut pages) = (0, Vec::new());
        loop {
            next += write_rooms_page(list.iter().skip(next), &mut pages);
            if next == list.len() {
                break;
            }
        }
        let pages = said::messages(&pages);
        let rooms: Vec<_> = pages.iter().flat_map(|page| &page.rooms).collect();
        assert_eq!(rooms.len(), self.rooms.len());
        for (listed, (id, room)) in rooms.into_iter().zip(&self.rooms) {
            assert_eq!(listed.room_id, id.number());
            assert_eq!(listed.member_count, room.members.len());
            let first = room.members.iter().take(MAX_LISTED_MEMBERS);
            let names = first.map(|&member| hub.name(member).expect("a member").as_str());
            assert!(names.eq(listed.members.iter().map(String::as_str)));
        }
    }

    /// The hub's getters say what its outputs did.
    pub(super) fn agrees_with(&mut self, hub: &Hub) {
        assert_eq!(hub.session_count(), self.alive.len());
        assert_eq!(hub.room_count(), self.rooms.len());
        for (&id, room) in &self.rooms {
            assert!(hub.members(id).eq(room.members.iter().copied()), "members of {id}");
            assert!(room.members.iter().all(|&member| hub.room_of(member) == Some(id)));
        }
        let in_rooms: usize = self.rooms.values().map(|room| room.members.len()).sum();
        let has_room = |session: &&SessionId| hub.room_of(**session).is_some();
        assert_eq!(self.alive.iter().filter(has_room).count(), in_rooms);

        let name = |&session| (session, hub.name(session).expect("it is alive").clone());
        self.names = self.alive.iter().map(name).collect();
        let lower = self.names.values().map(|name| name.as_str().trim().to_lowercase());
        assert_eq!(lower.collect::<BTreeSet<_>>().len(), self.alive.len(), "a name has one holder");
    }
}

/// What goes out fits a frame and has nothing raw in it.
fn assert_frame(message: ServerMessage<'_>) {
    let mut frame = Vec::new();
    message.write(Lang::En, &mut frame).expect("it fits a frame");
    said::message(&frame[HEADER_LEN..]);
}
