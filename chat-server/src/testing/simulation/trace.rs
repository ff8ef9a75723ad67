//! What is recorded at a client: what it asked for and what it was sent, in that order.

use chat_proto::Incoming;

use crate::stats::CloseReason;

/// Something that a client sent, with what it takes to judge the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    Rename(String),
    Rooms,
    Create(String),
    Join(u64),
    Leave,
    /// A text that says who sent it, and as which of its chats.
    Chat {
        number: u64,
    },
    /// A text that fits the request, but not the chat that it would make.
    LongChat,
    Shutdown,
    /// A value that breaks a rule: to be answered with this code.
    Refused(&'static str),
    /// No command: to be answered with this code, and the end if it is the first or one too many.
    Bad(&'static str),
}

/// How a stream ended for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The server ended it.
    Eof,
    /// It was reset, but not by the client.
    Reset,
    /// The client closed or reset it.
    Own,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// Asked for, in the bytes of the stream up to `end`.
    Sent {
        request: Request,
        end: u64,
    },
    /// The client has ended its side of the stream, in the middle of a frame or not.
    Finished,
    Received(Box<Incoming>),
    Ended(End),
}

/// The record of one connection.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) entries: Vec<Entry>,
    /// Its session; `None` if it was refused, or nobody took the call.
    pub(super) session: Option<u64>,
    /// Why the server ended its connection, as far as it is known: one of these.
    pub(super) reasons: Vec<CloseReason>,
    /// Bytes of frames that the server had taken when the stop began.
    pub(super) taken_at_stop: Option<u64>,
    /// Bytes that are not a whole frame were left when the stream ended.
    pub(super) partial: bool,
    /// It reads all the time, breaks no rule, and nothing ever happens to its stream.
    pub(super) witness: bool,
    /// It never reads, and never ends its side.
    pub(super) dead: bool,
}

impl Trace {
    pub(super) fn ended(&self) -> Option<End> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Ended(end) => Some(*end),
            _ => None,
        })
    }
}

/// FNV-1a over everything that happens, so that two runs can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TraceHash(u64);

impl Default for TraceHash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl TraceHash {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}
