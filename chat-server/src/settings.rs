//! Everything that can be set about the program, as one table. The flags, the keys of a configuration
//! file, `--help` and what is said to be in force are made from it, and from [`Limit`]'s.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use argh::FromArgs;
use chat_server::{Allowance, Config, Limit};
use tracing::level_filters::LevelFilter;

use crate::descriptors;

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

    /// What is wrong with it as a whole.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.config.check().map_or_else(|error| error.problems().to_vec(), |()| Vec::new())
    }

    /// Changes the limit of that name.
    ///
    /// # Errors
    /// What is wrong with the name or the value.
    pub(crate) fn set_limit(&mut self, name: &str, value: &str) -> Result<(), String> {
        let limit = Limit::named(name).ok_or("there is no such limit: --limits lists them")?;
        self.connections_asked_for |= limit.name() == "connections";
        limit.set(&mut self.config.limits, value)
    }

    /// Has the system allow the connections that were asked for, or asks for fewer.
    pub(crate) fn make_room_for_connections(&mut self) {
        let connections = &mut self.config.limits.connections;
        descriptors::make_room_for(connections, self.connections_asked_for);
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
    pub(crate) group: &'static str,
    /// What stands for the value in the help.
    pub(crate) value: &'static str,
    /// What it is, with the space that a comment begins with.
    pub(crate) help: &'static str,
    /// Takes a value, or says what it has to be.
    pub(crate) set: fn(&mut Settings, &str) -> Result<(), String>,
    /// The value in force; `None` if it is only another way to set something else, or not set.
    pub(crate) show: fn(&Settings) -> Option<String>,
}

impl Setting {
    /// Its name in flags and files.
    pub(crate) fn name(&self) -> String {
        self.field.replace('_', "-")
    }
}

/// Makes of one list the table, and the flags that argh looks for. Each row: what it is, its name, what
/// stands for its value, how it is set, how it is shown.
macro_rules! settings {
    ($($group:literal { $(#[doc = $help:tt] $field:ident $value:tt $set:expr, $show:expr;)* })*) => {
        /// Every setting, in the order in which they are looked at.
        pub(crate) static SETTINGS: &[Setting] = &[$($(Setting {
            field: stringify!($field),
            group: $group,
            value: $value,
            help: $help,
            set: $set,
            show: $show,
        },)*)*];

        /// The command line as argh sees it. Its help is not shown: see `help`.
        #[derive(Debug, FromArgs)]
        pub(crate) struct Flags {
            $($(
                #[doc = $help]
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
    "Where, and for whom" {
        /// port; 0 takes a free one (required, if not in the file)
        port "N" set_port, |s| s.port.map(|port| port.to_string());
        /// address, IPv4 or IPv6 (127.0.0.1: this machine only)
        ip "ADDR" set_ip, |s| Some(s.ip.to_string());
        /// who may /shutdown: anyone, loopback, nobody (loopback)
        shutdown_from "WHO" set_shutdown_from, |s| Some(s.config.shutdown_from.to_string());
        /// language of the server's notices: en or ko (en)
        lang "LANG" set_lang, |s| Some(s.config.lang.to_string());
        /// serve /metrics and /health there (nowhere)
        metrics "ADDR:PORT" set_metrics, |s| s.metrics.map(|address| address.to_string());
    }
    "How much" {
        /// worker threads, 1 to 256 (2)
        worker "N" set_worker, |s| Some(s.config.workers.to_string());
        /// requests of a turn that need no worker (4096)
        inline "N" set_inline, |s| Some(s.config.inline_requests.to_string());
        /// commands a second of each connection; 0: no limit (200)
        rate "N" set_rate, |_| None;
    }
    "Log, on standard error" {
        /// off, error, warn, info, debug (as RUST_LOG says, or info)
        log "LEVEL" set_log, |s| s.log.map(|level| level.to_string());
        /// text or json (text)
        log_format "FORM" set_log_format, |s| Some(s.log_format.to_string());
    }
}

fn set_port(settings: &mut Settings, value: &str) -> Result<(), String> {
    settings.port = Some(parse(value, "it has to be from 0 to 65535")?);
    Ok(())
}

fn set_ip(settings: &mut Settings, value: &str) -> Result<(), String> {
    settings.ip = parse(value, "it has to be an address like 127.0.0.1, 0.0.0.0 or ::1")?;
    Ok(())
}

fn set_shutdown_from(settings: &mut Settings, value: &str) -> Result<(), String> {
    settings.config.shutdown_from = parse(value, "it has to be one of anyone, loopback, nobody")?;
    Ok(())
}

fn set_lang(settings: &mut Settings, value: &str) -> Result<(), String> {
    settings.config.lang = parse(value, "it has to be one of en, ko")?;
    Ok(())
}

fn set_metrics(settings: &mut Settings, value: &str) -> Result<(), String> {
    let wanted = "it has to be an address with a port like 127.0.0.1:9100 or [::1]:0";
    settings.metrics = Some(parse(value, wanted)?);
    Ok(())
}

fn set_worker(settings: &mut Settings, value: &str) -> Result<(), String> {
    settings.config.workers = parse_from(value, 1, MAX_WORKERS)?;
    Ok(())
}

fn set_inline(settings: &mut Settings, value: &str) -> Result<(), String> {
    settings.config.inline_requests = parse_from(value, 0, MAX_INLINE)?;
    Ok(())
}

fn set_rate(settings: &mut Settings, value: &str) -> Result<(), String> {
    let rate = parse(value, &format!("it has to be from 0 to {}", u32::MAX))?;
    settings.config.limits.commands = Allowance::of_rate(rate);
    Ok(())
}

fn set_log(settings: &mut Settings, value: &str) -> Result<(), String> {
    // LevelFilter takes numbers and capitals too; one way to write it is enough.
    let level = match value {
        "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warn" => LevelFilter::WARN,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        _ => return Err("it has to be one of off, error, warn, info, debug".to_owned()),
    };
    settings.log = Some(level);
    Ok(())
}

fn set_log_format(settings: &mut Settings, value: &str) -> Result<(), String> {
    settings.log_format = parse(value, "it has to be one of text, json")?;
    Ok(())
}

fn parse<T: FromStr>(value: &str, wanted: &str) -> Result<T, String> {
    value.parse().map_err(|_| wanted.to_owned())
}

fn parse_from(value: &str, least: usize, most: usize) -> Result<usize, String> {
    let wanted = || format!("it has to be from {least} to {most}");
    value.parse().ok().filter(|n| (least..=most).contains(n)).ok_or_else(wanted)
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
