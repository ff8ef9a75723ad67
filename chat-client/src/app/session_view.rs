//! The session as the client sees it: its name, its room, and the names seen there. The prompt, completion, and the
//! return after a lost connection use it.
//!
//! All of it comes from the codes and fields of messages, never from texts, whose language the server chooses. If a
//! server omits fields, the prompt lacks the title and completion lacks names; without codes, the prompt lacks the
//! room.

use chat_proto::{Command, Incoming, Name, RoomId};

use crate::app::input::COMMANDS;
use crate::terminal::completion::Vocabulary;

/// The most names kept for completion.
const MAX_NAMES: usize = 200;
/// The most rooms kept for completion.
const MAX_ROOMS: usize = 1_000;

/// The room that the client is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinedRoom {
    pub(crate) id: u64,
    pub(crate) title: Option<String>,
    /// The number of the last broadcast received.
    pub(crate) seq: u64,
}

/// The session, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct SessionView {
    room: Option<JoinedRoom>,
    vocabulary: Vocabulary,
    /// Whether a list of rooms continues in the next message.
    in_list: bool,
    /// The name requested last, until the answer.
    requested_name: Option<Name>,
    /// The name that the server has confirmed.
    name: Option<Name>,
    /// The name that others see, if the server has said hello.
    shown_name: Option<String>,
    /// The room requested last, for servers that do not say which room was entered.
    requested_room: Option<RoomId>,
}

impl SessionView {
    pub(crate) fn new() -> Self {
        let vocabulary = Vocabulary { commands: &COMMANDS, ..Vocabulary::default() };
        Self { vocabulary, ..Self::default() }
    }

    pub(crate) fn room(&self) -> Option<&JoinedRoom> {
        self.room.as_ref()
    }

    /// Forgets the room, and returns it.
    pub(crate) fn leave(&mut self) -> Option<JoinedRoom> {
        self.vocabulary.names.clear();
        self.room.take()
    }

    /// Records that the client is in a room of which it knows nothing else.
    pub(crate) fn enter_unseen(&mut self, id: u64) {
        self.leave();
        self.room = Some(JoinedRoom { id, title: None, seq: 0 });
    }

    /// Remembers a room that could not be entered again yet.
    pub(crate) fn return_to(&mut self, room: JoinedRoom) {
        self.room = Some(room);
    }

    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The name that the server has confirmed.
    pub(crate) fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Whether others see this client under this name, as far as is known.
    pub(crate) fn is_own_name(&self, name: &str) -> bool {
        self.shown_name.as_deref() == Some(name)
    }

    /// Records the name in a welcome. A session that was `resumed` has the name that was requested before, or not.
    pub(crate) fn welcomed(&mut self, name: &str, resumed: bool) {
        self.shown_name = Some(name.to_owned());
        let requested = self.requested_name.take().filter(|_| resumed);
        let agreed = requested.filter(|requested| requested.as_str() == name);
        self.name = agreed.or(self.name.take());
    }

    /// Records members of the room.
    pub(crate) fn see_members(&mut self, members: &[String]) {
        for member in members.iter().take(MAX_NAMES) {
            self.see_name(member);
        }
    }

    /// Records a command sent to the server.
    pub(crate) fn sent(&mut self, command: &Command) {
        match command {
            Command::Rename(name) => self.requested_name = Some(name.clone()),
            Command::Join(room) => self.requested_room = Some(*room),
            _ => {}
        }
    }

    /// Records a message from the server.
    pub(crate) fn received(&mut self, message: &Incoming) {
        match message.kind.as_str() {
            "SCChat" => self.see_name(&message.member),
            "SCSystemMessage" => self.see_notice(message),
            "SCRoomsResult" => self.see_rooms(message),
            _ => {}
        }
        if let (Some(room), Some(seq)) = (&mut self.room, message.seq)
            && message.room_id == Some(room.id)
        {
            room.seq = room.seq.max(seq);
        }
    }

    fn see_notice(&mut self, message: &Incoming) {
        match message.code.as_deref().unwrap_or_default() {
            "room-created" => self.enter(message.room_id, message),
            "room-entered" => {
                let requested = self.requested_room.take().map(RoomId::number);
                self.enter(message.room_id.or(requested), message);
            }
            "room-left" => {
                self.leave();
            }
            "member-entered" => self.see_name(&message.member),
            "member-left" => self.forget(&message.member),
            "renamed" => self.see_rename(message),
            "bad-name" | "name-taken" => self.requested_name = None,
            _ => {}
        }
    }

    fn enter(&mut self, id: Option<u64>, message: &Incoming) {
        self.leave();
        let (title, seq) = (message.title.clone(), message.seq.unwrap_or(0));
        self.room = id.map(|id| JoinedRoom { id, title, seq });
    }

    fn see_rename(&mut self, message: &Incoming) {
        let (from, to) = (message.from.as_deref(), message.to.as_deref());
        // Others are renamed too. If the message lacks the new name, it is taken for the answer to our request.
        let agreed = self.requested_name.take_if(|name| to.is_none_or(|to| to == name.as_str()));
        self.name = agreed.or(self.name.take());
        if from.is_some() && self.shown_name.as_deref() == from {
            self.shown_name = to.map(str::to_owned);
        }
        self.forget(from.unwrap_or_default());
        if self.room.is_some() {
            self.see_name(to.unwrap_or_default());
        }
    }

    fn see_rooms(&mut self, message: &Incoming) {
        let rooms = &mut self.vocabulary.rooms;
        if !self.in_list {
            rooms.clear();
        }
        self.in_list = message.more;
        let space = MAX_ROOMS.saturating_sub(rooms.len());
        rooms.extend(message.rooms.iter().take(space).map(|room| room.room_id));
        let joined = self.room.as_ref().map(|room| room.id);
        // Each member costs as many comparisons as there are names.
        if let Some(room) = message.rooms.iter().find(|room| Some(room.room_id) == joined) {
            self.see_members(&room.members);
        }
    }

    fn see_name(&mut self, name: &str) {
        // Completion may insert the name into the line being typed.
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
    use chat_proto::{HEADER_LEN, Lang, Notice, ServerMessage, Title};

    /// The message from a server that speaks Korean.
    fn notice(notice: &Notice, room: u64, seq: u64) -> Incoming {
        let room = RoomId::new(room).ok().map(|room| (room, seq));
        let mut frame = Vec::new();
        let message = ServerMessage::System { notice, room };
        message.write(Lang::Ko, &mut frame).expect("a notice fits");
        Incoming::parse(&frame[HEADER_LEN..]).expect("it is a message")
    }

    fn json(json: &str) -> Incoming {
        Incoming::parse(json.as_bytes()).expect("it is a message")
    }

    fn name(name: &str) -> Name {
        Name::new(name).expect("a name")
    }

    fn entered() -> SessionView {
        let mut seen = SessionView::default();
        let room = RoomId::new(3).expect("above 0");
        let title = Title::new("say \"hi\"").expect("a title");
        seen.received(&notice(&Notice::RoomEntered { room, title }, 3, 7));
        seen
    }

    #[test]
    fn the_room_its_title_and_its_counter_are_known() {
        let mut seen = entered();
        let room = JoinedRoom { id: 3, title: Some("say \"hi\"".into()), seq: 7 };
        assert_eq!(seen.room(), Some(&room));
        seen.received(&notice(&Notice::MemberEntered { name: name("bob") }, 3, 8));
        seen.received(&notice(&Notice::MemberEntered { name: name("bob") }, 4, 99));
        assert_eq!(seen.room().map(|room| room.seq), Some(8));
    }

    #[test]
    fn names_are_known_from_entering_to_leaving() {
        let mut seen = entered();
        for who in ["bob", "Guido van Rossum", "carol"] {
            seen.received(&notice(&Notice::MemberEntered { name: name(who) }, 3, 8));
        }
        seen.received(&notice(&Notice::Renamed { from: name("bob"), to: name("김철수") }, 3, 9));
        seen.received(&notice(&Notice::MemberLeft { name: name("carol") }, 3, 10));
        let chat = json(r#"{"type":"SCChat","member":"dave"}"#);
        seen.received(&chat);
        seen.received(&chat);
        for (room, member, more) in [(3, r"ev\u001bl", false), (3, "eve", true), (4, "x", false)] {
            let room = format!(r#"{{"roomId":{room},"title":"x","members":["{member}"]}}"#);
            seen.received(&json(&format!(
                r#"{{"type":"SCRoomsResult","rooms":[{room}],"more":{more}}}"#
            )));
        }
        assert_eq!(seen.vocabulary().names, ["eve", "dave", "김철수", "Guido van Rossum"]);
        assert_eq!(seen.vocabulary().rooms, [3, 4]);
        seen.leave();
        assert!(seen.vocabulary().names.is_empty() && seen.room().is_none());
    }

    #[test]
    fn a_name_is_ours_once_the_server_has_agreed() {
        let mut seen = SessionView::default();
        seen.sent(&Command::Rename(name("taken")));
        seen.received(&notice(&Notice::NameTaken, 0, 0));
        seen.received(&notice(&Notice::Renamed { from: name("a"), to: name("taken") }, 0, 0));
        assert_eq!(seen.name(), None);
        seen.sent(&Command::Rename(name("ours")));
        seen.received(&notice(&Notice::Renamed { from: name("a"), to: name("b") }, 3, 1));
        assert_eq!(seen.name(), None, "somebody else was renamed");
        seen.received(&notice(&Notice::Renamed { from: name("user1"), to: name("ours") }, 0, 0));
        assert_eq!(seen.name(), Some(&name("ours")));
    }

    fn coded(code: &str) -> Incoming {
        json(&format!(
            r#"{{"type":"SCSystemMessage","text":"You are in room 3.","code":"{code}"}}"#
        ))
    }

    #[test]
    fn a_server_without_fields_confirms_what_was_requested() {
        let room = RoomId::new(3).expect("above 0");
        let mut seen = SessionView::default();
        seen.sent(&Command::Join(room));
        seen.received(&coded("room-entered"));
        assert_eq!(seen.room(), Some(&JoinedRoom { id: 3, title: None, seq: 0 }));
        seen.sent(&Command::Rename(name("ours")));
        seen.received(&coded("renamed"));
        assert_eq!(seen.name(), Some(&name("ours")));
        seen.received(&coded("room-left"));
        seen.received(&coded("room-created"));
        assert_eq!(seen.room(), None, "it was not requested by number");
        assert!(seen.vocabulary().names.is_empty());
    }

    /// The original server says only in the text whether a command was refused.
    #[test]
    fn a_server_without_codes_confirms_nothing() {
        let mut seen = SessionView::default();
        seen.sent(&Command::Join(RoomId::new(3).expect("above 0")));
        seen.sent(&Command::Rename(name("bob")));
        seen.received(&json(
            r#"{"type":"SCSystemMessage","text":"You are now in room 3, \"tea\"."}"#,
        ));
        assert_eq!((seen.room(), seen.name()), (None, None));
        assert!(seen.vocabulary().names.is_empty());
    }

    #[test]
    fn the_names_kept_have_a_limit() {
        let mut seen = entered();
        for n in 0..MAX_NAMES + 10 {
            seen.see_name(&n.to_string());
        }
        assert_eq!(seen.vocabulary().names.len(), MAX_NAMES);
    }
}
