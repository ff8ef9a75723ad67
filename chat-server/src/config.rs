//! What can be set about a server.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

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
    /// The longest linger: beyond it a peer would be waited for rather than closed.
    const MAX_LINGER: Duration = Duration::from_secs(3600);

    /// # Errors
    /// The first value that no server can run with.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let limits = &self.limits;
        let at_least_1 = [
            ("limits.accepts_per_turn", limits.accepts_per_turn),
            ("limits.read_per_turn", limits.read_per_turn),
            ("limits.write_per_turn", limits.write_per_turn),
            ("limits.writes_per_room_and_turn", limits.writes_per_room_and_turn),
        ];
        if let Some((name, _)) = at_least_1.into_iter().find(|(_, value)| *value == 0) {
            return Err(ConfigError { name, range: "1 or more" });
        }
        if limits.linger > Self::MAX_LINGER {
            return Err(ConfigError { name: "limits.linger", range: "at most an hour" });
        }
        Ok(())
    }
}

/// A value of a [`Config`] that no server can run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigError {
    name: &'static str,
    range: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has to be {}", self.name, self.range)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_no_server_can_run_with_are_named() {
        assert_eq!(Config::default().check(), Ok(()));
        let named = |change: fn(&mut Limits)| {
            let mut config = Config::default();
            change(&mut config.limits);
            config.check().expect_err("a value is not right").to_string()
        };
        assert_eq!(named(|l| l.read_per_turn = 0), "limits.read_per_turn has to be 1 or more");
        assert_eq!(
            named(|l| l.accepts_per_turn = 0),
            "limits.accepts_per_turn has to be 1 or more"
        );
        assert_eq!(named(|l| l.linger = Duration::MAX), "limits.linger has to be at most an hour");
    }
}
