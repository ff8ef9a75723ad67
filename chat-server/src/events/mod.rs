//! Events: what happens in a server, reported to the program around it.
//!
//! The engine shows the [`Observer`] the hub's outputs; the program reads the [`Events`] that it makes of
//! them. The server never waits for the reader.

mod event;
mod observer;
mod queue;

pub use event::Event;
pub use queue::Events;

pub(crate) use observer::Observer;
