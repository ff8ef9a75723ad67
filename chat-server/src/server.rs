//! A server as others use it: start it, know its address, stop it, wait for its end.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use chat_core::Lang;

use crate::config::{Config, ConfigError};
use crate::events::Events;
use crate::events::Observer;
use crate::net::Listener;
use crate::reactor::Setup;
use crate::stats::{Counters, Stats};
use crate::workers::SharedHub;
use chat_proto::{Localize, localize};

/// A server that listens and does not serve yet.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use chat_server::{Config, Server};
///
/// let server = Server::bind(Config::default())?.spawn()?;
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
    address: SocketAddr,
    setup: Setup,
}

impl Server {
    /// Listens on the configured address and starts the workers. From here on connections queue.
    ///
    /// # Errors
    /// [`StartError`], which says what could not be had and what to do.
    pub fn bind(config: Config) -> Result<Self, StartError> {
        config.check().map_err(StartError::Config)?;
        let address = config.address;
        let listener = Listener::bind(address, config.limits.kernel_send_buffer)
            .map_err(|source| StartError::Listen { address, source })?;
        let address = listener.address().map_err(StartError::System)?;
        Ok(Self { address, setup: Setup::new(listener, config).map_err(StartError::System)? })
    }

    /// Where the server listens, with the port that it really has.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What stops the server, from any thread.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(self.setup.hub()))
    }

    /// What tells how the server is, from any thread.
    pub fn monitor(&self) -> Monitor {
        Monitor(Arc::clone(self.setup.counters()))
    }

    /// Tells this program what happens, from the first connection on. When `capacity` events wait to be
    /// read (0 counts as 1), the next ones are missed: the server never waits for whoever reads. A
    /// busy server has thousands of events a second.
    ///
    /// Room for them is made at once, some 80 bytes each. Texts, of at most 64 KiB each, come on top
    /// while they wait; so do some 200 bytes a session. The limits on memory do not count either.
    ///
    /// There is one observer: the events of an earlier call end.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use chat_server::{Config, Event, Server};
    ///
    /// let mut server = Server::bind(Config::default())?;
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

    /// Serves on this thread until the server is stopped.
    ///
    /// # Errors
    /// When the kernel refuses to say which sockets are ready.
    pub fn run(self) -> io::Result<()> {
        self.run_with(|| {})
    }

    /// Serves on this thread until the server is stopped, and calls `on_stop` when the stop begins: what
    /// was accepted is being delivered then, and no connection is taken any more.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn run_with(self, on_stop: impl FnOnce()) -> io::Result<()> {
        self.setup.run(on_stop)
    }

    /// Serves on a thread of its own.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn spawn(self) -> io::Result<ServerHandle> {
        let (address, stopper, monitor) = (self.address(), self.stopper(), self.monitor());
        let thread = thread::Builder::new().name("chat-reactor".to_owned());
        let thread = thread.spawn(move || self.run())?;
        Ok(ServerHandle { address, stopper, monitor, thread })
    }
}

/// Stops a server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<SharedHub>);

impl Stopper {
    /// Has the server deliver what it has accepted, take leave of everyone, and end. Returns at
    /// once; to call it again changes nothing.
    pub fn stop(&self) {
        self.0.request_stop();
    }
}

/// Tells how a server is. Cheap to clone, and of use beyond the server's end.
#[derive(Debug, Clone)]
pub struct Monitor(Arc<Counters>);

impl Monitor {
    /// How the server was at the end of its last turn.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }
}

/// A server that runs on a thread of its own. Dropping it lets the server run on.
#[derive(Debug)]
pub struct ServerHandle {
    address: SocketAddr,
    stopper: Stopper,
    monitor: Monitor,
    thread: JoinHandle<io::Result<()>>,
}

impl ServerHandle {
    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// As [`Stopper::stop`].
    pub fn stop(&self) {
        self.stopper.stop();
    }

    /// What stops the server, from any thread.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// What tells how the server is, from any thread and beyond its end.
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }

    /// Waits until the server has been stopped, by whomever, and its threads have ended.
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

/// Why a server could not start. `Display` is the English text; what is behind it is its `source`.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration has a value that no server can run with.
    Config(ConfigError),
    /// It cannot listen there.
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The system gives no more descriptors or threads.
    System(io::Error),
}

impl StartError {}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_in(Lang::En, f)
    }
}

impl Localize for StartError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(_) => localize!(f, lang,
                en: "the configuration is not right",
                ko: "설정이 맞지 않아요"),
            Self::Listen { address, .. } => localize!(f, lang,
                en: "cannot listen on {address}",
                ko: "{address} 주소에서 연결을 받을 수 없어요"),
            Self::System(_) => localize!(f, lang,
                en: "the system has no descriptors or threads to give",
                ko: "시스템에 남은 디스크립터나 스레드가 없어요"),
        }
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::Listen { source, .. } | Self::System(source) => Some(source),
        }
    }
}
