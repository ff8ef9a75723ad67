//! The TLS session of one connection, on rustls's unbuffered interface: an idle one holds no buffers.
//!
//! Input passes through one buffer per thread, and only an incomplete record is kept (`receiving`). Output is
//! encrypted into another one, and only what the kernel does not take is kept (`sending`).
//!
//! **A byte is withheld.** A caller considers what a write returns as written, and never asks whether it has left. So
//! while ciphertext is left here, the last byte in it is not acknowledged: a write of `n` bytes returns `n - 1`, or
//! `WouldBlock` if `n` is 1. The caller then has something pending, waits until the kernel takes more, and offers that
//! byte again, first in its next write. The byte is encrypted already: once the ciphertext has left, it is counted and
//! not sent a second time. Invariants:
//!
//! 1. `is_withheld` implies that the next write begins with the byte that the last one took and did not acknowledge.
//! 2. Nothing is encrypted for a write while `sealed` holds anything; so `sealed` holds one write's records at most,
//!    besides those of handshakes and alerts.
//! 3. Once everything that was written is acknowledged, `sealed` holds nothing of it.

mod receiving;
mod sending;

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::UnbufferedServerConnection;

use super::super::socket::StreamState;

/// The most that a record takes beyond its content, with a margin.
const OVERHEAD: usize = 1024;

/// One side of a TLS connection. Its transport is passed to each call.
pub(crate) struct TlsSession {
    tls: UnbufferedServerConnection,
    /// Received bytes of an incomplete record or handshake message.
    kept: Vec<u8>,
    /// Decrypted bytes that did not fit the reader's buffer.
    surplus: VecDeque<u8>,
    /// Records to be sent, of which the transport has taken `sent` bytes.
    sealed: Vec<u8>,
    sent: usize,
    /// Whether the first byte of the next write is encrypted already.
    is_withheld: bool,
    /// Whether the handshake is over.
    is_open: bool,
    /// Whether to send the end of the stream once `sealed` has left.
    is_closing: bool,
    /// Whether the peer has been told of the end, or must not be told.
    is_silent: bool,
    /// Whether there may be more to read, which no event will announce.
    is_ready: bool,
    end: Option<End>,
    /// See [`Socket::work`].
    work: u32,
}

/// The end of the stream from the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// With or without `close_notify`.
    Closed,
    Failed(ErrorKind),
}

impl TlsSession {
    /// Returns a session that has received the first bytes of its stream.
    pub(super) fn new(config: &Arc<ServerConfig>, received: &[u8]) -> io::Result<Self> {
        let tls = UnbufferedServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        Ok(Self {
            tls,
            kept: received.to_vec(),
            surplus: VecDeque::new(),
            sealed: Vec::new(),
            sent: 0,
            is_withheld: false,
            is_open: false,
            is_closing: false,
            is_silent: false,
            is_ready: false,
            end: None,
            work: 0,
        })
    }

    /// See [`Socket::state`].
    pub(crate) fn state(&self) -> StreamState {
        if !self.is_open {
            StreamState::Handshaking
        } else if self.is_ready || self.end.is_some() {
            StreamState::Ready
        } else if self.kept.is_empty() && self.surplus.is_empty() && !self.is_closing {
            StreamState::Encrypted
        } else {
            StreamState::Partial
        }
    }

    /// See [`Socket::withheld`].
    pub(crate) fn withheld(&self) -> usize {
        self.is_withheld.into()
    }

    /// See [`Socket::work`].
    pub(crate) fn work(&self) -> u32 {
        self.work
    }

    /// See [`Socket::memory`].
    pub(crate) fn memory(&self) -> usize {
        self.kept.capacity() + self.surplus.capacity() + self.sealed.capacity()
    }
}

impl fmt::Debug for TlsSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSession").field("state", &self.state()).finish_non_exhaustive()
    }
}
