//! Attacks with TLS handshakes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use socket2::SockRef;

use super::{Attack, Pace, Prepared, Scene, WAIT};
use crate::load::connection::{BUFFER_LEN, Connection};
use crate::load::tls::TlsClient;

/// Time between two paced handshakes: 200 a second.
const INTERVAL: Duration = Duration::from_millis(5);

/// The most handshakes in progress.
const UNDER_WAY: usize = 64;

/// Addresses that the connections come from, 127.0.1.1 and up.
const ADDRESSES: u32 = 200;

/// Makes 200 handshakes a second.
pub(super) fn paced(scene: &Scene) -> Prepared {
    Handshakes::prepare(scene, Some(Pace::new(INTERVAL)))
}

/// Makes handshakes as fast as one core can.
pub(super) fn incessant(scene: &Scene) -> Prepared {
    Handshakes::prepare(scene, None)
}

/// Full handshakes, each of which ends with a reset. A refused handshake counts as done.
struct Handshakes {
    to: SocketAddr,
    tls: TlsClient,
    poll: Poll,
    events: Events,
    connections: Slab<Connection>,
    buffer: Vec<u8>,
    pace: Option<Pace>,
    under_way: usize,
    opened: u32,
    total: Arc<AtomicU64>,
}

impl Handshakes {
    fn prepare(scene: &Scene, pace: Option<Pace>) -> Prepared {
        Ok(Box::new(Self {
            to: scene.server,
            tls: TlsClient::new().map_err(io::Error::other)?,
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            connections: Slab::new(),
            buffer: vec![0; BUFFER_LEN],
            pace,
            under_way: scene.scaled(UNDER_WAY),
            opened: 0,
            total: scene.connections.clone(),
        }))
    }

    fn open(&mut self) -> io::Result<()> {
        let source = Ipv4Addr::new(127, 0, 1, 1 + (self.opened % ADDRESSES) as u8);
        let source = self.to.is_ipv4().then_some((source, 0).into());
        self.opened += 1;
        self.total.fetch_add(1, Ordering::Relaxed);
        let mut connection = Connection::open(self.to, source)?;
        connection.add_tls(self.tls.session(self.to, false)?);
        let entry = self.connections.vacant_entry();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut connection.stream, Token(entry.key()), interest)?;
        entry.insert(connection);
        Ok(())
    }
}

impl Attack for Handshakes {
    fn turn(&mut self) -> io::Result<()> {
        while self.connections.len() < self.under_way && self.pace.as_mut().is_none_or(Pace::is_due)
        {
            self.open()?;
        }
        match self.poll.poll(&mut self.events, Some(WAIT)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        for event in &self.events {
            let Token(key) = event.token();
            let Some(connection) = self.connections.get_mut(key) else { continue };
            if is_over(connection, &mut self.buffer) {
                let connection = self.connections.remove(key);
                // Fails only if the connection is already gone.
                let _ = SockRef::from(&connection.stream).set_linger(Some(Duration::ZERO));
            }
        }
        Ok(())
    }
}

/// Continues a handshake. Returns whether it is over.
fn is_over(connection: &mut Connection, buffer: &mut [u8]) -> bool {
    if connection.flush().is_err() {
        return true;
    }
    loop {
        match connection.fill(buffer) {
            Ok(Some((_, true))) => {}
            Ok(_) => return connection.is_open(),
            Err(_) => return true,
        }
    }
}
