//! The outcome of reading a connection.

use crate::net::StreamState;
use crate::stats::CloseReason;

/// The result of reading a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    /// Bytes read from the kernel.
    pub(crate) bytes: usize,
    /// Bytes of the frames that were accepted, including bytes read earlier.
    pub(crate) accepted: usize,
    pub(crate) end: ReadEnd,
    pub(crate) handshake: Handshake,
    /// The time that decrypting took, in units of some 0.4 µs.
    pub(crate) work: u32,
}

impl Read {
    /// Whether no more is to be had: the kernel has none, or all that was read were records without content, of which
    /// there may be no end.
    pub(crate) fn has_drained(&self) -> bool {
        self.end == ReadEnd::Drained || (self.end == ReadEnd::Budget && self.bytes == 0)
    }
}

/// What reading has done for the handshake of a stream that begins with one, or may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// No effect; most streams have no handshake.
    Unchanged,
    /// It is complete: the stream takes bytes from now on.
    Complete,
    /// There is no handshake: the stream is plain, and takes bytes from now on.
    Absent,
}

impl Handshake {
    pub(super) fn between(before: StreamState, after: StreamState) -> Self {
        match after {
            _ if before.is_open() || !after.is_open() => Self::Unchanged,
            StreamState::Open | StreamState::Refused => Self::Absent,
            _ => Self::Complete,
        }
    }
}

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    /// The kernel has no more; an event will announce more.
    Drained,
    /// The kernel may have more; no event will announce it.
    Budget,
    /// Frames were buffered for later; no event will announce them.
    Kept,
    /// The peer has ended its stream.
    Ended,
    /// The socket has failed.
    Failed,
    /// The encryption of the stream has failed.
    Garbled,
}

impl ReadEnd {
    pub(crate) fn has_failed(self) -> bool {
        matches!(self, Self::Failed | Self::Garbled)
    }
}

/// Why to close a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closing {
    pub(crate) reason: CloseReason,
    /// The code to close a WebSocket with, if it is not the default for the reason.
    pub(crate) code: Option<u16>,
}

impl Closing {
    pub(super) const fn new(reason: CloseReason) -> Self {
        Self { reason, code: None }
    }

    /// The peer has broken the protocol once too often.
    pub(super) const fn for_bad_input() -> Self {
        Self::new(CloseReason::BadInput)
    }
}
