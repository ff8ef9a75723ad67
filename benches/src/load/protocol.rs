//! The first frame that the generator sends in each protocol, and the meaning of the answers.

use chat_proto::Incoming;
use chat_testing::frame as framed;
use serde::{Deserialize, Serialize};

/// A protocol that the generator speaks, and the server that speaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// The relay, which copies input to the other members: the lower bound.
    Relay,
    /// The room chat.
    Chat,
    /// Redis pub/sub, in RESP2.
    Redis,
    /// The NATS core protocol.
    Nats,
}

/// The purpose of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Create a room and stay in it, where rooms must be created.
    Create {
        /// The plan's number of the room.
        room: u32,
    },
    /// Join an existing room.
    Join {
        /// The server's number of the room.
        room: u64,
    },
    /// Send to a room without joining it.
    Publish,
    /// Stay idle, once the server has answered.
    Idle {
        /// The number of the connection.
        number: u32,
    },
}

/// The meaning of a frame to a connection that is not ready yet.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Keep waiting.
    Wait,
    /// The connection is ready.
    Ready,
    /// The connection is in a new room with this number.
    Created(u64),
    /// The connection was refused, with this message.
    Refused(String),
}

impl Protocol {
    /// The name on command lines and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Chat => "chat",
            Self::Redis => "redis",
            Self::Nats => "nats",
        }
    }

    /// Whether a talker can also be a member.
    pub const fn talkers_receive(self) -> bool {
        !matches!(self, Self::Redis)
    }

    /// Whether the server numbers the rooms.
    pub const fn server_numbers_rooms(self) -> bool {
        matches!(self, Self::Chat)
    }

    /// The first frame of a connection, which the server answers.
    pub fn greeting(self, role: Role) -> Vec<u8> {
        match (self, role) {
            (Self::Chat, Role::Create { room }) => {
                framed(format!(r#"{{"type":"CSCreateRoom","title":"load {room}"}}"#))
            }
            (Self::Chat, Role::Join { room }) => {
                framed(format!(r#"{{"type":"CSJoinRoom","roomId":{room}}}"#))
            }
            (Self::Chat, Role::Publish | Role::Idle { .. }) => framed(r#"{"type":"CSRooms"}"#),

            (Self::Redis, Role::Join { room }) => redis_subscribe(room),
            (Self::Redis, _) => b"*1\r\n$4\r\nPING\r\n".to_vec(),

            (Self::Nats, Role::Join { room }) => nats_connect(Some(room)),
            (Self::Nats, _) => nats_connect(None),

            (Self::Relay, Role::Join { room }) => relay_room(room),
            (Self::Relay, Role::Idle { number }) => relay_room(u64::from(number)),
            (Self::Relay, _) => relay_room(0),
        }
    }

    /// The meaning of a frame with this payload to a connection that has sent its greeting.
    pub fn answer(self, payload: &[u8]) -> Answer {
        match self {
            Self::Chat => chat_answer(payload),
            Self::Redis if payload.starts_with(b"-") => refused(payload),
            Self::Redis | Self::Relay => Answer::Ready,
            Self::Nats if payload.starts_with(b"-") => refused(payload),
            Self::Nats if payload.starts_with(b"PONG") => Answer::Ready,
            Self::Nats => Answer::Wait,
        }
    }

    /// The reply to a frame that arrives while messages flow, if it needs one.
    pub fn reply(self, payload: &[u8]) -> Option<&'static [u8]> {
        (self == Self::Nats && payload.starts_with(b"PING")).then_some(b"PONG\r\n")
    }

    /// The error in a frame that arrives while messages flow, if it reports one.
    pub fn complaint(self, payload: &[u8]) -> Option<String> {
        match self {
            Self::Redis | Self::Nats => payload.starts_with(b"-").then(|| lossy(payload)),
            Self::Chat => match chat_answer(payload) {
                Answer::Refused(why) => Some(why),
                _ => None,
            },
            Self::Relay => None,
        }
    }
}

fn redis_subscribe(room: u64) -> Vec<u8> {
    let channel = format!("room:{room}");
    format!("*2\r\n$9\r\nSUBSCRIBE\r\n${}\r\n{channel}\r\n", channel.len()).into()
}

fn nats_connect(room: Option<u64>) -> Vec<u8> {
    let options = r#"{"verbose":false,"pedantic":false,"echo":false,"protocol":1,"lang":"rust"}"#;
    let subscribe = room.map(|room| format!("SUB room.{room} 1\r\n")).unwrap_or_default();
    format!("CONNECT {options}\r\n{subscribe}PING\r\n").into()
}

/// The relay accepts any 4 bytes as a room number, and sends them back. These form a frame, so that the generator can
/// read the answer like any other.
fn relay_room(room: u64) -> Vec<u8> {
    let [high, low] = (room as u16).to_be_bytes();
    vec![0, 2, high, low]
}

fn chat_answer(payload: &[u8]) -> Answer {
    let Ok(message) = Incoming::parse(payload) else { return refused(payload) };
    match (message.kind.as_str(), message.code.as_deref()) {
        ("SCRoomsResult", _) if !message.more => Answer::Ready,
        ("SCSystemMessage", Some("room-created")) => {
            message.room_id.map_or_else(|| refused(payload), Answer::Created)
        }
        ("SCSystemMessage", Some("room-entered")) => Answer::Ready,
        ("SCSystemMessage", Some("member-entered" | "member-left" | "renamed")) => Answer::Wait,
        ("SCSystemMessage", _) => refused(payload),
        _ => Answer::Wait,
    }
}

fn refused(payload: &[u8]) -> Answer {
    Answer::Refused(lossy(payload))
}

fn lossy(payload: &[u8]) -> String {
    String::from_utf8_lossy(&payload[..payload.len().min(300)]).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::{Command, FrameDecoder};

    fn command(frame: &[u8]) -> Command {
        let mut decoder = FrameDecoder::new();
        let mut frames = decoder.feed(frame);
        Command::parse(frames.next_frame().expect("one frame")).expect("a command")
    }

    #[test]
    fn chat_greetings_are_commands_and_their_answers_are_understood() {
        let greeting = |role| command(&Protocol::Chat.greeting(role));
        assert!(matches!(greeting(Role::Create { room: 3 }), Command::Create(_)));
        assert!(matches!(greeting(Role::Join { room: 3 }), Command::Join(_)));
        assert!(matches!(greeting(Role::Idle { number: 1 }), Command::Rooms));
        let answer = |payload: &str| Protocol::Chat.answer(payload.as_bytes());
        let system =
            |rest: &str| answer(&format!(r#"{{"type":"SCSystemMessage","text":"x"{rest}}}"#));
        assert_eq!(system(r#","code":"room-created","roomId":7"#), Answer::Created(7));
        assert_eq!(system(r#","code":"room-entered","roomId":7,"seq":2"#), Answer::Ready);
        assert_eq!(system(r#","code":"member-entered""#), Answer::Wait);
        assert_eq!(answer(r#"{"type":"SCRoomsResult","rooms":[]}"#), Answer::Ready);
        assert!(matches!(system(r#","code":"no-such-room""#), Answer::Refused(_)));
        assert!(matches!(answer("nonsense"), Answer::Refused(_)));
    }

    #[test]
    fn nats_pings_are_answered_and_errors_are_noticed() {
        assert_eq!(Protocol::Nats.reply(b"PING\r\n"), Some(&b"PONG\r\n"[..]));
        assert_eq!(Protocol::Nats.reply(b"PONG\r\n"), None);
        assert_eq!(Protocol::Nats.answer(b"INFO {}\r\n"), Answer::Wait);
        assert_eq!(Protocol::Nats.answer(b"PONG\r\n"), Answer::Ready);
        assert!(Protocol::Nats.complaint(b"-ERR 'Slow Consumer'\r\n").is_some());
        assert!(Protocol::Redis.complaint(b":9\r\n").is_none());
    }
}
