//! The faults of `docs/catalogue.md` that are about what peers take, send and leave behind, seen from
//! outside: a whole server over sockets, beside which others talk on.
//!
//! Each test has the server to itself, and the process: descriptors are counted before and after.

mod backlog;
mod crowds;
mod drain;
mod flood;
mod lists;
mod places;
mod system;
mod time;
