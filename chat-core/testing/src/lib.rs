//! Checkers and clients shared by the tests of this workspace: the simulation and the end-to-end tests of
//! the server, the fuzz targets and the soak.
//!
//! - [`Checker`] takes what each member of each room received, and finds messages that are lost, repeated,
//!   out of order or leaked ([`Violation`]).
//! - [`Conversation`] checks one connection: each request has its answer, in order. It reports the
//!   broadcasts in between to the checker.
//! - [`Rng`] generates the random numbers of a seed.
//! - [`Client`] is a blocking client over TCP, which fails the test when something takes too long.
//! - [`heap`] counts what is allocated; [`in_own_process`] gives a test a process of its own.
//!
//! The checkers do no I/O: their callers read sockets, virtual sockets or a hub's outputs. Nothing here
//! depends on a server. The crate is not published; no released crate depends on it, except for
//! its tests.

mod checker;
mod client;
mod conversation;
mod event;
pub mod heap;
mod process;
mod rng;
mod violation;

pub use checker::Checker;
pub use client::{Client, DEADLINE, End, Transport, UPGRADE, chats, frame, json_string, stream_of};
pub use conversation::{Conversation, Received, Request};
pub use event::Event;
pub use process::{Watchdog, in_own_network, in_own_process, is_alone};
pub use rng::Rng;
pub use violation::Violation;
