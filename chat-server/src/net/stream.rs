//! The stream of an accepted connection: plain, or TLS if its first bytes say so.
//!
//! Nothing above this knows about TLS. Without a certificate, every stream is plain from the start. With one, a stream
//! is fresh until its first bytes, at most three, show what it is: a TLS record begins with `16 03` and a minor
//! version, a plain frame of 0x1603 bytes with `16 03` and JSON.

use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpStream;

use super::delivery::{Delivery, SockDiag};
use super::socket::{Socket, StreamState};
use super::tls::{Acceptor, TlsSession};

/// How long a peer must be silent before plain text is sent to it: a peer that speaks TLS begins as soon as it is
/// connected.
const SILENCE: Duration = Duration::from_secs(1);

/// Bytes read to find out what a peer speaks; more than a typical ClientHello.
const FIRST: usize = 2048;

/// Bytes that suffice to tell TLS from plain text.
const TELLING: usize = 3;

/// A byte stream that is plain or encrypted.
#[derive(Debug)]
pub(crate) struct Stream<T: Socket = TcpStream> {
    transport: T,
    /// `None` for plain text, which costs nothing.
    layer: Option<Box<Layer>>,
}

#[derive(Debug)]
enum Layer {
    Fresh(Fresh),
    /// Plain text where only TLS is allowed.
    Refused,
    // Boxed separately, so that a fresh stream takes little memory.
    Tls(Box<TlsSession>),
}

/// A stream whose first bytes have not shown what it is.
#[derive(Debug)]
struct Fresh {
    acceptor: Arc<Acceptor>,
    since: Instant,
    /// Bytes that were read and have not been passed on.
    held: [u8; TELLING],
    len: usize,
    /// Whether the stream has turned out to be plain text, but the held bytes did not fit the reader's buffer.
    is_plain: bool,
}

impl<T: Socket> Stream<T> {
    /// The stream of a new connection; plain if there is no acceptor.
    pub(crate) fn new(transport: T, acceptor: Option<&Arc<Acceptor>>) -> Self {
        let layer = acceptor.map(|acceptor| {
            Box::new(Layer::Fresh(Fresh {
                acceptor: Arc::clone(acceptor),
                since: Instant::now(),
                held: [0; TELLING],
                len: 0,
                is_plain: false,
            }))
        });
        Self { transport, layer }
    }

    /// Reads until the first bytes show what the peer speaks.
    #[cold]
    fn read_first(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut first = [0; FIRST];
        let most = buf.len().clamp(TELLING, FIRST);
        let Some(Layer::Fresh(fresh)) = self.layer.as_deref_mut() else { return Ok(0) };
        let (len, is_tls) = fresh.read(&mut self.transport, &mut first[..most])?;
        if is_tls {
            let session = fresh.acceptor.begin(&first[..len])?;
            self.layer = Some(Box::new(Layer::Tls(Box::new(session))));
            return self.read(buf);
        }
        let fits = len.min(buf.len());
        buf[..fits].copy_from_slice(&first[..fits]);
        if fits < len {
            fresh.hold(&first[fits..len]);
        } else if len > 0 {
            let is_refused = fresh.acceptor.requires_tls();
            self.layer = is_refused.then(|| Box::new(Layer::Refused));
        }
        if len == FIRST && buf.len() > FIRST {
            // The read may have stopped at the end of our own buffer, with more to come.
            return self.read_on(buf, len);
        }
        Ok(fits)
    }

    /// Reads plain text after the `len` bytes already in `buf`.
    fn read_on(&mut self, buf: &mut [u8], len: usize) -> io::Result<usize> {
        loop {
            match self.transport.read(&mut buf[len..]) {
                Ok(n) => return Ok(len + n),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // An event announces the error as well.
                Err(_) => return Ok(len),
            }
        }
    }
}

impl Fresh {
    /// Reads until the first bytes show what they are. Returns how many there are, and whether they are TLS.
    fn read(&mut self, transport: &mut impl Socket, first: &mut [u8]) -> io::Result<(usize, bool)> {
        let mut len = self.len;
        first[..len].copy_from_slice(&self.held[..len]);
        self.len = 0;
        if self.is_plain {
            return Ok((len, false));
        }
        loop {
            match transport.read(&mut first[len..]) {
                // The end: too few for a handshake.
                Ok(0) => {
                    self.is_plain = true;
                    return Ok((len, false));
                }
                Ok(n) => len += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => {
                    self.hold(&first[..len]);
                    return Err(e);
                }
            }
            if let Some(is_tls) = begins_tls(&first[..len]) {
                self.is_plain = !is_tls;
                return Ok((len, is_tls));
            }
        }
    }

    fn hold(&mut self, bytes: &[u8]) {
        self.held[..bytes.len()].copy_from_slice(bytes);
        self.len = bytes.len();
    }

    /// Whether output may be sent as plain text.
    fn takes_plain(&self) -> bool {
        self.is_plain || (self.len == 0 && self.since.elapsed() >= SILENCE)
    }
}

/// Whether a stream that begins with these bytes is TLS; `None` while they do not tell.
fn begins_tls(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [] | [0x16] | [0x16, 0x03] => None,
        // JSON may begin with white space.
        [0x16, 0x03, third, ..] => Some(!b"{ \t\r\n".contains(third)),
        _ => Some(false),
    }
}

impl<T: Socket> Socket for Stream<T> {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.layer.as_deref_mut() {
            None | Some(Layer::Refused) => self.transport.read(buf),
            Some(Layer::Fresh(_)) => self.read_first(buf),
            Some(Layer::Tls(session)) => session.read(&mut self.transport, buf),
        }
    }

    #[inline]
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.layer.as_deref_mut() {
            None | Some(Layer::Refused) => self.transport.write_vectored(slices),
            Some(Layer::Fresh(fresh)) if fresh.takes_plain() => {
                self.transport.write_vectored(slices)
            }
            Some(Layer::Fresh(_)) => Err(ErrorKind::WouldBlock.into()),
            Some(Layer::Tls(session)) => session.write(&mut self.transport, slices),
        }
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        match self.layer.as_deref_mut() {
            Some(Layer::Tls(session)) => session.shutdown(&mut self.transport),
            None | Some(Layer::Fresh(_) | Layer::Refused) => self.transport.shutdown_write(),
        }
    }

    fn reset_on_close(&mut self) {
        if let Some(Layer::Tls(session)) = self.layer.as_deref_mut() {
            session.abandon();
        }
        self.transport.reset_on_close();
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.transport.peer()
    }

    fn delivery(&self, kernel: &mut SockDiag) -> Option<Delivery> {
        self.transport.delivery(kernel)
    }

    #[inline]
    fn state(&self) -> StreamState {
        match self.layer.as_deref() {
            None => StreamState::Open,
            Some(Layer::Fresh(fresh)) if fresh.is_plain => StreamState::Open,
            Some(Layer::Fresh(fresh)) if fresh.len == 0 => StreamState::Fresh,
            Some(Layer::Fresh(_)) => StreamState::Handshaking,
            Some(Layer::Refused) => StreamState::Refused,
            Some(Layer::Tls(session)) => session.state(),
        }
    }

    fn withheld(&self) -> usize {
        match self.layer.as_deref() {
            Some(Layer::Tls(session)) => session.withheld(),
            None | Some(Layer::Fresh(_) | Layer::Refused) => 0,
        }
    }

    #[inline]
    fn work(&self) -> u32 {
        match self.layer.as_deref() {
            Some(Layer::Tls(session)) => session.work(),
            None | Some(Layer::Fresh(_) | Layer::Refused) => 0,
        }
    }

    #[inline]
    fn memory(&self) -> usize {
        match self.layer.as_deref() {
            Some(Layer::Tls(session)) => session.memory(),
            None | Some(Layer::Fresh(_) | Layer::Refused) => 0,
        }
    }
}

impl<T: Socket> Drop for Stream<T> {
    fn drop(&mut self) {
        if let Some(Layer::Tls(session)) = self.layer.as_deref_mut() {
            session.close(&mut self.transport);
        }
    }
}

#[cfg(all(test, feature = "tls"))]
mod tests;
