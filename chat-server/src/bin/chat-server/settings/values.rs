//! The settings in force: the server's [`Config`], and those that only the program has.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use chat_server::{Config, ConfigError, Lang, Limit};
use tracing::level_filters::LevelFilter;

use super::addresses::{canonical, show_ip};
use super::error::{SettingError, ValueError};

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
    /// The names of the limits that were set.
    pub(crate) limits_set: BTreeSet<&'static str>,
}

impl Settings {
    /// The language for people.
    pub(crate) fn lang(&self) -> Lang {
        self.config.lang
    }

    /// Sets a limit.
    pub(crate) fn set_limit(
        &mut self,
        limit: &'static Limit,
        value: &str,
    ) -> Result<(), ValueError> {
        self.limits_set.insert(limit.name());
        limit.set(&mut self.config.limits, value).map_err(ValueError::Limit)
    }

    /// The errors of the settings as a whole.
    pub(crate) fn errors(&self) -> Vec<SettingError> {
        let check = self.config.check();
        let limits = check.as_ref().err().map(ConfigError::errors).unwrap_or_default();
        let limits = limits.iter().map(|error| SettingError::Limit(*error));
        limits.chain(self.overlaps()).chain(self.metrics_conflict()).collect()
    }

    /// The addresses to listen on, of which none may include another.
    fn overlaps(&self) -> Vec<SettingError> {
        let ips: Vec<_> = self.config.addresses().map(canonical).collect();
        let pairs = ips.iter().enumerate().flat_map(|(i, a)| ips[..i].iter().map(move |b| (b, a)));
        let overlap = |(a, b): (&SocketAddr, &SocketAddr)| {
            let (a, b) = if self.includes(*a, *b) { (a, b) } else { (b, a) };
            let error = SettingError::Overlap { ip: a.ip(), other: b.ip() };
            self.includes(*a, *b).then_some(error)
        };
        pairs.filter_map(overlap).collect()
    }

    /// Metrics at the server's own address: whichever came second could not listen.
    fn metrics_conflict(&self) -> Option<SettingError> {
        let metrics = self.metrics?;
        let address = canonical(metrics);
        let covers_all = metrics.ip().is_unspecified() && metrics.is_ipv6();
        let conflict = self.config.addresses().find(|server| {
            let server = canonical(*server);
            let overlap =
                covers_all || self.includes(server, address) || self.includes(address, server);
            overlap && server.port() == address.port() && server.port() != 0
        });
        conflict.map(|server| SettingError::SameAddress { metrics, server })
    }

    /// Whether to listen on `a` is to listen on `b` as well. A wildcard includes every address of its family; that
    /// of IPv6 both families, unless the server listens on one of IPv4 besides.
    fn includes(&self, a: SocketAddr, b: SocketAddr) -> bool {
        let has_v4 = || self.config.addresses().any(|address| canonical(address).is_ipv4());
        let is_wildcard_of_b = match a.ip() {
            IpAddr::V4(ip) => ip.is_unspecified() && b.is_ipv4(),
            IpAddr::V6(ip) => ip.is_unspecified() && (b.is_ipv6() || !has_v4()),
        };
        let same_ip = show_ip(&a) == show_ip(&b);
        is_wildcard_of_b || same_ip
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
