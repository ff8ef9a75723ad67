//! A server under a mixed load for as long as one likes, and the checks that nothing is lost or leaked.
//!
//! The long-lived clients (`talkers`) send numbered messages to each other all the time. Meanwhile visitors
//! (`visitor`) come and go, each with a `scenario` that the `planner` makes of the seed: they talk, flood, read slowly or
//! not at all, send malformed frames, and end at any point. Some of all these are browsers: what they say is
//! put into the `form` of a WebSocket. And `attackers` attack in one way after the other.
//! The checker of the server's own tests
//! (`chat-testing`) checks every `client`. At the end all clients leave, and `ending` compares rooms, counters,
//! descriptors and memory with those at the start.
//!
//! The seed decides what happens, the kernel when. One thread, rates that two cores carry with ease,
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
