//! A talker's message in each dialect.

use chat_testing::frame as framed;

use super::dialect::Dialect;
use super::protocol::Protocol;
use super::token::{TOKEN_LEN, Token};
use super::websocket::apply_mask;

/// A talker's message, complete except for its token.
#[derive(Debug, Clone)]
pub struct Template {
    /// The whole frame.
    bytes: Vec<u8>,
    /// The position of the token in it.
    token_at: usize,
    /// The mask of the token, starting at its first byte; zeros if nothing is masked.
    mask: [u8; 4],
}

impl Template {
    /// Returns the message of connection `connection` (counted from 0), with a text of `size` bytes, to the room with
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
            // As long as the frame that the chat server would deliver. Its `seq` grows during a run; six digits are
            // right for most of it.
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

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::websocket::{Decoder, Event, Peer};
    use chat_proto::{Lang, Name, RoomId, ServerMessage, Text};

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
                    Some(Ok(Event::Text(payload))) => payload.as_bytes().to_vec(),
                    Some(Ok(Event::Binary(payload))) => payload.to_vec(),
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
}
