//! Messages from a server: a server writes them as [`ServerMessage`]s, a client parses them into
//! [`Incoming`]s.
//!
//! The original client fails on a `type` it does not know, and ignores fields it does not know. So there
//! are exactly three types, and everything new is a field after the old ones.

use std::fmt;

use serde::Deserialize;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::extended::RequestId;
use crate::frame::FrameTooLong;
use crate::framing::Framing;
use crate::lang::Lang;
use crate::localize::Localize;
use crate::notice::Notice;
use crate::rooms::RoomEntry;
use crate::values::{Name, RoomId, Text};

/// A message to write. [`write_rooms_page`](crate::write_rooms_page) writes lists of rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerMessage<'a> {
    /// `SCChat`: what `member` said in `room`.
    Chat {
        /// The name of the sender.
        member: &'a Name,
        /// The text of the chat.
        text: &'a Text,
        /// The room.
        room: RoomId,
        /// The number of this broadcast in the room.
        seq: u64,
    },
    /// `SCSystemMessage`: an answer, a notice or an error for people.
    System {
        /// The content.
        notice: &'a Notice,
        /// The room it is about, if any, and the number of the broadcast there.
        room: Option<(RoomId, u64)>,
    },
    /// The same in answer to a request with an id, of a client that said hello.
    Answer {
        /// The id.
        re: &'a RequestId,
        /// The content.
        notice: &'a Notice,
        /// The room it is about, if any, and the number of the broadcast there.
        room: Option<(RoomId, u64)>,
    },
}

impl ServerMessage<'_> {
    /// Appends the message to `out` as one frame, with the text of a notice in `lang`.
    ///
    /// # Errors
    /// [`FrameTooLong`] when a chat does not fit; `out` is then unchanged. [`chat_payload_len`] tells beforehand.
    /// Notices always fit.
    pub fn write(&self, lang: Lang, out: &mut Vec<u8>) -> Result<(), FrameTooLong> {
        self.write_framed(Framing::Length, lang, out)
    }

    /// Like [`ServerMessage::write`], framed by `framing`.
    ///
    /// # Errors
    /// As [`ServerMessage::write`].
    #[inline]
    pub fn write_framed(
        &self,
        framing: Framing,
        lang: Lang,
        out: &mut Vec<u8>,
    ) -> Result<(), FrameTooLong> {
        framing.write(out, |out| match *self {
            Self::Chat { member, text, room, seq } => write_chat(out, member, text, room, seq),
            Self::System { notice, room } => {
                write_json(out, &System { notice, room, lang, re: None });
            }
            Self::Answer { re, notice, room } => {
                write_json(out, &System { notice, room, lang, re: Some(re) });
            }
        })
    }
}

/// Written by hand because chats are the most frequent messages: the name, which never needs escapes, and a text
/// without any are copied, whereas serde would examine each byte.
fn write_chat(out: &mut Vec<u8>, member: &Name, text: &Text, room: RoomId, seq: u64) {
    out.extend_from_slice(br#"{"type":"SCChat","member":""#);
    out.extend_from_slice(member.as_str().as_bytes());
    if text.needs_escapes() {
        out.extend_from_slice(br#"","text":"#);
        write_json(out, text);
        out.extend_from_slice(br#","roomId":"#);
    } else {
        out.extend_from_slice(br#"","text":""#);
        out.extend_from_slice(text.as_str().as_bytes());
        out.extend_from_slice(br#"","roomId":"#);
    }
    write_json(out, &room);
    out.extend_from_slice(br#","seq":"#);
    write_json(out, &seq);
    out.push(b'}');
}

fn write_json(out: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(out, value).expect("strings and integers always serialize");
}

struct System<'a> {
    notice: &'a Notice,
    room: Option<(RoomId, u64)>,
    lang: Lang,
    re: Option<&'a RequestId>,
}

impl Serialize for System<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("type", "SCSystemMessage")?;
        object.serialize_entry("text", &self.notice.localized(self.lang).to_string())?;
        object.serialize_entry("code", self.notice.code())?;
        if let Some((room, seq)) = self.room {
            object.serialize_entry("roomId", &room)?;
            object.serialize_entry("seq", &seq)?;
        }
        for (key, value) in facts(self.notice).into_iter().flatten() {
            object.serialize_entry(key, value)?;
        }
        if let Some(re) = self.re {
            object.serialize_entry("re", re)?;
        }
        object.end()
    }
}

/// The values in a notice, so that clients need not parse its text, which may be in any language.
fn facts(notice: &Notice) -> [Option<(&'static str, &str)>; 2] {
    match notice {
        Notice::RoomCreated { title, .. }
        | Notice::RoomEntered { title, .. }
        | Notice::RoomLeft { title, .. } => [Some(("title", title.as_str())), None],
        Notice::MemberEntered { name } | Notice::MemberLeft { name } => {
            [Some(("member", name.as_str())), None]
        }
        Notice::Renamed { from, to } => [Some(("from", from.as_str())), Some(("to", to.as_str()))],
        Notice::Announcement { text } => [Some(("announcement", text.as_str())), None],
        Notice::Removed { reason } => [Some(("reason", reason.as_str())), None],
        _ => [None, None],
    }
}

/// The length of the payload of a [`ServerMessage::Chat`], in bytes, without writing it. The text is too
/// long if this exceeds [`MAX_PAYLOAD`](crate::MAX_PAYLOAD).
pub fn chat_payload_len(member: &Name, text: &Text, room: RoomId, seq: u64) -> usize {
    const FIXED: usize = r#"{"type":"SCChat","member":"","text":"","roomId":,"seq":}"#.len();
    let digits = |n: u64| n.checked_ilog10().map_or(1, |log| log as usize + 1);
    FIXED + member.as_str().len() + text.escaped_len() + digits(room.number()) + digits(seq)
}

/// A server's message as a client reads it: the fields of all types, empty where they are absent.
///
/// Unknown types and fields are no error, so that a client written today understands a later server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Incoming {
    /// The type: `SCSystemMessage`, `SCChat`, `SCRoomsResult`, or one of a later server.
    #[serde(rename = "type")]
    pub kind: String,
    /// The text, from a person or the server.
    pub text: String,
    /// The sender of an `SCChat`; the member that entered or left (`member-entered`, `member-left`).
    pub member: String,
    /// The stable code for programs (`SCSystemMessage`). See [`Notice::code`].
    pub code: Option<String>,
    /// The room that the message is about.
    pub room_id: Option<u64>,
    /// The number of the broadcast in that room.
    pub seq: Option<u64>,
    /// The title of that room (`room-created`, `room-entered`, `room-left`).
    pub title: Option<String>,
    /// The previous name (`renamed`).
    pub from: Option<String>,
    /// The new name (`renamed`).
    pub to: Option<String>,
    /// The words of the operator (`announcement`).
    pub announcement: Option<String>,
    /// The words of the operator (`removed`).
    pub reason: Option<String>,
    /// The rooms (`SCRoomsResult`).
    pub rooms: Vec<RoomEntry>,
    /// Whether the list of rooms continues in another `SCRoomsResult`.
    pub more: bool,
}

impl Incoming {
    /// Reads the payload of one frame.
    ///
    /// If the type is unknown, reads nothing but the type, since the fields may mean anything.
    ///
    /// # Errors
    /// [`InvalidMessage`] when the payload is not a JSON object, or a field of a known type is of the wrong
    /// kind.
    pub fn parse(payload: &[u8]) -> Result<Self, InvalidMessage> {
        let Typed { kind } = serde_json::from_slice(payload).map_err(InvalidMessage)?;
        match kind.as_str() {
            "SCSystemMessage" | "SCChat" | "SCRoomsResult" => {
                serde_json::from_slice(payload).map_err(InvalidMessage)
            }
            _ => Ok(Self { kind, ..Self::default() }),
        }
    }
}

/// A payload is not a message of a server.
#[derive(Debug)]
pub struct InvalidMessage(pub(crate) serde_json::Error);

impl fmt::Display for InvalidMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the payload is not a message of a chat server: {}", self.0)
    }
}

impl std::error::Error for InvalidMessage {}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_PAYLOAD;
    use crate::values::{OperatorText, Title};
    use proptest::prelude::*;

    fn payload(message: ServerMessage<'_>) -> String {
        let mut out = Vec::new();
        message.write(Lang::En, &mut out).expect("it fits");
        String::from_utf8(out.split_off(crate::HEADER_LEN)).expect("JSON is UTF-8")
    }

    fn room(number: u64) -> RoomId {
        RoomId::new(number).expect("above 0")
    }

    #[test]
    fn a_chat_has_the_original_fields_first_then_room_and_seq() {
        let member = Name::new("김 a'b").expect("a name");
        let text = Text::new("안녕\n\t😀").expect("a text");
        assert_eq!(
            payload(ServerMessage::Chat { member: &member, text: &text, room: room(3), seq: 17 }),
            r#"{"type":"SCChat","member":"김 a'b","text":"안녕\n\t😀","roomId":3,"seq":17}"#
        );
    }

    #[test]
    fn a_notice_has_text_and_code_and_the_room_it_is_about() {
        let notice = Notice::NotInRoom;
        let text = notice.to_string();
        assert_eq!(
            payload(ServerMessage::System { notice: &notice, room: None }),
            format!(r#"{{"type":"SCSystemMessage","text":"{text}","code":"not-in-room"}}"#)
        );
        assert_eq!(
            payload(ServerMessage::System { notice: &notice, room: Some((room(1), 2)) }),
            format!(
                r#"{{"type":"SCSystemMessage","text":"{text}","code":"not-in-room","roomId":1,"seq":2}}"#
            )
        );
    }

    #[test]
    fn titles_and_names_of_a_notice_are_in_fields_after_the_others() {
        let name = |name: &str| Name::new(name).expect("a name");
        let (id, title) = (room(3), Title::new("say \"차\"").expect("a title"));
        let titled = r#""title":"say \"차\"""#;
        for (notice, fields, read_back) in [
            (Notice::RoomCreated { room: id, title: title.clone() }, titled, "say \"차\"///"),
            (Notice::RoomEntered { room: id, title: title.clone() }, titled, "say \"차\"///"),
            (Notice::RoomLeft { room: id, title }, titled, "say \"차\"///"),
            (Notice::MemberEntered { name: name("김철수") }, r#""member":"김철수""#, "/김철수//"),
            (Notice::MemberLeft { name: name("bob") }, r#""member":"bob""#, "/bob//"),
            (Notice::Renamed { from: name("a"), to: name("b") }, r#""from":"a","to":"b""#, "//a/b"),
        ] {
            let written = payload(ServerMessage::System { notice: &notice, room: Some((id, 9)) });
            let end = format!(r#""code":"{}","roomId":3,"seq":9,{fields}}}"#, notice.code());
            assert!(written.ends_with(&end), "{written}");
            let Incoming { title, member, from, to, .. } =
                Incoming::parse(written.as_bytes()).expect("it is a message");
            let [title, from, to] = [title, from, to].map(Option::unwrap_or_default);
            assert_eq!(format!("{title}/{member}/{from}/{to}"), read_back);
        }
    }

    #[test]
    fn the_longest_text_of_an_operator_fits_a_frame_and_is_in_a_field() {
        for longest in ["😀", "\""].map(|c| c.repeat(crate::MAX_OPERATOR_TEXT_CHARS)) {
            let text = OperatorText::new(&longest).expect("a text");
            let announcement = payload(ServerMessage::System {
                notice: &Notice::Announcement { text: text.clone() },
                room: Some((room(u64::MAX), u64::MAX)),
            });
            let announcement = Incoming::parse(announcement.as_bytes()).expect("it is a message");
            assert_eq!(announcement.text, format!("Announcement: {longest}"));
            assert_eq!(announcement.announcement.as_ref(), Some(&longest));
            let removed = payload(ServerMessage::System {
                notice: &Notice::Removed { reason: text },
                room: None,
            });
            let removed = Incoming::parse(removed.as_bytes()).expect("it is a message");
            assert_eq!((removed.code.as_deref(), removed.reason), (Some("removed"), Some(longest)));
        }
    }

    #[test]
    fn the_text_of_a_notice_depends_on_the_language_and_its_code_does_not() {
        let notice = Notice::NotInRoom;
        let mut texts = Lang::ALL.map(|lang| {
            let mut out = Vec::new();
            let message = ServerMessage::System { notice: &notice, room: None };
            message.write(lang, &mut out).expect("it fits");
            let read = Incoming::parse(&out[crate::HEADER_LEN..]).expect("it is a message");
            assert_eq!(read.text, notice.localized(lang).to_string());
            assert_eq!(read.code.as_deref(), Some("not-in-room"));
            read.text
        });
        texts.sort_unstable();
        assert!(texts.windows(2).all(|pair| pair[0] != pair[1]), "{texts:?}");
    }

    #[test]
    fn p11_a_text_that_just_fits_and_one_that_just_does_not() {
        let member = Name::new("user1").expect("a name");
        let overhead = chat_payload_len(&member, &Text::new("x").expect("a text"), room(1), 1) - 1;
        for (len, fits) in [(MAX_PAYLOAD - overhead, true), (MAX_PAYLOAD - overhead + 1, false)] {
            let text = Text::new(&"x".repeat(len)).expect("a text");
            let chat = ServerMessage::Chat { member: &member, text: &text, room: room(1), seq: 1 };
            assert_eq!(chat.write(Lang::En, &mut Vec::new()).is_ok(), fits);
            assert_eq!(chat_payload_len(&member, &text, room(1), 1) <= MAX_PAYLOAD, fits);
        }
    }

    #[test]
    fn a_client_ignores_types_and_fields_it_does_not_know() {
        let chat =
            Incoming::parse(br#"{"new":[1,{}],"type":"SCChat","text":"hello","member":"a"}"#);
        assert_eq!(chat.expect("unknown fields are no error").text, "hello");
        let new = Incoming::parse(br#"{"type":"SCNew","text":{"ko":"x"},"more":3}"#);
        assert_eq!(new.expect("unknown types are no error").kind, "SCNew");
    }

    /// A chat as serde writes it.
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Chat<'a> {
        r#type: &'a str,
        member: &'a str,
        text: &'a str,
        room_id: u64,
        seq: u64,
    }

    proptest! {
        #[test]
        fn a_chat_is_what_serde_writes(
            member in "[a-z0-9가-힣😀]{1,32}",
            text in "(\\PC|[\n\t\"\\\\]){1,200}",
            number in 1u64..,
            seq: u64,
        ) {
            let name = Name::new(&member).expect("made of allowed characters");
            if let Ok(said) = Text::new(text.as_str()) {
                let chat = Chat { r#type: "SCChat", member: &member, text: &text, room_id: number, seq };
                let ours = ServerMessage::Chat { member: &name, text: &said, room: room(number), seq };
                prop_assert_eq!(payload(ours), serde_json::to_string(&chat).expect("it is JSON"));
            }
        }

        #[test]
        fn p11_the_length_foreseen_is_the_length_written(
            member in "[a-z0-9가-힣😀]{1,32}",
            text in "(\\PC|[\n\t\"\\\\]){1,200}",
            number in 1u64..,
            seq: u64,
        ) {
            let member = Name::new(&member).expect("made of allowed characters");
            if let Ok(text) = Text::try_from(text) {
                let chat = ServerMessage::Chat { member: &member, text: &text, room: room(number), seq };
                prop_assert_eq!(chat_payload_len(&member, &text, room(number), seq), payload(chat).len());
            }
        }
    }
}
