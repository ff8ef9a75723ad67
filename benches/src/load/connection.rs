//! One connection of the generator: a socket, the layers between it and the protocol, the frame that has begun to
//! arrive, and the bytes to send.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;

use super::socket::{connect, read_some};
use super::tls::TlsSession;
use super::websocket::WebSocket;

/// Bytes read at once. All connections share the buffer, so it can be large.
pub const READ_CHUNK: usize = 512 * 1024;

/// The longest part of a frame that may be left over from a chunk.
const MAX_LEFTOVER: usize = 256 * 1024;

/// The size of the buffer that [`Connection::fill`] reads into.
pub const BUFFER_LEN: usize = READ_CHUNK + MAX_LEFTOVER;

/// Bytes that may be pending on a connection before the run is abandoned.
const MAX_UNSENT: usize = 64 * 1024 * 1024;

/// A non-blocking connection.
#[derive(Debug)]
pub struct Connection {
    /// The socket, to be registered.
    pub stream: TcpStream,
    /// The position of the last token in its frame.
    pub hint: usize,
    tls: Option<Box<TlsSession>>,
    websocket: Option<Box<WebSocket>>,
    /// The beginning of an incomplete frame.
    leftover: Vec<u8>,
    /// The bytes to be written are `out[sent..]`.
    out: Vec<u8>,
    sent: usize,
}

impl Connection {
    /// Begins to connect to `addr`, from the address `source` if given; port 0 leaves the port to the kernel.
    ///
    /// # Errors
    /// If there is no descriptor or port left, or the server refuses at once.
    pub fn open(addr: SocketAddr, source: Option<SocketAddr>) -> io::Result<Self> {
        Self::open_with(addr, source, None)
    }

    /// Like [`Connection::open`], with `receive_buffer` bytes of `SO_RCVBUF`.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub fn open_with(
        addr: SocketAddr,
        source: Option<SocketAddr>,
        receive_buffer: Option<usize>,
    ) -> io::Result<Self> {
        let stream = connect(addr, source, receive_buffer)?;
        let (tls, websocket) = (None, None);
        Ok(Self { stream, hint: 0, tls, websocket, leftover: Vec::new(), out: Vec::new(), sent: 0 })
    }

    /// Encrypts the connection from here on.
    pub fn add_tls(&mut self, session: TlsSession) {
        self.tls = Some(Box::new(session));
    }

    /// Treats the (decrypted) input as that of a WebSocket.
    pub fn add_websocket(&mut self, websocket: WebSocket) {
        self.websocket = Some(Box::new(websocket));
    }

    /// Whether its TLS handshake, if there is one, is over.
    pub fn is_open(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| tls.is_open())
    }

    /// Reads once into `buffer`, after the frame that has begun. Returns how many bytes of the buffer to scan, and
    /// whether there may be more to read; `None` if there is nothing. Also sends what TLS or a WebSocket must send at
    /// once.
    ///
    /// A read that does not fill the chunk has drained the socket (epoll(7), for streams), which saves a failing read
    /// for each one that succeeds.
    ///
    /// # Errors
    /// If the connection is broken, or the server has closed it.
    pub fn fill(&mut self, buffer: &mut [u8]) -> io::Result<Option<(usize, bool)>> {
        let kept = self.leftover.len();
        let chunk = buffer.get_mut(kept..kept + READ_CHUNK).ok_or(ErrorKind::InvalidData)?;
        let read = match &mut self.tls {
            None => read_some(&mut self.stream, chunk)?.map(|read| (read, read == READ_CHUNK)),
            Some(tls) => tls.read(&mut self.stream, chunk)?,
        };
        let Some((mut read, more)) = read else { return Ok(None) };
        if let Some(websocket) = &mut self.websocket {
            read = websocket.receive(&mut chunk[..read], &mut self.out)?;
        }
        buffer[..kept].copy_from_slice(&self.leftover);
        self.leftover.clear();
        // The end of a handshake lets what waited for it be sent.
        if !self.out.is_empty() && (self.tls.is_some() || self.websocket.is_some()) {
            self.flush()?;
        }
        Ok(Some((kept + read, more)))
    }

    /// Keeps the beginning of a frame for the next [`Connection::fill`].
    pub fn keep(&mut self, rest: &[u8]) {
        self.leftover.extend_from_slice(rest);
    }

    /// The buffer to append to. [`Connection::flush`] sends it.
    pub fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Whether everything was handed to the kernel.
    pub fn has_sent_all(&self) -> bool {
        self.out.is_empty() && self.tls.as_ref().is_none_or(|tls| !tls.is_owed())
    }

    /// Sends as much as the socket takes. The rest waits until the socket is writable.
    ///
    /// # Errors
    /// If the connection is broken, or more than 64 MiB are pending.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.out.len() {
            let rest = &self.out[self.sent..];
            let written = match &mut self.tls {
                None => self.stream.write(rest),
                Some(tls) => tls.write(&mut self.stream, rest),
            };
            match written {
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Still connecting.
                Err(error) if error.kind() == ErrorKind::NotConnected => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(tls) = &mut self.tls {
            tls.flush(&mut self.stream)?;
        }
        // Moving the rest to the front costs at most as much as what was sent since the last move.
        if self.sent * 2 >= self.out.len() {
            self.out.drain(..self.sent);
            self.sent = 0;
        }
        if self.out.len() > MAX_UNSENT {
            return Err(io::Error::new(ErrorKind::TimedOut, "the server does not read"));
        }
        Ok(())
    }
}
