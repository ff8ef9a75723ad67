//! The real client against the real server, and against a scripted peer that sends what a real server
//! never would. All waiting is for something to happen, and has a deadline.

mod command_line;
mod conversation;
mod endings;
#[cfg(unix)]
mod flood;
mod hostile;
#[cfg(unix)]
mod pty;
mod real_server;
mod support;
#[cfg(unix)]
mod terminal;
mod tls_peer;
mod tls_stream;
mod tls_trust;
