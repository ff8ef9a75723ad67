//! `--metrics` serves counters for Prometheus and the server's health over HTTP; `--probe` asks for the latter.
//!
//! `main` starts an `http_server`. Each of its connections answers one request with one of the `pages`, which are
//! rendered from the server's statistics and from `process`, through `encoder`. Nothing here takes a lock of the
//! server, and all peers of this port together cost one thread and a few connections. `probe` is the client.

mod encoder;
mod http_connection;
mod http_server;
mod pages;
mod probe;
mod process;

pub(crate) use http_server::start;
pub(crate) use pages::Pages;
pub(crate) use probe::probe;
