//! `--metrics`: how the server is, over HTTP, for Prometheus and for whoever asks whether it lives.
//!
//! It reads counters and nothing else: no lock of the server is ever taken here, and a peer of this
//! port costs one thread and a few connections at the most. `http` serves, `exchange` is one request
//! with its answer, `pages` has what there is to answer, which come from the counters and from
//! `process`, and go out by `sheet`.

mod encoder;
mod http;
mod http_connection;
mod pages;
mod process;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use chat_server::{Limits, Monitor};
use mio::Waker;

use crate::logging::Log;
use http::HttpServer;
use pages::Pages;

/// The thread that serves `/metrics` and `/health`. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    // Lives until the thread has ended: one that is dropped right after `wake()` takes the wake-up
    // with it.
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Listens on `address` and serves on a thread of its own, `chat-metrics`.
    ///
    /// # Errors
    /// When it cannot listen there, or the system gives no more descriptors or threads.
    pub(crate) fn start(
        address: SocketAddr,
        monitor: Monitor,
        limits: Limits,
        log: Log,
    ) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let pages = Pages::new(monitor, limits, log);
        let (server, waker) = HttpServer::bind(address, Arc::clone(&stop), pages)?;
        let address = server.address()?;
        let thread = thread::Builder::new().name("chat-metrics".to_owned());
        let thread = thread.spawn(move || server.run())?;
        Ok(Self { address, stop, waker, thread: Some(thread) })
    }

    /// Where it listens, with the port that it really has.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if self.waker.wake().is_ok()
            && let Some(thread) = self.thread.take()
        {
            // If it panicked it has said so on standard error.
            let _ = thread.join();
        }
    }
}
