//! The limits of a hub.

use serde::{Deserialize, Serialize};

/// The limits of a [`Hub`](crate::Hub).
///
/// ```
/// let limits = chat_core::HubLimits::new().with_rooms(10);
/// assert_eq!(limits.rooms, 10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct HubLimits {
    /// The most rooms at one time. Default: 100,000. A room takes about 300 bytes and its title; once
    /// it has been listed, also a copy of the title and of up to 50 member names.
    pub rooms: usize,
    /// Whether a room in which somebody has said something stays when its last member leaves: with its number, its title
    /// and the number of its last broadcast, until [`Input::CloseRoom`](crate::Input::CloseRoom), or until there are as
    /// many rooms as allowed and another is created; then the one closes that has been empty the longest. Default: false,
    /// a room closes after its last member.
    pub lasting_rooms: bool,
}

impl HubLimits {
    /// Returns the defaults.
    pub const fn new() -> Self {
        Self { rooms: 100_000, lasting_rooms: false }
    }

    /// Sets the most rooms at one time.
    #[must_use]
    pub const fn with_rooms(mut self, rooms: usize) -> Self {
        self.rooms = rooms;
        self
    }

    /// Sets whether rooms in which somebody has said something stay without members.
    #[must_use]
    pub const fn with_lasting_rooms(mut self, lasting_rooms: bool) -> Self {
        self.lasting_rooms = lasting_rooms;
        self
    }
}

impl Default for HubLimits {
    fn default() -> Self {
        Self::new()
    }
}
