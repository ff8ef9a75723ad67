//! The connection to the server: finding it, connecting, encryption, reading messages, writing frames.
//!
//! Nothing in here knows what messages mean, what is on the screen, or whether to connect again. The
//! [threads](crate::threads) read and write; the [event loop](crate::event_loop) fills the outbox and decides when to
//! connect.

pub(crate) mod backoff;
pub(crate) mod connection;
pub(crate) mod connector;
pub(crate) mod destination;
pub(crate) mod hello;
pub(crate) mod outbox;
pub(crate) mod stream;
pub(crate) mod timed;
pub(crate) mod tls;
