//! The command line: its request, its errors, and the help.
//!
//! `main` calls [`parse`]. What a flag means is in `settings`; nothing here starts anything.

mod args;
mod help;

pub(crate) use args::{Refused, Request, parse};
