//! Where this client is and whom it has seen: for the prompt, for completion, and for the way back
//! after a lost connection.
//!
//! All of it is taken from the code and the fields of a message, never from its text, which is for
//! people and in a language of the server's choice. A server that leaves fields out costs a prompt
//! its title and a name its completion, and one that knows no codes the prompt its room. Nothing worse
//! comes of it.

use chat_proto::{Command, Incoming, Name, RoomId};

use crate::terminal::completion::Vocabulary;

/// Names kept for completion, and rooms.
const MAX_NAMES: usize = 200;
const MAX_ROOMS: usize = 1_000;

/// The room that the client is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) room: u64,
    pub(crate) title: Option<String>,
    /// The number of its last broadcast that came.
    pub(crate) seq: u64,
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    place: Option<Place>,
    vocabulary: Vocabulary,
    /// A list of rooms goes on in the next message.
    in_list: bool,
    /// The name asked for, and the one the server has agreed to.
    asked: Option<Name>,
    name: Option<Name>,
    /// The room asked for last, for a server that does not say which one was entered.
    asked_room: Option<RoomId>,
}

impl Surroundings {
    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// Forgets the room, and tells which it was.
    pub(crate) fn leave(&mut self) -> Option<Place> {
        self.vocabulary.names.clear();
        self.place.take()
    }

    /// Remembers a room that could not be entered again yet.
    pub(crate) fn return_to(&mut self, place: Place) {
        self.place = Some(place);
    }

    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The name that the server has agreed to.
    pub(crate) fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Takes notice of what the server is asked for.
    pub(crate) fn ask(&mut self, command: &Command) {
        match command {
            Command::Rename(name) => self.asked = Some(name.clone()),
            Command::Join(room) => self.asked_room = Some(*room),
            _ => {}
        }
    }

    /// Takes notice of a message.
    pub(crate) fn see(&mut self, message: &Incoming) {
        match message.kind.as_str() {
            "SCChat" => self.see_name(&message.member),
            "SCSystemMessage" => self.see_notice(message),
            "SCRoomsResult" => self.see_rooms(message),
            _ => {}
        }
        if let (Some(place), Some(seq)) = (&mut self.place, message.seq)
            && message.room_id == Some(place.room)
        {
            place.seq = place.seq.max(seq);
        }
    }

    fn see_notice(&mut self, message: &Incoming) {
        match message.code.as_deref().unwrap_or_default() {
            "room-created" => self.enter(message.room_id, message),
            "room-entered" => {
                let asked = self.asked_room.take().map(RoomId::number);
                self.enter(message.room_id.or(asked), message);
            }
            "room-left" => {
                self.leave();
            }
            "member-entered" => self.see_name(&message.member),
            "member-left" => self.forget(&message.member),
            "renamed" => self.see_rename(message),
            "bad-name" | "name-taken" => self.asked = None,
            _ => {}
        }
    }

    fn enter(&mut self, room: Option<u64>, message: &Incoming) {
        self.leave();
        let (title, seq) = (message.title.clone(), message.seq.unwrap_or(0));
        self.place = room.map(|room| Place { room, title, seq });
    }

    fn see_rename(&mut self, message: &Incoming) {
        let (from, to) = (message.from.as_deref(), message.to.as_deref());
        // Others are renamed too. A server that does not say to what is taken to mean us.
        let agreed = self.asked.take_if(|asked| to.is_none_or(|to| to == asked.as_str()));
        self.name = agreed.or(self.name.take());
        self.forget(from.unwrap_or_default());
        if self.place.is_some() {
            self.see_name(to.unwrap_or_default());
        }
    }

    fn see_rooms(&mut self, message: &Incoming) {
        let rooms = &mut self.vocabulary.rooms;
        if !self.in_list {
            rooms.clear();
        }
        self.in_list = message.more;
        let room = MAX_ROOMS.saturating_sub(rooms.len());
        rooms.extend(message.rooms.iter().take(room).map(|room| room.room_id));
        let here = self.place.as_ref().map(|place| place.room);
        let rooms = message.rooms.iter().filter(|room| Some(room.room_id) == here);
        for member in rooms.flat_map(|room| &room.members) {
            self.see_name(member);
        }
    }

    fn see_name(&mut self, name: &str) {
        // It may come to stand in the line being typed.
        if Name::new(name).is_err() {
            return;
        }
        self.forget(name);
        self.vocabulary.names.insert(0, name.to_owned());
        self.vocabulary.names.truncate(MAX_NAMES);
    }

    fn forget(&mut self, name: &str) {
        self.vocabulary.names.retain(|known| known != name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::{HEADER_LEN, Lang, Notice, RoomEntry, ServerMessage, Title};

    /// As our server says it, in a language that this client's person may not speak.
    fn notice(notice: &Notice, room: u64, seq: u64) -> Incoming {
        let room = RoomId::new(room).ok().map(|room| (room, seq));
        let mut frame = Vec::new();
        let message = ServerMessage::System { notice, room };
        message.write(Lang::Ko, &mut frame).expect("a notice fits");
        Incoming::parse(&frame[HEADER_LEN..]).expect("it is a message")
    }

    fn name(name: &str) -> Name {
        Name::new(name).expect("a name")
    }

    fn entered() -> Surroundings {
        let mut seen = Surroundings::default();
        let room = RoomId::new(3).expect("above 0");
        let title = Title::new("say \"hi\"").expect("a title");
        seen.see(&notice(&Notice::RoomEntered { room, title }, 3, 7));
        seen
    }

    #[test]
    fn the_room_its_title_and_its_counter_are_known() {
        let mut seen = entered();
        let place = Place { room: 3, title: Some("say \"hi\"".into()), seq: 7 };
        assert_eq!(seen.place(), Some(&place));
        seen.see(&notice(&Notice::MemberEntered { name: name("bob") }, 3, 8));
        seen.see(&notice(&Notice::MemberEntered { name: name("bob") }, 4, 99));
        assert_eq!(seen.place().map(|place| place.seq), Some(8));
    }

    #[test]
    fn names_are_known_from_entering_to_leaving() {
        let mut seen = entered();
        for who in ["bob", "Guido van Rossum", "carol"] {
            seen.see(&notice(&Notice::MemberEntered { name: name(who) }, 3, 8));
        }
        seen.see(&notice(&Notice::Renamed { from: name("bob"), to: name("김철수") }, 3, 9));
        seen.see(&notice(&Notice::MemberLeft { name: name("carol") }, 3, 10));
        let chat = Incoming { kind: "SCChat".into(), member: "dave".into(), ..Incoming::default() };
        seen.see(&chat);
        seen.see(&chat);
        let rooms = |room_id, member: &str| Incoming {
            kind: "SCRoomsResult".into(),
            rooms: vec![RoomEntry {
                room_id,
                title: "x".into(),
                members: vec![member.into()],
                member_count: 1,
            }],
            ..Incoming::default()
        };
        seen.see(&rooms(3, "ev\u{1b}l"));
        seen.see(&Incoming { more: true, ..rooms(3, "eve") });
        seen.see(&rooms(4, "mallory"));
        assert_eq!(seen.vocabulary().names, ["eve", "dave", "김철수", "Guido van Rossum"]);
        assert_eq!(seen.vocabulary().rooms, [3, 4]);
        seen.leave();
        assert!(seen.vocabulary().names.is_empty() && seen.place().is_none());
    }

    #[test]
    fn a_name_is_ours_when_the_server_has_agreed() {
        let mut seen = Surroundings::default();
        seen.ask(&Command::Rename(name("taken")));
        seen.see(&notice(&Notice::NameTaken, 0, 0));
        seen.see(&notice(&Notice::Renamed { from: name("a"), to: name("taken") }, 0, 0));
        assert_eq!(seen.name(), None);
        seen.ask(&Command::Rename(name("ours")));
        seen.see(&notice(&Notice::Renamed { from: name("a"), to: name("b") }, 3, 1));
        assert_eq!(seen.name(), None, "somebody else was renamed");
        seen.see(&notice(&Notice::Renamed { from: name("user1"), to: name("ours") }, 0, 0));
        assert_eq!(seen.name(), Some(&name("ours")));
    }

    fn coded(code: Option<&str>) -> Incoming {
        Incoming {
            kind: "SCSystemMessage".into(),
            text: "You are now in room 3, \"tea\". user1 is now called bob.".into(),
            code: code.map(str::to_owned),
            ..Incoming::default()
        }
    }

    #[test]
    fn of_a_server_without_fields_only_what_was_asked_for_is_known() {
        let room = RoomId::new(3).expect("above 0");
        let mut seen = Surroundings::default();
        seen.ask(&Command::Join(room));
        seen.see(&coded(Some("room-entered")));
        assert_eq!(seen.place(), Some(&Place { room: 3, title: None, seq: 0 }));
        seen.ask(&Command::Rename(name("ours")));
        seen.see(&coded(Some("renamed")));
        assert_eq!(seen.name(), Some(&name("ours")));
        seen.see(&coded(Some("room-left")));
        seen.see(&coded(Some("room-created")));
        assert_eq!(seen.place(), None, "it was not asked for by number");
        assert!(seen.vocabulary().names.is_empty());
    }

    /// The original's: whether a command was refused is in its text alone.
    #[test]
    fn of_a_server_without_codes_nothing_is_guessed() {
        let mut seen = Surroundings::default();
        seen.ask(&Command::Join(RoomId::new(3).expect("above 0")));
        seen.ask(&Command::Rename(name("bob")));
        seen.see(&coded(None));
        assert_eq!((seen.place(), seen.name()), (None, None));
        assert!(seen.vocabulary().names.is_empty());
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let mut seen = entered();
        for n in 0..MAX_NAMES + 10 {
            seen.see_name(&n.to_string());
        }
        assert_eq!(seen.vocabulary().names.len(), MAX_NAMES);
    }
}
