//! Why the program ends without having served, or before it has stopped in order.

use std::io;
use std::net::SocketAddr;

use chat_server::StartError;

#[derive(Debug)]
pub(crate) enum ExitError {
    NoLog(io::Error),
    /// No port was named.
    NoPort,
    Start(StartError),
    /// Metrics cannot be served at the address that was asked for.
    Metrics {
        address: SocketAddr,
        error: io::Error,
    },
    /// The system gives no more descriptors or threads.
    System(io::Error),
    /// The kernel does not say which sockets are ready.
    Serving(io::Error),
    /// Of that name.
    SecondSignal(&'static str),
}
