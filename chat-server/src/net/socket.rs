//! The socket of a connection, as a trait. Everything above runs over any implementation of it.

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
/// After `WouldBlock`, or after a read that did not fill its buffer, an event tells when there is more. That
/// a short read drains a stream is epoll(7), question 9; it saves a system call per message. It does not
/// hold where the stream has an end or an urgent mark, which an event announces.
pub(crate) trait Socket {
    /// As [`Read::read`].
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>;

    /// As [`Write::write_vectored`].
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Ends the stream towards the peer, after what was written.
    fn shutdown_write(&mut self) -> io::Result<()>;

    /// Makes closing the socket reset the stream, so that the peer does not take a truncated stream for a
    /// complete one.
    fn reset_on_close(&mut self);

    /// The peer's address, if the kernel still knows it.
    fn peer(&self) -> Option<SocketAddr> {
        None
    }

    /// What has become of the bytes written, if the kernel says.
    fn delivery(&self, _kernel: &mut SockDiag) -> Option<Delivery> {
        None
    }
}

thread_local! {
    // Not in the socket, which would cost memory for each connection, nor above it, which would cost
    // instructions in `.ci/instructions` that are the kernel's business.
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
