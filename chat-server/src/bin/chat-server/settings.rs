//! Everything that can be set about the program, as one table. The flags, the keys of a configuration
//! file, `--help` and what is said to be in force are made from it, and from [`Limit`]'s. Its words are in
//! `texts`.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use argh::FromArgs;
use chat_server::{Config, ConfigError, Lang, Limit, RateLimit};
use tracing::level_filters::LevelFilter;

use crate::config_error::{Mistake, Problem};
use crate::rlimit;
use crate::texts::{self, FlagText};
use chat_proto::PerLang;

/// The most workers that make sense to anyone.
const MAX_WORKERS: usize = 256;

/// The longest backlog that the event loop can be asked to carry out itself.
const MAX_INLINE: usize = 1_000_000_000;

/// What has been said about the program so far.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// All but the address.
    config: Config,
    port: Option<u16>,
    ip: IpAddr,
    /// Where metrics are served; `None` for nowhere.
    pub(crate) metrics: Option<SocketAddr>,
    /// The least severe that is logged; `None` leaves it to the environment.
    pub(crate) log: Option<LevelFilter>,
    pub(crate) log_format: LogFormat,
    /// Whether the number of connections was asked for.
    connections_asked_for: bool,
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
            connections_asked_for: false,
        }
    }
}

impl Settings {
    /// What the server is to be. `None` when no port was named.
    pub(crate) fn config(&self) -> Option<Config> {
        let mut config = self.config.clone();
        config.address = SocketAddr::new(self.ip, self.port?);
        Some(config)
    }

    /// What people are spoken to in.
    pub(crate) fn lang(&self) -> Lang {
        self.config.lang
    }

    pub(crate) fn speak(&mut self, lang: Lang) {
        self.config.lang = lang;
    }

    /// What is wrong with it as a whole.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let check = self.config.check();
        let limits = check.as_ref().err().map(ConfigError::problems).unwrap_or_default();
        let limits = limits.iter().map(|error| Problem::Limit(*error));
        limits.chain(self.metrics_in_the_way()).collect()
    }

    /// Metrics where the server listens: the one that comes second could not.
    fn metrics_in_the_way(&self) -> Option<Problem> {
        let (metrics, server) = (self.metrics?, SocketAddr::new(self.ip, self.port?));
        let one_is_all = metrics.ip().is_unspecified() || server.ip().is_unspecified();
        let same_family = metrics.is_ipv4() == server.is_ipv4();
        let same_ip = metrics.ip() == server.ip() || one_is_all && same_family;
        let same_port = metrics.port() == server.port() && server.port() != 0;
        (same_ip && same_port).then_some(Problem::MetricsInTheWay { metrics, server })
    }

    /// Changes the limit of that name.
    ///
    /// # Errors
    /// What is wrong with the name or the value.
    pub(crate) fn set_limit(&mut self, name: &str, value: &str) -> Result<(), Mistake> {
        let limit = Limit::named(name).ok_or(Mistake::NoSuchLimit)?;
        self.connections_asked_for |= limit.name() == "connections";
        limit.set(&mut self.config.limits, value).map_err(Mistake::Limit)
    }

    /// Has the system allow the connections that were asked for, or asks for fewer.
    pub(crate) fn make_room_for_connections(&mut self) {
        let connections = &mut self.config.limits.connections;
        rlimit::make_room_for(connections, self.connections_asked_for);
    }

    /// Everything that is in force, for the log.
    pub(crate) fn in_one_line(&self) -> String {
        self.without(&HashSet::new())
    }

    /// What is in force and not the default, for somebody at a terminal.
    pub(crate) fn changes_in_one_line(&self) -> String {
        let defaults = Self::default().to_toml();
        self.without(&defaults.lines().collect())
    }

    fn without(&self, known: &HashSet<&str>) -> String {
        let toml = self.to_toml();
        let is_told = |line: &&str| line.contains('=') && !known.contains(line);
        toml.lines().filter(is_told).collect::<Vec<_>>().join(" ").replace(" = ", "=")
    }

    /// Everything that is in force, as a configuration file.
    pub(crate) fn to_toml(&self) -> String {
        let quote = |value: String| match value.parse::<u64>() {
            Ok(_) => value,
            Err(_) => format!("{value:?}"),
        };
        let settings = SETTINGS.iter().filter_map(|setting| {
            let value = (setting.show)(self)?;
            Some(format!("{} = {}\n", setting.name(), quote(value)))
        });
        let limits = Limit::ALL.iter().map(|limit| {
            format!("{} = {}\n", limit.name(), quote(limit.show(&self.config.limits)))
        });
        settings.chain(["\n[limits]\n".to_owned()]).chain(limits).collect()
    }
}

/// A flag with a value, which is a key of a configuration file too.
#[derive(Debug)]
pub(crate) struct Setting {
    /// As Rust has it, with `_` for `-`.
    field: &'static str,
    /// The heading it stands under in the help.
    pub(crate) group: PerLang<&'static str>,
    /// What the help says of it.
    pub(crate) text: PerLang<FlagText>,
    /// Takes a value, or says what it has to be.
    pub(crate) set: fn(&mut Settings, &str) -> Result<(), Mistake>,
    /// The value in force; `None` if it is only another way to set something else, or not set.
    pub(crate) show: fn(&Settings) -> Option<String>,
}

impl Setting {
    /// Its name in flags and files.
    pub(crate) fn name(&self) -> String {
        self.field.replace('_', "-")
    }
}

/// Makes of one list the table, and the flags that argh looks for. Each row: its name, its text, how it
/// is set, how it is shown.
macro_rules! settings {
    ($($group:ident { $($field:ident $text:ident $set:expr, $show:expr;)* })*) => {
        /// Every setting, in the order in which they are looked at.
        pub(crate) static SETTINGS: &[Setting] = &[$($(Setting {
            field: stringify!($field),
            group: texts::$group,
            text: texts::$text,
            set: $set,
            show: $show,
        },)*)*];

        /// The command line as argh sees it. Its help, which it wants to have, is not shown: see `help`.
        #[derive(Debug, FromArgs)]
        pub(crate) struct Flags {
            $($(
                /// a setting
                #[argh(option)]
                $field: Option<String>,
            )*)*

            /// another limit, as NAME=VALUE
            #[argh(option)]
            pub(crate) limit: Vec<String>,

            /// list the limits
            #[argh(switch)]
            pub(crate) limits: bool,

            /// settings from a file
            #[argh(option)]
            pub(crate) config: Option<String>,

            /// look at the configuration, and start nothing
            #[argh(switch)]
            pub(crate) check: bool,

            /// the version
            #[argh(switch)]
            pub(crate) version: bool,
        }

        impl Flags {
            /// What each setting was given, in the order of [`SETTINGS`].
            pub(crate) fn values(&self) -> impl Iterator<Item = Option<&str>> {
                [$($(self.$field.as_deref(),)*)*].into_iter()
            }
        }
    };
}

settings! {
    GROUP_WHERE {
        port PORT set_port, |s| s.port.map(|port| port.to_string());
        ip IP set_ip, |s| Some(s.ip.to_string());
        shutdown_from SHUTDOWN_FROM set_shutdown_from, |s| Some(s.config.shutdown_from.to_string());
        lang LANG set_lang, |s| Some(s.config.lang.to_string());
        metrics METRICS set_metrics, |s| s.metrics.map(|address| address.to_string());
    }
    GROUP_HOW_MUCH {
        worker WORKER set_worker, |s| Some(s.config.workers.to_string());
        inline INLINE set_inline, |s| Some(s.config.inline_requests.to_string());
        rate RATE set_rate, |_| None;
    }
    GROUP_LOG {
        log LOG set_log, |s| s.log.map(|level| level.to_string());
        log_format LOG_FORMAT set_log_format, |s| Some(s.log_format.to_string());
    }
}

fn set_port(settings: &mut Settings, value: &str) -> Result<(), Mistake> {
    let port = parse(value, Mistake::NotFrom { least: 0, most: u16::MAX.into() })?;
    settings.port = Some(port);
    Ok(())
}

fn set_ip(settings: &mut Settings, value: &str) -> Result<(), Mistake> {
    settings.ip = parse(value, Mistake::NotAnAddress)?;
    Ok(())
}

fn set_shutdown_from(settings: &mut Settings, value: &str) -> Result<(), Mistake> {
    let words = Mistake::NotOneOf("anyone, loopback, nobody");
    settings.config.shutdown_from = parse(value, words)?;
    Ok(())
}

fn set_lang(settings: &mut Settings, value: &str) -> Result<(), Mistake> {
    settings.speak(parse(value, Mistake::NotOneOf("en, ko"))?);
    Ok(())
}

fn set_metrics(settings: &mut Settings, value: &str) -> Result<(), Mistake> {
    settings.metrics = Some(parse(value, Mistake::NotAnAddressWithPort)?);
    Ok(())
}

fn set_worker(settings: &mut Settings, value: &str) -> Result<(), Mistake> {
    settings.config.workers = parse_from(value, 1, MAX_WORKERS)?;
    Ok(())
}

fn set_inline(settings: &mut Settings, value: &str) -> Result<(), Mistake> {
    settings.config.inline_requests = parse_from(value, 0, MAX_INLINE)?;
    Ok(())
}

fn set_rate(settings: &mut Settings, value: &str) -> Result<(), Mistake> {
    let rate = parse(value, Mistake::NotFrom { least: 0, most: u32::MAX.into() })?;
    settings.config.limits.commands = RateLimit::of_rate(rate);
    Ok(())
}

fn set_log(settings: &mut Settings, value: &str) -> Result<(), Mistake> {
    // LevelFilter takes numbers and capitals too; one way to write it is enough.
    let level = match value {
        "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warn" => LevelFilter::WARN,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        _ => return Err(Mistake::NotOneOf("off, error, warn, info, debug")),
    };
    settings.log = Some(level);
    Ok(())
}

fn set_log_format(settings: &mut Settings, value: &str) -> Result<(), Mistake> {
    settings.log_format = parse(value, Mistake::NotOneOf("text, json"))?;
    Ok(())
}

fn parse<T: FromStr>(value: &str, mistake: Mistake) -> Result<T, Mistake> {
    value.parse().map_err(|_| mistake)
}

fn parse_from(value: &str, least: usize, most: usize) -> Result<usize, Mistake> {
    let mistake = Mistake::NotFrom { least: least as u64, most: most as u64 };
    value.parse().ok().filter(|n| (least..=most).contains(n)).ok_or(mistake)
}

/// What a line of the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: an object.
    Json,
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        match s {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}
