//! Tools that measure what a delivered chat message costs, on this server and on others.
//!
//! - [`load`] talks to a server as many members of many rooms, and accounts for every message. [`load::idle`] opens
//!   thousands of connections that say nothing, and [`load::resume`] drops thousands that come back.
//! - [`compare`] runs several servers under several workloads, and summarizes them in a table.
//! - [`attacks`] harm a chat server in many ways; [`fairness`] measures the effect of each on others.
//! - [`relay`] is the lower bound: a server that does nothing but copy.
//! - [`soak`] keeps the chat server under a mixed load for any length of time, and checks that nothing is lost and
//!   nothing leaks.
//! - [`strangers`] are two people in a room of their own, whose messages show what others feel of all this.
//! - [`measure`] reads what the operating system knows about a process.
//!
//! Each tool is a program in `src/bin`. All of them connect to loopback addresses only, are bounded in number and
//! time, and stop by themselves.

pub mod args;
pub mod attacks;
pub mod compare;
pub mod error;
pub mod fairness;
pub mod load;
pub mod measure;
pub mod relay;
pub mod soak;
pub mod strangers;
mod text_table;
mod words;
