//! Names of settings, limits and flags, wherever they are written.

use chat_server::Limit;

use super::error::ValueError;
use super::suggestion::nearest;
use super::table::{OTHER_FLAGS, SETTINGS};
use super::values::Settings;

/// Where a name was written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// On the command line, as `--NAME`.
    Flag,
    /// On the command line, as `--limit=NAME=VALUE`.
    LimitFlag,
    /// In a file, above any section.
    File,
    /// In a file, under `[limits]`.
    LimitsSection,
}

/// Sets the limit with this name, which was written at `place`.
pub(crate) fn set_limit(
    settings: &mut Settings,
    name: &str,
    value: &str,
    place: Place,
) -> Result<(), ValueError> {
    let unknown = || ValueError::UnknownLimit(suggest(name, place));
    let limit = Limit::named(name).ok_or_else(unknown)?;
    settings.set_limit(limit, value)
}

/// Returns the name that was probably meant by an unknown one, as it must be written at `place`; `None` if none is
/// similar.
pub(crate) fn suggest(word: &str, place: Place) -> Option<String> {
    enum Kind {
        Setting,
        Limit,
        Flag,
    }
    let settings = SETTINGS.iter().map(|setting| (setting.name, Kind::Setting));
    let limits = Limit::ALL.iter().map(|limit| (limit.name(), Kind::Limit));
    let flags = OTHER_FLAGS.iter().map(|(flag, _)| (*flag, Kind::Flag));
    let (name, kind) = nearest(word, settings.chain(limits).chain(flags))?;
    Some(match (kind, place) {
        (Kind::Setting, Place::File | Place::LimitsSection) => name.to_owned(),
        (Kind::Limit, Place::LimitFlag | Place::LimitsSection) => name.to_owned(),
        (Kind::Limit, Place::Flag) => format!("--limit={name}"),
        (Kind::Limit, Place::File) => format!("limits.{name}"),
        (Kind::Flag, Place::File) if name.starts_with("limit") => "[limits]".to_owned(),
        (Kind::Setting | Kind::Flag, _) => format!("--{name}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a12_a_typo_gets_the_nearest_name_and_its_place() {
        for (word, place, suggestion) in [
            ("--prot", Place::Flag, "--port"),
            ("--Port", Place::Flag, "--port"),
            ("-port", Place::Flag, "--port"),
            ("--shutdown_from", Place::Flag, "--shutdown-from"),
            ("--versoin", Place::Flag, "--version"),
            ("--connections", Place::Flag, "--limit=connections"),
            ("conections", Place::LimitFlag, "connections"),
            ("port", Place::LimitFlag, "--port"),
            ("prot", Place::File, "port"),
            ("LOG_FORMAT", Place::File, "log-format"),
            ("conections", Place::File, "limits.connections"),
            ("limits", Place::File, "[limits]"),
            ("config", Place::File, "--config"),
            ("conections", Place::LimitsSection, "connections"),
            ("port", Place::LimitsSection, "port"),
        ] {
            assert_eq!(suggest(word, place).as_deref(), Some(suggestion), "{word:?} {place:?}");
        }
        for word in ["-p", "--colour", "", &"port".repeat(1000)] {
            assert_eq!(suggest(word, Place::Flag), None, "{word}");
        }
    }
}
