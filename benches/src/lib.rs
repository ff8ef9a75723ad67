//! Tools that measure what a delivered chat message costs, here and elsewhere.
//!
//! - [`load`] talks to a server as many members of many rooms, and knows of every message whether,
//!   when and how often it arrived.
//! - [`idle`] opens thousands of connections that say nothing.
//! - [`soak`] does everything at once for as long as one likes, good and bad, and checks that nothing
//!   is lost and nothing kept.
//! - [`relay`] is the floor: a server that does nothing but copy.
//! - [`compare`] runs servers and shapes in turn, and makes one table.
//!
//! Everything runs on loopback addresses only, is bounded in count and time, and stops by itself.

pub mod args;
pub mod compare;
pub mod connection;
pub mod crew;
pub mod error;
pub mod idle;
pub mod ledger;
pub mod load;
pub mod plan;
pub mod process;
pub mod protocol;
pub mod relay;
pub mod report;
pub mod scan;
pub mod schedule;
pub mod soak;
pub mod token;
