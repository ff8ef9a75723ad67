//! The settings in force: the server's [`Config`], and those of the program alone.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use chat_server::{Config, ConfigError, DataConfig, Lang, Limit, TlsConfig, TlsError};
use tracing::level_filters::LevelFilter;

use super::addresses::{canonical, show_ip};
use super::error::{SettingError, ValueError};

/// The settings made so far, by flags and file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// The server's configuration. Its port is 0, for any free port, until one is set.
    pub(crate) config: Config,
    pub(crate) has_port: bool,
    pub(crate) tls: TlsSettings,
    pub(crate) data: DataSettings,
    /// The address to serve metrics at, if any.
    pub(crate) metrics: Option<SocketAddr>,
    /// The file to record the inputs of the rooms in, if any.
    pub(crate) record: Option<PathBuf>,
    /// The least severe level that is logged; `None` for what the environment says.
    pub(crate) log: Option<LevelFilter>,
    pub(crate) log_format: LogFormat,
    /// The names of the limits that were set.
    pub(crate) limits_set: BTreeSet<&'static str>,
}

/// The data directory, as set.
#[derive(Debug, Clone, Default)]
pub(crate) struct DataSettings {
    pub(crate) dir: Option<PathBuf>,
    pub(crate) is_durable: bool,
}

impl DataSettings {
    /// The server's configuration.
    pub(crate) fn config(&self) -> Option<DataConfig> {
        let dir = self.dir.as_ref()?;
        Some(DataConfig::new(dir).with_durable(self.is_durable))
    }

    fn error(&self) -> Option<SettingError> {
        (self.is_durable && self.dir.is_none()).then_some(SettingError::DurableWithoutData)
    }
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
        let conflicts = self.overlaps().into_iter().chain(self.metrics_conflict());
        limits.chain(conflicts).chain(self.tls.error()).chain(self.data.error()).collect()
    }

    /// Returns an error for each two addresses to listen on that overlap.
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

    /// Returns an error if metrics have the server's own address: the second listener could not bind.
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

    /// Whether a listener on `a` takes the connections to `b` as well. A wildcard includes every address of its
    /// family. The IPv6 wildcard also includes IPv4, unless the server listens on an IPv4 address, too.
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

/// The TLS settings. They become a [`TlsConfig`] when the server starts.
#[derive(Debug, Clone, Default)]
pub(crate) struct TlsSettings {
    /// The mode. `None` turns TLS on if there is a certificate.
    pub(crate) mode: Option<TlsMode>,
    /// The file with the certificate chain.
    pub(crate) certificate: Option<PathBuf>,
    /// The file with the private key; `None` if the certificate's file contains it.
    pub(crate) key: Option<PathBuf>,
    /// Whether the server makes its own certificate.
    pub(crate) is_self_signed: bool,
    /// The directory in which the server stores its own certificate; `None` for the default.
    pub(crate) dir: Option<PathBuf>,
}

/// Which connections the server encrypts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsMode {
    /// Connections whose clients begin with TLS.
    On,
    /// All connections; plain text is refused.
    Only,
    /// No connection.
    Off,
}

impl TlsSettings {
    /// Reads the certificate from the files, if they are set.
    ///
    /// # Errors
    /// If they cannot be read, or hold no certificate with its key.
    pub(crate) fn read_files(&self) -> Result<Option<TlsConfig>, TlsError> {
        let Some(certificate) = &self.certificate else { return Ok(None) };
        TlsConfig::from_files(certificate, self.key.as_ref().unwrap_or(certificate)).map(Some)
    }

    /// Returns the first contradiction, or why the certificate is unusable.
    fn error(&self) -> Option<SettingError> {
        let has_certificate = self.certificate.is_some() || self.is_self_signed;
        if self.certificate.is_some() && self.is_self_signed {
            Some(SettingError::TwoCertificates)
        } else if self.key.is_some() && self.certificate.is_none() {
            Some(SettingError::KeyWithoutCertificate)
        } else if matches!(self.mode, Some(TlsMode::On | TlsMode::Only)) && !has_certificate {
            Some(SettingError::NoCertificate)
        } else if self.mode == Some(TlsMode::Off) {
            None
        } else {
            self.read_files().err().map(SettingError::Tls)
        }
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
