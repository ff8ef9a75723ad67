//! [`Timed`]: a socket with a deadline, for what has to happen before a connection is used.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A socket with one deadline for all reads and writes, however slowly bytes arrive.
pub(crate) struct Timed<'a> {
    socket: &'a TcpStream,
    until: Instant,
}

impl<'a> Timed<'a> {
    pub(crate) fn new(socket: &'a TcpStream, timeout: Duration) -> Self {
        Self { socket, until: Instant::now() + timeout }
    }

    /// Removes the deadline from the socket.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.socket.set_read_timeout(None)?;
        self.socket.set_write_timeout(None)
    }

    /// Repeats a system call, passing it the remaining time, until it has a result or the deadline has passed.
    fn call(
        &self,
        mut system: impl FnMut(Option<Duration>) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            match system(Some(left)) {
                Err(error)
                    if matches!(
                        error.kind(),
                        // A time-out is one of the first two, depending on the system; the third is caused by a
                        // signal.
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                result => return result,
            }
        }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut socket = self.socket;
        self.call(|left| socket.set_read_timeout(left).and_then(|()| socket.read(buffer)))
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut socket = self.socket;
        self.call(|left| socket.set_write_timeout(left).and_then(|()| socket.write(bytes)))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
