//! What a hub may hold.

/// The limits of a [`Hub`](crate::Hub).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubLimits {
    /// The most rooms at one time. Default: 100,000. A room costs some 300 bytes and its title, and
    /// as much again once it has been listed.
    pub rooms: usize,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self { rooms: 100_000 }
    }
}
