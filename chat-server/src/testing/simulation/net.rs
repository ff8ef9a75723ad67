//! Virtual sockets, which do to a stream whatever a kernel and a network can do.
//!
//! Readiness is strictly edge-triggered: a readable event comes only for bytes that arrive after the server has
//! drained the stream, a writable event only for space after a refused write. An end, a reset or urgent data always
//! causes an event. Buffers are bounded on both sides. A socket that is closed with unread input, or that receives
//! input later, resets the stream and destroys what is on its way to the client.

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::mem;
use std::rc::Rc;

use chat_testing::Rng;
use chat_testing::heap::uncounted;

use crate::net::Socket;

/// An event of a socket, which may combine several occurrences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) readable: bool,
    /// The stream has an end or urgent data.
    pub(super) cut: bool,
    pub(super) writable: bool,
    pub(super) failed: bool,
}

impl Ready {
    pub(super) fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// The result of a client's read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Got {
    Bytes(Vec<u8>),
    Nothing,
    /// The server ended the stream.
    End,
    /// The server's side reset the stream.
    Reset,
}

#[derive(Debug, Default)]
pub(super) struct Link {
    rng: Rng,
    /// Whether there are no more faults.
    calm: bool,
    inbound: VecDeque<u8>,
    inbound_room: usize,
    /// Bytes that the server has read.
    read: u64,
    /// How many bytes precede a byte of urgent data.
    mark: Option<usize>,
    fin: bool,
    /// The error with which the stream has failed for the server.
    failure: Option<ErrorKind>,
    /// Whether the server has drained the stream, so that more bytes cause an event.
    read_armed: bool,
    outbound: VecDeque<u8>,
    outbound_room: usize,
    /// Whether a write was refused, so that space causes an event.
    write_armed: bool,
    /// Whether the server has ended its side.
    ended: bool,
    /// Whether the server has closed the socket.
    closed: bool,
    /// Whether closing it was to reset the stream.
    reset_on_close: bool,
    /// Whether the client has closed its socket, so that a write resets the stream.
    deaf: bool,
    /// Whether the stream has failed for the client.
    broken: bool,
    pending: Ready,
}

/// Both ends of a new stream.
pub(super) fn link(rng: Rng, inbound_room: usize, outbound_room: usize) -> (SimSocket, ClientEnd) {
    let link = Rc::new(RefCell::new(Link {
        rng,
        inbound_room,
        outbound_room,
        read_armed: true,
        ..Link::default()
    }));
    (SimSocket(Rc::clone(&link)), ClientEnd(link))
}

/// The server's socket. Dropping it closes it.
#[derive(Debug)]
pub(super) struct SimSocket(Rc<RefCell<Link>>);

/// The client's socket, and the network in between.
#[derive(Debug, Clone)]
pub(super) struct ClientEnd(Rc<RefCell<Link>>);

impl Link {
    fn fails_now(&mut self, times: usize, of: usize) -> bool {
        !self.calm && self.rng.chance(times, of)
    }

    fn tell(&mut self, readable: bool, cut: bool, writable: bool) {
        self.pending.readable |= readable;
        self.pending.cut |= cut;
        self.pending.writable |= writable;
    }

    /// Destroys everything on its way to the client.
    fn break_stream(&mut self) {
        self.outbound.clear();
        self.broken = true;
    }

    fn has_space(&self) -> bool {
        let free = self.outbound_room - self.outbound.len();
        free > 0 && 3 * free >= self.outbound_room
    }
}

impl Socket for SimSocket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        assert!(!buf.is_empty(), "O9: a read into nothing looks like the end");
        let link = &mut *self.0.borrow_mut();
        if link.fails_now(1, 32) {
            return Err(ErrorKind::Interrupted.into());
        }
        if link.mark == Some(0) {
            link.mark = None;
        }
        if link.inbound.is_empty() {
            if let Some(failure) = link.failure {
                return Err(failure.into());
            }
            if link.fin {
                return Ok(0);
            }
            link.read_armed = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        let n = buf.len().min(link.inbound.len()).min(link.mark.unwrap_or(usize::MAX));
        for (to, from) in buf.iter_mut().zip(link.inbound.drain(..n)) {
            *to = from;
        }
        link.mark = link.mark.map(|mark| mark - n);
        link.read += n as u64;
        link.read_armed |= n < buf.len() && link.inbound.is_empty();
        Ok(n)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        assert!((1..=1024).contains(&slices.len()), "the kernel takes 1 to IOV_MAX slices");
        assert!(slices.iter().all(|slice| !slice.is_empty()), "no slice is empty");
        let link = &mut *self.0.borrow_mut();
        assert!(!link.ended, "I15: nothing is written after the end of the stream");
        if let Some(failure) = link.failure {
            return Err(failure.into());
        }
        if link.fails_now(1, 32) {
            return Err(ErrorKind::Interrupted.into());
        }
        let free = link.outbound_room - link.outbound.len();
        if free == 0 || link.fails_now(1, 16) {
            link.write_armed = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        let len = slices.iter().map(|slice| slice.len()).sum();
        let mut n = free.min(len);
        if link.fails_now(1, 3) {
            n = link.rng.portion(n);
        }
        if link.deaf {
            link.failure = Some(ErrorKind::BrokenPipe);
            link.tell(true, true, true);
            return Ok(n);
        }
        let bytes = slices.iter().flat_map(|slice| slice.iter().copied());
        uncounted(|| link.outbound.extend(bytes.take(n)));
        Ok(n)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        let link = &mut *self.0.borrow_mut();
        if link.failure.is_some() {
            return Err(ErrorKind::NotConnected.into());
        }
        link.ended = true;
        Ok(())
    }

    fn reset_on_close(&mut self) {
        self.0.borrow_mut().reset_on_close = true;
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        let link = &mut *self.0.borrow_mut();
        link.closed = true;
        if link.reset_on_close || !link.inbound.is_empty() {
            link.break_stream();
        }
    }
}

impl SimSocket {
    /// Registers the socket with the kernel. Pending input causes an event at once.
    pub(super) fn watch(&self) -> ClientEnd {
        let mut link = self.0.borrow_mut();
        let readable = !link.inbound.is_empty() || link.fin || link.failure.is_some();
        let cut = link.fin || link.failure.is_some() || link.mark.is_some();
        link.pending = Ready::default();
        link.tell(readable, cut, true);
        ClientEnd(Rc::clone(&self.0))
    }
}

/// The server's kernel.
impl ClientEnd {
    fn link(&self) -> RefMut<'_, Link> {
        self.0.borrow_mut()
    }

    /// Takes the event that has accumulated since the last call.
    pub(super) fn take_ready(&self) -> Ready {
        mem::take(&mut self.link().pending)
    }

    /// Whether there is an event. A closed socket has none.
    pub(super) fn is_ready(&self) -> bool {
        let link = self.link();
        !link.closed && !link.pending.is_empty()
    }

    /// Whether an event for space is due.
    pub(super) fn owes_space(&self) -> bool {
        let link = self.link();
        link.write_armed && !link.closed && link.has_space()
    }

    pub(super) fn give_space(&self) {
        let mut link = self.link();
        link.write_armed = false;
        link.tell(false, false, true);
    }

    /// Bytes that the server has read.
    pub(super) fn read_by_server(&self) -> u64 {
        self.link().read
    }

    pub(super) fn is_closed_by_server(&self) -> bool {
        self.link().closed
    }

    /// Whether the kernel has refused a write, and has not told the server of space since.
    pub(super) fn is_choked(&self) -> bool {
        let link = self.link();
        link.write_armed || link.pending.writable
    }

    /// Whether the stream has failed for the server, or will with the next write.
    pub(super) fn is_lost(&self) -> bool {
        let link = self.link();
        link.failure.is_some() || link.deaf
    }

    /// Whether bytes on their way to the client were destroyed.
    pub(super) fn is_broken(&self) -> bool {
        self.link().broken
    }

    /// Whether both sides have ended the stream, and the server knows.
    pub(super) fn has_ended_both(&self) -> bool {
        let link = self.link();
        link.ended && link.fin && link.inbound.is_empty() && link.pending.is_empty()
    }

    /// Whether the end of the client's stream has arrived.
    pub(super) fn has_finished(&self) -> bool {
        self.link().fin
    }

    /// Stops the faults.
    pub(super) fn calm_down(&self) {
        self.link().calm = true;
    }
}

/// The client.
impl ClientEnd {
    /// How many bytes the server's kernel takes now.
    pub(super) fn room(&self) -> usize {
        let link = self.link();
        if link.closed { usize::MAX } else { link.inbound_room - link.inbound.len() }
    }

    /// Lets bytes reach the server's kernel, at most [`ClientEnd::room`].
    pub(super) fn arrive(&self, bytes: impl Iterator<Item = u8>) {
        let mut link = self.link();
        if link.closed {
            return link.break_stream();
        }
        link.inbound.extend(bytes);
        // Linux announces every arrival; the contract does not promise that.
        if link.read_armed || link.fails_now(1, 2) {
            link.read_armed = false;
            link.tell(true, false, false);
        }
    }

    /// Lets a byte of urgent data arrive, at which a read stops short.
    pub(super) fn arrive_urgent(&self) {
        let mut link = self.link();
        if !link.closed {
            link.mark = Some(link.inbound.len());
            link.tell(true, true, false);
        }
    }

    /// Lets the end of the client's stream arrive.
    pub(super) fn finish(&self) {
        let mut link = self.link();
        if !link.closed && !link.fin {
            link.fin = true;
            link.tell(true, true, false);
        }
    }

    /// Closes the client's socket: it reads no more.
    pub(super) fn close(&self) {
        self.finish();
        let mut link = self.link();
        link.deaf = true;
        link.outbound.clear();
    }

    /// Breaks the stream for the server, with or without the bytes that it has not read.
    pub(super) fn reset(&self, kind: ErrorKind) {
        let mut link = self.link();
        link.failure = Some(kind);
        link.outbound.clear();
        if link.rng.chance(1, 2) {
            link.inbound.clear();
            link.mark = None;
        }
        link.tell(true, true, true);
        link.pending.failed = true;
    }

    /// Whether a read returns anything but [`Got::Nothing`].
    pub(super) fn is_readable(&self) -> bool {
        let link = self.link();
        link.broken || link.ended || link.closed || !link.outbound.is_empty()
    }

    /// Reads at most `most` bytes.
    pub(super) fn read(&self, most: usize) -> Got {
        let link = &mut *self.link();
        if link.broken {
            return Got::Reset;
        }
        if link.outbound.is_empty() {
            return if link.ended || link.closed { Got::End } else { Got::Nothing };
        }
        let n = most.min(link.outbound.len());
        Got::Bytes(link.outbound.drain(..n).collect())
    }
}
