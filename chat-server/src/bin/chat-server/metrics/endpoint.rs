//! The thread that serves the pages.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use chat_server::{Limits, Monitor};
use mio::Waker;

use super::http_server::HttpServer;
use super::pages::Pages;
use crate::logging::Log;

/// The thread that serves `/metrics` and `/health`. Dropping this ends it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    // Kept until the thread has ended: a waker dropped right after `wake()` loses the wake-up.
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Listens on `address` and serves on a thread of its own, `chat-metrics`.
    ///
    /// # Errors
    /// If it cannot listen there, or if the system gives no more descriptors or threads.
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

    /// The address it listens on, with the port that was chosen if that was 0.
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
            // A panic has been logged.
            let _ = thread.join();
        }
    }
}
