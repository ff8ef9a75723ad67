//! The wire of the room chat: frames, messages, and the checked values inside them.
//!
//! Bytes become types here and types become bytes; nothing else happens. There is no socket, clock,
//! lock or thread in this crate.
//!
//! - [`FrameDecoder`] cuts a byte stream into frames, however it was chopped up on the way.
//! - [`Command`] is what a client asks for. [`Command::parse`] is the only way in from the network:
//!   what it returns holds a [`Name`], [`Title`], [`Text`] or [`RoomId`] that is already checked.
//! - [`ServerMessage`] is what a server says. [`Notice`] is the list of everything it has to say to
//!   people, each with a stable code for programs and a text in every [`Lang`].
//!
//! ```
//! use chat_proto::{Command, FrameDecoder};
//!
//! let mut decoder = FrameDecoder::new();
//! let mut frames = decoder.feed(b"\0\x12{\"type\":\"CSRooms\"}\0");
//! let payload = frames.next_frame().expect("one whole frame was fed");
//! assert_eq!(Command::parse(payload), Ok(Command::Rooms));
//! assert!(frames.next_frame().is_none(), "half a header is kept for the next call");
//! ```

mod command;
mod frame;
mod lang;
mod notice;
mod rooms;
mod server_message;
mod texts;
mod values;

pub use command::{Command, Field, Rejection};
pub use frame::{FrameDecoder, FrameTooLong, Frames, HEADER_LEN, MAX_PAYLOAD, write_frame};
pub use lang::{Lang, UnknownLang};
pub use notice::Notice;
pub use rooms::{MAX_LISTED_MEMBERS, RoomEntry, encode_rooms_page};
pub use server_message::{Incoming, ServerMessage, chat_payload_len};
pub use values::{MAX_NAME_CHARS, MAX_TITLE_CHARS, Name, RoomId, Text, Title, ValueError};
