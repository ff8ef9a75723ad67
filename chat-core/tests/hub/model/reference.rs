//! The rules of the chat, written a second time: naively, without indexes or caches, so that each line can
//! be compared with the rule behind it.
//!
//! The model searches all people for the holder of a name. It does not compute which spellings are the same
//! name: [`NAMES`] lists them.

use std::fmt;

use chat_core::{Command, Name, Notice, OperatorText, Role, RoomEntry, RoomId, Text, Title};
use chat_proto::MAX_PAYLOAD;

use crate::support::Received;

/// The most rooms at one time. Small, so that sequences often reach it.
pub(crate) const MAX_ROOMS: usize = 3;

/// The name that people take a spelling for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    Chosen(&'static str),
    DefaultOf(u64),
    Reserved,
}
use Identity::{Chosen, DefaultOf, Reserved};

/// Every name that people ask for, besides their own default names.
pub(crate) const NAMES: &[(&str, Identity)] = &[
    ("Alice", Chosen("alice")),
    ("aLICE", Chosen("alice")),
    ("\u{ff21}lice", Chosen("alice")), // full width
    ("AIice", Chosen("alice")),
    ("Bob", Chosen("bob")),
    ("ВОВ", Chosen("bob")), // Cyrillic
    ("김철수", Chosen("김철수")),
    ("\u{1100}\u{1175}\u{11b7}\u{110e}\u{1165}\u{11af}\u{1109}\u{116e}", Chosen("김철수")),
    ("ㅇㅇ", Chosen("oo")),
    ("00", Chosen("oo")),
    ("user 2", Chosen("user 2")),
    ("user1", DefaultOf(1)),
    ("USER1", DefaultOf(1)),
    ("userl", DefaultOf(1)),
    ("user2", DefaultOf(2)),
    ("\u{ff55}ser2", DefaultOf(2)),
    ("user3", DefaultOf(3)),
    ("user1000", DefaultOf(1000)),
    ("Admin", Reserved),
    ("관리자", Reserved),
];

fn identity(name: &Name) -> Identity {
    let in_table = NAMES.iter().find(|(spelling, _)| *spelling == name.as_str());
    in_table.map(|&(_, identity)| identity).unwrap_or_else(|| {
        let digits = name.as_str().strip_prefix("user").expect("the default name of somebody");
        DefaultOf(digits.parse().expect("the number of somebody"))
    })
}

/// Somebody who is or was connected. The first has number 1.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) number: u64,
    pub(crate) role: Role,
    pub(crate) online: bool,
    pub(crate) name: Name,
    identity: Identity,
}

#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) title: Title,
    /// The number of the last broadcast.
    pub(crate) seq: u64,
    /// In order of arrival.
    pub(crate) members: Vec<u64>,
}

#[derive(Clone, Default)]
pub(crate) struct Model {
    pub(crate) people: Vec<Person>,
    pub(crate) rooms: Vec<Room>,
    pub(crate) rooms_made: u64,
    /// The people who have asked to stop the server, and may.
    pub(crate) shutdowns: Vec<u64>,
    /// What people receive because of the last input, in order.
    pub(crate) deliveries: Vec<(u64, Received)>,
}

/// Short, since it describes the start of a sequence in a failure.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a chat of {} people in {} rooms", self.people.len(), self.rooms.len())
    }
}

impl Model {
    pub(crate) fn connect(&mut self, role: Role) {
        self.deliveries.clear();
        let number = self.people.len() as u64 + 1;
        let name = Name::new(&format!("user{number}")).expect("a name");
        self.people.push(Person { number, role, online: true, name, identity: DefaultOf(number) });
    }

    /// A member whose connection ends leaves its room: the others get the notice.
    pub(crate) fn disconnect(&mut self, who: u64) {
        self.deliveries.clear();
        if self.person(who).online {
            self.person_mut(who).online = false;
            self.go_out(who);
        }
    }

    /// An announcement in a room is one of its broadcasts. Without such a room, nothing happens.
    pub(crate) fn announce(&mut self, room: RoomId, text: &OperatorText) {
        self.deliveries.clear();
        if self.rooms.iter().any(|r| r.id == room) {
            self.notice_to_members(room, None, &Notice::Announcement { text: text.clone() });
        }
    }

    /// An announcement to all reaches everybody who is online, in a room or not.
    pub(crate) fn announce_to_all(&mut self, text: &OperatorText) {
        self.deliveries.clear();
        let online: Vec<_> = self.people.iter().filter(|p| p.online).map(|p| p.number).collect();
        for who in online {
            let notice = Notice::Announcement { text: text.clone() };
            self.deliver(who, Received::Notice { notice, at: None });
        }
    }

    pub(crate) fn command(&mut self, who: u64, command: &Command) {
        self.deliveries.clear();
        if !self.person(who).online {
            return;
        }
        match command {
            Command::Rename(name) => self.rename(who, name),
            Command::Rooms => self.deliver(who, Received::Rooms(self.list())),
            Command::Create(title) => self.create(who, title),
            Command::Join(room) => self.join(who, *room),
            Command::Leave => self.leave(who),
            Command::Chat(text) => self.chat(who, text),
            Command::Shutdown if self.person(who).role == Role::Operator => {
                self.shutdowns.push(who);
            }
            Command::Shutdown => self.refuse(who, Notice::ShutdownRefused),
        }
    }

    pub(crate) fn person(&self, number: u64) -> &Person {
        self.people.iter().find(|person| person.number == number).expect("somebody known")
    }

    pub(crate) fn room_of(&self, who: u64) -> Option<&Room> {
        self.rooms.iter().find(|room| room.members.contains(&who))
    }

    /// In no room: told to the sender. In a room: told to every member, the sender included.
    fn rename(&mut self, who: u64, name: &Name) {
        let wanted = identity(name);
        let is_held = |p: &Person| p.online && p.number != who && p.identity == wanted;
        if wanted == Reserved {
            return self.refuse(who, Notice::NameReserved);
        }
        if matches!(wanted, DefaultOf(other) if other != who) || self.people.iter().any(is_held) {
            return self.refuse(who, Notice::NameTaken);
        }
        let person = self.person_mut(who);
        person.identity = wanted;
        let from = std::mem::replace(&mut person.name, name.clone());
        let notice = Notice::Renamed { from, to: name.clone() };
        match self.room_of(who).map(|room| room.id) {
            Some(room) => self.notice_to_members(room, None, &notice),
            None => self.deliver(who, Received::Notice { notice, at: None }),
        }
    }

    /// In no room: room created, sender in it, told to the sender. In a room: refused.
    fn create(&mut self, who: u64, title: &Title) {
        if let Some(room) = self.room_of(who) {
            return self.refuse(who, Notice::AlreadyInRoom { room: room.id });
        }
        if self.rooms.len() == MAX_ROOMS {
            return self.refuse(who, Notice::TooManyRooms { limit: MAX_ROOMS });
        }
        self.rooms_made += 1;
        let id = RoomId::new(self.rooms_made).expect("above 0");
        self.rooms.push(Room { id, title: title.clone(), seq: 0, members: vec![who] });
        let notice = Notice::RoomCreated { room: id, title: title.clone() };
        self.deliver(who, Received::Notice { notice, at: Some((id, 0)) });
    }

    /// In no room: told to the sender, and a notice to the others. In a room: refused.
    fn join(&mut self, who: u64, id: RoomId) {
        if let Some(room) = self.room_of(who) {
            return self.refuse(who, Notice::AlreadyInRoom { room: room.id });
        }
        let Some(room) = self.rooms.iter_mut().find(|room| room.id == id) else {
            return self.refuse(who, Notice::NoSuchRoom { room: id });
        };
        room.members.push(who);
        let at = Some((id, room.seq + 1)); // the number that the others read
        let notice = Notice::RoomEntered { room: id, title: room.title.clone() };
        self.deliver(who, Received::Notice { notice, at });
        let notice = Notice::MemberEntered { name: self.person(who).name.clone() };
        self.notice_to_members(id, Some(who), &notice);
    }

    /// Told to the sender, notice to the others. The last member to leave closes the room.
    fn leave(&mut self, who: u64) {
        let Some(room) = self.room_of(who) else {
            return self.refuse(who, Notice::NotInRoom);
        };
        let at = Some((room.id, room.seq + 1)); // the number that the others read
        let notice = Notice::RoomLeft { room: room.id, title: room.title.clone() };
        self.deliver(who, Received::Notice { notice, at });
        self.go_out(who);
    }

    /// Every *other* member gets it; the sender gets nothing.
    fn chat(&mut self, who: u64, text: &Text) {
        let Some(room) = self.room_of(who) else {
            return self.refuse(who, Notice::NotInRoom);
        };
        let member = self.person(who).name.clone();
        let at = (room.id, room.seq + 1);
        let len = json_of_chat(member.as_str(), text.as_str(), at).len();
        if len > MAX_PAYLOAD {
            return self.refuse(who, Notice::TextTooLong { excess: len - MAX_PAYLOAD });
        }
        let chat = Received::Chat { member, text: text.clone(), at };
        self.broadcast(at.0, Some(who), &chat);
    }

    /// Lists at most 50 members of a room, and counts all.
    fn list(&self) -> Vec<RoomEntry> {
        let name = |&number: &u64| &self.person(number).name;
        let entries = self.rooms.iter().map(|room| {
            let members = room.members.iter().take(50).map(name);
            RoomEntry::new(room.id, &room.title, members, room.members.len()).into_owned()
        });
        entries.collect()
    }

    fn go_out(&mut self, who: u64) {
        let Some(id) = self.room_of(who).map(|room| room.id) else { return };
        for room in &mut self.rooms {
            room.members.retain(|&member| member != who);
        }
        let notice = Notice::MemberLeft { name: self.person(who).name.clone() };
        self.notice_to_members(id, None, &notice);
        self.rooms.retain(|room| !room.members.is_empty());
    }

    fn notice_to_members(&mut self, id: RoomId, except: Option<u64>, notice: &Notice) {
        let seq = self.room_mut(id).seq + 1;
        let notice = Received::Notice { notice: notice.clone(), at: Some((id, seq)) };
        self.broadcast(id, except, &notice);
    }

    fn broadcast(&mut self, id: RoomId, except: Option<u64>, message: &Received) {
        let room = self.room_mut(id);
        room.seq += 1;
        for member in room.members.clone() {
            if Some(member) != except {
                self.deliver(member, message.clone());
            }
        }
    }

    fn refuse(&mut self, who: u64, notice: Notice) {
        self.deliver(who, Received::Notice { notice, at: None });
    }

    fn deliver(&mut self, to: u64, message: Received) {
        self.deliveries.push((to, message));
    }

    fn person_mut(&mut self, number: u64) -> &mut Person {
        self.people.iter_mut().find(|person| person.number == number).expect("somebody known")
    }

    fn room_mut(&mut self, id: RoomId) -> &mut Room {
        self.rooms.iter_mut().find(|room| room.id == id).expect("a room there is")
    }
}

fn json_of_chat(member: &str, text: &str, (room, seq): (RoomId, u64)) -> String {
    let escaped = |s: &str| {
        let s = s.replace('\\', r"\\").replace('"', "\\\"");
        s.replace('\n', r"\n").replace('\t', r"\t")
    };
    let (member, text) = (escaped(member), escaped(text));
    format!(
        r#"{{"type":"SCChat","member":"{member}","text":"{text}","roomId":{room},"seq":{seq}}}"#
    )
}
