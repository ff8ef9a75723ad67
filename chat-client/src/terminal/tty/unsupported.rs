//! The terminal on systems other than Unix. It cannot be taken over, and no keys are read.

use std::io::{self, ErrorKind};
use std::time::Duration;

use super::Change;

pub(crate) fn take_over() -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

pub(crate) fn resume() -> io::Result<()> {
    take_over()
}

pub(crate) fn restore() {}

pub(crate) fn suspend() {}

pub(crate) fn size() -> (usize, usize) {
    (80, 24)
}

pub(crate) fn read(_: &mut [u8]) -> io::Result<usize> {
    Err(ErrorKind::Unsupported.into())
}

pub(crate) fn is_readable_within(_: Duration) -> bool {
    false
}

pub(crate) fn watch_signals(_: impl Fn(Change) + Send + 'static) -> io::Result<()> {
    Ok(())
}
