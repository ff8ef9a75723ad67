//! The protocol that a connection speaks.

use chat_proto::Framing;

/// The protocol that a connection speaks: frames, until its first bytes turn out to be something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Frames with a length prefix.
    Frames,
    /// HTTP: one request, one response. Messages of the hub cannot be sent.
    Http,
    /// Messages of a WebSocket.
    WebSocket,
}

impl Form {
    /// How messages to the connection are framed, if it can receive any.
    pub(crate) const fn framing(self) -> Option<Framing> {
        match self {
            Self::Frames => Some(Framing::Length),
            Self::Http => None,
            Self::WebSocket => Some(Framing::WebSocket),
        }
    }
}
