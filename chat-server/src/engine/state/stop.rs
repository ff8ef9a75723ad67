//! The phases of the stop of the server.

use crate::net::Instant;

/// The phase of the stop of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Nothing is read any more. What was accepted is being carried out.
    Finishing {
        /// The time until which that is waited for.
        deadline: Instant,
    },
    /// Everyone has been told; the connections are closing.
    Closing,
}
