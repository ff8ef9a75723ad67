//! A server under a mixed load for any length of time, with checks that nothing is lost or leaked.
//!
//! Long-lived clients (`talkers`) keep sending each other numbered messages. Meanwhile visitors (`visitor`) come and
//! go, each with a `scenario` that the `planner` derives from the seed: they talk, flood, read slowly or not at all,
//! send malformed frames, and end at any point. Some of all these are browsers, whose traffic is put into the `form`
//! of a WebSocket. And `attackers` attack in one way after another. The checker that the server's own tests use
//! (`chat-testing`) checks every `client`. At the end, all clients leave, and `ending` compares rooms, counters,
//! descriptors and memory with those at the start.
//!
//! The seed decides what happens, the kernel when. There is one thread, with rates that two cores carry with ease, and
//! loopback addresses only.

mod attackers;
mod bad_input;
mod client;
mod config;
mod ending;
mod form;
mod planner;
mod report;
mod resources;
mod rest;
mod run;
mod scenario;
mod socket;
mod talkers;
mod visitor;

pub use config::Config;
pub use report::Report;
pub use resources::Trend;
pub use run::run;
