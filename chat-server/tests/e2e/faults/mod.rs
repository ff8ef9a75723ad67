//! Faults of peers and of the system, from `docs/catalogue.md`. Each is tried against a whole server over sockets,
//! most of them beside witnesses that keep talking.

mod backlog;
mod connections;
mod crowds;
mod drain;
mod flood;
mod heap;
mod memory;
mod proxies;
mod system;
mod time;
mod vanished;
