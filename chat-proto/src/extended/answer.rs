//! What only clients get that have said hello, but for history.

use serde::Serialize;

use super::{Features, RequestId, ResumeToken};
use crate::frame::MAX_PAYLOAD;
use crate::framing::Framing;
use crate::rooms::{RoomEntry, write_page};
use crate::values::{Name, RoomId};

/// A message to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// `SCWelcome`, to a hello.
    Welcome(&'a Welcome<'a>),
    /// `SCAck`: a chat was accepted.
    Ack {
        /// The `id` of the chat.
        re: &'a RequestId,
        /// The room in which it was said.
        room: RoomId,
        /// Its number there.
        seq: u64,
        /// The time at which it was said, in ms since 1970.
        at: u64,
    },
    /// `SCPong`, to a ping.
    Pong {
        /// The `id` of the ping.
        re: Option<&'a RequestId>,
        /// The time of the server, in ms since 1970.
        time: u64,
        /// The room of the client, if it is in one, and the number of the last broadcast there.
        room: Option<(RoomId, u64)>,
    },
}

/// The answer to a hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Welcome<'a> {
    /// The name and version of the server.
    pub server: &'a str,
    /// A word that changes when numbers begin anew.
    pub epoch: &'a str,
    /// The number of the session.
    pub session: u64,
    /// The name of the session.
    pub name: &'a Name,
    /// The features granted.
    pub features: Features,
    /// What the client has to keep to.
    pub limits: Limits,
    /// The time of the server, in ms since 1970.
    pub time: u64,
    /// The secret by which the session can be taken over, if that is granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<ResumeToken>,
    /// The time for which the session outlives its connection, in seconds, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_time: Option<u64>,
    /// Whether this is the session that the client wanted back, if it wanted one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed: Option<bool>,
    /// The room that a resumed session is in, if it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_id: Option<RoomId>,
}

/// What a client has to keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// The longest payload of a frame, in bytes.
    pub payload: usize,
    /// The most chats that may wait for their acknowledgement: a chat that is sent again after so many others may be
    /// said twice.
    pub unacknowledged: usize,
    /// The most events of an `SCHistory`.
    pub history: usize,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Payload<'a> {
    #[serde(rename = "SCWelcome")]
    Welcome(&'a Welcome<'a>),
    #[serde(rename = "SCAck", rename_all = "camelCase")]
    Ack { re: &'a RequestId, room_id: RoomId, seq: u64, at: u64 },
    #[serde(rename = "SCPong", rename_all = "camelCase")]
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        re: Option<&'a RequestId>,
        time: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        room_id: Option<RoomId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
    },
}

impl Answer<'_> {
    /// Appends the message to `out`, framed like this.
    pub fn write_framed(&self, framing: Framing, out: &mut Vec<u8>) {
        let payload = match *self {
            Self::Welcome(welcome) => Payload::Welcome(welcome),
            Self::Ack { re, room, seq, at } => Payload::Ack { re, room_id: room, seq, at },
            Self::Pong { re, time, room } => {
                let (room_id, seq) = room.unzip();
                Payload::Pong { re, time, room_id, seq }
            }
        };
        let fits = framing.write(out, |out| {
            serde_json::to_writer(out, &payload).expect("strings and integers always serialize");
        });
        fits.expect("all its parts are short");
    }
}

/// Appends one `SCMembers` to `out`, framed like this, with as many of `members` as fit. If there are more, the frame
/// says `"more": true`; the next one begins after as many members as this returns. `count`: the number of all members.
pub fn write_members_page<'a>(
    framing: Framing,
    re: Option<&RequestId>,
    room: RoomId,
    count: usize,
    members: impl IntoIterator<Item = &'a Name>,
    out: &mut Vec<u8>,
) -> Option<usize> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Head<'a> {
        r#type: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        re: Option<&'a RequestId>,
        room_id: RoomId,
        member_count: usize,
    }
    const LIST: &[u8] = br#","members":["#;
    const TAIL_MORE: &[u8] = br#"],"more":true}"#;
    const TAIL_LAST: &[u8] = b"]}";

    let (mut written, mut is_last) = (0, true);
    let fits = framing.write(out, |out| {
        let end = out.len() + MAX_PAYLOAD - TAIL_MORE.len();
        let head = Head { r#type: "SCMembers", re, room_id: room, member_count: count };
        serde_json::to_writer(&mut *out, &head).expect("strings and integers always serialize");
        out.pop();
        out.extend_from_slice(LIST);
        for member in members {
            // A name needs no escapes.
            let name = member.as_str().as_bytes();
            if out.len() + name.len() + 3 > end {
                is_last = false;
                break;
            }
            if written > 0 {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(name);
            out.push(b'"');
            written += 1;
        }
        out.extend_from_slice(if is_last { TAIL_LAST } else { TAIL_MORE });
    });
    debug_assert!(fits.is_ok(), "there is room for the tail");
    (!is_last).then_some(written)
}

/// As [`write_rooms_page`](crate::write_rooms_page), in answer to a request with this id.
pub fn write_asked_rooms_page<'a>(
    framing: Framing,
    re: &RequestId,
    rooms: impl IntoIterator<Item = RoomEntry<&'a str>>,
    out: &mut Vec<u8>,
) -> Option<RoomId> {
    let re = serde_json::to_string(re).expect("a string always serializes");
    write_page(framing, &format!(r#","re":{re}"#), rooms, out)
}
