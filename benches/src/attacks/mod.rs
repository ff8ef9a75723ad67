//! Attacks on a chat server, each bounded in connections, over loopback only.
//!
//! A [`Kind`] prepares an attack: it opens its connections and enters its rooms. From then on, the attack does a
//! little in each turn, until it is told to stop ([`Running`]). [`fairness`](crate::fairness) measures its effect on
//! others, and the [`soak`](crate::soak) checks for harm. An attack never checks the server's answers, and continues
//! when the server ends its connections.

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
