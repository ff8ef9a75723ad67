//! The command line: flags, their help and their errors, and the language of the locale.
//!
//! Nothing in here connects or prints. `main` calls [`args::parse`], and prints its texts.

pub(crate) mod args;
pub(crate) mod help;
pub(crate) mod locale;
pub(crate) mod usage_error;
