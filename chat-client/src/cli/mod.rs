//! The command line: flags, help, and what is wrong with the flags.
//!
//! Nothing in here connects or prints. `main` calls [`args::parse`], and prints what comes of it.

pub(crate) mod args;
pub(crate) mod help;
pub(crate) mod locale;
pub(crate) mod usage_error;
