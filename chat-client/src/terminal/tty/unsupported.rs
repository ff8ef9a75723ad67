//! In place of the terminal where there is none of the Unix kind: lines are read as they come.

use std::io;
use std::time::Duration;

/// Something that happened to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    #[expect(dead_code, reason = "nothing tells of it here")]
    Resized,
    #[expect(dead_code, reason = "nothing tells of it here")]
    Resumed,
}

/// # Errors
/// Always: there are no keys to be had, only lines.
pub(crate) fn take_over() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// # Errors
/// As [`take_over`].
pub(crate) fn resume() -> io::Result<()> {
    take_over()
}

pub(crate) fn give_back() {}

pub(crate) fn size() -> (usize, usize) {
    (80, 24)
}

/// # Errors
/// As [`take_over`].
pub(crate) fn read(_: &mut [u8]) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn is_readable_within(_: Duration) -> bool {
    false
}

pub(crate) fn suspend() {}

/// # Errors
/// Never.
pub(crate) fn watch_signals(_: impl Fn(Change) + Send + 'static) -> io::Result<()> {
    Ok(())
}
