//! The command line: what it asks for, what is wrong with it, and the texts that answer it.
//!
//! `main` calls [`parse`]. What a flag means is in `settings`; nothing here starts anything.

mod args;
mod help;

pub(crate) use args::{Refused, Request, parse};
