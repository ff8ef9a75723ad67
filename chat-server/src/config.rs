//! What can be set about a server.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use chat_core::Lang;

use crate::limits::LimitError;
use crate::limits::Limits;
use chat_proto::Localize;

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
    /// What the server says its notices in. Default: English.
    pub lang: Lang,
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
            lang: Lang::En,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// Whether a server can run with this.
    ///
    /// # Errors
    /// Everything about it that no server can run with.
    pub fn check(&self) -> Result<(), ConfigError> {
        let problems = self.limits.problems();
        if problems.is_empty() { Ok(()) } else { Err(ConfigError(problems)) }
    }
}

/// Why no server can run with a [`Config`]. `Display` has all problems in one line, in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<LimitError>);

impl ConfigError {
    /// What is wrong: one thing or more, each with what it may be.
    pub fn problems(&self) -> &[LimitError] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_in(Lang::En, f)
    }
}

impl Localize for ConfigError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            let gap = if i > 0 { "; " } else { "" };
            write!(f, "{gap}{}", problem.localized(lang))?;
        }
        Ok(())
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
