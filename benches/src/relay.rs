//! The relay: the lower bound of all comparisons, since it shows what the kernel alone costs per delivered message.
//!
//! It reads a chunk from one member and writes it to every other member of the room. It cuts no frames and parses
//! nothing. The first four bytes of a connection are the number of its room, and are sent back to tell the member that
//! it has entered.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

/// Bytes read from a member at once.
const READ_CHUNK: usize = 64 * 1024;

/// Bytes pending for a member beyond which it is disconnected.
const MAX_PENDING: usize = 64 * 1024 * 1024;

/// Bytes in a room number.
const ROOM_LEN: usize = 4;

/// The most members at a time.
const MAX_MEMBERS: usize = 1_000_000;

/// How often a quiet relay checks whether it should stop.
const NAP: Duration = Duration::from_millis(100);

const LISTENER: Token = Token(usize::MAX);

/// A server that copies.
#[derive(Debug)]
pub struct Relay {
    listener: TcpListener,
    poll: Poll,
    members: Slab<Member>,
    rooms: HashMap<[u8; ROOM_LEN], Vec<usize>>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Member {
    stream: TcpStream,
    room: Option<[u8; ROOM_LEN]>,
    /// Bytes that its socket has not taken: `pending[written..]`.
    pending: Vec<u8>,
    written: usize,
}

impl Relay {
    /// Binds to `addr`.
    ///
    /// # Errors
    /// If the address is not available.
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        let mut listener = TcpListener::bind(addr)?;
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let buffer = vec![0; READ_CHUNK];
        Ok(Self { listener, poll, members: Slab::new(), rooms: HashMap::new(), buffer })
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// If the operating system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Relays until `stop` is set or `life` is over.
    ///
    /// # Errors
    /// If waiting for events fails.
    pub fn run(&mut self, life: Duration, stop: &AtomicBool) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let end = Instant::now() + life;
        while !stop.load(Ordering::Relaxed) && Instant::now() < end {
            match self.poll.poll(&mut events, Some(NAP)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    Token(key) => {
                        if event.is_writable() {
                            self.send(key, &[]);
                        }
                        if event.is_readable() {
                            self.relay_from(key);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) if self.members.len() < MAX_MEMBERS => stream,
                Ok(_) => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let entry = self.members.vacant_entry();
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(entry.key()), interest)?;
            entry.insert(Member { stream, room: None, pending: Vec::new(), written: 0 });
        }
    }

    /// Reads what `key` has sent, and writes it to the others. A read that does not fill the buffer has drained the
    /// socket.
    fn relay_from(&mut self, key: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while let Some(member) = self.members.get_mut(key) {
            let wanted = if member.room.is_some() { READ_CHUNK } else { ROOM_LEN };
            match member.stream.read(&mut buffer[..wanted]) {
                Ok(0) => self.remove(key),
                Ok(read) => match member.room {
                    Some(room) => {
                        self.send_to_others(key, room, &buffer[..read]);
                        if read < READ_CHUNK {
                            break;
                        }
                    }
                    None => self.enter(key, &buffer[..read]),
                },
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.remove(key),
            }
        }
        self.buffer = buffer;
    }

    /// Four bytes written at once arrive at once on loopback, so a member that sends fewer is disconnected.
    fn enter(&mut self, key: usize, bytes: &[u8]) {
        match bytes.first_chunk() {
            Some(room) => {
                self.members[key].room = Some(*room);
                self.rooms.entry(*room).or_default().push(key);
                self.send(key, room);
            }
            None => self.remove(key),
        }
    }

    fn send_to_others(&mut self, key: usize, room: [u8; ROOM_LEN], bytes: &[u8]) {
        let Some(keys) = self.rooms.get(&room) else { return };
        let mut gone = Vec::new();
        for &other in keys.iter().filter(|&&other| other != key) {
            if self.members[other].send(bytes).is_err() {
                gone.push(other);
            }
        }
        for key in gone {
            self.remove(key);
        }
    }

    /// Writes to a member, after its pending bytes.
    fn send(&mut self, key: usize, bytes: &[u8]) {
        if self.members.get_mut(key).is_some_and(|member| member.send(bytes).is_err()) {
            self.remove(key);
        }
    }

    fn remove(&mut self, key: usize) {
        let Some(member) = self.members.try_remove(key) else { return };
        if let Some(room) = member.room
            && let Some(keys) = self.rooms.get_mut(&room)
        {
            keys.retain(|&other| other != key);
            if keys.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }
}

impl Member {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.pending.is_empty() {
            self.written += write(&mut self.stream, &self.pending[self.written..])?;
            if self.written < self.pending.len() {
                self.pending.extend_from_slice(bytes);
                let unsent = self.pending.len() - self.written;
                return if unsent > MAX_PENDING { Err(ErrorKind::TimedOut.into()) } else { Ok(()) };
            }
            (self.pending, self.written) = (Vec::new(), 0);
        }
        let written = write(&mut self.stream, bytes)?;
        self.pending.extend_from_slice(&bytes[written..]);
        Ok(())
    }
}

/// Writes until the socket takes no more.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(more) => written += more,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
