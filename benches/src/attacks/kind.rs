//! The kinds of attacks.

use std::time::Duration;

use super::scene::{Prepared, Scene};
use super::{commands, connects, debts, flood, handshakes, input, lists, rooms};

/// A kind of attack.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The name in tables and on the command line.
    pub name: &'static str,
    /// How long the attack takes to show its effect.
    pub time: Duration,
    pub(super) prepare: fn(&Scene) -> Prepared,
}

const fn kind(name: &'static str, prepare: fn(&Scene) -> Prepared) -> Kind {
    Kind { name, time: Duration::from_secs(5), prepare }
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 19] = [
        kind("renames in a room of 6,000", rooms::renames),
        kind("joins and leaves in a room of 6,000", rooms::visits),
        kind("readers that stop in a busy room", rooms::stopped_readers),
        kind("lists of 3,000 rooms, 300 askers", lists::many_askers),
        kind("lists of 3,000 rooms, one asker", lists::one_asker),
        kind("fragments of one byte", input::fragments),
        kind("urgent bytes", input::urgent_bytes),
        kind("invalid frames", input::invalid_frames),
        kind("big frames", input::big_frames),
        kind("half frames", input::half_frames),
        kind("long half frames", input::long_half_frames),
        kind("connect and reset", connects::resets),
        kind("TLS handshakes, 200 a second", handshakes::paced),
        kind("TLS handshakes, incessant", handshakes::incessant),
        kind("rooms made and left", commands::rooms),
        kind("names set", commands::names),
        kind("shutdowns refused", commands::shutdowns),
        kind("debts brought into the room", debts::debts),
        Self {
            time: Duration::from_secs(15),
            ..kind("a flood beside a slow reader", flood::flood)
        },
    ];
}
