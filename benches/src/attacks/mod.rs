//! Attacks on a chat server, each bounded in connections, over loopback only.
//!
//! A [`Kind`] prepares an attack: it opens its connections and enters its rooms. From then on the attack does a
//! little in each turn, until it is told to stop ([`Running`]). What the attack does to others is measured by
//! [`fairness`](crate::fairness), and checked by the [`soak`](crate::soak). An attack never checks what the
//! server answers, and goes on when the server ends its connections.

mod commands;
mod connects;
mod crowd;
mod debts;
mod flood;
mod handshakes;
mod input;
mod kind;
mod lists;
mod rooms;
mod running;
mod scene;

use scene::{Attack, COMMAND_INTERVAL, Pace, Prepared, WAIT};

pub use kind::Kind;
pub use running::Running;
pub use scene::Scene;
