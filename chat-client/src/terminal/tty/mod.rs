//! The terminal of this process: its modes, size, keys and signals. Except on Unix, it cannot be taken over, and input
//! is read as lines.

#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod unsupported;

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(not(unix))]
pub(crate) use unsupported::*;

/// A change of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(unix), expect(dead_code, reason = "nothing reports it there"))]
pub(crate) enum Change {
    Resized,
    /// The process was stopped and continues.
    Resumed,
}
