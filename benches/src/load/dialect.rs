//! Dialects: a protocol and the form of its connections.

use std::fmt;
use std::str::FromStr;

use chat_proto::HEADER_LEN;
use chat_proto::websocket::{Opcode, write_masked};
use serde::{Deserialize, Serialize};

use super::framing::{BadStream, Found, LengthPrefixed, Messages, Nats, Resp, scan};
use super::protocol::Protocol;
use super::websocket::MASK;
use crate::error::Error;

/// The layers between the socket and the bytes of a protocol.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Nothing.
    #[default]
    Plain,
    /// A WebSocket.
    Ws,
    /// TLS.
    Tls,
    /// A WebSocket in TLS.
    Wss,
}

impl Form {
    /// Whether there is a WebSocket.
    pub const fn has_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    /// Whether there is TLS.
    pub const fn has_tls(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }
}

/// A protocol in a form. Its name is that of the protocol followed, unless the form is plain, by the form, as in
/// `chat+ws`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Dialect {
    /// The protocol.
    pub protocol: Protocol,
    /// The form.
    pub form: Form,
}

impl Dialect {
    /// All dialects of the servers here, the lower bound first.
    pub const ALL: [(Self, &str); 10] = [
        (Self::plain(Protocol::Relay), "relay"),
        (Self::plain(Protocol::Chat), "chat"),
        (Self::new(Protocol::Chat, Form::Ws), "chat+ws"),
        (Self::new(Protocol::Chat, Form::Tls), "chat+tls"),
        (Self::new(Protocol::Chat, Form::Wss), "chat+wss"),
        (Self::plain(Protocol::Redis), "redis"),
        (Self::plain(Protocol::Nats), "nats"),
        (Self::new(Protocol::Nats, Form::Ws), "nats+ws"),
        (Self::new(Protocol::Nats, Form::Tls), "nats+tls"),
        (Self::new(Protocol::Nats, Form::Wss), "nats+wss"),
    ];

    const fn new(protocol: Protocol, form: Form) -> Self {
        Self { protocol, form }
    }

    /// The protocol without any layers.
    pub const fn plain(protocol: Protocol) -> Self {
        Self::new(protocol, Form::Plain)
    }

    /// The name on command lines and in tables.
    pub fn name(self) -> &'static str {
        let found = Self::ALL.into_iter().find(|&(dialect, _)| dialect == self);
        found.map_or(self.protocol.name(), |(_, name)| name)
    }

    /// Parses a list such as `relay,chat+ws`.
    ///
    /// # Errors
    /// If a name is unknown.
    pub fn list(names: &str) -> Result<Vec<Self>, Error> {
        names.split(',').map(|name| name.trim().parse()).collect()
    }

    /// Cuts `bytes` into frames: see [`scan`]. If a WebSocket carries a byte stream, the bytes are that stream.
    ///
    /// # Errors
    /// [`BadStream`] if they are not frames of this dialect.
    #[inline]
    pub fn scan(
        self,
        bytes: &[u8],
        hint: &mut usize,
        on: impl FnMut(Found<'_>),
    ) -> Result<usize, BadStream> {
        match self.protocol {
            Protocol::Chat if self.form.has_websocket() => scan::<Messages>(bytes, hint, on),
            Protocol::Chat | Protocol::Relay => scan::<LengthPrefixed>(bytes, hint, on),
            Protocol::Redis => scan::<Resp>(bytes, hint, on),
            Protocol::Nats => scan::<Nats>(bytes, hint, on),
        }
    }

    /// Converts a frame of the protocol to its form, except for TLS. The payload is at the end of the result.
    pub fn encode(self, frame: Vec<u8>) -> Vec<u8> {
        if !self.form.has_websocket() {
            return frame;
        }
        let (opcode, payload) = match self.protocol {
            // A message of the WebSocket is a chat message, without the length prefix.
            Protocol::Chat => (Opcode::Text, frame.get(HEADER_LEN..).unwrap_or_default()),
            _ => (Opcode::Binary, &frame[..]),
        };
        let mut out = Vec::new();
        write_masked(&mut out, opcode, MASK, payload);
        out
    }

    /// The path of the server's WebSocket.
    pub const fn path(self) -> &'static str {
        match self.protocol {
            Protocol::Chat => "/ws",
            _ => "/",
        }
    }

    /// Whether the messages of the WebSocket form a byte stream, cut anywhere.
    pub const fn is_byte_stream(self) -> bool {
        !matches!(self.protocol, Protocol::Chat)
    }

    /// Whether the server sends something in plain text before it expects TLS.
    pub const fn begins_plain(self) -> bool {
        matches!(self, Self { protocol: Protocol::Nats, form: Form::Tls })
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dialect {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|&(_, own)| own == name);
        found.map(|(dialect, _)| dialect).ok_or_else(|| {
            let all = Self::ALL.map(|(_, name)| name).join(", ");
            Error::Config(format!("{name:?} is none of {all}"))
        })
    }
}

impl From<Dialect> for String {
    fn from(dialect: Dialect) -> Self {
        dialect.name().to_owned()
    }
}

impl TryFrom<String> for Dialect {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        name.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_one_dialect() {
        for (dialect, name) in Dialect::ALL {
            assert_eq!((dialect.name(), name.parse().ok()), (name, Some(dialect)));
        }
        let list = Dialect::list("relay, chat+wss").expect("they exist");
        let wss = Dialect { protocol: Protocol::Chat, form: Form::Wss };
        assert_eq!(list, [Dialect::plain(Protocol::Relay), wss]);
        assert!(Dialect::list("relay,ircd").is_err());
    }

    #[test]
    fn a_report_names_its_dialect() {
        for (dialect, name) in Dialect::ALL {
            let json = serde_json::to_string(&dialect).expect("a string");
            assert_eq!(json, format!("{name:?}"));
            assert_eq!(serde_json::from_str::<Dialect>(&json).expect("its name"), dialect);
        }
        assert!(serde_json::from_str::<Dialect>("\"ircd\"").is_err());
    }
}
