//! The table of settings. Together with [`Limit::ALL`], it defines the flags, the keys of a configuration file,
//! `--help`, and how the settings in force are shown. Its texts are in `texts`.

use argh::FromArgs;
use chat_proto::PerLang;
use chat_server::{Lang, Limit, RateLimit, ReservedNames, ShutdownFrom};
use tracing::level_filters::LevelFilter;

use super::addresses::{parse_address, parse_hosts, parse_ips, parse_networks, show_ip};
use super::error::ValueError;
use super::suggestion::nearest;
use super::values::{LogFormat, Settings, TlsMode};
use crate::texts::{self, FlagText};

/// The most workers that can be set.
const MAX_WORKERS: u64 = 256;

/// The most requests per turn that the event loop can be set to carry out itself.
const MAX_INLINE: u64 = 1_000_000_000;

/// The most messages that newcomers can be shown.
const MAX_REPLAY: u64 = 200;

/// A flag with a value, which is also a key of a configuration file.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The name in flags and files.
    pub(crate) name: &'static str,
    /// The heading that it is under in the help.
    pub(crate) group: PerLang<&'static str>,
    /// The help's texts about it.
    pub(crate) text: PerLang<FlagText>,
    /// Sets the value, or returns the rule that it breaks.
    pub(crate) set: fn(&mut Settings, &str) -> Result<(), ValueError>,
    /// The value in force. `None` if there is none, or if the setting is an abbreviation for limits.
    pub(crate) show: fn(&Settings) -> Option<String>,
}

/// Makes the table, and the flags for argh, from one list. Each row has the field and the name of the flag, its texts,
/// how to set it, and how to show it.
macro_rules! settings {
    ($($group:ident {
        $($field:ident $name:literal $text:ident |$s:ident, $value:ident| $set:expr => $show:expr;)*
    })*) => {
        /// Every setting, in the order in which they apply.
        pub(crate) static SETTINGS: &[Setting] = &[$($(Setting {
            name: $name,
            group: texts::$group,
            text: texts::$text,
            set: |$s, $value| {
                $set;
                Ok(())
            },
            show: |$s| {
                // A row may have nothing to show.
                let _ = $s;
                $show
            },
        },)*)*];

        /// The command line as argh parses it. argh demands doc comments, which are never shown: see `help`.
        #[derive(Debug, FromArgs)]
        pub(crate) struct Flags {
            $($(
                /// a setting
                #[argh(option, long = $name)]
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

            /// check the configuration, and start nothing
            #[argh(switch)]
            pub(crate) check: bool,

            /// serve no browsers
            #[argh(switch)]
            pub(crate) no_web: bool,

            /// ask a running server whether it is healthy
            #[argh(option)]
            pub(crate) probe: Option<String>,

            /// the version
            #[argh(switch)]
            pub(crate) version: bool,
        }

        impl Flags {
            /// The value given to each setting, in the order of [`SETTINGS`].
            pub(crate) fn values(&self) -> impl Iterator<Item = Option<&str>> {
                [$($(self.$field.as_deref(),)*)*].into_iter()
            }
        }
    };
}

settings! {
    GROUP_WHERE {
        port "port" PORT |s, value| {
            s.config.address.set_port(range(value, 0, u16::MAX.into())?);
            s.has_port = true;
        } => s.has_port.then(|| s.config.address.port().to_string());
        ip "ip" IP |s, value| {
            let mut addresses = parse_ips(value)?;
            addresses[0].set_port(s.config.address.port());
            s.config.address = addresses.remove(0);
            s.config.more_addresses = addresses;
        } => Some(list(s.config.addresses().map(|address| show_ip(&address))));
        proxy_from "proxy-from" PROXY_FROM |s, value| s.config.proxy_from = parse_networks(value)?
            => (!s.config.proxy_from.is_empty()).then(|| list(&s.config.proxy_from));
        shutdown_from "shutdown-from" SHUTDOWN_FROM |s, value| {
            let who = [ShutdownFrom::Anyone, ShutdownFrom::Loopback, ShutdownFrom::Nobody];
            s.config.shutdown_from = one_of(value, &["anyone", "loopback", "nobody"], who)?;
        } => Some(s.config.shutdown_from.to_string());
        lang "lang" LANG |s, value| s.config.lang = one_of(value, &["en", "ko"], Lang::ALL)?
            => Some(s.config.lang.to_string());
        reserved_names "reserved-names" RESERVED_NAMES |s, value| {
            s.config.reserved_names = value.parse().map_err(ValueError::NotAName)?;
        } => {
            let names = &s.config.reserved_names;
            let is_set = *names != ReservedNames::default();
            is_set.then(|| names.names().collect::<Vec<_>>().join(", "))
        };
        web_host "web-host" WEB_HOST |s, value| {
            let hosts = parse_hosts(value)?;
            s.config.web.get_or_insert_default().hosts = hosts;
        } => {
            let hosts = s.config.web.as_ref().map(|web| &web.hosts).filter(|hosts| !hosts.is_empty());
            hosts.map(list)
        };
        web "web" WEB |s, value| match one_of(value, &["on", "off"], [true, false])? {
            true => _ = s.config.web.get_or_insert_default(),
            false => s.config.web = None,
        } => Some(if s.config.web.is_some() { "on" } else { "off" }.to_owned());
        metrics "metrics" METRICS |s, value| s.metrics = Some(parse_address(value)?)
            => s.metrics.map(|address| address.to_string());
    }
    GROUP_TLS {
        tls "tls" TLS |s, value| {
            let modes = [TlsMode::On, TlsMode::Only, TlsMode::Off];
            s.tls.mode = Some(one_of(value, &["on", "only", "off"], modes)?);
        } => s.tls.mode.map(|mode| match mode {
            TlsMode::On => "on".to_owned(),
            TlsMode::Only => "only".to_owned(),
            TlsMode::Off => "off".to_owned(),
        });
        tls_cert "tls-cert" TLS_CERT |s, value| s.tls.certificate = Some(value.into())
            => s.tls.certificate.as_ref().map(|path| path.display().to_string());
        tls_key "tls-key" TLS_KEY |s, value| s.tls.key = Some(value.into())
            => s.tls.key.as_ref().map(|path| path.display().to_string());
        tls_self_signed "tls-self-signed" TLS_SELF_SIGNED |s, value| {
            s.tls.is_self_signed = one_of(value, &["true", "false"], [true, false])?;
        } => s.tls.is_self_signed.then(|| "true".to_owned());
        tls_dir "tls-dir" TLS_DIR |s, value| s.tls.dir = Some(value.into())
            => s.tls.dir.as_ref().map(|path| path.display().to_string());
    }
    GROUP_HOW_MUCH {
        worker "worker" WORKER |s, value| s.config.workers = range(value, 1, MAX_WORKERS)?
            => Some(s.config.workers.to_string());
        inline "inline" INLINE |s, value| s.config.inline_requests = range(value, 0, MAX_INLINE)?
            => Some(s.config.inline_requests.to_string());
        rate "rate" RATE |s, value| {
            let limits = &mut s.config.limits;
            match range(value, 0, u32::MAX.into())? {
                0 => limits.lift_rates(),
                rate => limits.commands = RateLimit::per_second(rate),
            }
        } => None;
        replay "replay" REPLAY |s, value| s.config.replay = range(value, 0, MAX_REPLAY)?
            => Some(s.config.replay.to_string());
        data "data" DATA |s, value| s.data.dir = Some(value.into())
            => s.data.dir.as_ref().map(|path| path.display().to_string());
        durable "durable" DURABLE |s, value| {
            s.data.is_durable = one_of(value, &["true", "false"], [true, false])?;
        } => s.data.is_durable.then(|| "true".to_owned());
        max_memory "max-memory" MAX_MEMORY |s, value| {
            let limit = Limit::named("max-memory").ok_or(ValueError::UnknownLimit(None))?;
            s.set_limit(limit, value)?;
        } => None;
    }
    GROUP_LOG {
        log "log" LOG |s, value| {
            use LevelFilter as Level;
            let levels = [Level::OFF, Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG];
            s.log = Some(one_of(value, &["off", "error", "warn", "info", "debug"], levels)?);
        } => s.log.map(|level| level.to_string());
        log_format "log-format" LOG_FORMAT |s, value| {
            s.log_format = one_of(value, &["text", "json"], [LogFormat::Text, LogFormat::Json])?;
        } => Some(if s.log_format == LogFormat::Json { "json" } else { "text" }.to_owned());
        record "record" RECORD |s, value| s.record = Some(value.into())
            => s.record.as_ref().map(|path| path.display().to_string());
    }
}

/// The flags that are not settings, with their texts.
pub(crate) const OTHER_FLAGS: [(&str, PerLang<FlagText>); 8] = [
    ("limit", texts::LIMIT),
    ("limits", texts::LIMITS),
    ("config", texts::CONFIG),
    ("check", texts::CHECK),
    ("no-web", texts::NO_WEB),
    ("probe", texts::PROBE),
    ("version", texts::VERSION),
    // Shares a row of the help with `version`.
    ("help", texts::VERSION),
];

/// Joins the values with commas.
fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(",")
}

/// Whether a flag may be repeated, each time adding to its value.
pub(crate) fn is_list(name: &str) -> bool {
    ["ip", "proxy-from", "web-host"].contains(&name)
}

/// Whether the flag is a switch: a setting that is true if the flag is given.
pub(crate) fn is_switch(name: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.name == name && setting.text.en.value.is_empty())
}

/// Whether a flag, named without hyphens, takes a value; `None` if there is no such flag.
pub(crate) fn takes_value(name: &str) -> Option<bool> {
    let settings = SETTINGS.iter().map(|setting| (setting.name, setting.text));
    let mut flags = settings.chain(OTHER_FLAGS);
    flags.find(|(flag, _)| *flag == name).map(|(_, text)| !text.en.value.is_empty())
}

/// Parses a whole number within bounds, which must fit the type.
fn range<T: TryFrom<u64>>(value: &str, least: u64, most: u64) -> Result<T, ValueError> {
    let number = value.parse().ok().filter(|n| (least..=most).contains(n));
    number.and_then(|n| n.try_into().ok()).ok_or(ValueError::OutOfRange { least, most })
}

fn one_of<T, const N: usize>(
    value: &str,
    words: &'static [&'static str; N],
    values: [T; N],
) -> Result<T, ValueError> {
    let nearest = || nearest(value, words.iter().map(|word| (*word, ()))).map(|(word, ())| word);
    let found = words.iter().zip(values).find(|(word, _)| **word == value);
    found.map(|(_, value)| value).ok_or_else(|| ValueError::NotOneOf { words, nearest: nearest() })
}

/// The settings in force, by name, and then the limits.
pub(crate) fn in_force(settings: &Settings) -> [Vec<(&'static str, String)>; 2] {
    let limits = &settings.config.limits;
    let shown = SETTINGS.iter().filter_map(|s| Some((s.name, (s.show)(settings)?)));
    let limits = Limit::ALL.iter().map(|limit| (limit.name(), limit.show(limits)));
    [shown.collect(), limits.collect()]
}

/// The settings in force as a configuration file.
pub(crate) fn to_toml(settings: &Settings) -> String {
    let lines = in_force(settings).map(|settings| {
        let line = |(name, value): (&str, String)| match value.parse::<u64>() {
            Ok(number) => format!("{name} = {number}\n"),
            Err(_) if is_switch(name) => format!("{name} = {value}\n"),
            Err(_) => format!("{name} = {value:?}\n"),
        };
        settings.into_iter().map(line).collect::<String>()
    });
    lines.join("\n[limits]\n")
}
