//! The edge to the kernel: listening sockets, connected sockets, their encryption, the clock, and the origin of a
//! connection, from its socket or a proxy's header. Everything above runs without a kernel, over scripted sockets and
//! a time that tests choose.

mod clock;
mod delivery;
mod key;
pub(crate) mod listener;
mod lobby;
mod network;
mod origin;
pub(crate) mod proxy_header;
mod socket;
mod stream;
mod tls;

pub(crate) use clock::{Clock, Instant};
pub(crate) use delivery::{Delivery, SockDiag};
pub(crate) use key::ConnKey;
pub(crate) use listener::Listener;
pub(crate) use lobby::{Arrival, Lobby, NoHeader};
pub use network::{InvalidNetwork, Network};
pub(crate) use origin::{Origin, canonical};
pub(crate) use socket::{Socket, StreamState, written_by_this_thread};
pub(crate) use stream::Stream;
pub(crate) use tls::Acceptor;
pub use tls::TlsConfig;
#[cfg(feature = "tls")]
pub use tls::{TlsError, TlsFault};
