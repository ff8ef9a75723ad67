//! A server without sockets, which carries out the outputs of a [`Hub`] as any server has to, and keeps
//! what each client would read.
//!
//! It learns who is in which room from the outputs alone. It asserts what must hold for any sequence of
//! outputs, so that every test of the hub tests that too.

mod config;
mod people;

use std::collections::{BTreeMap, BTreeSet};

use chat_core::{
    Command, Hub, HubLimits, Input, Name, Notice, Output, Role, RoomEntry, RoomEvent, RoomId,
};
use chat_core::{OperatorText, SessionId, Text};
use chat_proto::{Lang, ServerMessage};

pub(crate) use config::config;

/// One message as a client reads it. `at` is the room it is about, and its number there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Received {
    Notice { notice: Notice, at: Option<(RoomId, u64)> },
    Chat { member: Name, text: Text, at: (RoomId, u64) },
    Rooms(Vec<RoomEntry>),
}

/// A hub with its clients.
#[derive(Debug)]
pub(crate) struct Chat {
    hub: Hub,
    /// What each session that has not ended has received and not read yet.
    inboxes: BTreeMap<SessionId, Vec<Received>>,
    ended: BTreeSet<SessionId>,
    rooms: BTreeMap<RoomId, Audience>,
    newest_room: Option<RoomId>,
    shutdowns: Vec<SessionId>,
}

/// The receivers of the broadcasts of a room, in order of arrival, and the number of the last one.
#[derive(Debug, Default)]
struct Audience {
    members: Vec<SessionId>,
    seq: u64,
}

/// Begins a session.
pub(crate) fn connect(hub: &mut Hub, role: Role) -> SessionId {
    let mut outputs = Vec::new();
    hub.apply(0, Input::Connect { role }, &mut outputs);
    match outputs[..] {
        [Output::Connected { session }] => session,
        _ => panic!("{outputs:?} begins no session"),
    }
}

impl Chat {
    pub(crate) fn with_limits(limits: HubLimits) -> Self {
        Self {
            hub: Hub::new(limits),
            inboxes: BTreeMap::new(),
            ended: BTreeSet::new(),
            rooms: BTreeMap::new(),
            newest_room: None,
            shutdowns: Vec::new(),
        }
    }

    pub(crate) fn connect_as(&mut self, role: Role) -> SessionId {
        let session = connect(&mut self.hub, role);
        let before = self.inboxes.insert(session, Vec::new());
        assert!(before.is_none() && !self.ended.contains(&session), "{session} is used again");
        session
    }

    /// Ends the connection of a client. From now on, no output may be for it.
    pub(crate) fn disconnect(&mut self, session: SessionId) {
        self.inboxes.remove(&session);
        let mut outputs = Vec::new();
        self.hub.apply(0, Input::Disconnect { session }, &mut outputs);
        self.carry_out(outputs);
    }

    pub(crate) fn send(&mut self, from: SessionId, command: Command) {
        let mut outputs = Vec::new();
        self.hub.apply(0, Input::Command { session: from, command }, &mut outputs);
        self.carry_out(outputs);
    }

    /// Announces something in a room. Returns whether there is such a room.
    pub(crate) fn announce(&mut self, room: RoomId, text: OperatorText) -> bool {
        let mut outputs = Vec::new();
        self.hub.apply(0, Input::Announce { room, text }, &mut outputs);
        let exists = !outputs.is_empty();
        self.carry_out(outputs);
        exists
    }

    /// Announces something to everybody.
    pub(crate) fn announce_to_all(&mut self, text: OperatorText) {
        let mut outputs = Vec::new();
        self.hub.apply(0, Input::AnnounceToAll { text }, &mut outputs);
        self.carry_out(outputs);
    }

    /// Returns what a client has received since the last call; `None` if its session has ended.
    pub(crate) fn take_inbox(&mut self, session: SessionId) -> Option<Vec<Received>> {
        self.inboxes.get_mut(&session).map(std::mem::take)
    }

    /// The sessions that have asked to stop the server, and may.
    pub(crate) fn shutdowns(&self) -> &[SessionId] {
        &self.shutdowns
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.hub
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Reply { to, notice, room } => {
                    self.deliver(to, Received::Notice { notice, at: room });
                }
                Output::Rooms { to } => {
                    let rooms = self.hub.rooms_after(None).map(RoomEntry::into_owned).collect();
                    self.deliver(to, Received::Rooms(rooms));
                }
                Output::Entered { session, room } => self.entered(session, room),
                Output::Left { session, room } => {
                    let members = &mut self.rooms.get_mut(&room).expect("a room").members;
                    let place = members.iter().position(|&member| member == session);
                    members.remove(place.expect("only a member leaves"));
                }
                Output::Broadcast { room, seq, except, event, .. } => {
                    self.broadcast(room, seq, except, &event);
                }
                Output::NotifyAll { notice } => {
                    let sessions: Vec<_> = self.inboxes.keys().copied().collect();
                    for to in sessions {
                        self.deliver(to, Received::Notice { notice: notice.clone(), at: None });
                    }
                }
                Output::RoomClosed { room } => {
                    let closed = self.rooms.remove(&room).expect("a room closes once");
                    assert!(closed.members.is_empty(), "room {room} closed over its members");
                }
                Output::Disconnected { session } => {
                    assert!(self.ended.insert(session), "{session} ended twice");
                }
                Output::ShutdownRequested { by } => self.shutdowns.push(by),
                unknown => panic!("an output that this server does not know: {unknown:?}"),
            }
        }
        self.check();
    }

    fn entered(&mut self, session: SessionId, room: RoomId) {
        assert!(self.inboxes.contains_key(&session), "{session} entered after its end");
        if !self.rooms.contains_key(&room) {
            assert!(Some(room) > self.newest_room, "room {room} was there before");
            self.newest_room = Some(room);
        }
        let audience = self.rooms.entry(room).or_default();
        assert!(!audience.members.contains(&session), "{session} is in room {room} already");
        audience.members.push(session);
    }

    fn broadcast(&mut self, room: RoomId, seq: u64, except: Option<SessionId>, event: &RoomEvent) {
        let audience = self.rooms.get_mut(&room).expect("a broadcast is for a room there is");
        assert_eq!(seq, audience.seq + 1, "numbers of room {room} rise by 1");
        audience.seq = seq;
        // The hub knows the members, since outputs are carried out after each input.
        let members = audience.members.iter().copied();
        assert!(self.hub.members(room).eq(members), "who gets number {seq} of room {room}");
        let at = (room, seq);
        let (received, message) = match event {
            RoomEvent::Chat { member, text } => (
                Received::Chat { member: member.clone(), text: text.clone(), at },
                ServerMessage::Chat { member, text, room, seq },
            ),
            RoomEvent::Notice(notice) => (
                Received::Notice { notice: notice.clone(), at: Some(at) },
                ServerMessage::System { notice, room: Some(at) },
            ),
        };
        message
            .write(Lang::En, &mut Vec::new())
            .expect("the hub lets nothing through that fits no frame");
        for session in audience.members.clone() {
            if Some(session) != except {
                self.deliver(session, received.clone());
            }
        }
    }

    fn deliver(&mut self, to: SessionId, message: Received) {
        let inbox = self.inboxes.get_mut(&to);
        inbox.expect("nothing is for a session that has ended").push(message);
    }

    /// Checks that the hub agrees with its outputs.
    fn check(&self) {
        self.hub.check_invariants();
        assert_eq!(self.hub.session_count(), self.inboxes.len());
        assert_eq!(self.hub.room_count(), self.rooms.len());
        for (&room, audience) in &self.rooms {
            assert!(self.hub.members(room).eq(audience.members.iter().copied()), "room {room}");
        }
        for &session in &self.ended {
            assert!(self.hub.name(session).is_none() && self.hub.room_of(session).is_none());
            assert!(!self.inboxes.contains_key(&session));
        }
    }
}
