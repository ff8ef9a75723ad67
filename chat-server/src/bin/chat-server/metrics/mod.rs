//! `--metrics`: counters for Prometheus and the state of the server, over HTTP; and `--probe`, which asks
//! for the latter.
//!
//! `main` starts an `http_server`, whose connections each answer one request with one of the `pages`. These
//! come from the server's statistics and from `process`, through `encoder`. No lock of the server is ever
//! taken here, and all peers of this port together cost one thread and a few connections. `probe` is the
//! client.

mod encoder;
mod http_connection;
mod http_server;
mod pages;
mod probe;
mod process;

pub(crate) use http_server::start;
pub(crate) use pages::Pages;
pub(crate) use probe::probe;
