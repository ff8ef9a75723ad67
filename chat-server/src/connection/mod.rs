//! Connections: bytes in, bytes out, lifecycle; and the table of all connections.
//!
//! A [`Connection`] turns bytes into requests ([`Connection::read`]) and writes what is pending, as far as
//! the kernel takes it ([`Connection::flush`]). It knows neither rooms nor rules, and decides nothing about
//! others: the engine says when it is read, written to and closed.

mod form;
mod inbound;
mod lifecycle;
mod outbound;
mod send_buffer;
mod subscription;
mod table;
mod token_bucket;
mod writer;

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use form::{Form, is_head};
pub(crate) use inbound::{Handshake, Head, Inbound, InboundLimits, Pause, Read, ReadEnd};
pub(crate) use lifecycle::Phase;
pub(crate) use outbound::Outbound;
pub(crate) use send_buffer::Flushed;
pub(crate) use subscription::Subscription;
pub(crate) use table::Connections;
pub(crate) use token_bucket::{Rate, TokenBucket};
pub(crate) use writer::{FollowUp, Writer, write_cost};

use self::inbound::Closing;
use self::lifecycle::{FIRST_BYTES, HANDSHAKE_BEGINS, Lifecycle};
use crate::net::{Delivery, Instant, SockDiag, Socket, StreamState};
use crate::room_log::Chunk;
use crate::stats::CloseReason;
use crate::workers::{Mailbox, Request};

#[derive(Debug)]
pub(crate) struct Connection<S> {
    pub(crate) inbound: Inbound,
    pub(crate) outbound: Outbound,
    pub(crate) lifecycle: Lifecycle,
    /// The connection's room and its position there.
    pub(crate) subscription: Option<Subscription>,
    /// The earliest of its deadlines, if a timer is set for it.
    pub(crate) timer: Option<Instant>,
    socket: S,
}

/// Every idle connection has one.
const _: () = assert!(size_of::<Connection<[u64; 2]>>() <= if cfg!(test) { 216 } else { 208 });

impl<S> Connection<S> {
    /// A connection with a session.
    pub(crate) fn new(socket: S, mailbox: Arc<Mailbox>, now: Instant) -> Self {
        Self::with_lifecycle(socket, Lifecycle::open(mailbox), now)
    }

    /// A connection that is refused, and has to be told why.
    pub(crate) fn refused(socket: S, reason: CloseReason, now: Instant) -> Self {
        Self::with_lifecycle(socket, Lifecycle::refused(reason, now), now)
    }

    fn with_lifecycle(socket: S, lifecycle: Lifecycle, now: Instant) -> Self {
        Self {
            inbound: Inbound::new(now),
            outbound: Outbound::new(now),
            lifecycle,
            subscription: None,
            timer: None,
            socket,
        }
    }

    /// Takes the head of an HTTP request, if one has arrived.
    pub(crate) fn take_head(&mut self) -> Option<Head> {
        if let Some(head) = self.inbound.request() {
            self.outbound.set_form(Form::of_request(head));
        }
        self.inbound.take_head()
    }

    /// Turns the connection into a WebSocket.
    pub(crate) fn upgrade(&mut self) {
        self.inbound.upgrade();
        self.outbound.set_form(Form::WebSocket);
    }

    /// Appends the pongs that a WebSocket owes its peer. Returns how many bytes they take.
    pub(crate) fn push_replies(&mut self) -> usize {
        let replies = self.inbound.take_replies();
        if !replies.is_empty() {
            self.outbound.send.push_bytes(&replies);
        }
        replies.len()
    }

    /// Stops accepting requests, and appends the last one, `Disconnect`. Does nothing the second time.
    pub(crate) fn begin_close(&mut self, reason: CloseReason, requests: &mut Vec<Request>) {
        if self.lifecycle.close(reason) {
            self.inbound.discard();
            requests.push(Request::Disconnect);
        }
    }

    /// Notes that the hub has released the connection. Returns the reason given for closing, or `fallback` if there is
    /// none.
    pub(crate) fn begin_drain(&mut self, fallback: CloseReason, deadline: Instant) -> CloseReason {
        self.inbound.discard();
        self.lifecycle.drain(fallback, deadline)
    }

    /// The reason why reading is paused, if it is. A closing connection is read in any case, and its input
    /// discarded.
    pub(crate) fn read_pause(&self) -> Option<Pause> {
        self.inbound.paused().filter(|_| self.lifecycle.is_open())
    }

    /// The deadline of an incomplete frame. There is none while a list of rooms is under way, since the list must
    /// still show the peer; a peer that does not read the list has the deadline of a slow one.
    pub(crate) fn frame_deadline(&self, limits: &InboundLimits) -> Option<Instant> {
        let is_listing = self.inbound.expects_list() || self.outbound.send.has_waiting_list();
        self.inbound.frame_deadline(limits).filter(|_| !is_listing)
    }

    /// Whether the connection should make no more requests: it has yet to read what it has been sent, or has asked
    /// for.
    pub(crate) fn should_not_ask(&self) -> bool {
        self.inbound.expects_list() || self.outbound.should_not_ask()
    }

    /// Whether bytes are pending for it, including in its room's log.
    pub(crate) fn has_pending(&self) -> bool {
        !self.outbound.send.is_empty() || self.is_parked()
    }

    /// Whether its room has parked it, and the kernel takes bytes again.
    pub(crate) fn can_catch_up(&self) -> bool {
        self.is_parked() && !self.outbound.is_blocked()
    }

    fn is_parked(&self) -> bool {
        self.subscription.is_some_and(|subscription| subscription.cursor.is_parked())
    }

    /// Since when the peer has neither steadily read what is pending nor completed its frame; `None` if the connection
    /// holds nothing but frames that have to wait.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        self.outbound.unsteady_since().into_iter().chain(self.inbound.frame_since()).min()
    }

    #[cfg(test)]
    pub(crate) fn socket_for_test(&self) -> &S {
        &self.socket
    }
}

impl<S: Socket> Connection<S> {
    /// Memory held for this connection alone, in bytes: answers, what a list of rooms retains, and that of its stream.
    pub(crate) fn memory(&self) -> usize {
        self.outbound.send.own_memory() + self.stream_memory()
    }

    /// Memory of input and of encrypted bytes that have not been sent, in bytes.
    pub(crate) fn stream_memory(&self) -> usize {
        self.inbound.memory() + self.socket.memory()
    }

    /// How far the stream's handshake has come.
    pub(crate) fn state(&self) -> StreamState {
        self.socket.state()
    }

    /// When a refused connection is told in any case; `handshake` is the time for one. `None` unless it is refused,
    /// and has not been told.
    pub(crate) fn refusal_deadline(&self, handshake: Duration) -> Option<Instant> {
        let Phase::Refused { since, .. } = self.lifecycle.phase() else { return None };
        let wait = match self.state() {
            StreamState::Handshaking => handshake,
            StreamState::Fresh => HANDSHAKE_BEGINS,
            _ => FIRST_BYTES,
        };
        Some(since + wait)
    }

    /// Takes buffered frames, or else reads at most one `buffer`, and appends the resulting requests: the last
    /// is `Disconnect` if nothing will follow.
    pub(crate) fn read(
        &mut self,
        now: Instant,
        limits: &InboundLimits,
        buffer: &mut [u8],
        requests: &mut Vec<Request>,
    ) -> Read {
        let Self { inbound, lifecycle, socket, .. } = self;
        let (read, closing) =
            inbound.read(socket, lifecycle.is_open(), now, limits, buffer, requests);
        if lifecycle.is_refused() && read.bytes > 0 {
            self.outbound.set_form(inbound.hear_first(&buffer[..read.bytes]));
        }
        if let Some(Closing { reason, code }) = closing {
            if let Some(code) = code {
                self.outbound.set_close_code(code);
            }
            self.begin_close(reason, requests);
        }
        read
    }

    /// Writes pending bytes until the kernel takes no more or about `budget` bytes are written, and subtracts them
    /// from `budget`.
    ///
    /// # Errors
    /// When the socket has failed.
    pub(crate) fn flush(&mut self, budget: &mut usize) -> io::Result<Flushed> {
        if self.outbound.is_blocked() {
            return Ok(Flushed::Blocked);
        }
        let flushed = self.outbound.send.flush(&mut self.socket, budget)?;
        Ok(self.note_flushed(flushed))
    }

    /// Like [`Connection::flush`], with a range of a chunk after the pending bytes.
    ///
    /// # Errors
    /// When the socket has failed.
    pub(crate) fn write_through(
        &mut self,
        chunk: &Rc<Chunk>,
        range: Range<usize>,
        budget: &mut usize,
    ) -> io::Result<Flushed> {
        if self.outbound.is_blocked() || !self.outbound.send.is_empty() {
            self.outbound.send.push_shared(chunk, range);
            return self.flush(budget);
        }
        let flushed = self.outbound.send.write_through(&mut self.socket, chunk, range, budget)?;
        Ok(self.note_flushed(flushed))
    }

    fn note_flushed(&mut self, flushed: Flushed) -> Flushed {
        if flushed == Flushed::Blocked {
            self.outbound.block();
        }
        flushed
    }

    /// Drops everything pending, except the rest of a partly written frame.
    pub(crate) fn truncate(&mut self) {
        self.outbound.truncate(self.socket.withheld());
    }

    /// Ends the stream to the peer, after the bytes written.
    ///
    /// # Errors
    /// When the socket has failed.
    pub(crate) fn shutdown_write(&mut self) -> io::Result<()> {
        self.socket.shutdown_write()
    }

    /// The peer's address, if the kernel still knows it.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.socket.peer()
    }

    /// The delivery of the bytes written, if the kernel knows.
    pub(crate) fn delivery(&self, kernel: &mut SockDiag) -> Option<Delivery> {
        self.socket.delivery(kernel)
    }

    /// Makes closing it reset the stream.
    pub(crate) fn reset_on_close(&mut self) {
        self.socket.reset_on_close();
    }

    /// Stops watching it, until the next write.
    pub(crate) fn unwatch(&mut self) {
        self.outbound.unwatch();
    }

    /// Closes it. If anything is still pending, the stream is reset.
    pub(crate) fn close(mut self) {
        if !self.outbound.send.is_empty() {
            self.socket.reset_on_close();
        }
    }
}
