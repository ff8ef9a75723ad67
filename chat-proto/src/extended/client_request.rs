//! Requests as a client writes them that has said hello.

use serde::Serialize;

use super::{RequestId, Since};
use crate::command::Command;
use crate::frame::{FrameTooLong, write_frame};
use crate::values::{RoomId, Text};

/// A request to write. Unlike [`Request`](super::Request), it contains only what makes sense.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientRequest {
    /// What any client may ask for, without an `id`.
    Command(Command),
    /// A chat to be acknowledged.
    Chat {
        /// The word by which its answer is recognized. The same chat sent again has the same one.
        id: RequestId,
        /// The text.
        text: Text,
    },
    /// `CSJoinRoom`: enter a room, and get a part of its history.
    Join {
        /// The room.
        room: RoomId,
        /// The part to get. A room is not entered with [`Since::Before`], which asks for nothing here.
        since: Since,
    },
    /// `CSHistory`: get the broadcasts of one's room after the one with this number.
    History {
        /// The room.
        room: RoomId,
        /// The number of the last broadcast that is known.
        after: u64,
        /// The most broadcasts to get.
        limit: usize,
    },
    /// `CSMembers`: list the members of one's room.
    Members {
        /// The word by which the answer is recognized.
        id: RequestId,
    },
    /// `CSQuit`: end the session, and not only the connection.
    Quit,
}

impl ClientRequest {
    /// Appends the request to `out` as one frame.
    ///
    /// # Errors
    /// [`FrameTooLong`] when a text is too long for a frame; `out` is then unchanged.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), FrameTooLong> {
        let payload = match self {
            Self::Command(command) => return command.write(out),
            Self::Chat { id, text } => Payload::Chat { text, id },
            Self::Join { room, since } => {
                let (after, history) = match *since {
                    Since::After(seq) => (Some(seq), None),
                    Since::Last(count) => (None, Some(count)),
                    Since::Before(_) => (None, None),
                };
                Payload::Join { room_id: *room, after, history }
            }
            Self::History { room, after, limit } => {
                Payload::History { room_id: *room, after: *after, limit: *limit }
            }
            Self::Members { id } => Payload::Members { id },
            Self::Quit => Payload::Quit,
        };
        write_frame(out, |out| {
            serde_json::to_writer(out, &payload).expect("strings and integers always serialize");
        })
    }
}

impl From<Command> for ClientRequest {
    fn from(command: Command) -> Self {
        Self::Command(command)
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
enum Payload<'a> {
    #[serde(rename = "CSChat")]
    Chat { text: &'a Text, id: &'a RequestId },
    #[serde(rename = "CSJoinRoom")]
    Join {
        room_id: RoomId,
        #[serde(skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        history: Option<usize>,
    },
    #[serde(rename = "CSHistory")]
    History { room_id: RoomId, after: u64, limit: usize },
    #[serde(rename = "CSMembers")]
    Members { id: &'a RequestId },
    #[serde(rename = "CSQuit")]
    Quit,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HEADER_LEN;
    use crate::extended::{Ask, Request};

    fn written(request: &ClientRequest) -> String {
        let mut out = Vec::new();
        request.write(&mut out).expect("it fits");
        String::from_utf8(out.split_off(HEADER_LEN)).expect("JSON is UTF-8")
    }

    #[test]
    fn a_request_is_read_as_it_was_meant() {
        let room = RoomId::new(3).expect("above 0");
        let id = || RequestId::new("7").expect("an id");
        let text = Text::new("안녕 \"you\"").expect("a text");
        for (request, read) in [
            (Command::Rooms.into(), Request { id: None, ask: Ok(Ask::Command(Command::Rooms)) }),
            (
                ClientRequest::Chat { id: id(), text: text.clone() },
                Request { id: Some(id()), ask: Ok(Ask::Command(Command::Chat(text))) },
            ),
            (
                ClientRequest::Join { room, since: Since::Last(20) },
                Request { id: None, ask: Ok(Ask::Join { room, since: Since::Last(20) }) },
            ),
            (
                ClientRequest::Join { room, since: Since::After(9) },
                Request { id: None, ask: Ok(Ask::Join { room, since: Since::After(9) }) },
            ),
            (
                ClientRequest::Join { room, since: Since::Before(9) },
                Request { id: None, ask: Ok(Ask::Command(Command::Join(room))) },
            ),
            (
                ClientRequest::History { room, after: 9, limit: 50 },
                Request {
                    id: None,
                    ask: Ok(Ask::History { room, since: Since::After(9), limit: 50 }),
                },
            ),
            (
                ClientRequest::Members { id: id() },
                Request { id: Some(id()), ask: Ok(Ask::Members(None)) },
            ),
        ] {
            assert_eq!(Request::parse(&written(&request)), read);
        }
        assert_eq!(written(&ClientRequest::Quit), r#"{"type":"CSQuit"}"#);
    }

    #[test]
    fn a_text_too_long_for_a_frame_changes_nothing() {
        let text = Text::new(&"x".repeat(70_000)).expect("a text");
        let chat = ClientRequest::Chat { id: RequestId::new("7").expect("an id"), text };
        let mut out = vec![1];
        assert!(chat.write(&mut out).is_err());
        assert_eq!(out, [1]);
    }
}
