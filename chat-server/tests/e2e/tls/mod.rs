//! TLS on the same port as plain text.

mod conversation;
mod handshakes;
mod program;
