//! The socket of a connection, as a trait. Everything above runs over any implementation.

use std::cell::Cell;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use mio::net::TcpStream;
use socket2::SockRef;

use super::delivery::{Delivery, SockDiag};
use super::origin::canonical;

/// A non-blocking byte stream with edge-triggered readiness.
///
/// After `WouldBlock`, or after a read that did not fill its buffer, an event announces more input. That a short read
/// drains a stream is documented in epoll(7), question 9; relying on it saves a system call per message. It does not
/// hold where the stream has an end or an urgent mark, which an event announces, or in the state
/// [`StreamState::Ready`].
///
/// After a partial or failed write, the next write must begin with the bytes not taken: the first of them may be
/// [`withheld`](Self::withheld). Dropping the socket closes it.
pub(crate) trait Socket {
    /// As [`Read::read`].
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>;

    /// As [`Write::write_vectored`].
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Ends the stream to the peer, after the bytes written.
    fn shutdown_write(&mut self) -> io::Result<()>;

    /// Makes closing the socket reset the stream, so that the peer does not mistake a truncated stream for a complete
    /// one.
    fn reset_on_close(&mut self);

    /// The peer's address, if the kernel still knows it.
    fn peer(&self) -> Option<SocketAddr> {
        None
    }

    /// The delivery of the bytes written, if the kernel knows.
    fn delivery(&self, _kernel: &mut SockDiag) -> Option<Delivery> {
        None
    }

    /// How far the stream's handshake has come.
    fn state(&self) -> StreamState {
        StreamState::Open
    }

    /// Bytes at the start of the next write that have been taken already, and must be offered again.
    fn withheld(&self) -> usize {
        0
    }

    /// The time spent on decryption and handshakes, in the units of a turn's time (some 0.4 µs). Only differences are
    /// meaningful.
    fn work(&self) -> u32 {
        0
    }

    /// Memory held beyond that of an idle socket, in bytes.
    fn memory(&self) -> usize {
        0
    }
}

/// How far a stream's handshake has come. A stream that is not encrypted is open from the start.
///
/// Until it [`is_open`](Self::is_open), writes fail with `WouldBlock`. No event announces that it has opened; a read
/// opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StreamState {
    /// The peer has sent nothing, and may begin with a handshake.
    Fresh,
    /// A handshake has begun.
    Handshaking,
    /// The stream carries bytes both ways.
    Open,
    /// Like `Open`, encrypted.
    Encrypted,
    /// Like `Encrypted`, but part of a record or message has arrived, or the end of the stream has yet to be sent,
    /// which a read does once the kernel takes bytes.
    Partial,
    /// The next read returns more bytes, or the end, without any event.
    Ready,
    /// The peer speaks plain text, which is not allowed here. It must be told so, whatever it sends.
    Refused,
}

impl StreamState {
    /// Whether the stream carries bytes.
    pub(crate) fn is_open(self) -> bool {
        self >= Self::Open
    }

    /// Whether the peer has begun something that it has not completed.
    pub(crate) fn is_incomplete(self) -> bool {
        matches!(self, Self::Handshaking | Self::Partial)
    }
}

thread_local! {
    // Kept neither in the socket, which would cost memory per connection, nor above it, which would add instructions
    // to `.ci/instructions` for what is the kernel's business.
    static WRITTEN: Cell<u64> = const { Cell::new(0) };
}

/// Bytes that the kernel has accepted from this thread.
pub(crate) fn written_by_this_thread() -> u64 {
    WRITTEN.get()
}

impl Socket for TcpStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Read::read(self, buf)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let written = match slices {
            [slice] => Write::write(self, slice)?,
            slices => Write::write_vectored(self, slices)?,
        };
        WRITTEN.set(WRITTEN.get() + written as u64);
        Ok(written)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn reset_on_close(&mut self) {
        // If this fails, there is no stream left to reset.
        let _ = SockRef::from(&*self).set_linger(Some(Duration::ZERO));
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.peer_addr().ok().map(canonical)
    }

    fn delivery(&self, kernel: &mut SockDiag) -> Option<Delivery> {
        kernel.ask(self.local_addr().ok()?, self.peer_addr().ok()?)
    }
}
