//! Connections from proxies that wait for their PROXY headers.
//!
//! The bytes of a header leave the kernel only once they are known to belong to it, so that the first frame is left
//! for the connection's own reads. A connection that waits here costs its descriptor and some 200 bytes.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::clock::Instant;
use super::network::Network;
use super::origin::Origin;
use super::proxy_header::{BadHeader, HeaderParser};

/// The first token of waiting connections: above the tokens of all others, below those that the reactor reserves for
/// itself.
const FIRST: usize = 1 << 63;

/// Connections whose header has not arrived, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Lobby {
    proxies: Vec<Network>,
    /// The time for a header to arrive.
    timeout: Duration,
    waiting: BTreeMap<usize, Waiting>,
    next: usize,
}

#[derive(Debug)]
struct Waiting {
    stream: TcpStream,
    proxy: Origin,
    parser: HeaderParser,
    deadline: Instant,
}

/// A connection that has stopped waiting.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) stream: TcpStream,
    pub(crate) proxy: Origin,
    pub(crate) origin: Result<Origin, NoHeader>,
}

/// The reason for a missing header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoHeader {
    /// Something else arrived.
    Bad,
    /// The header took too long.
    Late,
    /// The stream ended before its first byte, as with some health checks.
    Ended,
    /// The stream ended in the middle of the header.
    EndedInside,
    /// The socket failed.
    Failed,
}

impl Lobby {
    pub(crate) fn new(proxies: Vec<Network>, timeout: Duration) -> Self {
        Self { proxies, timeout, waiting: BTreeMap::new(), next: FIRST }
    }

    /// Whether connections from this address must begin with a header.
    pub(crate) fn is_proxy(&self, peer: SocketAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(peer.ip()))
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Keeps a connection here until its header has arrived. Closes it if the kernel cannot watch it.
    pub(crate) fn add(
        &mut self,
        registry: &Registry,
        now: Instant,
        mut stream: TcpStream,
        proxy: Origin,
    ) {
        if registry.register(&mut stream, Token(self.next), Interest::READABLE).is_ok() {
            let (parser, deadline) = (HeaderParser::new(), now + self.timeout);
            self.waiting.insert(self.next, Waiting { stream, proxy, parser, deadline });
            self.next += 1;
        }
    }

    /// Whether the token belongs to a waiting connection.
    pub(crate) fn has_token(token: Token) -> bool {
        token.0 >= FIRST
    }

    /// Handles an event. Returns the connection if it has stopped waiting.
    pub(crate) fn ready(&mut self, token: Token) -> Option<Arrival> {
        let waiting = self.waiting.get_mut(&token.0)?;
        let origin = waiting.read_header()?;
        self.take(token.0, origin)
    }

    /// Returns a connection that has waited for too long.
    pub(crate) fn pop_late(&mut self, now: Instant) -> Option<Arrival> {
        let (&token, _) =
            self.waiting.first_key_value().filter(|(_, first)| first.deadline <= now)?;
        self.take(token, Err(NoHeader::Late))
    }

    /// Returns any waiting connection.
    pub(crate) fn pop(&mut self) -> Option<Arrival> {
        let token = *self.waiting.first_key_value()?.0;
        self.take(token, Err(NoHeader::Late))
    }

    /// When to call [`Lobby::pop_late`] without any event.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(_, first)| first.deadline)
    }

    fn take(&mut self, token: usize, origin: Result<Origin, NoHeader>) -> Option<Arrival> {
        let Waiting { stream, proxy, .. } = self.waiting.remove(&token)?;
        Some(Arrival { stream, proxy, origin })
    }
}

impl Waiting {
    /// Reads the header, and nothing after it. Returns `None` while more of it has to arrive.
    fn read_header(&mut self) -> Option<Result<Origin, NoHeader>> {
        let mut buffer = [0; 2048];
        loop {
            let seen = match self.stream.peek(&mut buffer) {
                Ok(0) if self.parser.is_empty() => return Some(Err(NoHeader::Ended)),
                Ok(0) => return Some(Err(NoHeader::EndedInside)),
                Ok(n) => n,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return None,
                Err(_) => return Some(Err(NoHeader::Failed)),
            };
            let (len, header) = match self.parser.feed(&buffer[..seen]) {
                Ok(parsed) => parsed,
                Err(BadHeader) => return Some(Err(NoHeader::Bad)),
            };
            if self.consume(&mut buffer[..len]).is_err() {
                return Some(Err(NoHeader::Failed));
            }
            if let Some(header) = header {
                let local = self.stream.local_addr().ok();
                return Some(Ok(Origin::proxied(header, self.proxy, local)));
            }
        }
    }

    /// Removes peeked bytes from the kernel.
    fn consume(&mut self, seen: &mut [u8]) -> io::Result<()> {
        self.stream.read_exact(seen)
    }
}
