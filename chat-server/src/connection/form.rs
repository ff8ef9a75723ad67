//! What a connection speaks.

use chat_proto::Framing;

/// What a connection speaks. It begins with frames, and its first bytes may change that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Frames with a length in front.
    Frames,
    /// HTTP: one request, one answer. The hub has nothing to tell it.
    Http,
    /// Messages of a WebSocket.
    WebSocket,
}

impl Form {
    /// How messages to it are framed, if there can be any.
    pub(crate) const fn framing(self) -> Option<Framing> {
        match self {
            Self::Frames => Some(Framing::Length),
            Self::Http => None,
            Self::WebSocket => Some(Framing::WebSocket),
        }
    }
}
