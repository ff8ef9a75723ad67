//! A room chat server: one event loop on mio, a work-stealing pool, and a fan-out that encodes a
//! message once and copies it for nobody.
//!
//! [`Server::bind`] with a [`Config`] listens; [`Server::run`] serves on the calling thread and
//! [`Server::spawn`] on one of its own; a [`Stopper`] or the [`ServerHandle`] ends it. The rules of
//! the chat are in [`chat_core`], the bytes on the wire in [`chat_proto`].
//!
//! The modules, in the order in which a message meets them:
//!
//! - `listener` accepts, `reactor` polls, `engine` is everything above the kernel;
//! - `connections` is the table of them, `connection` turns bytes into requests;
//! - `mailbox` keeps a connection's requests in order, `pool` runs mailboxes on workers that `sleep`
//!   when there are none, `queue` is where mailboxes wait for them, `desk` is the hub behind its lock
//!   with the queue of its outputs, and `sync` the primitives under all these;
//! - `fanout` has the rooms, `room_log` the log and the cursors of one, `chunk` the bytes,
//!   `send_buffer` what a connection is still owed;
//! - `engine` is cut into what comes in (`intake`), what comes of it (`delivery`), what is not taken
//!   (`backlogs`), what takes too long (`deadlines`) and how it all ends (`closing`);
//! - `limits` has every limit, with `bucket` for rates and `addresses` for who is where; `stats` counts, by
//!   `close_reason`, by `limit` and in `histogram`s.

mod addresses;
#[cfg(feature = "bench-support")]
#[doc(hidden)]
pub mod bench_support;
mod bucket;
mod chunk;
mod close_reason;
mod config;
mod connection;
mod connections;
mod desk;
#[cfg(test)]
mod desk_tests;
mod engine;
mod fanout;
#[cfg(test)]
mod fault;
mod histogram;
mod limit;
mod limits;
mod listener;
mod mailbox;
mod moment;
#[cfg(test)]
mod panic_tests;
mod pool;
#[cfg(test)]
mod pool_tests;
mod queue;
mod reactor;
mod room_log;
#[cfg(test)]
mod scripted_socket;
mod send_buffer;
mod server;
#[cfg(test)]
mod simulation;
mod sleep;
mod socket;
mod stats;
mod sync;
mod timers;

pub use bucket::Allowance;
pub use close_reason::CloseReason;
pub use config::{Config, ConfigError, ShutdownFrom};
pub use histogram::Histogram;
pub use limit::Limit;
pub use limits::Limits;
pub use server::{Monitor, Server, ServerHandle, StartError, Stopper};
pub use stats::{Closed, MessageKind, Reached, Received, Stats};
