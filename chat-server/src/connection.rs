//! One connection: bytes in, requests out; and what it is owed, until it is closed.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use chat_core::{Notice, RoomId};
use chat_proto::{Command, FrameDecoder, HEADER_LEN, Rejection, ServerMessage};

use crate::bucket::{Allowance, Bucket};
use crate::chunk::Chunk;
use crate::mailbox::{Mailbox, Request};
use crate::room_log::Cursor;
use crate::send_buffer::{Flushed, SendBuffer};
use crate::socket::Socket;

#[derive(Debug)]
pub(crate) struct Connection<S> {
    /// `None` once it has failed.
    socket: Option<S>,
    decoder: FrameDecoder,
    pub(crate) send: SendBuffer,
    /// The kernel takes no more until an event says so.
    write_blocked: bool,
    /// `None` for a connection that is only told why it cannot stay.
    pub(crate) mailbox: Option<Arc<Mailbox>>,
    pub(crate) place: Option<Place>,
    pub(crate) phase: Phase,
    /// The peer has ended its stream: nothing more will be read.
    pub(crate) peer_ended: bool,
    /// An event has told of an end or a mark in the stream, somewhere behind the bytes: a read that
    /// stops short there is no sign that nothing more is to be had.
    cut_announced: bool,
    /// It has sent a frame that was a command: it speaks our protocol.
    proven: bool,
    bad_frames: Bucket,
    /// It is among those to be read in the next turn.
    pub(crate) read_planned: bool,
    /// It is among those to be flushed at the end of the turn.
    pub(crate) flush_planned: bool,
}

/// Where a connection gets broadcasts from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
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

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    /// An event will tell when there is more.
    Drained,
    /// There may be more; no event will tell.
    Budget,
    /// The peer has ended its stream.
    Ended,
    /// The connection is of no use any more.
    Failed,
}

impl<S> Connection<S> {
    pub(crate) fn new(socket: S, mailbox: Arc<Mailbox>, now: Instant) -> Self {
        Self::in_phase(Phase::Open, Some(socket), Some(mailbox), now)
    }

    /// A connection that is told why it cannot stay, and closed.
    pub(crate) fn refused(socket: S, why: &Notice, now: Instant, deadline: Instant) -> Self {
        let mut refused = Self::in_phase(Phase::Finishing { deadline }, Some(socket), None, now);
        refused.send.push_message(ServerMessage::System { notice: why, room: None });
        refused
    }

    fn in_phase(
        phase: Phase,
        socket: Option<S>,
        mailbox: Option<Arc<Mailbox>>,
        now: Instant,
    ) -> Self {
        Self {
            socket,
            decoder: FrameDecoder::new(),
            send: SendBuffer::default(),
            write_blocked: false,
            mailbox,
            place: None,
            phase,
            peer_ended: false,
            cut_announced: false,
            proven: false,
            bad_frames: Bucket::new(now),
            read_planned: false,
            flush_planned: false,
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.socket.is_some()
    }

    /// Drops the socket, and what was owed.
    pub(crate) fn kill(&mut self) {
        self.socket = None;
        self.send = SendBuffer::default();
        self.decoder = FrameDecoder::new();
    }

    /// Takes no more from the peer: the last request of an open connection is `Disconnect`. Does
    /// nothing the second time.
    pub(crate) fn end(&mut self, requests: &mut Vec<Request>) {
        if self.phase == Phase::Open {
            self.phase = Phase::Ending;
            self.decoder = FrameDecoder::new();
            requests.push(Request::Disconnect);
        }
    }

    /// To be called on an event that says that the peer has ended its stream, or has sent urgent data
    /// in it.
    pub(crate) fn announce_cut(&mut self) {
        self.cut_announced = true;
    }

    /// To be called on an event that says that the kernel takes bytes again.
    pub(crate) fn unblock(&mut self) {
        self.write_blocked = false;
    }

    #[cfg(test)]
    pub(crate) fn socket_for_test(&self) -> &S {
        self.socket.as_ref().expect("the socket has not failed")
    }

    #[cfg(test)]
    pub(crate) fn for_test() -> Self {
        let now = Instant::now();
        Self::in_phase(Phase::Finishing { deadline: now }, None, None, now)
    }
}

impl<S: Socket> Connection<S> {
    /// Reads at most one `buffer` full and appends the requests in it, the last of them `Disconnect`
    /// when there is nothing to come.
    pub(crate) fn read(
        &mut self,
        now: Instant,
        budget: Allowance,
        buffer: &mut [u8],
        requests: &mut Vec<Request>,
    ) -> ReadEnd {
        let (filled, end) = self.fill(buffer);
        // Also of a peer that resets the stream: what came before, it has said.
        self.accept_bytes(now, budget, &buffer[..filled], requests);
        if matches!(end, ReadEnd::Ended | ReadEnd::Failed) {
            self.peer_ended |= end == ReadEnd::Ended;
            self.end(requests);
        }
        end
    }

    /// Reads into `buffer` and returns how much, and why it stopped.
    fn fill(&mut self, buffer: &mut [u8]) -> (usize, ReadEnd) {
        let Some(socket) = &mut self.socket else { return (0, ReadEnd::Failed) };
        let mut filled = 0;
        loop {
            // Never with an empty slice: that reads 0 bytes, which looks like the end.
            match socket.read(&mut buffer[filled..]) {
                Ok(0) => return (filled, ReadEnd::Ended),
                Ok(n) => filled += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return (filled, ReadEnd::Drained),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return (filled, ReadEnd::Failed),
            }
            if filled == buffer.len() {
                return (filled, ReadEnd::Budget);
            }
            if !self.cut_announced {
                return (filled, ReadEnd::Drained);
            }
        }
    }

    /// Gives the kernel what it takes of what is owed, but not much more than `budget` bytes.
    /// Returns whether there may be more that it takes.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub(crate) fn flush(&mut self, budget: usize) -> io::Result<bool> {
        let Some(socket) = &mut self.socket else { return Ok(false) };
        if self.write_blocked {
            return Ok(false);
        }
        let flushed = self.send.flush(socket, budget)?;
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
        let Some(socket) = &mut self.socket else { return Ok(false) };
        if self.write_blocked || !self.send.is_empty() {
            self.send.push_shared(chunk, range);
            return self.flush(budget);
        }
        let flushed = self.send.write_through(socket, chunk, range, budget)?;
        self.write_blocked = flushed == Flushed::Blocked;
        Ok(flushed == Flushed::Budget)
    }

    /// Ends the stream towards the peer, after what was written.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub(crate) fn shutdown_write(&mut self) -> io::Result<()> {
        self.socket.as_mut().map_or(Ok(()), Socket::shutdown_write)
    }

    fn accept_bytes(
        &mut self,
        now: Instant,
        budget: Allowance,
        bytes: &[u8],
        requests: &mut Vec<Request>,
    ) {
        if self.phase != Phase::Open {
            return;
        }
        let mut frames = self.decoder.feed(bytes);
        while let Some(payload) = frames.next_frame() {
            match Command::parse(payload) {
                Ok(command) => requests.push(Request::Do(command)),
                Err(rejection) => {
                    let bad = rejection.is_bad();
                    requests.push(Request::Reject(rejection));
                    if bad {
                        if self.proven && self.bad_frames.take(now, budget) {
                            continue;
                        }
                        drop(frames);
                        return self.end(requests);
                    }
                }
            }
            self.proven = true;
        }
        drop(frames);
        if !self.proven && is_foreign(self.decoder.partial()) {
            requests.push(Request::Reject(Rejection::NotAnObject));
            self.end(requests);
        }
    }
}

/// Whether the first bytes of a stream cannot be the beginning of a frame with a JSON object in it:
/// a browser, a TLS hello or a little-endian length, which would otherwise be waited for.
fn is_foreign(bytes: &[u8]) -> bool {
    match bytes.get(HEADER_LEN) {
        None => false,
        Some(b'{' | b' ' | b'\t' | b'\r' | b'\n') => is_little_endian(bytes),
        Some(_) => true,
    }
}

/// Whether this is a whole command behind a length with its bytes the wrong way round, and nothing
/// more: its sender waits for an answer. As ours it would be the beginning of a long frame that goes
/// on behind its object.
fn is_little_endian(bytes: &[u8]) -> bool {
    bytes.split_first_chunk::<HEADER_LEN>().is_some_and(|(header, payload)| {
        usize::from(u16::from_le_bytes(*header)) == payload.len()
            && !Command::parse(payload).is_err_and(|rejection| rejection.is_bad())
    })
}
