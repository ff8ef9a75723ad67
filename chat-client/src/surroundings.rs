//! Where this client is and whom it has seen: for the prompt, for completion, and for the way back
//! after a lost connection.
//!
//! Titles and names of notices stand only in their texts. They are taken from there where the text
//! is one that is known; where it is not, a prompt has no title and a name is not completed. Nothing
//! worse comes of it.

use chat_proto::{Incoming, Name};

use crate::complete::Vocabulary;

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

    pub(crate) fn ask_for(&mut self, name: &Name) {
        self.asked = Some(name.clone());
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
        let text = message.text.as_str();
        match message.code.as_deref().unwrap_or_default() {
            "room-created" | "room-entered" => {
                self.leave();
                let title = text.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"'));
                let title = title.map(|(title, _)| title.to_owned());
                let seq = message.seq.unwrap_or(0);
                self.place = message.room_id.map(|room| Place { room, title, seq });
            }
            "room-left" => {
                self.leave();
            }
            "member-entered" => {
                if let Some(name) = text.strip_suffix(" came in.") {
                    self.see_name(name);
                }
            }
            "member-left" => self.forget(text.strip_suffix(" left.").unwrap_or_default()),
            "renamed" => {
                self.name = self.asked.take().or(self.name.take());
                if let Some((from, to)) = text.split_once(" is now called ") {
                    self.forget(from);
                    if self.place.is_some() {
                        self.see_name(to.strip_suffix('.').unwrap_or(to));
                    }
                }
            }
            "bad-name" | "name-taken" => self.asked = None,
            _ => {}
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
    use chat_proto::{Notice, RoomEntry, RoomId, Title};

    /// As our server says it.
    fn notice(notice: &Notice, room: u64, seq: u64) -> Incoming {
        Incoming {
            kind: "SCSystemMessage".into(),
            text: notice.to_string(),
            code: Some(notice.code().into()),
            room_id: Some(room),
            seq: Some(seq),
            ..Incoming::default()
        }
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
        seen.ask_for(&name("taken"));
        seen.see(&notice(&Notice::NameTaken, 0, 0));
        seen.see(&notice(&Notice::Renamed { from: name("a"), to: name("b") }, 0, 0));
        assert_eq!(seen.name(), None);
        seen.ask_for(&name("ours"));
        seen.see(&notice(&Notice::Renamed { from: name("user1"), to: name("ours") }, 0, 0));
        assert_eq!(seen.name(), Some(&name("ours")));
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
