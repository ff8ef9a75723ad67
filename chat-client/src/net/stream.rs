//! [`Stream`]: a plain or encrypted connection to the server, shared by a reader and a writer thread.

use std::io::{self, Read, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::io_error::IoErrorKind;
use crate::net::hello::{self, Hello, Reply};
use crate::net::timed::Timed;
use crate::net::tls::stream::TlsStream;

/// An open connection.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

impl Stream {
    /// Says hello, and waits at most `timeout` for the reply. Called before the threads start, which read what follows
    /// the reply.
    ///
    /// # Errors
    /// If the deadline cannot be removed from the socket afterwards.
    pub(crate) fn greet(&mut self, hello: &Hello, timeout: Duration) -> io::Result<Reply> {
        match self {
            Self::Plain(socket) => {
                let mut timed = Timed::new(socket, timeout);
                let reply = hello::greet(&mut timed, hello);
                timed.finish().map(|()| reply)
            }
            Self::Tls(stream) => stream.exchange(timeout, |stream| hello::greet(stream, hello)),
        }
    }

    /// Returns the half for the reader thread. An encrypted stream that ends without `close_notify` fails with
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

    /// Ends this side of the stream. For the writer thread.
    pub(crate) fn end(&self) {
        // Fails if the server is gone, which the reader notices as well.
        if let Self::Tls(stream) = self {
            let _ = stream.close();
        }
        let _ = self.socket().shutdown(Shutdown::Write);
    }

    /// Ends both sides. What has arrived already can still be read.
    pub(crate) fn abort(&self) {
        let _ = self.socket().shutdown(Shutdown::Both);
    }

    /// Takes an error of the socket that no read or write has reported.
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
