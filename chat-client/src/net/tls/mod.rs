//! TLS on the client's side, over rustls: trust, the handshake, the encrypted stream.
//!
//! [`settings`] converts the [`Trust`](trust::Trust) of the flags for rustls, once; the
//! [connector](crate::net::connector) performs the handshake on each new connection; the threads of a connection read
//! and write its [`stream`]. Nothing in here connects, or knows about frames.

pub(crate) mod error;
pub(crate) mod fingerprint;
pub(crate) mod handshake;
pub(crate) mod settings;
pub(crate) mod stream;
pub(crate) mod trust;
mod verifier;
