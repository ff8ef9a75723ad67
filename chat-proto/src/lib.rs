//! The wire of the room chat: frames, messages, and the checked values inside them.
//!
//! Bytes become types here and types become bytes; nothing else happens. There is no socket, clock,
//! lock or thread in this crate.
//!
//! - [`FrameDecoder`] cuts a byte stream into frames, however it was chopped up on the way: a length of
//!   2 bytes, big-endian, then so many bytes of JSON ([`MAX_PAYLOAD`]). [`write_frame`] makes one.
//! - [`Command`] is what a client asks for: [`Command::write`] in a client, [`Command::parse`] in a server.
//!   The latter is the only way in from the network: what it returns holds a [`Name`], [`Title`],
//!   [`Text`] or [`RoomId`] that is already checked; else there is a [`Rejection`].
//! - [`ServerMessage`] is what a server says, and [`Incoming`] the same as a client reads it. Lists of rooms
//!   may take several frames: [`write_rooms_page`].
//! - [`Notice`] is the list of everything a server has to say to people, each with a stable code for programs
//!   and a text in every [`Lang`].
//!
//! # A client
//!
//! It writes commands as frames, and reads whatever comes back:
//!
//! ```
//! use std::error::Error;
//! use std::io::{Read, Write};
//!
//! use chat_proto::{Command, FrameDecoder, Incoming, Name, Text, Title};
//!
//! /// Makes a room, and says something in it.
//! fn open_room(server: &mut impl Write) -> Result<(), Box<dyn Error>> {
//!     let mut out = Vec::new();
//!     Command::Rename(Name::new("Ann")?).write(&mut out)?;
//!     Command::Create(Title::new("games")?).write(&mut out)?;
//!     Command::Chat(Text::new("Is anybody there?")?).write(&mut out)?;
//!     Ok(server.write_all(&out)?)
//! }
//!
//! /// Shows what the server says until it ends the stream.
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
//!                 _ => {} // of a newer server
//!             }
//!         }
//!     }
//! }
//!
//! // Both work on a `TcpStream`; here there are bytes.
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
//! It reads commands and writes messages; `chat_core` has the rules between the two.
//!
//! ```
//! use chat_proto::{Command, FrameDecoder, Lang, Name, RoomId, ServerMessage, Text};
//!
//! let mut decoder = FrameDecoder::new();
//! let mut frames = decoder.feed(b"\0\x12{\"type\":\"CSRooms\"}\0");
//! let payload = frames.next_frame().expect("one whole frame was fed");
//! assert_eq!(Command::parse(payload), Ok(Command::Rooms));
//! assert!(frames.next_frame().is_none(), "half a header is kept for the next chunk");
//!
//! let (member, text) = (Name::new("Ann")?, Text::new("hi")?);
//! let chat = ServerMessage::Chat { member: &member, text: &text, room: RoomId::FIRST, seq: 7 };
//! let mut out = Vec::new();
//! chat.write(Lang::En, &mut out)?;
//! assert_eq!(out[2..], *br#"{"type":"SCChat","member":"Ann","text":"hi","roomId":1,"seq":7}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod command;
mod frame;
mod lang;
mod localize;
mod notice;
mod rooms;
mod server_message;
mod texts;
mod values;

pub use command::{Command, Field, Rejection};
pub use frame::{FrameDecoder, FrameTooLong, Frames, HEADER_LEN, MAX_PAYLOAD, write_frame};
pub use lang::{Lang, UnknownLang};
pub use localize::{Localize, Localized, PerLang};
pub use notice::Notice;
pub use rooms::{MAX_LISTED_MEMBERS, RoomEntry, write_rooms_page};
pub use server_message::{Incoming, ServerMessage, chat_payload_len};
pub use values::{
    MAX_NAME_CHARS, MAX_OPERATOR_TEXT_CHARS, MAX_TITLE_CHARS, Name, OperatorText, RoomId, Text,
    Title, ValueError,
};
