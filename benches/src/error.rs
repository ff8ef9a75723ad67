//! The errors of all tools.

use std::{fmt, io};

/// The reason why a run has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The settings are contradictory, or do not fit this machine.
    Config(String),
    /// The operating system refused something.
    Io {
        /// The operation, as in "opening a connection".
        doing: &'static str,
        /// The error.
        source: io::Error,
    },
    /// The server broke its protocol, or did not respond.
    Server(String),
}

impl Error {
    /// Converts an I/O error of an operation, for `map_err`.
    pub fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(what) | Self::Server(what) => f.write_str(what),
            Self::Io { doing, source } => write!(f, "{doing}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Config(_) | Self::Server(_) => None,
        }
    }
}
