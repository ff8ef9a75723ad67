//! A non-blocking socket that can be misused: bytes to be sent, the frame that has begun to arrive, and how the stream
//! ended.

use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::time::Duration;

use mio::net::TcpStream;
use socket2::SockRef;

use super::form::{Form, Speech, request};
use crate::load::connection::Connection;

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The server ended its side between two frames, or after the close of a WebSocket.
    Whole,
    /// The server ended its side within a frame, or without the close of a WebSocket.
    InFrame,
    /// The connection broke.
    Broken(ErrorKind),
}

/// One connection to the server.
#[derive(Debug)]
pub(super) struct Socket {
    connection: Connection,
    form: Form,
    /// Whether to end our side once everything is written.
    ending: bool,
    end: Option<End>,
    /// Whether there may be something to read.
    ready: bool,
}

impl Socket {
    /// Begins to connect, from the address `from` if given. `receive_buffer` is `SO_RCVBUF`, in bytes.
    pub(super) fn open(
        to: SocketAddr,
        from: Option<IpAddr>,
        receive_buffer: Option<usize>,
        speech: Speech,
    ) -> io::Result<Self> {
        let source = from.map(|from| SocketAddr::new(from, 0));
        let mut connection = Connection::open_with(to, source, receive_buffer)?;
        connection.out().append(&mut request(speech, to));
        Ok(Self { connection, form: Form::new(speech), ending: false, end: None, ready: true })
    }

    /// The stream, to be registered.
    pub(super) fn stream(&mut self) -> &mut TcpStream {
        &mut self.connection.stream
    }

    /// Notes that there may be something to read.
    pub(super) fn wake(&mut self) {
        self.ready = true;
    }

    /// How the stream ended, if it has.
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// Sends `frames`, the last of which may be incomplete. What the socket does not take now is sent by a later
    /// flush.
    pub(super) fn send(&mut self, frames: &[u8]) {
        let bytes = self.encode(frames);
        self.send_bytes(&bytes);
    }

    /// Encodes `frames` for the connection.
    pub(super) fn encode(&mut self, frames: &[u8]) -> Vec<u8> {
        self.form.encode(frames)
    }

    /// Sends part of what [`encode`](Self::encode) returned.
    pub(super) fn send_bytes(&mut self, bytes: &[u8]) {
        if !self.form.hold(bytes) {
            self.connection.out().extend_from_slice(bytes);
        }
        self.flush();
    }

    /// Whether everything has been handed to the kernel.
    pub(super) fn has_sent_all(&self) -> bool {
        self.connection.has_sent_all() && !self.form.is_holding()
    }

    /// Ends our side once everything is sent.
    pub(super) fn finish(&mut self) {
        let close = self.form.close();
        self.send_bytes(&close);
        self.ending = true;
        self.flush();
    }

    /// Sends a byte out of band.
    pub(super) fn send_out_of_band(&self) {
        // Failure says nothing about the server.
        let _ = SockRef::from(&self.connection.stream).send_out_of_band(b"!");
    }

    /// Makes the kernel reset the connection when this is dropped.
    pub(super) fn reset_on_drop(&self) {
        // Fails only if the connection is already gone.
        let _ = SockRef::from(&self.connection.stream).set_linger(Some(Duration::ZERO));
    }

    /// Writes what the socket takes. A broken connection is noticed by the next read.
    pub(super) fn flush(&mut self) {
        let is_broken = self.connection.flush().is_err();
        if self.ending && (is_broken || self.has_sent_all()) {
            // Not connected yet; the next flush tries again.
            let ended = self.connection.stream.shutdown(Shutdown::Write);
            self.ending = ended.is_err_and(|error| is_early(&error));
        }
    }

    /// Reads about `most` bytes at most through `buffer`, and passes the payload of each complete frame to `on`.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        mut most: usize,
        on: &mut dyn FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        while most > 0 && self.ready && self.end.is_none() {
            let room = buffer.len().min(most);
            match self.connection.stream.read(&mut buffer[..room]) {
                Ok(0) if self.form.is_whole()? => self.end = Some(End::Whole),
                Ok(0) => self.end = Some(End::InFrame),
                Ok(read) => {
                    most -= read;
                    let held = self.form.receive(&mut buffer[..read], on)?;
                    if !held.is_empty() {
                        self.send_bytes(&held);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_early(&error) => self.ready = false,
                Err(error) => self.end = Some(End::Broken(error.kind())),
            }
        }
        Ok(())
    }
}

/// Whether there is nothing to read yet, or no connection yet.
fn is_early(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected)
}
