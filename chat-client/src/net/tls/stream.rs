//! [`TlsStream`]: an encrypted connection, read by one thread and written by another.
//!
//! Both share the state of rustls, behind a lock that is never held while waiting for the socket: encrypting and
//! decrypting take microseconds. The reader never writes, so a server that does not read cannot keep it from reading;
//! rustls's own replies go out with the next frame.

use std::io::{self, ErrorKind, Read, Write as _};
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ClientConnection;

use crate::net::timed::Timed;

/// Bytes read from the socket at once. A record is a little over 16 KiB at most.
const READ_LEN: usize = 32 * 1024;

/// Bytes encrypted at once: the contents of the longest record. rustls buffers up to 64 KiB for a writer.
const WRITE_LEN: usize = 16 * 1024;

/// A connection after its handshake.
#[derive(Debug)]
pub(crate) struct TlsStream {
    socket: TcpStream,
    connection: Mutex<ClientConnection>,
}

impl TlsStream {
    pub(super) fn new(socket: TcpStream, connection: ClientConnection) -> Self {
        Self { socket, connection: Mutex::new(connection) }
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Performs an exchange within `timeout`, before the threads take over. They read what it leaves unread.
    ///
    /// # Errors
    /// If the deadline cannot be removed from the socket afterwards.
    pub(crate) fn exchange<T>(
        &mut self,
        timeout: Duration,
        exchange: impl FnOnce(&mut rustls::Stream<'_, ClientConnection, Timed<'_>>) -> T,
    ) -> io::Result<T> {
        let mut timed = Timed::new(&self.socket, timeout);
        let connection = self.connection.get_mut().unwrap_or_else(PoisonError::into_inner);
        let result = exchange(&mut rustls::Stream::new(connection, &mut timed));
        timed.finish().map(|()| result)
    }

    /// Returns the half for the reader thread.
    pub(crate) fn reader(&self) -> TlsReader<'_> {
        TlsReader { stream: self, records: vec![0; READ_LEN], unread: 0..0 }
    }

    /// Encrypts and writes all of `bytes`. Called by one thread only.
    ///
    /// # Errors
    /// Those of the socket, after which nothing more can be written.
    pub(crate) fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        for part in bytes.chunks(WRITE_LEN) {
            self.write_records(|connection| connection.writer().write_all(part))?;
        }
        Ok(())
    }

    /// Sends `close_notify`, after which nothing is written. Called by the writer thread.
    ///
    /// # Errors
    /// Those of the socket.
    pub(crate) fn close(&self) -> io::Result<()> {
        self.write_records(|connection| {
            connection.send_close_notify();
            Ok(())
        })
    }

    /// Writes the records that `fill` produces, and any that reading has queued in rustls.
    fn write_records(
        &self,
        fill: impl FnOnce(&mut ClientConnection) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut records = Vec::new();
        let mut connection = self.lock();
        fill(&mut connection)?;
        while connection.wants_write() {
            connection.write_tls(&mut records)?;
        }
        drop(connection);
        (&self.socket).write_all(&records)
    }

    fn lock(&self) -> MutexGuard<'_, ClientConnection> {
        // A connection that a panic has left broken reports errors like any other.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Decrypts what the server sends.
pub(crate) struct TlsReader<'a> {
    stream: &'a TlsStream,
    records: Vec<u8>,
    /// The part of `records` that rustls has not taken yet. It takes a few KiB at a time, and more only once their
    /// plaintext has been read.
    unread: std::ops::Range<usize>,
}

impl Read for TlsReader<'_> {
    /// Returns 0 only after the server's `close_notify`. A stream that ends without one fails with
    /// [`ErrorKind::UnexpectedEof`], and a forged record with [`ErrorKind::InvalidData`].
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut connection = self.stream.lock();
            let processed = connection.process_new_packets();
            // What was decrypted before the error is intact.
            match connection.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => return result,
            }
            processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            if self.unread.is_empty() {
                drop(connection);
                let len = (&self.stream.socket).read(&mut self.records)?;
                self.unread = 0..len;
                connection = self.stream.lock();
            }
            // An empty read tells rustls that the stream has ended.
            self.unread.start += connection.read_tls(&mut &self.records[self.unread.clone()])?;
        }
    }
}
