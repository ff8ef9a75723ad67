//! The wire protocol of the room chat: frames, messages, and the checked values inside them.
//!
//! This crate converts bytes to types and types to bytes. It has no sockets, clocks, locks or threads.
//!
//! - A frame is a length of 2 bytes, big-endian, then that many bytes of JSON ([`MAX_PAYLOAD`]).
//!   [`FrameDecoder`] decodes a byte stream into frames, whatever chunks it arrives in; [`write_frame`]
//!   writes one.
//! - [`websocket`] does the same for browsers: there, a message is the JSON without the length.
//! - [`Command`] is a request of a client: clients [`write`](Command::write) it, servers
//!   [`parse`](Command::parse) it. The latter is the only way in from the network: it returns a command
//!   whose [`Name`], [`Title`], [`Text`] or [`RoomId`] has been checked, or a [`Rejection`].
//! - [`ServerMessage`] is a message that a server writes, [`Incoming`] one that a client has read, [`Received`]
//!   one that a client has read that said hello.
//!   [`write_rooms_page`] writes lists of rooms, which may take several frames.
//! - [`Notice`] lists everything that a server tells people, with a stable code for programs and a text in
//!   every [`Lang`].
//!
//! Every checked value is made by its `new`, which returns a [`ValueError`] naming the rule it breaks, and
//! converts from and to `str` or `u64` by the traits of the standard library.
//!
//! # A client
//!
//! A client writes commands as frames, and reads what comes back:
//!
//! ```
//! use std::error::Error;
//! use std::io::{Read, Write};
//!
//! use chat_proto::{Command, FrameDecoder, Incoming, Name, Text, Title};
//!
//! /// Creates a room, and says something in it.
//! fn open_room(server: &mut impl Write) -> Result<(), Box<dyn Error>> {
//!     let mut out = Vec::new();
//!     Command::Rename(Name::new("Ann")?).write(&mut out)?;
//!     Command::Create(Title::new("games")?).write(&mut out)?;
//!     Command::Chat(Text::new("Is anybody there?")?).write(&mut out)?;
//!     Ok(server.write_all(&out)?)
//! }
//!
//! /// Shows what the server says until the stream ends.
//! fn listen(server: &mut impl Read, mut show: impl FnMut(String)) -> Result<(), Box<dyn Error>> {
//!     let mut decoder = FrameDecoder::new();
//!     let mut chunk = [0; 4096];
//!     loop {
//!         let len = server.read(&mut chunk)?;
//!         if len == 0 {
//!             return Ok(());
//!         }
//!         let mut frames = decoder.feed(&chunk[..len]);
//!         while let Some(payload) = frames.next_frame() {
//!             let message = Incoming::parse(payload)?;
//!             match message.kind.as_str() {
//!                 "SCChat" => show(format!("{}: {}", message.member, message.text)),
//!                 "SCSystemMessage" => show(format!("* {}", message.text)),
//!                 "SCRoomsResult" => show(format!("{} rooms", message.rooms.len())),
//!                 _ => {} // of a later server
//!             }
//!         }
//!     }
//! }
//!
//! // Both work on a `TcpStream`, too.
//! let mut sent = Vec::new();
//! open_room(&mut sent)?;
//! assert!(sent.starts_with(b"\0\x1e{\"type\":\"CSName\",\"name\":\"Ann\"}"));
//!
//! let mut received = b"\0\x2e{\"type\":\"SCChat\",\"member\":\"Bob\",\"text\":\"Yes!\"}".as_slice();
//! let mut shown = Vec::new();
//! listen(&mut received, |line| shown.push(line))?;
//! assert_eq!(shown, ["Bob: Yes!"]);
//! # Ok::<(), Box<dyn Error>>(())
//! ```
//!
//! # A server
//!
//! A server reads commands and writes messages. The rules in between are in `chat_core`.
//!
//! ```
//! use chat_proto::{Command, FrameDecoder, Lang, Name, RoomId, ServerMessage, Text};
//!
//! let mut decoder = FrameDecoder::new();
//! let mut frames = decoder.feed(b"\0\x12{\"type\":\"CSRooms\"}\0");
//! let payload = frames.next_frame().expect("the chunk has one whole frame");
//! assert_eq!(Command::parse(payload), Ok(Command::Rooms));
//! assert!(frames.next_frame().is_none(), "half a header waits for the next chunk");
//!
//! let (member, text) = (Name::new("Ann")?, Text::new("hi")?);
//! let chat = ServerMessage::Chat { member: &member, text: &text, room: RoomId::FIRST, seq: 7 };
//! let mut out = Vec::new();
//! chat.write(Lang::En, &mut out)?;
//! assert_eq!(out[2..], *br#"{"type":"SCChat","member":"Ann","text":"hi","roomId":1,"seq":7}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod command;
pub mod extended;
mod frame;
mod framing;
mod lang;
mod localize;
mod notice;
mod received;
mod rooms;
mod server_message;
mod texts;
mod values;
pub mod websocket;

pub use command::{Command, Field, Rejection};
pub use frame::{FrameDecoder, FrameTooLong, Frames, HEADER_LEN, MAX_PAYLOAD, write_frame};
pub use framing::Framing;
pub use lang::{Lang, UnknownLang};
pub use localize::{Localize, Localized, PerLang};
pub use notice::Notice;
pub use received::{
    IncomingAck, IncomingEvent, IncomingHistory, IncomingLimits, IncomingMembers, IncomingPong,
    IncomingWelcome, Received,
};
pub use rooms::{MAX_LISTED_MEMBERS, RoomEntry, write_rooms_page};
pub use server_message::{Incoming, InvalidMessage, ServerMessage, chat_payload_len};
pub use values::{
    MAX_NAME_CHARS, MAX_OPERATOR_TEXT_CHARS, MAX_TITLE_CHARS, Name, NameKey, NameKeys,
    OperatorText, RoomId, Text, Title, ValueError,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_are_send_sync_and_debug() {
        fn check<T: Send + Sync + std::fmt::Debug>() {}
        check::<(Command, Field, Rejection, FrameDecoder, FrameTooLong, Frames<'_>, Framing)>();
        check::<(Incoming, InvalidMessage, ServerMessage<'_>, Notice, RoomEntry)>();
        check::<(Name, NameKey, NameKeys, OperatorText, RoomId, Text, Title, ValueError)>();
        check::<(Lang, UnknownLang, Localized<'_, Notice>, PerLang<&str>)>();
        check::<(websocket::Decoder, websocket::Events<'_>, websocket::Event<'_>)>();
        check::<(websocket::Opcode, websocket::Peer, websocket::Violation)>();
    }
}
