//! Recordings: every input of the hub in a file, with a hash of the hub now and then, to be applied again.
//!
//! [`Recorder`] writes lines (`line`) under the hub's lock, `writer` moves them to the file on a thread of its own, and
//! [`replay`] reads them. Nothing here changes a hub that serves, or makes it wait.

mod line;
mod recorder;
mod replay;
mod writer;

pub(crate) use recorder::Recorder;
pub use replay::{Replay, ReplayError, replay};
