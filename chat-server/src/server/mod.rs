//! The public handles of a server: to bind, run, control, monitor and join it. `reactor` is its event loop.

#[cfg(feature = "store")]
mod data;
mod reactor;
mod start_error;

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use chat_core::{OperatorText, RoomId, SessionId};

use self::reactor::Setup;
pub use self::start_error::StartError;
use crate::config::Config;
use crate::events::{Events, Observer};
use crate::net::{Acceptor, Listener, TlsConfig, canonical};
use crate::stats::{Counters, Stats};
use crate::workers::SharedHub;

/// A server that listens but does not serve yet.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use chat_server::{Config, Server};
///
/// let server = Server::bind(Config::new())?.spawn()?;
/// let mut client = TcpStream::connect(server.address())?;
/// client.write_all(b"\0\x12{\"type\":\"CSRooms\"}")?;
/// let mut answer = [0; 37];
/// client.read_exact(&mut answer)?;
/// assert_eq!(&answer, b"\0\x23{\"type\":\"SCRoomsResult\",\"rooms\":[]}");
/// drop(client);
/// server.stop();
/// server.join()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    setup: Setup,
}

impl Server {
    /// Listens on the configured addresses and starts the workers. From here on connections queue.
    ///
    /// # Errors
    /// [`StartError`] when the configuration is invalid, the address unavailable, or the system out of
    /// If the configuration is invalid, an address is unavailable, or the system is out of descriptors or threads.
    pub fn bind(config: Config) -> Result<Self, StartError> {
        config.check().map_err(StartError::Config)?;
        let listeners = listen_with_retries(&config)?;
        let addresses = listeners.iter().map(Listener::address).collect::<Result<_, _>>();
        let addresses = addresses.map_err(StartError::System)?;
        Ok(Self { addresses, setup: Setup::new(listeners, config)? })
    }

    /// The address that the server listens on, with the actual port; the first of several.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// All addresses that the server listens on, in the order of [`Config::addresses`].
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns a handle that controls the server from any thread.
    pub fn controller(&self) -> Controller {
        let (hub, acceptor) = (Arc::clone(self.setup.hub()), self.setup.acceptor().cloned());
        Controller { hub, acceptor }
    }

    /// Returns a handle that reads the server's counters from any thread.
    pub fn monitor(&self) -> Monitor {
        Monitor(Arc::clone(self.setup.counters()))
    }

    /// Returns the events of the server, from the first connection on. While `capacity` events are waiting to be read
    /// (0 counts as 1), further ones are missed: the server never waits for the reader. A busy server has thousands of
    /// events a second.
    ///
    /// The queue is allocated at once, at some 80 bytes an event. Waiting texts, of at most 64 KiB each, come on top;
    /// so do some 200 bytes a session. The limits on memory count none of it.
    ///
    /// There is one observer: a second call ends the events of the first.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use chat_server::{Config, Event, Server};
    ///
    /// let mut server = Server::bind(Config::new())?;
    /// let events = server.observe(1_000);
    /// let server = server.spawn()?;
    /// let client = std::net::TcpStream::connect(server.address())?;
    /// match events.recv_timeout(Duration::from_secs(10))? {
    ///     Event::Connected { address, .. } => assert_eq!(address, client.local_addr()?),
    ///     other => panic!("{other:?}"),
    /// }
    /// # drop(client);
    /// # server.stop();
    /// # server.join()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observe(&mut self, capacity: usize) -> Events {
        let (observer, events) = Observer::new(capacity);
        self.setup.observer = Some(Box::new(observer));
        events
    }

    /// Writes everything that happens to the rooms from now on to `to`, for [`replay`](crate::replay), on a thread of
    /// its own. The server never waits for it: if 64 MiB wait for `to`, or `to` fails, the recording ends, with a log
    /// line and a [metric](Stats::lost_recordings). A recording holds what people say, and the secrets of sessions.
    ///
    /// # Errors
    /// If the first line cannot be written, or the system is out of threads.
    pub fn record(&mut self, to: impl Write + Send + 'static) -> io::Result<()> {
        self.setup.hub().record(to)
    }

    /// Serves on this thread until the server is stopped.
    ///
    /// # Errors
    /// If the kernel refuses to say which sockets are ready.
    pub fn run(self) -> io::Result<()> {
        self.run_with(|| {})
    }

    /// Serves on this thread until the server is stopped. Calls `on_stop` when the stop begins: from then on
    /// no connection is accepted, and accepted messages are being delivered.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn run_with(self, on_stop: impl FnOnce()) -> io::Result<()> {
        self.setup.run(on_stop)
    }

    /// Serves on a thread of its own.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub fn spawn(self) -> io::Result<ServerHandle> {
        let (address, controller, monitor) = (self.address(), self.controller(), self.monitor());
        let thread = thread::Builder::new().name("chat-reactor".to_owned());
        let thread = thread.spawn(move || self.run())?;
        Ok(ServerHandle { address, controller, monitor, thread })
    }
}

/// Listens on every address. A port that is free at the first address may be taken at another; then tries another
/// port.
fn listen_with_retries(config: &Config) -> Result<Vec<Listener>, StartError> {
    let more_tries = if config.address.port() == 0 { 10 * config.more_addresses.len() } else { 0 };
    for _ in 0..more_tries {
        match listen(config) {
            Err(StartError::Listen { source, .. }) if source.kind() == ErrorKind::AddrInUse => {}
            result => return result,
        }
    }
    listen(config)
}

fn listen(config: &Config) -> Result<Vec<Listener>, StartError> {
    let only_v6 = config.addresses().any(|address| canonical(address).is_ipv4());
    let mut listeners = Vec::<Listener>::new();
    for address in config.addresses() {
        let mut address = canonical(address);
        if address.port() == 0
            && let Some(first) = listeners.first()
        {
            address.set_port(first.address().map_err(StartError::System)?.port());
        }
        let listener = Listener::bind(address, only_v6, &config.limits);
        listeners.push(listener.map_err(|source| StartError::Listen { address, source })?);
    }
    Ok(listeners)
}

/// Controls a server, from any thread. Cheap to clone; does nothing once the server has ended.
///
/// ```
/// use std::net::TcpStream;
/// use std::time::Duration;
///
/// use chat_server::{CloseReason, Config, Event, OperatorText, Server};
///
/// let mut server = Server::bind(Config::new())?;
/// let events = server.observe(1_000);
/// let server = server.spawn()?;
/// let controller = server.controller();
/// let client = TcpStream::connect(server.address())?;
///
/// controller.announce_to_all(OperatorText::new("Lunch is ready.")?);
/// for event in events {
///     match event {
///         Event::Connected { session, .. } => {
///             assert!(controller.remove(session, OperatorText::new("no lunch for bots")?));
///         }
///         Event::Ended { reason, .. } => {
///             assert_eq!(reason, CloseReason::Removed);
///             controller.stop();
///         }
///         _ => {}
///     }
/// }
/// server.join()?;
/// # drop(client);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Controller {
    hub: Arc<SharedHub>,
    acceptor: Option<Arc<Acceptor>>,
}

impl Controller {
    /// Stops the server: it delivers what it has accepted, says goodbye to everyone, and ends. Returns at
    /// once; calling it again changes nothing.
    pub fn stop(&self) {
        self.hub.request_stop();
    }

    /// Sends `text` to everyone who is connected.
    pub fn announce_to_all(&self, text: OperatorText) {
        self.hub.announce_to_all(text);
    }

    /// Sends `text` to the members of a room, numbered like everything that is said there.
    ///
    /// # Errors
    /// [`NoSuchRoom`] if the room does not exist, or no longer does.
    pub fn announce(&self, room: RoomId, text: OperatorText) -> Result<(), NoSuchRoom> {
        if self.hub.announce(room, text) { Ok(()) } else { Err(NoSuchRoom(room)) }
    }

    /// Tells a session why it is being removed, and closes its connection once the commands already read from it are
    /// carried out. Returns false if the session has already ended.
    pub fn remove(&self, session: SessionId, reason: OperatorText) -> bool {
        self.hub.remove(session, reason)
    }

    /// Presents another certificate to clients that connect from now on; existing connections continue. Does not
    /// change whether plain text is refused. Returns false if the server was started without a certificate, since it
    /// then never speaks TLS.
    pub fn replace_certificate(&self, tls: &TlsConfig) -> bool {
        if let Some(acceptor) = &self.acceptor {
            acceptor.replace(tls);
        }
        self.acceptor.is_some()
    }
}

/// Reads a server's counters, from any thread. Cheap to clone, and usable after the server's end.
#[derive(Debug, Clone)]
pub struct Monitor(Arc<Counters>);

impl Monitor {
    /// Takes a snapshot, as of the end of the last turn of the event loop.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }
}

/// There is no room with this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoSuchRoom(pub RoomId);

impl fmt::Display for NoSuchRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no room {}", self.0)
    }
}

impl std::error::Error for NoSuchRoom {}

/// A server that runs on a thread of its own. Dropping the handle lets the server run on.
#[derive(Debug)]
pub struct ServerHandle {
    address: SocketAddr,
    controller: Controller,
    monitor: Monitor,
    thread: JoinHandle<io::Result<()>>,
}

impl ServerHandle {
    /// The address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the server: see [`Controller::stop`].
    pub fn stop(&self) {
        self.controller.stop();
    }

    /// Sends `text` to everyone: see [`Controller::announce_to_all`].
    pub fn announce_to_all(&self, text: OperatorText) {
        self.controller.announce_to_all(text);
    }

    /// Sends `text` to the members of a room: see [`Controller::announce`].
    ///
    /// # Errors
    /// [`NoSuchRoom`] if the room does not exist, or no longer does.
    pub fn announce(&self, room: RoomId, text: OperatorText) -> Result<(), NoSuchRoom> {
        self.controller.announce(room, text)
    }

    /// Removes a session's connection: see [`Controller::remove`].
    pub fn remove(&self, session: SessionId, reason: OperatorText) -> bool {
        self.controller.remove(session, reason)
    }

    /// Returns a handle that controls the server from any thread.
    pub fn controller(&self) -> Controller {
        self.controller.clone()
    }

    /// Returns a handle that reads the server's counters from any thread, even after the server's end.
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }

    /// Waits until the server has been stopped, by anyone, and its threads have ended.
    ///
    /// # Errors
    /// As [`Server::run`].
    ///
    /// # Panics
    /// When the server's thread has panicked.
    pub fn join(self) -> io::Result<()> {
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConfigError, Event, Limits};

    #[test]
    fn what_programs_hold_can_be_printed_sent_and_shared() {
        fn is_everything<T: fmt::Debug + Send + Sync>() {}
        fn is_sent<T: fmt::Debug + Send>() {}
        is_sent::<Server>();
        is_sent::<Events>();
        is_everything::<Config>();
        is_everything::<ConfigError>();
        is_everything::<Controller>();
        is_everything::<Event>();
        is_everything::<Limits>();
        is_everything::<Monitor>();
        is_everything::<ServerHandle>();
        is_everything::<StartError>();
        is_everything::<Stats>();
    }
}
