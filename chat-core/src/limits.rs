//! What a hub may hold.

/// The limits of a [`Hub`](crate::Hub).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubLimits {
    /// The most rooms at one time. Default: 100,000. A room costs some 300 bytes and its title; once
    /// it has been listed, its title and at most 50 of its members' names again.
    pub rooms: usize,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self { rooms: 100_000 }
    }
}
