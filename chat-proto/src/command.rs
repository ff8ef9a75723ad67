//! Messages from a client: a server parses them into [`Command`]s, a client writes them.
//!
//! A payload is parsed in one pass, whatever the order of its keys, and without the intermediate tree that
//! `#[serde(tag = "type")]` builds. `cargo bench --bench message` compares the two.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::frame::{FrameTooLong, write_frame};
use crate::raw_value::RawValue;
use crate::values::{Name, RoomId, Text, Title, ValueError};

/// A client's request. Its values are already checked.
///
/// Exhaustive on purpose: a server that cannot carry out a command must not compile.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Command {
    /// `CSName`: take a name.
    Rename(Name),
    /// `CSRooms`: list the rooms.
    Rooms,
    /// `CSCreateRoom`: create a room and enter it.
    Create(Title),
    /// `CSJoinRoom`: enter a room.
    Join(RoomId),
    /// `CSLeaveRoom`: leave the room.
    Leave,
    /// `CSChat`: say something to the other members of the room.
    Chat(Text),
    /// `CSShutdown`: stop the server.
    Shutdown,
}

impl Command {
    /// Parses the payload of one frame.
    ///
    /// Keys may be in any order and escaped; unknown keys are ignored. A room id may be an integer or a
    /// string of decimal digits.
    ///
    /// # Errors
    /// [`Rejection`] says what is wrong with the payload.
    pub fn parse(payload: &[u8]) -> Result<Self, Rejection> {
        if payload.is_empty() {
            return Err(Rejection::EmptyFrame);
        }
        // Checks the whole payload, since serde_json checks only the strings that it returns.
        let payload = std::str::from_utf8(payload).map_err(|_| Rejection::InvalidUtf8)?;
        if let Some(text) = plain_chat(payload) {
            return Ok(Self::Chat(text));
        }
        parse_object::<RawCommand<'_>>(payload)?.into_command()
    }

    /// Appends the command to `out` as one frame.
    ///
    /// # Errors
    /// [`FrameTooLong`] when a text is too long for a frame; `out` is then unchanged.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), FrameTooLong> {
        write_frame(out, |out| {
            serde_json::to_writer(out, self).expect("strings and integers always serialize");
        })
    }

    /// The `type` on the wire.
    const fn wire_type(&self) -> &'static str {
        match self {
            Self::Rename(_) => "CSName",
            Self::Rooms => "CSRooms",
            Self::Create(_) => "CSCreateRoom",
            Self::Join(_) => "CSJoinRoom",
            Self::Leave => "CSLeaveRoom",
            Self::Chat(_) => "CSChat",
            Self::Shutdown => "CSShutdown",
        }
    }
}

/// Parses a payload that has to be an object.
pub(crate) fn parse_object<'a, T: serde::Deserialize<'a>>(
    payload: &'a str,
) -> Result<T, Rejection> {
    // serde would parse an array as a struct.
    if !payload.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        return Err(Rejection::NotAnObject);
    }
    serde_json::from_str(payload)
        .map_err(|error| Rejection::NotJson { detail: error.to_string().into() })
}

/// Returns the text of a chat spelled exactly as our clients or Python's `json.dumps` spell it, without escapes, or
/// `None` for any other payload. Agrees with the general parser, at a third of the cost.
fn plain_chat(payload: &str) -> Option<Text> {
    const HEADS: [&str; 2] = [r#"{"type":"CSChat","text":""#, r#"{"type": "CSChat", "text": ""#];
    let rest = HEADS.iter().find_map(|head| payload.strip_prefix(head))?;
    Text::from_unescaped(rest.strip_suffix("\"}")?)
}

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Command", 2)?;
        object.serialize_field("type", self.wire_type())?;
        match self {
            Self::Rename(name) => object.serialize_field("name", name)?,
            Self::Create(title) => object.serialize_field("title", title)?,
            Self::Join(room) => object.serialize_field("roomId", room)?,
            Self::Chat(text) => object.serialize_field("text", text)?,
            Self::Rooms | Self::Leave | Self::Shutdown => {}
        }
        object.end()
    }
}

/// A field of a message from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// `type`, a string.
    Type,
    /// `name`, a string.
    Name,
    /// `title`, a string.
    Title,
    /// `roomId`, an integer above 0 or a string of decimal digits.
    RoomId,
    /// `text`, a string.
    Text,
    /// `id`, a string of 1 to 64 characters.
    Id,
    /// `client`, a string of 1 to 64 characters.
    Client,
    /// `features`, a list of strings.
    Features,
    /// `resume`, a string.
    Resume,
    /// `after`, an integer.
    After,
    /// `before`, an integer.
    Before,
    /// `history`, an integer.
    History,
    /// `limit`, an integer.
    Limit,
}

impl Field {
    /// The key on the wire.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Name => "name",
            Self::Title => "title",
            Self::RoomId => "roomId",
            Self::Text => "text",
            Self::Id => "id",
            Self::Client => "client",
            Self::Features => "features",
            Self::Resume => "resume",
            Self::After => "after",
            Self::Before => "before",
            Self::History => "history",
            Self::Limit => "limit",
        }
    }
}

/// The reason why a payload is not a [`Command`].
///
/// The text, in English by `Display` and in any [`Lang`](crate::Lang) by
/// [`Localize`](crate::Localize), is a sentence without its full stop. It echoes nothing of the payload.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// The payload is empty.
    EmptyFrame,
    /// The payload is not UTF-8.
    InvalidUtf8,
    /// The payload is not one JSON value, or has a known key twice.
    NotJson {
        /// The error of the parser, with line and column, in English.
        detail: Box<str>,
    },
    /// The payload is not a JSON object.
    NotAnObject,
    /// The `type` is not one of the seven commands.
    UnknownType,
    /// A field that the type requires is missing.
    Missing(Field),
    /// The field is of the wrong kind.
    WrongKind(Field),
    /// The name breaks a rule.
    BadName(ValueError),
    /// The title breaks a rule.
    BadTitle(ValueError),
    /// The text breaks a rule.
    BadText(ValueError),
}

impl Rejection {
    /// Whether the payload is malformed, which counts against an error budget. False if the payload is well-formed and
    /// only its name, title or text breaks a rule.
    pub const fn is_bad(&self) -> bool {
        !matches!(self, Self::BadName(_) | Self::BadTitle(_) | Self::BadText(_))
    }

    /// The stable kebab-case code for programs. A code never changes its meaning.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EmptyFrame => "empty-frame",
            Self::InvalidUtf8 => "invalid-utf8",
            Self::UnknownType => "unknown-type",
            Self::NotJson { .. } | Self::NotAnObject | Self::Missing(_) | Self::WrongKind(_) => {
                "bad-request"
            }
            Self::BadName(_) => "bad-name",
            Self::BadTitle(_) => "bad-title",
            Self::BadText(_) => "bad-text",
        }
    }
}

impl std::error::Error for Rejection {}

/// The fields of all commands, as found. serde rejects a key that occurs twice.
#[derive(serde::Deserialize)]
pub(crate) struct RawCommand<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(crate) kind: RawValue<'a>,
    #[serde(borrow, default)]
    pub(crate) name: RawValue<'a>,
    #[serde(borrow, default)]
    pub(crate) title: RawValue<'a>,
    #[serde(borrow, default, rename = "roomId")]
    pub(crate) room_id: RawValue<'a>,
    #[serde(borrow, default)]
    pub(crate) text: RawValue<'a>,
}

impl RawCommand<'_> {
    pub(crate) fn into_command(self) -> Result<Command, Rejection> {
        Ok(match &*self.kind.into_string(Field::Type)? {
            "CSName" => Command::Rename(
                Name::new(&self.name.into_string(Field::Name)?).map_err(Rejection::BadName)?,
            ),
            "CSRooms" => Command::Rooms,
            "CSCreateRoom" => Command::Create(
                Title::new(&self.title.into_string(Field::Title)?).map_err(Rejection::BadTitle)?,
            ),
            "CSJoinRoom" => Command::Join(self.room_id.into_room_id()?),
            "CSLeaveRoom" => Command::Leave,
            "CSChat" => {
                let text = self.text.into_string(Field::Text)?.into_owned();
                Command::Chat(Text::try_from(text).map_err(Rejection::BadText)?)
            }
            "CSShutdown" => Command::Shutdown,
            _ => return Err(Rejection::UnknownType),
        })
    }
}

#[cfg(test)]
mod tests;
