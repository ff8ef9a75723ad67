//! TLS on the client's side, over rustls: whom to trust, the handshake, the encrypted stream.
//!
//! [`settings`] turns the [`Trust`](trust::Trust) of the flags into what rustls takes, once; the
//! [connector](crate::net::connector) shakes hands on each new connection; the threads of a connection read
//! and write its [`stream`]. Nothing in here connects or knows about frames.

pub(crate) mod error;
pub(crate) mod fingerprint;
pub(crate) mod handshake;
pub(crate) mod settings;
pub(crate) mod stream;
pub(crate) mod trust;
mod verifier;
