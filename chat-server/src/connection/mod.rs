//! One connection: what it is owed, where it stands, and how far its end has come.

mod input;
mod send_buffer;
mod table;
mod token_bucket;

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use chat_core::RoomId;
use chat_proto::FrameDecoder;

use crate::connection::token_bucket::TokenBucket;
use crate::net::Instant;
use crate::net::Socket;
use crate::room_log::Chunk;
use crate::room_log::Cursor;
use crate::stats::CloseReason;
use crate::workers::{Mailbox, Request};

pub(crate) use input::{InputLimits, Pause, Read, ReadEnd};
pub(crate) use send_buffer::{Flushed, SendBuffer};
pub(crate) use table::Connections;

#[derive(Debug)]
pub(crate) struct Connection<S> {
    socket: S,
    decoder: FrameDecoder,
    pub(crate) send: SendBuffer,
    /// `None` once the hub has nothing to do with it any more.
    pub(crate) mailbox: Option<Arc<Mailbox>>,
    pub(crate) place: Option<Subscription>,
    pub(crate) phase: Phase,
    /// Why it ends, from when that is certain.
    pub(crate) reason: Option<CloseReason>,
    /// Since when it has been owed more than it may be for long.
    pub(crate) behind_since: Option<Instant>,
    /// Since when a frame has been on its way.
    frame_since: Option<Instant>,
    /// The next of its deadlines that a timer is set for.
    pub(crate) timer: Option<Instant>,
    commands: TokenBucket,
    bad_frames: TokenBucket,
    /// How much is held for it alone, as it was last counted.
    pub(crate) counted: u32,
    /// The kernel takes no more until an event says so.
    write_blocked: bool,
    /// The peer has ended its stream: nothing more will be read.
    pub(crate) peer_ended: bool,
    /// An event has told of an end or a mark in the stream, somewhere behind the bytes: a read that
    /// stops short there is no sign that nothing more is to be had.
    cut_announced: bool,
    /// It has sent a frame that was a command: it speaks our protocol.
    proven: bool,
    /// It is among those to be read in the next turn.
    pub(crate) read_planned: bool,
    /// It has something to be read, or may, and is read no further for now.
    read_paused: Option<Pause>,
    /// It is among those to be flushed at the end of the turn.
    pub(crate) flush_planned: bool,
    /// It never had a session.
    pub(crate) refused: bool,
    /// Bytes of frames that were taken.
    #[cfg(test)]
    pub(crate) taken: u64,
}

/// Where a connection gets broadcasts from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subscription {
    pub(crate) room: RoomId,
    pub(crate) cursor: Cursor,
}

/// The life of a connection, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It is read, and what it sends is carried out.
    Open,
    /// Its requests are on their way through the hub, the last of them `Disconnect`. Input is
    /// discarded from here on.
    Ending,
    /// The hub is done with it. What it is owed is written, then the stream towards it ended.
    Finishing {
        /// When it is closed in any case.
        deadline: Instant,
    },
    /// The peer has been sent the end of the stream. What it still sends is discarded until it ends
    /// its own: closing earlier would destroy what is on its way to it.
    Lingering {
        /// When it is closed in any case.
        deadline: Instant,
    },
}

impl<S> Connection<S> {
    /// A connection with a session.
    pub(crate) fn new(socket: S, mailbox: Arc<Mailbox>, now: Instant) -> Self {
        let phase = Phase::Open;
        Self { mailbox: Some(mailbox), phase, ..Self::without_session(socket, now) }
    }

    /// A connection that is told why it cannot stay.
    pub(crate) fn refused(socket: S, reason: CloseReason, now: Instant) -> Self {
        Self { reason: Some(reason), refused: true, ..Self::without_session(socket, now) }
    }

    fn without_session(socket: S, now: Instant) -> Self {
        Self {
            socket,
            decoder: FrameDecoder::new(),
            send: SendBuffer::default(),
            mailbox: None,
            place: None,
            phase: Phase::Ending,
            reason: None,
            behind_since: None,
            frame_since: None,
            timer: None,
            commands: TokenBucket::new(now),
            bad_frames: TokenBucket::new(now),
            counted: 0,
            write_blocked: false,
            peer_ended: false,
            cut_announced: false,
            proven: false,
            read_planned: false,
            read_paused: None,
            flush_planned: false,
            refused: false,
            #[cfg(test)]
            taken: 0,
        }
    }

    /// Takes no more from the peer: the last request of an open connection is `Disconnect`. Does
    /// nothing the second time.
    pub(crate) fn end(&mut self, reason: CloseReason, requests: &mut Vec<Request>) {
        if self.phase == Phase::Open {
            self.phase = Phase::Ending;
            self.reason = Some(reason);
            self.decoder = FrameDecoder::new();
            self.frame_since = None;
            requests.push(Request::Disconnect);
        }
    }

    /// The hub is done with it: what it is owed is written, and what it sends is of no interest.
    pub(crate) fn finish(&mut self, deadline: Instant) {
        self.phase = Phase::Finishing { deadline };
        self.mailbox = None;
        self.decoder = FrameDecoder::new();
        self.frame_since = None;
    }

    /// To be called on an event that says that the kernel takes bytes again.
    pub(crate) fn unblock(&mut self) {
        self.write_blocked = false;
    }

    /// Whether the kernel takes no more until an event says so.
    pub(crate) fn is_blocked(&self) -> bool {
        self.write_blocked
    }

    /// Whether it has sent a frame that was a command.
    pub(crate) fn is_proven(&self) -> bool {
        self.proven
    }

    /// Whether the hub is done with it, and it only has to be closed.
    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.phase, Phase::Finishing { .. } | Phase::Lingering { .. })
    }

    /// Whether it is owed something, also by its room.
    pub(crate) fn is_owed(&self) -> bool {
        !self.send.is_empty() || self.waits()
    }

    /// Whether it is owed so much that it should ask for no more: it is behind, or a list of rooms waits,
    /// each of which may keep rooms that nobody else does.
    pub(crate) fn is_owed_much(&self) -> bool {
        self.behind_since.is_some() || self.send.has_list_waiting()
    }

    /// Whether it has been passed over by its room, and the kernel takes bytes again.
    pub(crate) fn may_catch_up(&self) -> bool {
        self.waits() && !self.write_blocked
    }

    fn waits(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.cursor.waits())
    }

    /// Whether nothing of what it is owed has to be accounted for: it is owed nothing, nothing was
    /// counted, and it is not behind.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.send.is_empty() && self.counted == 0 && self.behind_since.is_none()
    }

    /// Bytes held for it alone, as they were last counted and as they are now. What is more than 4 GiB
    /// counts as that.
    pub(crate) fn recount(&mut self) -> (usize, usize) {
        let held = u32::try_from(self.held()).unwrap_or(u32::MAX);
        let before = std::mem::replace(&mut self.counted, held);
        (before as usize, held as usize)
    }

    /// Bytes held for it alone: answers, what a list of rooms keeps, and the beginning of a frame.
    pub(crate) fn held(&self) -> usize {
        self.send.own() + self.decoder.buffered().len()
    }

    #[cfg(test)]
    pub(crate) fn socket_for_test(&self) -> &S {
        &self.socket
    }
}

impl<S: Socket> Connection<S> {
    /// Gives the kernel what it takes of what is owed, but not much more than `budget` bytes.
    /// Returns whether there may be more that it takes.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub(crate) fn flush(&mut self, budget: usize) -> io::Result<bool> {
        if self.write_blocked {
            return Ok(false);
        }
        let flushed = self.send.flush(&mut self.socket, budget)?;
        self.write_blocked = flushed == Flushed::Blocked;
        Ok(flushed == Flushed::Budget)
    }

    /// As [`Connection::flush`], with a part of a room's log that is added to what is owed.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub(crate) fn write_through(
        &mut self,
        chunk: &Rc<Chunk>,
        range: Range<usize>,
        budget: usize,
    ) -> io::Result<bool> {
        if self.write_blocked || !self.send.is_empty() {
            self.send.push_shared(chunk, range);
            return self.flush(budget);
        }
        let flushed = self.send.write_through(&mut self.socket, chunk, range, budget)?;
        self.write_blocked = flushed == Flushed::Blocked;
        Ok(flushed == Flushed::Budget)
    }

    /// Ends the stream towards the peer, after what was written.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub(crate) fn shutdown_write(&mut self) -> io::Result<()> {
        self.socket.shutdown_write()
    }

    /// Whose it is, while the kernel knows.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.socket.peer()
    }

    /// Closes it. A stream that is not ended is reset if something of it is missing.
    pub(crate) fn close(mut self) {
        if !self.send.is_empty() {
            self.socket.reset_on_close();
        }
    }
}
