//! The edge to the kernel: listening sockets, connected sockets and the clock; and where a connection comes
//! from, by its socket or by the header of a proxy. Everything above it runs without a kernel, over scripted
//! sockets and a time that tests choose.

mod clock;
mod delivery;
mod key;
pub(crate) mod listener;
mod lobby;
mod network;
mod origin;
pub(crate) mod proxy_header;
mod socket;

pub(crate) use clock::{Clock, Instant};
pub(crate) use delivery::{Delivery, SockDiag};
pub(crate) use key::ConnKey;
pub(crate) use listener::Listener;
pub(crate) use lobby::{Arrival, Lobby, NoHeader};
pub use network::{InvalidNetwork, Network};
pub(crate) use origin::{Origin, canonical};
pub(crate) use socket::{Socket, written_by_this_thread};
