//! The record of a client: what it sent and received, in order.

use chat_proto::Incoming;
use chat_testing::Request;

use crate::stats::CloseReason;
use crate::testing::simulation::judge::farewell;

/// How a stream ended for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The server ended it.
    Eof,
    /// The server or the network reset it.
    Reset,
    /// The client closed or reset it itself.
    Own,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A request, whose bytes in the stream end at `end`.
    Sent {
        request: Request,
        end: u64,
    },
    /// The client has ended its side of the stream, possibly within a frame.
    Finished,
    Received(Box<Incoming>),
    Ended(End),
}

/// The record of one connection.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) entries: Vec<Entry>,
    /// The number of its session; `None` if it was refused or never accepted.
    pub(super) session: Option<u64>,
    /// The possible reasons for which the server ended the connection, as far as known.
    pub(super) reasons: Vec<CloseReason>,
    /// Bytes of frames that the server had accepted when the stop began.
    pub(super) taken_at_stop: Option<u64>,
    /// Whether the stream ended within a frame.
    pub(super) partial: bool,
    /// Whether it is a witness: it reads all the time, breaks no rule, and its stream never fails.
    pub(super) witness: bool,
    /// Whether it never reads and never ends its side.
    pub(super) dead: bool,
    /// Whether it says hello: `asking` checks what it receives.
    pub(super) asks: bool,
}

impl Trace {
    pub(super) fn ended(&self) -> Option<End> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Ended(end) => Some(*end),
            _ => None,
        })
    }

    /// Whether the request that ends at this position was accepted, which it was not if the stop came first. A
    /// connection that ended for bad input ended before the stop.
    pub(super) fn accepted(&self, end: u64) -> bool {
        self.reasons.contains(&CloseReason::BadInput)
            || self.taken_at_stop.is_none_or(|taken| end <= taken)
    }

    /// Whether the client lost its stream or was disconnected: it received a prefix, and the server may have carried
    /// out more than the client knows.
    pub(super) fn is_cut_off(&self) -> bool {
        let codes = || CloseReason::ALL.into_iter().filter_map(farewell);
        let sent_away =
            |code: &str| code != "server-stopping" && codes().any(|other| other == code);
        let last = self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Received(message) => message.code.as_deref(),
            _ => None,
        });
        match self.ended() {
            None => self.dead,
            Some(End::Own | End::Reset) => true,
            Some(End::Eof) => self.session.is_none() || last.is_some_and(sent_away),
        }
    }
}

/// A hash (FNV-1a) of everything that happens, to compare two runs.
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
