//! What the program prints before, or without, a log.

use std::fmt::Display;
use std::io::{self, Write};

/// Prints a text, ignoring a reader that has closed the pipe.
pub(crate) fn print(text: &str) {
    let _ = writeln!(io::stdout(), "{}", text.trim_end());
}

/// Prints an error before the log exists.
pub(crate) fn complain(error: &dyn Display) {
    let _ = writeln!(io::stderr(), "chat-server: {error}");
}
