//! Names of settings, limits and flags, wherever they are written.

use chat_server::Limit;

use super::error::ValueError;
use super::suggestion::{Suggestion, nearest};
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

/// Sets the limit of that name, which was written at `place`.
pub(crate) fn set_limit(
    settings: &mut Settings,
    name: &str,
    value: &str,
    place: Place,
) -> Result<(), ValueError> {
    let unknown = || ValueError::UnknownLimit(suggest(name, place));
    let limit = Limit::named(name).ok_or_else(unknown)?;
    settings.connections_are_set |= limit.name() == "connections";
    limit.set(&mut settings.config.limits, value).map_err(ValueError::Limit)
}

/// What a name that is unknown at that place probably stands for, if there is anything like it.
pub(crate) fn suggest(word: &str, place: Place) -> Option<Suggestion> {
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
        (Kind::Setting, Place::File) | (Kind::Limit, Place::LimitFlag | Place::LimitsSection) => {
            Suggestion::Name(name)
        }
        (Kind::Setting | Kind::Flag, Place::Flag | Place::LimitFlag) => Suggestion::Flag(name),
        (Kind::Setting, Place::LimitsSection) => Suggestion::AboveLimits(name),
        (Kind::Limit, Place::Flag) => Suggestion::LimitFlag(name),
        (Kind::Limit, Place::File) => Suggestion::UnderLimits(name),
        (Kind::Flag, Place::File | Place::LimitsSection) => match name {
            "limit" | "limits" => Suggestion::LimitsSection,
            _ => Suggestion::FlagOnly(name),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a12_a_typo_gets_the_nearest_name_and_its_place() {
        use Suggestion::*;
        for (word, place, suggestion) in [
            ("--prot", Place::Flag, Some(Flag("port"))),
            ("--Port", Place::Flag, Some(Flag("port"))),
            ("-port", Place::Flag, Some(Flag("port"))),
            ("--shutdown_from", Place::Flag, Some(Flag("shutdown-from"))),
            ("--workers", Place::Flag, Some(Flag("worker"))),
            ("--versoin", Place::Flag, Some(Flag("version"))),
            ("--connections", Place::Flag, Some(LimitFlag("connections"))),
            ("-p", Place::Flag, None),
            ("--history", Place::Flag, None),
            ("conections", Place::LimitFlag, Some(Name("connections"))),
            ("port", Place::LimitFlag, Some(Flag("port"))),
            ("prot", Place::File, Some(Name("port"))),
            ("LOG_FORMAT", Place::File, Some(Name("log-format"))),
            ("conections", Place::File, Some(UnderLimits("connections"))),
            ("limit", Place::File, Some(LimitsSection)),
            ("limits", Place::File, Some(LimitsSection)),
            ("config", Place::File, Some(FlagOnly("config"))),
            ("conections", Place::LimitsSection, Some(Name("connections"))),
            ("port", Place::LimitsSection, Some(AboveLimits("port"))),
            ("beards", Place::LimitsSection, None),
            ("", Place::File, None),
        ] {
            assert_eq!(suggest(word, place), suggestion, "{word:?} {place:?}");
        }
        assert_eq!(suggest(&"port".repeat(1000), Place::File), None);
    }
}
