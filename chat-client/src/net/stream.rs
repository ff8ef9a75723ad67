//! [`Stream`]: a connection to the server, plain or encrypted, for the thread that reads it and the one that
//! writes it.

use std::io::{self, Read, Write as _};
use std::net::{Shutdown, TcpStream};

use crate::io_error::IoErrorKind;
use crate::net::tls::stream::TlsStream;

/// An open connection.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

impl Stream {
    /// The half for the thread that reads. An encrypted stream that ends without `close_notify` fails with
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof).
    pub(crate) fn reader(&self) -> Box<dyn Read + '_> {
        match self {
            Self::Plain(socket) => Box::new(socket),
            Self::Tls(stream) => Box::new(stream.reader()),
        }
    }

    /// Writes all of `bytes`. Called by one thread only.
    ///
    /// # Errors
    /// Those of the socket, after which nothing more can be written.
    pub(crate) fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(socket) => (&*socket).write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes),
        }
    }

    /// Ends this side of the stream. For the thread that writes.
    pub(crate) fn end(&self) {
        // Fails when the server is gone; the reader notices too.
        if let Self::Tls(stream) = self {
            let _ = stream.close();
        }
        let _ = self.socket().shutdown(Shutdown::Write);
    }

    /// Ends both sides. What has arrived already can still be read.
    pub(crate) fn abort(&self) {
        let _ = self.socket().shutdown(Shutdown::Both);
    }

    /// The error of the socket that no read or write has reported.
    pub(crate) fn take_error(&self) -> Option<IoErrorKind> {
        let error = self.socket().take_error().ok().flatten();
        error.map(|error| IoErrorKind::from(&error))
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.socket(),
        }
    }
}
