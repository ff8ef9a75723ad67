//! [`Change`]: events of the terminal besides keys.

/// Something that happened to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(unix), expect(dead_code, reason = "nothing reports it there"))]
pub(crate) enum Change {
    Resized,
    /// The process was stopped and continues.
    Resumed,
}
