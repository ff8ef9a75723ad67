//! The actual client against the actual server, and against a scripted peer that sends what no actual server would.
//! Tests only wait for something to happen, always with a deadline.

mod command_line;
mod conversation;
mod endings;
#[cfg(unix)]
mod flood;
mod hello;
mod hostile;
#[cfg(unix)]
mod pty;
mod real_server;
#[cfg(unix)]
mod resume;
mod support;
#[cfg(unix)]
mod terminal;
mod tls_peer;
mod tls_stream;
mod tls_trust;
