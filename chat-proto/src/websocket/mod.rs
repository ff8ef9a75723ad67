//! WebSocket (RFC 6455) without I/O: what a peer sends, decoded, and what a server writes, encoded.
//!
//! - [`Decoder`] decodes a byte stream into [`Event`]s, whatever chunks it arrives in, or finds the
//!   [`Violation`] that ends it.
//! - [`write_message`], [`write_pong`] and [`write_close`] write what a server sends, [`write_masked`] what a
//!   client does.
//!
//! There are no extensions, hence no compression. The owner of the socket handles the HTTP request before the stream.
//! Inside, `assembler` joins frames into messages, `header` checks the header of a frame, and `decoder` keeps what a
//! caller has not taken yet.
//!
//! ```
//! use chat_proto::websocket::{self, Decoder, Event, Opcode, Peer};
//!
//! let mut sent = Vec::new();
//! websocket::write_masked(&mut sent, Opcode::Text, *b"mask", br#"{"type":"CSRooms"}"#);
//! websocket::write_masked(&mut sent, Opcode::Ping, *b"mask", b"are you there?");
//!
//! let mut out = Vec::new();
//! let mut decoder = Decoder::new(Peer::Client, 65_535);
//! let mut events = decoder.feed(&mut sent);
//! while let Some(event) = events.next_event() {
//!     match event {
//!         Ok(Event::Text(json)) => assert_eq!(json, r#"{"type":"CSRooms"}"#),
//!         Ok(Event::Ping(payload)) => websocket::write_pong(&mut out, payload),
//!         Ok(Event::Close(code)) => websocket::write_close(&mut out, code.unwrap_or(1000), ""),
//!         Ok(_) => {}
//!         Err(violation) => {
//!             websocket::write_close(&mut out, violation.close_code(), &violation.to_string());
//!         }
//!     }
//! }
//! assert_eq!(out, b"\x8a\x0eare you there?");
//! ```

mod assembler;
mod decoder;
mod encode;
mod header;
mod mask;
#[cfg(test)]
mod tests;
mod violation;

pub use decoder::{Decoder, Event, Events};
pub(crate) use encode::message_header_len;
pub use encode::{
    message_len, write_close, write_masked, write_message, write_pong, write_unmasked,
};
pub use header::{Opcode, Peer};
pub use violation::Violation;
