//! The load generator: many members of many rooms on one thread, each of whose messages is accounted for.
//!
//! [`run()`] measures what a delivered message costs, [`idle`] what a silent connection costs. Both open
//! [`clients`] over non-blocking sockets; a [`plan`] seats them, a [`protocol`] and a [`template`] speak to
//! the server, in a form ([`dialect`]) that may be [`tls`], a [`websocket`] or both; [`framing`] cuts what
//! comes back, and a [`tally`] counts it by the [`token`] in each text.
//!
//! The hot path allocates nothing and parses nothing but the token: the generator must not cost more than
//! the server. So it counts losses and repetitions only; whether a chat server keeps its promises is
//! checked by [`soak`](crate::soak). Nothing here starts a server: the caller does, and may name its
//! process.

pub mod clients;
pub mod connection;
pub mod dialect;
pub mod framing;
pub mod idle;
pub mod plan;
pub mod protocol;
pub mod report;
pub mod run;
pub mod schedule;
mod socket;
pub mod tally;
pub mod template;
pub mod tls;
pub mod token;
pub mod websocket;

pub use dialect::{Dialect, Form};
pub use plan::Talkers;
pub use protocol::Protocol;
pub use report::Report;
pub use run::{Config, Pace, run};
