//! The edge to the kernel: the listening socket, connected sockets and the clock. Everything above it
//! runs without a kernel, over scripted sockets and a time that tests choose.

mod clock;
mod key;
pub(crate) mod listener;
mod socket;

pub(crate) use clock::{Clock, Instant};
pub(crate) use key::ConnKey;
pub(crate) use listener::Listener;
pub(crate) use socket::{Socket, written_by_this_thread};
