//! A small HTTP server on one thread. Peers can keep it busy, but cannot make it grow.
//!
//! It serves few connections, each for a short time. One connection too many closes the oldest, so silent peers keep
//! nobody out. It accepts at a limited rate, so busy peers cost a small part of a processor.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

use super::http_connection::{HttpConnection, Progress};
use super::pages::Pages;
use crate::settings::canonical;

/// Greater than any slot of the slab.
const LISTENER: Token = Token(usize::MAX);

/// The most connections at a time.
const CONNECTIONS: usize = 16;

/// How long a connection may last.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The most connections accepted in each [`WINDOW`].
const ACCEPTS: usize = 16;

const WINDOW: Duration = Duration::from_millis(100);

/// Listens on `address` and serves on a thread of its own, `chat-metrics`, until the process ends. Returns the
/// address, with the port that the kernel chose if that was 0.
///
/// # Errors
/// If it cannot listen there, or the system refuses a descriptor or a thread.
pub(crate) fn start(address: SocketAddr, pages: Pages) -> io::Result<SocketAddr> {
    let poll = Poll::new()?;
    let mut listener = TcpListener::bind(address)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let address = canonical(listener.local_addr()?);
    let server = HttpServer {
        poll,
        listener,
        pages,
        connections: Slab::with_capacity(CONNECTIONS),
        pending: true,
        accepts_left: 0,
        window_end: Instant::now(),
    };
    thread::Builder::new().name("chat-metrics".to_owned()).spawn(move || server.run())?;
    Ok(address)
}

struct HttpServer {
    poll: Poll,
    listener: TcpListener,
    pages: Pages,
    /// Connections, each with the time at which it was accepted.
    connections: Slab<(Instant, HttpConnection)>,
    /// Whether connections may be waiting that no event will announce.
    pending: bool,
    /// How many more may be accepted before `window_end`.
    accepts_left: usize,
    window_end: Instant,
}

impl HttpServer {
    fn run(mut self) {
        let mut events = Events::with_capacity(2 * CONNECTIONS);
        loop {
            match self.poll.poll(&mut events, self.timeout(Instant::now())) {
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => {
                    return tracing::error!(
                        error = %e,
                        "metrics ended: restart the server to bring them back"
                    );
                }
                Ok(()) => {}
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.pending = true,
                    Token(slot) => self.proceed(slot),
                }
            }
            let now = Instant::now();
            self.connections.retain(|_, (since, _)| now < *since + TIMEOUT);
            self.accept(now);
        }
    }

    /// Continues a connection. Its slot may have been reused since the event; continuing that connection does no harm.
    fn proceed(&mut self, slot: usize) {
        let Some((_, connection)) = self.connections.get_mut(slot) else { return };
        if connection.proceed(&self.pages) == Progress::Ended {
            self.connections.remove(slot);
        }
    }

    fn accept(&mut self, now: Instant) {
        if now >= self.window_end {
            self.window_end = now + WINDOW;
            self.accepts_left = ACCEPTS;
        }
        while self.pending && self.accepts_left > 0 {
            self.accepts_left -= 1;
            match self.listener.accept() {
                Ok((stream, _)) => self.begin(now, stream),
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.pending = false,
                // One connection failed, or descriptors are short. Tries again in the next window at the latest.
                Err(_) => {}
            }
        }
    }

    fn begin(&mut self, now: Instant, mut stream: TcpStream) {
        if self.connections.len() >= CONNECTIONS {
            let oldest = self.connections.iter().min_by_key(|(_, (since, _))| *since);
            if let Some((slot, _)) = oldest {
                self.connections.remove(slot);
            }
        }
        let token = Token(self.connections.vacant_key());
        let interest = Interest::READABLE.add(Interest::WRITABLE);
        // If the kernel cannot watch the connection, dropping it closes it.
        if self.poll.registry().register(&mut stream, token, interest).is_ok() {
            self.connections.insert((now, HttpConnection::new(stream)));
        }
    }

    /// Returns how long to wait for events: until a connection times out, or more may be accepted.
    fn timeout(&self, now: Instant) -> Option<Duration> {
        let timeouts = self.connections.iter().map(|(_, (since, _))| *since + TIMEOUT);
        let deadline = timeouts.chain(self.pending.then_some(self.window_end)).min()?;
        Some(deadline.saturating_duration_since(now))
    }
}
