//! All connections of a run, and the event loop that serves them. Every connection is in its place before anything is
//! measured.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll};

use super::connection::{BUFFER_LEN, Connection};
use super::dialect::Dialect;
use super::framing::Found;
use super::plan::Plan;
use super::protocol::{Answer, Protocol, Role};
use super::socket::acknowledge_at_once;
use super::tls::TlsClient;
use super::token::Token;
use super::websocket::{self, WebSocket};
use crate::error::Error;
use crate::measure::process::Process;

/// The most connections being opened at a time; fewer than any server's accept backlog.
const MAX_OPENING: usize = 64;

/// How long the next connection may take to become ready.
pub(super) const OPENING_DEADLINE: Duration = Duration::from_secs(20);

/// Descriptors that the generator needs besides its connections.
const SPARE_FILES: u64 = 16;

/// Events polled at once.
const EVENTS: usize = 4096;

/// Handles what the clients receive.
pub trait Listener {
    /// Notes that a chunk was read, whose contents follow.
    fn arrived(&mut self) {}

    /// Handles one of the generator's messages, on connection `seat`.
    fn message(&mut self, _seat: usize, _token: Token) {}

    /// Handles the payload of any other frame, on connection `seat`.
    ///
    /// # Errors
    /// If the run cannot continue.
    fn other(&mut self, _seat: usize, _payload: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

/// The connections, indexed by their seats in the plan.
#[derive(Debug)]
pub struct Clients {
    dialect: Dialect,
    tls: Option<TlsClient>,
    poll: Poll,
    connections: Vec<Connection>,
    buffer: Vec<u8>,
}

impl Clients {
    /// Returns an empty set, with `expected` clients to come.
    ///
    /// # Errors
    /// If this process or the server may not open as many files.
    pub fn new(dialect: Dialect, expected: usize, server: Option<Process>) -> Result<Self, Error> {
        check_files(expected, server)?;
        let poll = Poll::new().map_err(Error::io("making an event queue"))?;
        let connections = Vec::with_capacity(expected);
        let tls = dialect.form.has_tls().then(TlsClient::new).transpose()?;
        Ok(Self { dialect, tls, poll, connections, buffer: vec![0; BUFFER_LEN] })
    }

    /// The connection at `seat`.
    pub fn connection(&mut self, seat: usize) -> &mut Connection {
        &mut self.connections[seat]
    }

    /// Sends the pending bytes of `seat`, as far as its socket takes them.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn flush(&mut self, seat: usize) -> Result<(), Error> {
        self.connections[seat].flush().map_err(|error| broken(seat, &error))
    }

    /// Connects all clients and puts them into their rooms. Returns the server's number of each room.
    ///
    /// # Errors
    /// If the server refuses, or takes too long.
    pub fn enter(&mut self, addr: SocketAddr, plan: &Plan) -> Result<Vec<u64>, Error> {
        let protocol = self.dialect.protocol;
        let known = |room| (!protocol.server_numbers_rooms()).then_some(u64::from(room));
        let rooms = (0..plan.rooms).map(known).collect();
        let mut lobby = Lobby { protocol, rooms, ready: Vec::new(), count: 0 };
        self.open_all(plan.seats.len(), &mut lobby, |index, lobby| {
            let seat = plan.seats[index];
            let role = match lobby.rooms[seat.room as usize] {
                _ if !seat.receives => Role::Publish,
                Some(room) => Role::Join { room },
                None if index < plan.rooms as usize => Role::Create { room: seat.room },
                None => return None,
            };
            Some((addr, None, role))
        })?;
        for connection in &self.connections {
            acknowledge_at_once(&connection.stream)
                .map_err(Error::io("setting a socket option"))?;
        }
        Ok(lobby.rooms.into_iter().flatten().collect())
    }

    /// Opens `count` idle connections, from as many addresses as their ports need.
    ///
    /// # Errors
    /// If the server refuses, or takes too long.
    pub fn idle(&mut self, addr: SocketAddr, count: usize) -> Result<(), Error> {
        let protocol = self.dialect.protocol;
        let mut lobby = Lobby { protocol, rooms: Vec::new(), ready: Vec::new(), count: 0 };
        self.open_all(count, &mut lobby, |index, _| {
            let source = idle_source(index).filter(|_| addr.is_ipv4());
            Some((addr, source, Role::Idle { number: index as u32 }))
        })
    }

    /// Opens connections, [`MAX_OPENING`] at a time, until `count` are ready. `next` returns the purpose of the next
    /// connection, or `None` while it is unknown.
    fn open_all(
        &mut self,
        count: usize,
        lobby: &mut Lobby,
        next: impl Fn(usize, &Lobby) -> Option<(SocketAddr, Option<SocketAddr>, Role)>,
    ) -> Result<(), Error> {
        let mut events = Events::with_capacity(EVENTS);
        let (mut last_ready, mut since) = (0, Instant::now());
        while lobby.count < count {
            while self.connections.len() < count.min(lobby.count + MAX_OPENING) {
                let Some((addr, source, role)) = next(self.connections.len(), lobby) else { break };
                lobby.ready.push(false);
                self.open(addr, source, role)?;
            }
            self.turn(&mut events, Some(Duration::from_millis(100)), lobby)?;
            if lobby.count > last_ready {
                (last_ready, since) = (lobby.count, Instant::now());
            } else if since.elapsed() > OPENING_DEADLINE {
                return Err(Error::Server(format!(
                    "{last_ready} of {count} connections are ready, and no further one for {} s",
                    OPENING_DEADLINE.as_secs()
                )));
            }
        }
        Ok(())
    }

    fn open(
        &mut self,
        addr: SocketAddr,
        source: Option<SocketAddr>,
        role: Role,
    ) -> Result<(), Error> {
        let seat = self.connections.len();
        let mut connection =
            Connection::open(addr, source).map_err(Error::io("opening a connection"))?;
        self.poll
            .registry()
            .register(
                &mut connection.stream,
                mio::Token(seat),
                Interest::READABLE | Interest::WRITABLE,
            )
            .map_err(Error::io("registering a connection"))?;
        self.greet(&mut connection, addr, role).map_err(Error::io("beginning a connection"))?;
        self.connections.push(connection);
        self.flush(seat)
    }

    /// Begins a connection in its form.
    fn greet(&self, connection: &mut Connection, addr: SocketAddr, role: Role) -> io::Result<()> {
        let Self { dialect, tls, .. } = self;
        if let Some(tls) = tls {
            connection.add_tls(tls.session(addr, dialect.begins_plain())?);
        }
        let mut first = dialect.encode(dialect.protocol.greeting(role));
        if dialect.form.has_websocket() {
            connection.add_websocket(WebSocket::new(first, dialect.is_byte_stream()));
            first = websocket::request(dialect.path(), addr);
        }
        connection.out().append(&mut first);
        Ok(())
    }

    /// Polls for at most `timeout`, and passes all input to `listener`.
    ///
    /// # Errors
    /// If a connection is broken, or the listener returns an error.
    pub fn turn(
        &mut self,
        events: &mut Events,
        timeout: Option<Duration>,
        listener: &mut impl Listener,
    ) -> Result<(), Error> {
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            result => result.map_err(Error::io("waiting for events"))?,
        }
        for event in &*events {
            let seat = event.token().0;
            if event.is_writable() {
                self.flush(seat)?;
            }
            if event.is_readable() {
                self.receive(seat, event.is_read_closed(), listener)?;
            }
        }
        Ok(())
    }

    /// Reads what has arrived. If `is_closed`, reads up to the end of the stream, which no further event announces.
    fn receive(
        &mut self,
        seat: usize,
        is_closed: bool,
        listener: &mut impl Listener,
    ) -> Result<(), Error> {
        let Self { dialect, connections, buffer, .. } = self;
        let connection = &mut connections[seat];
        let mut more = true;
        while more {
            let filled = connection.fill(buffer).map_err(|error| broken(seat, &error))?;
            let Some((filled, rest)) = filled else { return Ok(()) };
            more = rest || is_closed;
            listener.arrived();
            let (mut outcome, mut reply) = (Ok(()), None);
            let used = dialect
                .scan(&buffer[..filled], &mut connection.hint, |found| match found {
                    Found::Message(token) => listener.message(seat, token),
                    Found::Other(payload) => {
                        reply = reply.or(dialect.protocol.reply(payload));
                        if outcome.is_ok() {
                            outcome = listener.other(seat, payload);
                        }
                    }
                })
                .map_err(|error| Error::Server(format!("connection {seat}: {error}")))?;
            outcome?;
            connection.keep(&buffer[used..filled]);
            if let Some(reply) = reply {
                connection.out().extend_from_slice(&dialect.encode(reply.to_vec()));
                connection.flush().map_err(|error| broken(seat, &error))?;
            }
        }
        Ok(())
    }
}

/// Checks that this process and the server may open as many files as `expected` connections need.
///
/// # Errors
/// If one of them may not.
pub(super) fn check_files(expected: usize, server: Option<Process>) -> Result<(), Error> {
    let needed = expected as u64 + SPARE_FILES;
    for (who, process) in [("the generator", Some(Process::own())), ("the server", server)] {
        let limit = process.map_or(Ok(u64::MAX), Process::max_open_files)?;
        if limit < needed {
            return Err(Error::Config(format!(
                "{expected} connections need {needed} open files, and {who} may have {limit}: \
                 raise `ulimit -n` before it starts"
            )));
        }
    }
    Ok(())
}

/// Returns the source address of idle connection `index`. Linux has some 28,000 ephemeral ports, and finds a free one
/// ever more slowly; so beyond a certain number, ports are chosen here, below the ephemeral range, on further
/// addresses.
pub(super) fn idle_source(index: usize) -> Option<SocketAddr> {
    const PER_ADDRESS: usize = 12_000;
    const FIRST_PORT: usize = 20_000;
    let (address, port) = (index / PER_ADDRESS, FIRST_PORT + index % PER_ADDRESS);
    (address > 0)
        .then(|| SocketAddr::from((Ipv4Addr::new(127, 0, 0, 1 + address as u8), port as u16)))
}

fn broken(seat: usize, error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => Error::Server(format!("the server closed connection {seat}")),
        _ => Error::Server(format!("connection {seat}: {error}")),
    }
}

/// The clients that wait for the answer to their greeting.
#[derive(Debug)]
struct Lobby {
    protocol: Protocol,
    /// The server's number of each room of the plan, once known.
    rooms: Vec<Option<u64>>,
    /// Whether each seat is ready.
    ready: Vec<bool>,
    /// How many are ready.
    count: usize,
}

impl Lobby {
    fn is_ready(&mut self, seat: usize) {
        if !std::mem::replace(&mut self.ready[seat], true) {
            self.count += 1;
        }
    }
}

impl Listener for Lobby {
    fn other(&mut self, seat: usize, payload: &[u8]) -> Result<(), Error> {
        match self.protocol.answer(payload) {
            Answer::Wait => {}
            Answer::Ready => self.is_ready(seat),
            Answer::Created(room) => {
                // The plan begins with one seat of each room, in order.
                self.rooms[seat] = Some(room);
                self.is_ready(seat);
            }
            Answer::Refused(why) => {
                return Err(Error::Server(format!("connection {seat} was refused: {why}")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_idle_connections_come_from_the_same_place() {
        let sources: Vec<_> = (0..100_000).filter_map(idle_source).collect();
        assert_eq!(sources.len(), 88_000);
        let distinct: std::collections::HashSet<_> = sources.iter().collect();
        assert_eq!(distinct.len(), sources.len());
        assert!(sources.iter().all(|source| source.ip().is_loopback() && source.port() < 32_768));
    }
}
