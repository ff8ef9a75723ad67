//! The configuration of a server.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use chat_core::{Lang, ReservedNames};
use chat_proto::Localize;

use crate::limits::{LimitError, Limits, Lowered};
use crate::net::{Network, TlsConfig};
use crate::room_log::DataConfig;
use crate::web::WebConfig;

/// The most that TLS takes for an idle connection, in bytes.
const TLS_MEMORY: usize = 4 * 1024;

/// The configuration of a [`Server`](crate::Server).
///
/// ```
/// use chat_server::{Config, ShutdownFrom};
///
/// let config = Config::new()
///     .with_address(([127, 0, 0, 1], 0))
///     .with_workers(4)
///     .with_shutdown_from(ShutdownFrom::Nobody)
///     .with_limits(|limits| {
///         limits.connections = 500;
///         limits.total_backlog = 64 * 1024 * 1024; // bytes
///     });
/// assert!(config.check().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The address to listen on. Default: a free port of 127.0.0.1.
    pub address: SocketAddr,
    /// More addresses to listen on; those with port 0 get the port of [`Config::address`]. The IPv6 wildcard address
    /// also accepts IPv4, unless one of these addresses is IPv4. Default: none.
    pub more_addresses: Vec<SocketAddr>,
    /// The proxies whose connections must begin with a PROXY header (version 1 or 2), which names the client. From any
    /// other peer, such a header is bad input. Default: none.
    pub proxy_from: Vec<Network>,
    /// The certificate for TLS, which is served on the same addresses as plain text. Default: none, which disables
    /// TLS. An idle encrypted connection takes at most 4 KiB more than a plain one.
    pub tls: Option<TlsConfig>,
    /// Worker threads. Default: 2; 0 counts as 1.
    pub workers: usize,
    /// The connections that may stop the server by command. Default: those from this machine.
    pub shutdown_from: ShutdownFrom,
    /// The most requests of a turn that the event loop carries out itself; more go to the workers.
    /// Default: 4,096. See `docs/ARCHITECTURE.md`, "Hand-off".
    pub inline_requests: usize,
    /// The last messages of a room that are shown on joining to clients that did not say hello, at most 200. Default: 0.
    /// They are taken from history, and take no more than one frame of the largest size.
    pub replay: usize,
    /// The language of the server's notices. Default: English.
    pub lang: Lang,
    /// The names that nobody may have. Default: names of the people who run a server, in English and Korean.
    pub reserved_names: ReservedNames,
    /// How browsers are served, on the same port; `None` serves none. Default: the page, at any address of the server.
    pub web: Option<WebConfig>,
    /// The directory that rooms, and what is said in them, are kept in; `None` keeps nothing beyond the process.
    /// Default: none.
    pub data: Option<DataConfig>,
    /// The limits on peers.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            more_addresses: Vec::new(),
            proxy_from: Vec::new(),
            tls: None,
            workers: 2,
            shutdown_from: ShutdownFrom::default(),
            inline_requests: 4_096,
            replay: 0,
            lang: Lang::En,
            reserved_names: ReservedNames::default(),
            web: Some(WebConfig::new()),
            data: None,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// The default configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the address to listen on.
    #[must_use]
    pub fn with_address(mut self, address: impl Into<SocketAddr>) -> Self {
        self.address = address.into();
        self
    }

    /// Adds addresses to listen on.
    #[must_use]
    pub fn with_more_addresses(mut self, addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.more_addresses.extend(addresses);
        self
    }

    /// Adds proxies whose connections have to begin with a PROXY header.
    #[must_use]
    pub fn with_proxy_from(mut self, proxies: impl IntoIterator<Item = Network>) -> Self {
        self.proxy_from.extend(proxies);
        self
    }

    /// Sets the certificate for TLS.
    #[must_use]
    pub fn with_tls(mut self, tls: impl Into<Option<TlsConfig>>) -> Self {
        self.tls = tls.into();
        self
    }

    /// Sets the number of worker threads.
    #[must_use]
    pub fn with_workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Sets who may stop the server by command.
    #[must_use]
    pub fn with_shutdown_from(mut self, shutdown_from: ShutdownFrom) -> Self {
        self.shutdown_from = shutdown_from;
        self
    }

    /// Sets the most requests of a turn that the event loop carries out itself.
    #[must_use]
    pub fn with_inline_requests(mut self, inline_requests: usize) -> Self {
        self.inline_requests = inline_requests;
        self
    }

    /// Sets how many messages newcomers are shown.
    #[must_use]
    pub fn with_replay(mut self, replay: usize) -> Self {
        self.replay = replay;
        self
    }

    /// Sets the language of the server's notices.
    #[must_use]
    pub fn with_lang(mut self, lang: Lang) -> Self {
        self.lang = lang;
        self
    }

    /// Sets the names that nobody may have.
    #[must_use]
    pub fn with_reserved_names(mut self, reserved_names: ReservedNames) -> Self {
        self.reserved_names = reserved_names;
        self
    }

    /// Sets how browsers are served; `None` serves none.
    #[must_use]
    pub fn with_web(mut self, web: impl Into<Option<WebConfig>>) -> Self {
        self.web = web.into();
        self
    }

    /// Sets the directory that rooms, and what is said in them, are kept in; `None` keeps nothing.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Option<DataConfig>>) -> Self {
        self.data = data.into();
        self
    }

    /// Changes limits.
    #[must_use]
    pub fn with_limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// All addresses to listen on, [`Config::address`] first. If its port is 0, that of all is.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        let more = self.more_addresses.iter().copied().map(|mut address| {
            if address.port() == 0 {
                address.set_port(self.address.port());
            }
            address
        });
        std::iter::once(self.address).chain(more)
    }

    /// Lowers limits as [`Limits::fit_memory`] does; with a certificate, each connection may take 4 KiB more.
    pub fn fit_memory(&mut self) -> Vec<Lowered> {
        self.limits.fit_memory_of(if self.tls.is_some() { TLS_MEMORY } else { 0 })
    }

    /// Checks that a server can run with this configuration. [`Server::bind`](crate::Server::bind) does so as well.
    ///
    /// # Errors
    /// Every limit that is out of range, or contradicts another.
    pub fn check(&self) -> Result<(), ConfigError> {
        let errors = self.limits.errors();
        if errors.is_empty() { Ok(()) } else { Err(ConfigError(errors)) }
    }
}

/// The errors in a [`Config`]. `Display` writes all of them in one line, in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<LimitError>);

impl ConfigError {
    /// The errors, one or more, each with what is allowed.
    pub fn errors(&self) -> &[LimitError] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_in(Lang::En, f)
    }
}

/// Writes all errors in one line.
impl Localize for ConfigError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            let gap = if i > 0 { "; " } else { "" };
            write!(f, "{gap}{}", error.localized(lang))?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// The connections that may stop the server with `CSShutdown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShutdownFrom {
    /// Everybody.
    Anyone,
    /// Connections from this machine: from a loopback address, or from the address that the client connected to. For a
    /// connection through a proxy, the addresses in its header count.
    #[default]
    Loopback,
    /// Nobody.
    Nobody,
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
