//! The primitives under the hand-off between reactor and workers.
//!
//! `sleep`, `mailbox`, `shared_hub` and `pool` name these, and each other, by `super::`, and use no others:
//! the model checks (`tests/model`) compile the same files over the primitives of loom and of shuttle.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, fence};
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
pub(crate) use std::thread::{Builder, JoinHandle};
