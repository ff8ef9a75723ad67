//! The settings in force: the server's [`Config`], and those that only the program has.

use std::net::{IpAddr, SocketAddr};

use chat_server::{Config, ConfigError, Lang};
use tracing::level_filters::LevelFilter;

use super::error::SettingError;

/// The settings made so far, by flags and file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Takes a free port if none was set.
    pub(crate) config: Config,
    pub(crate) has_port: bool,
    /// Where metrics are served; `None` for nowhere.
    pub(crate) metrics: Option<SocketAddr>,
    /// The least severe level that is logged; `None` leaves it to the environment.
    pub(crate) log: Option<LevelFilter>,
    pub(crate) log_format: LogFormat,
    /// Whether the number of connections was set.
    pub(crate) connections_are_set: bool,
}

impl Settings {
    /// The language for people.
    pub(crate) fn lang(&self) -> Lang {
        self.config.lang
    }

    /// The errors of the settings as a whole.
    pub(crate) fn errors(&self) -> Vec<SettingError> {
        let check = self.config.check();
        let limits = check.as_ref().err().map(ConfigError::errors).unwrap_or_default();
        let limits = limits.iter().map(|error| SettingError::Limit(*error));
        limits.chain(self.address_conflict()).collect()
    }

    /// Metrics at the server's own address: whichever came second could not listen. A wildcard covers every address
    /// of its family, that of IPv6 both families.
    fn address_conflict(&self) -> Option<SettingError> {
        let (metrics, server) = (self.metrics?, self.config.address);
        let [a, b] = [metrics, server].map(|address| address.ip().to_canonical());
        let covers = |a: IpAddr, b: IpAddr| a.is_unspecified() && (a.is_ipv6() || b.is_ipv4());
        let overlap = a == b || covers(a, b) || covers(b, a);
        let same_port = metrics.port() == server.port() && server.port() != 0;
        (overlap && same_port).then_some(SettingError::SameAddress { metrics, server })
    }
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one object a line.
    Json,
}
