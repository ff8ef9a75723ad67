//! The limits of a hub.

/// The limits of a [`Hub`](crate::Hub).
///
/// ```
/// let limits = chat_core::HubLimits::new().with_rooms(10);
/// assert_eq!(limits.rooms, 10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HubLimits {
    /// The most rooms at one time. Default: 100,000. A room takes about 300 bytes and its title; once
    /// it has been listed, also a copy of the title and of up to 50 member names.
    pub rooms: usize,
}

impl HubLimits {
    /// Returns the defaults.
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
