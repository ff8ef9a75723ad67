//! What can be set about a server.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use crate::limits::Limits;

/// The configuration of a [`Server`](crate::Server).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen. Default: a free port of 127.0.0.1.
    pub address: SocketAddr,
    /// Worker threads. Default: 2; 0 counts as 1.
    pub workers: usize,
    /// Who may stop the server by command. Default: connections from this machine.
    pub shutdown_from: ShutdownFrom,
    /// The longest backlog of requests that the event loop carries out itself. A longer one goes to
    /// the workers. Default: 4,096: see `docs/ARCHITECTURE.md`, "Hand-off".
    pub inline_requests: usize,
    /// What peers may have.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            workers: 2,
            shutdown_from: ShutdownFrom::default(),
            inline_requests: 4_096,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// # Errors
    /// The first thing about the configuration that no server can run with.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.limits.check().map_err(ConfigError)
    }
}

/// Why no server can run with a [`Config`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// Whose `/shutdown` is obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShutdownFrom {
    /// Everybody's.
    Anyone,
    /// That of connections from this machine.
    #[default]
    Loopback,
    /// Nobody's.
    Nobody,
}

impl FromStr for ShutdownFrom {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "anyone" => Ok(Self::Anyone),
            "loopback" => Ok(Self::Loopback),
            "nobody" => Ok(Self::Nobody),
            _ => Err("one of anyone, loopback, nobody".to_owned()),
        }
    }
}

impl fmt::Display for ShutdownFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anyone => "anyone",
            Self::Loopback => "loopback",
            Self::Nobody => "nobody",
        })
    }
}
