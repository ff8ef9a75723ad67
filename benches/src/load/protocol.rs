//! What the generator sends in each protocol, and what the answers mean.

use chat_proto::Incoming;
use chat_testing::frame as framed;
use serde::{Deserialize, Serialize};

use super::dialect::Dialect;
use super::token::{TOKEN_LEN, Token};
use super::websocket::apply_mask;

/// A protocol that the generator speaks, and the server that speaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// The relay, which copies what is sent to the others: the floor.
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
    /// Create a room and be in it, where rooms have to be created.
    Create {
        /// The plan's number of the room.
        room: u32,
    },
    /// Be in a room that exists.
    Join {
        /// The server's number of the room.
        room: u64,
    },
    /// Send to a room without being in it.
    Publish,
    /// Stay idle, once the server has answered.
    Idle {
        /// The number of the connection.
        number: u32,
    },
}

/// The meaning of a frame to a connection that waits to be ready.
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
    /// Its name on command lines and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Chat => "chat",
            Self::Redis => "redis",
            Self::Nats => "nats",
        }
    }

    /// Whether a talker can be a member as well.
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

/// A talker's message, complete except for its token.
#[derive(Debug, Clone)]
pub struct Template {
    /// The whole frame.
    bytes: Vec<u8>,
    /// The position of the token in it.
    token_at: usize,
    /// The mask of the token from its first byte on; zeros where nothing is masked.
    mask: [u8; 4],
}

impl Template {
    /// The message with a text of `size` bytes from connection `connection` (counted from 0) to the room with
    /// the server's number `room`.
    pub fn new(dialect: Dialect, connection: usize, room: u64, size: usize) -> Self {
        let text = "~".to_owned() + &"x".repeat(size.max(TOKEN_LEN) - 1);
        let frame = match dialect.protocol {
            Protocol::Chat => framed(format!(r#"{{"type":"CSChat","text":"{text}"}}"#)),
            Protocol::Redis => {
                let channel = format!("room:{room}");
                let (name, len) = (channel.len(), text.len());
                format!("*3\r\n$7\r\nPUBLISH\r\n${name}\r\n{channel}\r\n${len}\r\n{text}\r\n")
                    .into()
            }
            Protocol::Nats => format!("PUB room.{room} {}\r\n{text}\r\n", text.len()).into(),
            // As long as the frame that the chat server would deliver. Its `seq` grows during a run; six digits
            // are right for most of it.
            Protocol::Relay => framed(format!(
                r#"{{"type":"SCChat","member":"user{}","text":"{text}","roomId":{},"seq":100000}}"#,
                connection + 1,
                room + 1,
            )),
        };
        let plain_at = frame.iter().position(|&byte| byte == b'~').unwrap_or_default();
        let bytes = dialect.encode(frame.clone());
        let token_at = bytes.len() - (frame.len() - plain_at);
        let mask = std::array::from_fn(|i| bytes[token_at + i] ^ frame[plain_at + i]);
        Self { bytes, token_at, mask }
    }

    /// Appends the message with this token to `out`.
    #[inline]
    pub fn write(&self, token: Token, out: &mut Vec<u8>) {
        let at = out.len() + self.token_at;
        out.extend_from_slice(&self.bytes);
        let text = &mut out[at..];
        token.write(text);
        if self.mask != [0; 4] {
            apply_mask(self.mask, &mut text[..TOKEN_LEN]);
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

/// The relay takes any 4 bytes as a room number and sends them back. These form a frame, so that the
/// generator can read the answer like any other.
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
    use chat_proto::websocket::{Decoder, Event, Peer};
    use chat_proto::{Command, FrameDecoder, Lang, Name, RoomId, ServerMessage, Text};

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
    fn a_relay_frame_is_as_long_as_the_frame_the_chat_delivers() {
        for size in [TOKEN_LEN, 64, 1_000] {
            let template = Template::new(Dialect::plain(Protocol::Relay), 16, 2, size);
            let text = Text::new(&"x".repeat(size)).expect("a text");
            let member = Name::new("user17").expect("a name");
            let room = RoomId::new(3).expect("above 0");
            let mut frame = Vec::new();
            ServerMessage::Chat { member: &member, text: &text, room, seq: 123_456 }
                .write(Lang::En, &mut frame)
                .expect("it fits");
            assert_eq!(template.bytes.len(), frame.len());
        }
    }

    #[test]
    fn the_token_goes_where_the_text_begins_and_the_text_has_its_size() {
        for (dialect, name) in Dialect::ALL {
            let template = Template::new(dialect, 0, 1, 64);
            let token = Token { talker: 0, counter: 1, sent: 2 };
            let mut out = b"before".to_vec();
            template.write(token, &mut out);
            let mut frame = out.split_off(b"before".len());
            if dialect.form.has_websocket() {
                let mut decoder = Decoder::new(Peer::Client, 1_000);
                let decoded = match decoder.feed(&mut frame).next_event() {
                    Some(Ok(Event::Text(payload) | Event::Binary(payload))) => payload.to_vec(),
                    other => panic!("{name}: {other:?}"),
                };
                frame = decoded;
            }
            let mut at = 0;
            assert_eq!(Token::find(&frame, &mut at), Some(token), "{name}");
            let fill = &frame[at + TOKEN_LEN..];
            let fill = fill.iter().take_while(|&&byte| byte == b'x').count();
            assert_eq!(fill, 64 - TOKEN_LEN, "{name}");
        }
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
