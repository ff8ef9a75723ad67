//! How far the stop of the server has come.

use crate::net::Instant;

/// How far the stop of the server has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Nothing is read any more. What was accepted is being carried out.
    Finishing {
        /// When that is not waited for any longer.
        deadline: Instant,
    },
    /// Everyone has been told; the connections are closing.
    Closing,
}
