//! The terminal of this process: its modes, size, keys and signals. Elsewhere than on Unix it cannot be
//! taken over, and input is read as lines.

mod change;
#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod unsupported;

pub(crate) use change::Change;
#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(not(unix))]
pub(crate) use unsupported::*;
