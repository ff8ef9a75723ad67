//! The connections of an attack. They come from many addresses, discard what they read, and are forgotten when the
//! server ends them.

use std::io::{self, ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chat_proto::{Command, HEADER_LEN, Incoming};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use socket2::SockRef;

use super::Scene;
use crate::load::connection::Connection;
use crate::words;

/// Connections opened before waiting for their answers; fewer than the server's accept backlog.
const AT_A_TIME: usize = 64;

/// How long the server may take for an answer while an attack is being prepared.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of the read buffer, which all connections share.
const BUFFER_LEN: usize = 256 * 1024;

/// Addresses that the connections come from, 127.0.1.1 and up. A single address does not have enough ports.
const ADDRESSES: u32 = 200;

/// The connections of an attack, by number.
#[derive(Debug)]
pub(super) struct Crowd {
    to: SocketAddr,
    poll: Poll,
    events: Events,
    members: Slab<Member>,
    buffer: Vec<u8>,
    opened: u32,
    total: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Member {
    connection: Connection,
    /// The input up to the end of the first frame.
    head: Vec<u8>,
}

impl Crowd {
    /// Returns a crowd without connections, for the server of `scene`.
    pub(super) fn new(scene: &Scene) -> io::Result<Self> {
        Ok(Self {
            to: scene.server,
            total: scene.connections.clone(),
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            members: Slab::new(),
            buffer: vec![0; BUFFER_LEN],
            opened: 0,
        })
    }

    /// Begins to open another connection. `receive_buffer` is `SO_RCVBUF`, in bytes.
    pub(super) fn open(&mut self, receive_buffer: Option<usize>) -> io::Result<usize> {
        let source = Ipv4Addr::new(127, 0, 1, 1 + (self.opened % ADDRESSES) as u8);
        let source = self.to.is_ipv4().then_some((source, 0).into());
        self.opened += 1;
        self.total.fetch_add(1, Ordering::Relaxed);
        let mut connection = Connection::open_with(self.to, source, receive_buffer)?;
        let entry = self.members.vacant_entry();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut connection.stream, Token(entry.key()), interest)?;
        let who = entry.key();
        entry.insert(Member { connection, head: Vec::new() });
        Ok(who)
    }

    /// Opens `count` connections that begin with `first`, which the server answers. Returns those that got their
    /// answer.
    pub(super) fn admit(&mut self, count: usize, first: &Command) -> io::Result<Vec<usize>> {
        let first = words::frame(first);
        let mut admitted = Vec::with_capacity(count);
        for _ in 0..count.div_ceil(AT_A_TIME) {
            let from = admitted.len();
            for _ in from..count.min(from + AT_A_TIME) {
                let who = self.open(None)?;
                self.send(who, &first);
                admitted.push(who);
            }
            let batch = &admitted[from..];
            self.turn_until(|crowd| batch.iter().all(|&who| crowd.is_answered_or_gone(who)))?;
        }
        admitted.retain(|&who| self.members.contains(who));
        Ok(admitted)
    }

    /// Opens `members` connections that create a room and join it. Returns them, and the room's number.
    pub(super) fn settle(&mut self, title: &str, members: usize) -> io::Result<(Vec<usize>, u64)> {
        let mut all = self.admit(1, &words::create(title))?;
        let answer = all.first().and_then(|&who| self.members.get(who)?.first_frame());
        let room = answer.and_then(|payload| Incoming::parse(payload).ok()?.room_id);
        let room = room.ok_or_else(|| io::Error::other("an attacker got no room"))?;
        all.extend(self.admit(members.saturating_sub(1), &words::join(room))?);
        Ok((all, room))
    }

    fn is_answered_or_gone(&self, who: usize) -> bool {
        self.members.get(who).is_none_or(|member| member.first_frame().is_some())
    }

    /// Whether the connection still exists.
    pub(super) fn contains(&self, who: usize) -> bool {
        self.members.contains(who)
    }

    /// The number of connections.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Sends `bytes`, unless the connection is gone or has not finished its previous send. Returns whether it did.
    pub(super) fn send(&mut self, who: usize, bytes: &[u8]) -> bool {
        let Some(member) = self.members.get_mut(who) else { return false };
        let connection = &mut member.connection;
        let mut is_alive = connection.flush().is_ok();
        let is_free = is_alive && connection.has_sent_all();
        if is_free {
            connection.out().extend_from_slice(bytes);
            is_alive = connection.flush().is_ok();
        }
        if !is_alive {
            self.members.remove(who);
        }
        is_free && is_alive
    }

    /// Sends a byte out of band.
    pub(super) fn send_urgent(&mut self, who: usize) -> bool {
        let Some(member) = self.members.get_mut(who) else { return false };
        SockRef::from(&member.connection.stream).send_out_of_band(b"!").is_ok()
    }

    /// Stops reading from the connection for good.
    pub(super) fn deafen(&mut self, who: usize) -> io::Result<()> {
        let Some(member) = self.members.get_mut(who) else { return Ok(()) };
        self.poll.registry().deregister(&mut member.connection.stream)
    }

    /// Reads at most `most` bytes of a connection that was [deafened](Self::deafen), and forgets it if it has ended.
    pub(super) fn sip(&mut self, who: usize, most: usize) -> usize {
        let Some(member) = self.members.get_mut(who) else { return 0 };
        let most = most.min(BUFFER_LEN);
        match member.connection.stream.read(&mut self.buffer[..most]) {
            Ok(0) if most > 0 => drop(self.members.remove(who)),
            Ok(read) => return read,
            Err(error) if is_passing(&error) => {}
            Err(_) => drop(self.members.remove(who)),
        }
        0
    }

    /// Resets the connection.
    pub(super) fn reset(&mut self, who: usize) {
        if let Some(member) = self.members.try_remove(who) {
            // Fails only if the connection is already gone.
            let _ = SockRef::from(&member.connection.stream).set_linger(Some(Duration::ZERO));
        }
    }

    /// Closes the connection, whatever is unread.
    pub(super) fn close(&mut self, who: usize) {
        self.members.try_remove(who);
    }

    /// Waits for at most `wait` for something to read or write. Reads and discards everything there is.
    pub(super) fn turn(&mut self, wait: Duration) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        for event in &self.events {
            let Token(who) = event.token();
            let Some(member) = self.members.get_mut(who) else { continue };
            if member.connection.flush().is_err() || !member.drain(&mut self.buffer) {
                self.members.remove(who);
            }
        }
        Ok(())
    }

    fn turn_until(&mut self, done: impl Fn(&Self) -> bool) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            if Instant::now() > deadline {
                return Err(io::Error::new(ErrorKind::TimedOut, "the server does not answer"));
            }
            self.turn(Duration::from_millis(10))?;
        }
        Ok(())
    }
}

impl Member {
    /// Reads everything there is. Returns whether the connection continues.
    fn drain(&mut self, buffer: &mut [u8]) -> bool {
        loop {
            match self.connection.stream.read(buffer) {
                Ok(0) => return false,
                Ok(read) => {
                    if self.first_frame().is_none() {
                        self.head.extend_from_slice(&buffer[..read]);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return is_passing(&error),
            }
        }
    }

    /// The payload of the first frame, once it is complete.
    fn first_frame(&self) -> Option<&[u8]> {
        let (header, rest) = self.head.split_first_chunk::<HEADER_LEN>()?;
        rest.get(..usize::from(u16::from_be_bytes(*header)))
    }
}

/// Whether there is nothing to read yet, or no connection yet.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted)
}
