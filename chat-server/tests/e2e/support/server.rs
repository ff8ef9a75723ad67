//! A server of the library, in the process of the test.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use chat_server::{Config, Controller, Server, ServerHandle, Stats};

use super::{Client, DEADLINE, Watchdog};

/// A server that is stopped and joined when dropped. Declare it before its clients, so that they are gone by then and
/// the stop need not wait for them.
#[derive(Debug)]
pub(crate) struct RunningServer {
    address: SocketAddr,
    handle: Option<ServerHandle>,
    _watchdog: Watchdog,
}

/// A server with the default configuration, but without a limit on the rate of commands.
pub(crate) fn start() -> RunningServer {
    RunningServer::with(|_| {})
}

impl RunningServer {
    pub(crate) fn start(config: Config) -> Self {
        let server = Server::bind(config).expect("a free port");
        let handle = server.spawn().expect("a thread");
        Self::of(handle)
    }

    pub(crate) fn of(handle: ServerHandle) -> Self {
        let address = handle.address();
        Self { address, handle: Some(handle), _watchdog: Watchdog::start() }
    }

    /// A server with the configuration of [`start`], changed by `change`.
    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.limits.lift_rates();
        change(&mut config);
        Self::start(config)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new connection. Its number is the next one: the server has answered before this returns.
    pub(crate) fn client(&self) -> Client {
        Client::of(self.address)
    }

    pub(crate) fn clients<const N: usize>(&self) -> [Client; N] {
        std::array::from_fn(|_| self.client())
    }

    /// New connections, all of which are in a new room and have received every notice so far. Returns
    /// them and the number of the room.
    pub(crate) fn members<const N: usize>(&self) -> ([Client; N], u64) {
        let mut clients = self.clients();
        let room = clients[0].enter_new("room");
        for entering in 1..N {
            clients[entering].enter(room);
            for member in &mut clients[..entering] {
                member.expect_code("member-entered");
            }
        }
        (clients, room)
    }

    /// The statistics of the server as of the end of its last turn.
    pub(crate) fn stats(&self) -> Stats {
        self.handle.as_ref().expect("it has not been joined").monitor().stats()
    }

    pub(crate) fn controller(&self) -> Controller {
        self.handle.as_ref().expect("it has not been joined").controller()
    }

    pub(crate) fn stop(&self) {
        self.controller().stop();
    }

    /// Waits for the end of a server that was told to stop.
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

/// Runs a test for each way by which requests reach the hub: all through 1, 2 or 8 workers, some through workers and
/// some inline, and the default.
pub(crate) fn each_way(test: impl Fn(&RunningServer)) {
    for (workers, inline_requests) in [(1, 0), (2, 0), (8, 0), (4, 5)] {
        test(&RunningServer::with(|config| {
            config.workers = workers;
            config.inline_requests = inline_requests;
        }));
    }
    test(&start());
}
