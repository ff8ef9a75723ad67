//! The hub behind its lock, and the threads that run connections' mailboxes against it.
//!
//! The engine's dispatcher posts to mailboxes, runs them itself or submits them to the pool, and takes the hub's
//! outputs. Nothing here knows about sockets or clocks.
//!
//! The files name each other by `super::`: `tests/model` compiles them unchanged over the primitives of loom and
//! shuttle, which is why [`sync`] stands between them and `std`.

mod list;
mod mailbox;
mod pool;
mod queue;
mod recording;
mod shared_hub;
mod sleep;
mod sync;
mod task;
#[cfg(test)]
mod tests;

pub(crate) use list::{AskedList, List};
pub(crate) use mailbox::{Mailbox, Request};
pub(crate) use pool::Pool;
pub use recording::{Replay, ReplayError, replay};
pub(crate) use shared_hub::{HubProgress, MailboxState, SharedHub};
pub(crate) use task::{Finished, Job};
