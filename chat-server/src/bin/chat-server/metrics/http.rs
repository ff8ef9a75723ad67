//! A small HTTP server on one thread, which a peer can keep busy but not make grow.
//!
//! It holds few connections, each for a short time: when one too many comes, the oldest goes, so that
//! peers who say nothing cannot keep others out. It takes only so many in a while, so that peers who
//! say too much cost a small part of a processor.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;

use super::http_connection::{HttpConnection, Progress};
use super::pages::Pages;

// Beyond every slot of the slab.
const LISTENER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);

/// The most connections at a time.
const CONNECTIONS: usize = 16;

/// How long a connection may take from its being accepted to its end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most connections that are accepted in a [`WINDOW`].
const ACCEPTS: usize = 16;

/// See [`ACCEPTS`].
const WINDOW: Duration = Duration::from_millis(100);

pub(super) struct HttpServer {
    poll: Poll,
    listener: TcpListener,
    stop: Arc<AtomicBool>,
    pages: Pages,
    exchanges: Slab<(Instant, HttpConnection)>,
    /// There may be connections to accept; no event will tell.
    pending: bool,
    /// How many more are accepted before `window_end`.
    accepts_left: usize,
    window_end: Instant,
}

impl HttpServer {
    /// A server, and what wakes it so that it sees `stop`.
    pub(super) fn bind(
        address: SocketAddr,
        stop: Arc<AtomicBool>,
        pages: Pages,
    ) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let mut listener = TcpListener::bind(address)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let server = Self {
            poll,
            listener,
            stop,
            pages,
            exchanges: Slab::with_capacity(CONNECTIONS),
            pending: true,
            accepts_left: 0,
            window_end: Instant::now(),
        };
        Ok((server, waker))
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until it is stopped.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(2 * CONNECTIONS);
        while !self.stop.load(Ordering::Acquire) {
            match self.poll.poll(&mut events, self.timeout(Instant::now())) {
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return tracing::error!("metrics are not served any more: {e}"),
                Ok(()) => {}
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.pending = true,
                    WAKER => {}
                    Token(slot) => self.proceed(slot),
                }
            }
            let now = Instant::now();
            self.exchanges.retain(|_, (since, _)| now < *since + PATIENCE);
            self.accept(now);
        }
    }

    /// A slot may have been used again since the event: then nothing happens that would not happen
    /// anyway.
    fn proceed(&mut self, slot: usize) {
        let Some((_, exchange)) = self.exchanges.get_mut(slot) else { return };
        if exchange.proceed(&self.pages) == Progress::Ended {
            self.exchanges.remove(slot);
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
                // Of one connection, or for want of descriptors: there is another try, at the latest
                // in the next window.
                Err(_) => {}
            }
        }
    }

    fn begin(&mut self, now: Instant, mut stream: TcpStream) {
        if self.exchanges.len() >= CONNECTIONS {
            let oldest = self.exchanges.iter().min_by_key(|(_, (since, _))| *since);
            if let Some((slot, _)) = oldest {
                self.exchanges.remove(slot);
            }
        }
        let token = Token(self.exchanges.vacant_key());
        let interest = Interest::READABLE.add(Interest::WRITABLE);
        // If the kernel cannot watch it, it is closed again.
        if self.poll.registry().register(&mut stream, token, interest).is_ok() {
            self.exchanges.insert((now, HttpConnection::new(stream)));
        }
    }

    /// How long to wait for events: until a connection has taken too long, or more may be accepted.
    fn timeout(&self, now: Instant) -> Option<Duration> {
        let patience = self.exchanges.iter().map(|(_, (since, _))| *since + PATIENCE);
        let deadline = patience.chain(self.pending.then_some(self.window_end)).min()?;
        Some(deadline.saturating_duration_since(now))
    }
}
