//! Faults of `docs/catalogue.md`, of peers and of the system: each against a whole server over sockets, most
//! beside witnesses who talk on.

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
