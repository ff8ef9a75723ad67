//! The protocol that a connection speaks.

use chat_proto::Framing;

/// The protocol that a connection speaks: frames, until its first bytes turn out to be something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Frames with a length prefix.
    Frames,
    /// HTTP: one request, one response. Messages of the hub cannot be sent. A response to `HEAD` has no body.
    Http { is_head: bool },
    /// Messages of a WebSocket.
    WebSocket,
}

impl Form {
    /// The form of a stream that begins with this part of a request.
    pub(super) fn of_request(start: &[u8]) -> Self {
        Self::Http { is_head: is_head(start) }
    }

    /// How messages to the connection are framed, if it can receive any.
    pub(crate) const fn framing(self) -> Option<Framing> {
        match self {
            Self::Frames => Some(Framing::Length),
            Self::Http { .. } => None,
            Self::WebSocket => Some(Framing::WebSocket),
        }
    }
}

/// Whether a request that begins like this is a `HEAD`: even its first byte tells.
pub(crate) fn is_head(start: &[u8]) -> bool {
    !start.is_empty() && start.iter().zip(b"HEAD ").all(|(a, b)| a == b)
}
