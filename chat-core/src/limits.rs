//! What a hub may hold.

/// The limits of a [`Hub`](crate::Hub).
///
/// ```
/// let limits = chat_core::HubLimits::new().with_rooms(10);
/// assert_eq!(limits.rooms, 10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HubLimits {
    /// The most rooms at one time. Default: 100,000. A room costs some 300 bytes and its title; once
    /// it has been listed, its title and at most 50 of its members' names again.
    pub rooms: usize,
}

impl HubLimits {
    /// The defaults.
    pub const fn new() -> Self {
        Self { rooms: 100_000 }
    }

    /// Sets the most rooms at one time.
    #[must_use]
    pub const fn with_rooms(mut self, rooms: usize) -> Self {
        self.rooms = rooms;
        self
    }
}

impl Default for HubLimits {
    fn default() -> Self {
        Self::new()
    }
}
