//! What people type into a [`Chat`], and what they read, as short lines.

use chat_core::{Command, HubLimits, Name, Notice, Role, RoomId, SessionId, Text, Title};

use super::{Chat, Received};

impl Chat {
    pub(crate) fn new() -> Self {
        Self::with_limits(HubLimits::default())
    }

    pub(crate) fn connect(&mut self) -> SessionId {
        self.connect_as(Role::Guest)
    }

    /// Connects somebody and sets a name. Returns after the answer has been read.
    pub(crate) fn connect_named(&mut self, name: &str) -> SessionId {
        let session = self.connect();
        self.rename(session, name);
        assert_eq!(self.inbox(session).len(), 1);
        session
    }

    /// Returns a chat with ann and bob in room 1, "games", who have read everything.
    pub(crate) fn with_ann_and_bob() -> (Self, SessionId, SessionId) {
        let mut chat = Self::new();
        let (ann, bob) = (chat.connect_named("ann"), chat.connect_named("bob"));
        chat.create(ann, "games");
        chat.join(bob, 1);
        chat.say(ann, "one");
        chat.say(ann, "two"); // what ann does next is number 4
        chat.inbox(ann);
        chat.inbox(bob);
        (chat, ann, bob)
    }

    pub(crate) fn rename(&mut self, who: SessionId, name: &str) {
        self.send(who, Command::Rename(Name::new(name).expect("a name")));
    }

    pub(crate) fn rooms(&mut self, who: SessionId) {
        self.send(who, Command::Rooms);
    }

    pub(crate) fn create(&mut self, who: SessionId, title: &str) {
        self.send(who, Command::Create(Title::new(title).expect("a title")));
    }

    pub(crate) fn join(&mut self, who: SessionId, room: u64) {
        self.send(who, Command::Join(RoomId::new(room).expect("above 0")));
    }

    pub(crate) fn leave(&mut self, who: SessionId) {
        self.send(who, Command::Leave);
    }

    pub(crate) fn say(&mut self, who: SessionId, text: &str) {
        self.send(who, Command::Chat(Text::new(text).expect("a text")));
    }

    /// Returns what somebody has received since the last call, a line per message.
    pub(crate) fn inbox(&mut self, who: SessionId) -> Vec<String> {
        let received = self.take_inbox(who).expect("an inbox of somebody who is there");
        received.iter().map(line).collect()
    }

    pub(crate) fn name(&self, who: SessionId) -> &str {
        self.hub().name(who).expect("somebody who is there").as_str()
    }
}

fn line(received: &Received) -> String {
    match received {
        Received::Chat { member, text, at: (room, seq) } => {
            format!("{room}#{seq} {member}: {}", text.as_str())
        }
        Received::Notice { notice, at } => {
            let at = at.map_or(String::new(), |(room, seq)| format!("{room}#{seq} "));
            match notice {
                Notice::Renamed { from, to } => format!("{at}renamed {from} {to}"),
                Notice::MemberEntered { name } => format!("{at}member-entered {name}"),
                Notice::MemberLeft { name } => format!("{at}member-left {name}"),
                Notice::Announcement { text } => format!("{at}announcement {text}"),
                other => format!("{at}{}", other.code()),
            }
        }
        Received::Rooms(rooms) => rooms.iter().fold("rooms".to_owned(), |line, room| {
            let members = room.members.join(" ");
            format!("{line} {} {} [{members}] {}", room.room_id, room.title, room.member_count)
        }),
    }
}
