//! A server under a mixed load for as long as one likes, and the checks that nothing is lost and nothing
//! leaks.
//!
//! The long-lived clients ([`talkers`]) send numbered messages to each other all the time. Meanwhile
//! [`visitor`]s come and go, each with a [`scenario`] made up from the seed: they talk, flood, read slowly
//! or not at all, send what is no command, and end in the middle of it. Every [`client`] is held against
//! the rules by the checker that the server's own tests use (`chat-testing`). At the end everybody
//! leaves, and [`ending`] compares rooms, counters, descriptors and memory with what was there before.
//!
//! What happens is decided by the seed, when it meets by the kernel. One thread, rates that two cores
//! carry with ease, loopback addresses only.

mod bad_input;
mod client;
mod config;
mod ending;
mod metrics;
mod report;
mod resources;
mod run;
mod scenario;
mod server;
mod socket;
mod talkers;
mod visitor;

pub use config::Config;
pub use report::Report;
pub use resources::Trend;
pub use run::run;
pub use server::Target;
