//! The phases of the stop of the server.

use crate::net::Instant;

/// The phase of stopping the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Nothing more is read. Accepted requests are being carried out.
    Finishing {
        /// When the wait for that ends.
        deadline: Instant,
    },
    /// Every peer has been told; the connections are closing.
    Closing,
}
