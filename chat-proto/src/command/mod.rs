//! Messages from a client: a server parses them into [`Command`]s, a client writes them.
//!
//! A payload is parsed in one pass, whatever the order of its keys, and without the intermediate tree that
//! `#[serde(tag = "type")]` builds. `cargo bench --bench message` compares the two.

mod raw_value;
mod rejection;

use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde::ser::{Serialize, SerializeStruct, Serializer};

pub(crate) use self::raw_value::RawValue;
pub use self::rejection::{Field, Rejection};
use crate::frame::{FrameTooLong, write_frame};
use crate::values::{Name, RoomId, Text, Title};

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
        // Checks the whole payload, since serde_json checks only the strings that it returns.
        Self::parse_str(std::str::from_utf8(payload).map_err(|_| Rejection::InvalidUtf8)?)
    }

    /// Like [`Command::parse`], for a payload that is known to be text.
    ///
    /// # Errors
    /// [`Rejection`] says what is wrong with the payload.
    pub fn parse_str(payload: &str) -> Result<Self, Rejection> {
        if payload.is_empty() {
            return Err(Rejection::EmptyFrame);
        }
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

/// Reads what `Serialize` writes: the payload of a frame.
impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RawCommand::deserialize(deserializer)?.into_command().map_err(de::Error::custom)
    }
}

/// The fields of all commands, as found. serde rejects a key that occurs twice.
#[derive(Deserialize)]
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
