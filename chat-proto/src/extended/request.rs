//! What a client asks for once it has said hello.

use serde::{Deserialize, Serialize};

use super::RequestId;
use crate::command::{Command, Field, RawCommand, RawValue, Rejection, parse_object};
use crate::values::RoomId;

/// The most events that a client can ask for at once.
pub const MAX_HISTORY: usize = 200;

/// The events that a client gets if it does not say how many.
const DEFAULT_HISTORY: usize = 50;

/// A request, and the word by which its client recognises the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The `id` of the request, if it has one.
    pub id: Option<RequestId>,
    /// What is asked for, or what is wrong with it.
    pub ask: Result<Ask, Rejection>,
}

/// What a client may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ask {
    /// What any client may.
    Command(Command),
    /// `CSJoinRoom` with `after` or `history`: enter a room, and get what was said there.
    Join {
        /// The room to enter.
        room: RoomId,
        /// What of its history to get.
        since: Since,
    },
    /// `CSHistory`: get what was said in the room that one is in.
    History {
        /// The room.
        room: RoomId,
        /// Where to begin.
        since: Since,
        /// The most events, 1 to [`MAX_HISTORY`].
        limit: usize,
    },
    /// `CSMembers`: list the members of a room; of one's own if `None`.
    Members(Option<RoomId>),
    /// `CSQuit`: end the session at once, rather than have it outlive its connection.
    Quit,
    /// `CSPing`: get the time, and the number of the last broadcast in one's room.
    Ping,
}

/// A part of the history of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Since {
    /// What follows the broadcast with this number.
    After(u64),
    /// What precedes the broadcast with this number.
    Before(u64),
    /// The last broadcasts, so many.
    Last(usize),
}

impl Request {
    /// Parses the payload of a frame after the hello.
    pub fn parse(payload: &str) -> Self {
        match parse(payload) {
            Ok((id, ask)) => Self { id, ask },
            Err(rejection) => Self::rejected(rejection),
        }
    }

    /// A request that cannot be parsed.
    pub fn rejected(rejection: Rejection) -> Self {
        Self { id: None, ask: Err(rejection) }
    }
}

type Parsed = (Option<RequestId>, Result<Ask, Rejection>);

fn parse(payload: &str) -> Result<Parsed, Rejection> {
    if payload.is_empty() {
        return Err(Rejection::EmptyFrame);
    }
    let mut request: RawRequest<'_> = parse_object(payload)?;
    let id = match std::mem::take(&mut request.id).present() {
        Some(id) => {
            let id = RequestId::new(&id.into_string(Field::Id)?);
            Some(id.map_err(|_| Rejection::WrongKind(Field::Id))?)
        }
        None => None,
    };
    Ok((id, request.into_ask()))
}

/// The fields of all requests, as found. serde rejects a key that occurs twice.
#[derive(Deserialize)]
struct RawRequest<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: RawValue<'a>,
    #[serde(borrow, default)]
    id: RawValue<'a>,
    #[serde(borrow, default)]
    name: RawValue<'a>,
    #[serde(borrow, default)]
    title: RawValue<'a>,
    #[serde(borrow, default, rename = "roomId")]
    room_id: RawValue<'a>,
    #[serde(borrow, default)]
    text: RawValue<'a>,
    #[serde(borrow, default)]
    after: RawValue<'a>,
    #[serde(borrow, default)]
    before: RawValue<'a>,
    #[serde(borrow, default)]
    history: RawValue<'a>,
    #[serde(borrow, default)]
    limit: RawValue<'a>,
}

impl RawRequest<'_> {
    fn into_ask(self) -> Result<Ask, Rejection> {
        let RawValue::String(kind) = &self.kind else { return self.into_command() };
        Ok(match &**kind {
            "CSHistory" => Ask::History {
                room: self.room_id.into_room_id()?,
                since: since(self.after, self.before, RawValue::Absent)?
                    .unwrap_or(Since::Last(MAX_HISTORY)),
                limit: number(self.limit, Field::Limit)?.map_or(DEFAULT_HISTORY, most),
            },
            "CSMembers" => {
                let room = self.room_id.present().map(RawValue::into_room_id);
                Ask::Members(room.transpose()?)
            }
            "CSPing" => Ask::Ping,
            "CSQuit" => Ask::Quit,
            "CSJoinRoom" => {
                let room = self.room_id.into_room_id()?;
                match since(self.after, RawValue::Absent, self.history)? {
                    Some(since) => Ask::Join { room, since },
                    None => Ask::Command(Command::Join(room)),
                }
            }
            _ => return self.into_command(),
        })
    }

    fn into_command(self) -> Result<Ask, Rejection> {
        let Self { kind, name, title, room_id, text, .. } = self;
        RawCommand { kind, name, title, room_id, text }.into_command().map(Ask::Command)
    }
}

/// The part of a history that these fields name, if they do. `after` goes before the others.
fn since(
    after: RawValue<'_>,
    before: RawValue<'_>,
    history: RawValue<'_>,
) -> Result<Option<Since>, Rejection> {
    let after = number(after, Field::After)?.map(Since::After);
    let before = number(before, Field::Before)?.map(Since::Before);
    let last = number(history, Field::History)?.map(|number| Since::Last(most(number)));
    Ok(after.or(before).or(last))
}

fn number(value: RawValue<'_>, field: Field) -> Result<Option<u64>, Rejection> {
    value.present().map(|value| value.into_number(field)).transpose()
}

/// So many events as are asked for and allowed.
fn most(number: u64) -> usize {
    usize::try_from(number).map_or(MAX_HISTORY, |number| number.min(MAX_HISTORY))
}
