//! The settings in force: the server's [`Config`], and what only the program has.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use chat_server::{Config, ConfigError, Lang};
use tracing::level_filters::LevelFilter;

use super::error::SettingError;

/// What flags and file have set so far.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// All but the address.
    pub(super) config: Config,
    pub(super) port: Option<u16>,
    pub(super) ip: IpAddr,
    /// Where metrics are served; `None` for nowhere.
    pub(crate) metrics: Option<SocketAddr>,
    /// The least severe level that is logged; `None` leaves it to the environment.
    pub(crate) log: Option<LevelFilter>,
    pub(crate) log_format: LogFormat,
    /// Whether the number of connections was set.
    pub(super) connections_are_set: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            config: Config::default(),
            port: None,
            ip: Ipv4Addr::LOCALHOST.into(),
            metrics: None,
            log: None,
            log_format: LogFormat::default(),
            connections_are_set: false,
        }
    }
}

impl Settings {
    /// The configuration of the server; without a port, one for a free port.
    pub(crate) fn config(&self) -> Config {
        let mut config = self.config.clone();
        config.address = SocketAddr::new(self.ip, self.port.unwrap_or(0));
        config
    }

    pub(crate) fn has_port(&self) -> bool {
        self.port.is_some()
    }

    /// The language for people.
    pub(crate) fn lang(&self) -> Lang {
        self.config.lang
    }

    pub(super) fn set_lang(&mut self, lang: Lang) {
        self.config.lang = lang;
    }

    /// What is wrong with the settings as a whole.
    pub(crate) fn errors(&self) -> Vec<SettingError> {
        let check = self.config.check();
        let limits = check.as_ref().err().map(ConfigError::errors).unwrap_or_default();
        let limits = limits.iter().map(|error| SettingError::Limit(*error));
        limits.chain(self.address_conflict()).collect()
    }

    /// Metrics where the server listens: whichever came second could not. A wildcard covers every address
    /// of its family, that of IPv6 both families.
    fn address_conflict(&self) -> Option<SettingError> {
        let (metrics, server) = (self.metrics?, SocketAddr::new(self.ip, self.port?));
        let [a, b] = [metrics, server].map(|address| address.ip().to_canonical());
        let covers = |a: IpAddr, b: IpAddr| a.is_unspecified() && (a.is_ipv6() || b.is_ipv4());
        let overlap = a == b || covers(a, b) || covers(b, a);
        let same_port = metrics.port() == server.port() && server.port() != 0;
        (overlap && same_port).then_some(SettingError::SameAddress { metrics, server })
    }

    /// The limit on connections, for whoever has to lower it, and whether it was set or is the default.
    pub(crate) fn connections(&mut self) -> (&mut usize, bool) {
        (&mut self.config.limits.connections, self.connections_are_set)
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
