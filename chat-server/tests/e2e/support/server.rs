//! A server of the library, in this process.

use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use chat_server::{Config, Server, ServerHandle, Stats};

use super::{Client, DEADLINE};

/// How long a whole test may take.
const WATCH: Duration = Duration::from_secs(90);

/// Ends the process when a test does not end: a test that hangs says so instead of hanging the run.
#[derive(Debug)]
pub(crate) struct Watchdog {
    /// Dropping it calls the watchdog off.
    _alive: Sender<()>,
}

impl Watchdog {
    pub(crate) fn start() -> Self {
        let test = thread::current().name().unwrap_or("a test").to_owned();
        let (alive, watch) = mpsc::channel::<()>();
        thread::spawn(move || {
            if watch.recv_timeout(WATCH) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{test} did not end within {WATCH:?}");
                std::process::abort();
            }
        });
        Self { _alive: alive }
    }
}

/// A server that is stopped and joined when it is dropped, which has to be soon done: declare it
/// before its clients, so that they are gone by then.
#[derive(Debug)]
pub(crate) struct RunningServer {
    address: SocketAddr,
    handle: Option<ServerHandle>,
    _watchdog: Watchdog,
}

/// A server with the default configuration, but that tests may send faster than people.
pub(crate) fn start() -> RunningServer {
    RunningServer::with(|_| {})
}

impl RunningServer {
    pub(crate) fn start(config: Config) -> Self {
        let server = Server::bind(config).expect("the address can be had");
        let handle = server.spawn().expect("a thread can be had");
        Self::of(handle)
    }

    pub(crate) fn of(handle: ServerHandle) -> Self {
        let address = handle.address();
        Self { address, handle: Some(handle), _watchdog: Watchdog::start() }
    }

    /// A server with `change` made to the configuration of [`start`].
    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.limits.commands.per_second = 0;
        change(&mut config);
        Self::start(config)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new connection. Its id is the next one: the server has answered it before this returns.
    pub(crate) fn client(&self) -> Client {
        let mut client = Client::connect(self.address);
        client.expect_nothing();
        client
    }

    pub(crate) fn clients<const N: usize>(&self) -> [Client; N] {
        std::array::from_fn(|_| self.client())
    }

    /// How the server was at the end of its last turn.
    pub(crate) fn stats(&self) -> Stats {
        self.handle.as_ref().expect("it has not been joined").monitor().stats()
    }

    pub(crate) fn stop(&self) {
        self.handle.as_ref().expect("it has not been joined").stop();
    }

    /// Waits for the end of a server that somebody has stopped.
    pub(crate) fn join(&mut self) {
        let Some(handle) = self.handle.take() else { return };
        let (done, ended) = mpsc::channel();
        thread::spawn(move || done.send(handle.join().map_err(|e| e.to_string())));
        match ended.recv_timeout(DEADLINE) {
            Ok(result) => assert_eq!(result, Ok(()), "the server ended well"),
            Err(e) => panic!("the server did not end within {DEADLINE:?}, or panicked: {e}"),
        }
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.stop();
            if !thread::panicking() {
                self.join();
            }
        }
    }
}

/// Runs a test on the ways in which requests reach the hub: everything through 1, 2 or 8 workers,
/// now through them and now past them, and as configured by default.
pub(crate) fn each_way(test: impl Fn(&RunningServer)) {
    for (workers, inline_requests) in [(1, 0), (2, 0), (8, 0), (4, 5)] {
        test(&RunningServer::with(|config| {
            config.workers = workers;
            config.inline_requests = inline_requests;
        }));
    }
    test(&start());
}
