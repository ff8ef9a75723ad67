//! Why a measurement could not be made.

use std::{fmt, io};

/// Why a run ended without a result.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// What was asked for makes no sense or does not fit this machine.
    Config(String),
    /// The operating system refused something.
    Io {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// The server did something else than its protocol says, or nothing at all.
    Server(String),
}

impl Error {
    /// For `map_err`: an I/O error and what was being done.
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
