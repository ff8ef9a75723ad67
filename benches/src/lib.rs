//! Tools that measure what a delivered chat message costs, on this server and on others.
//!
//! - [`load`] talks to a server as many members of many rooms, and accounts for every message.
//!   [`load::idle`] opens thousands of connections that say nothing.
//! - [`compare`] runs several servers under several workloads, and summarizes them in a table.
//! - [`attacks`] harm a chat server in many ways; [`fairness`] measures what others feel of each.
//! - [`relay`] is the floor: a server that does nothing but copy.
//! - [`soak`] keeps the chat server under a mixed load for as long as one likes, and checks that nothing is
//!   lost and nothing leaks.
//! - [`measure`] reads what the operating system knows of a process.
//!
//! Each tool is a program in `src/bin`. All of them connect to loopback addresses only, are bounded in
//! count and time, and stop by themselves.

pub mod args;
pub mod attacks;
pub mod compare;
pub mod error;
pub mod fairness;
pub mod load;
pub mod measure;
pub mod relay;
pub mod soak;
mod text_table;
mod words;
