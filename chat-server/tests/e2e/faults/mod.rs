//! Faults of `docs/catalogue.md` in what peers take, send and leave behind, and in what the system gives:
//! each against a whole server over sockets, most beside witnesses who talk on.

mod backlog;
mod connections;
mod crowds;
mod drain;
mod flood;
mod lists;
mod system;
mod time;
