//! The load generator: many members of many rooms on one thread, with an account of every message.
//!
//! [`run()`] measures what a delivered message costs, [`idle`] what a silent connection costs, [`resume`] the return of
//! thousands that lost theirs. The first two open [`clients`] over non-blocking sockets; a [`plan`] seats them, a [`protocol`] and a [`template`] speak to
//! the server, in a form ([`dialect`]) that may be [`tls`], a [`websocket`] or both; [`framing`] cuts what
//! comes back, and a [`tally`] counts it by the [`token`] in each text.
//!
//! The hot path allocates nothing and parses only the token: the generator must not cost more than the server. So it
//! only counts losses and repetitions; whether a chat server keeps its promises is checked by [`soak`](crate::soak).
//! Nothing here starts a server: the caller does, and may name its process.

pub mod clients;
pub mod connection;
pub mod dialect;
pub mod framing;
pub mod idle;
pub mod plan;
pub mod protocol;
pub mod report;
pub mod resume;
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
