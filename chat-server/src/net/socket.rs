//! What a connection needs of a socket, so that everything above the kernel can run without one.

use std::cell::Cell;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use mio::net::TcpStream;
use socket2::SockRef;

/// A non-blocking byte stream with edge-triggered readiness: after `WouldBlock`, or a read that did
/// not fill its buffer, an event tells when there is more. That a short read is as good as
/// `WouldBlock` on a stream is epoll(7), question 9; it spares a system call per message. It holds
/// up to an end or a mark in the stream, of which an event tells.
pub(crate) trait Socket {
    /// As [`Read::read`].
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>;

    /// As [`Write::write_vectored`].
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Ends the stream towards the peer, after what was written.
    fn shutdown_write(&mut self) -> io::Result<()>;

    /// Has the closing of the socket reset the stream, so that the peer does not take what it got for
    /// everything.
    fn reset_on_close(&mut self);

    /// Whose it is, while the kernel knows.
    fn peer(&self) -> Option<SocketAddr> {
        None
    }
}

thread_local! {
    // Not in the socket, which would cost memory a connection, nor above it, which would cost time a
    // write without the kernel: see `.ci/instructions`.
    static WRITTEN: Cell<u64> = const { Cell::new(0) };
}

/// Bytes that the kernel has taken of the streams that this thread writes to.
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
        // If it fails there is no stream any more.
        let _ = SockRef::from(&*self).set_linger(Some(Duration::ZERO));
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.peer_addr().ok()
    }
}
