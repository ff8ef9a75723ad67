//! What the program says about itself.

use chat_server::{Limit, Limits};

use crate::settings::SETTINGS;

/// The flags, on one screen.
pub(crate) fn flags() -> String {
    let mut text = "Usage: chat-server --port=N [FLAG]...\n\
        A room chat server. Its first line of output is \"listening on ADDR:PORT\".\n"
        .to_owned();
    let mut group = "";
    for setting in SETTINGS {
        if setting.group != group {
            group = setting.group;
            text += &format!("{group}:\n");
        }
        text += &row(&format!("{}={}", setting.name(), setting.value), setting.help.trim());
        if setting.group == "How much" && setting.name() == "rate" {
            text += &row("limit=NAME=VALUE", "another limit; may be repeated");
            text += &row("limits", "list the limits: names, defaults, ranges, costs");
        }
    }
    text += "Configuration:\n";
    text += &row("config=FILE", "the same settings from a TOML file; flags win");
    text += &row("check", "say what is wrong, or what is in force; start nothing");
    text += &row("version", "say which version this is");
    text += &row("help", "this text");
    text += "Exit status: 0 stopped, 1 failed, 2 a setting is wrong, 128+N second signal N";
    text
}

fn row(flag: &str, help: &str) -> String {
    format!("  --{flag:<18} {help}\n")
}

/// The limits, a table.
pub(crate) fn limits() -> String {
    let defaults = Limits::default();
    let mut text = format!("{:<25}{:>8}  {:<20}\n", "NAME", "DEFAULT", "RANGE");
    for limit in Limit::ALL {
        let (name, value, range) = (limit.name(), limit.show(&defaults), limit.range());
        text += &format!("{name:<25}{value:>8}  {range}\n");
        text += &format!("    {}\n", limit.about());
    }
    text += "In a file they stand under [limits]. A size is in B, KiB, MiB or GiB, a time in ms, s, \
        m or h.";
    text
}

#[cfg(test)]
mod tests {
    use chat_server::CloseReason;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn the_flags_fit_a_screen() {
        let text = flags();
        assert!(text.lines().count() <= 24, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn the_help_tells_the_defaults_there_are() {
        let defaults = Settings::default();
        let mut shown = 0;
        for setting in SETTINGS {
            let Some(value) = (setting.show)(&defaults) else { continue };
            let (_, default) = setting.help.rsplit_once('(').expect("a default in brackets");
            assert!(default.starts_with(&value), "{}: {}, not {value}", setting.name(), default);
            shown += 1;
        }
        assert!(shown > 5);
        let rate = Limit::named("commands").expect("there is one").show(&Limits::default());
        assert!(flags().contains(&format!("no limit ({})", rate.trim_end_matches("/s"))));
    }

    /// The tables of settings and of limits that docs/OPERATIONS.md has to hold.
    fn reference() -> [String; 2] {
        let settings = SETTINGS.iter().map(|setting| {
            format!("| `{} = {}` | {} |\n", setting.name(), setting.value, setting.help.trim())
        });
        let limits = Limit::ALL.iter().map(|limit| {
            let (default, range) = (limit.show(&Limits::default()), limit.range());
            format!("| `{}` | {default} | {range} | {} |\n", limit.name(), limit.about())
        });
        [settings.collect(), limits.collect()]
    }

    #[test]
    fn the_document_has_the_settings_and_the_limits_as_they_are() {
        let document = include_str!("../../docs/OPERATIONS.md");
        for table in reference() {
            assert!(document.contains(&format!("|---|\n{table}\n")), "it should hold:\n{table}");
        }
    }

    #[test]
    fn the_document_says_what_each_reason_means() {
        let document = include_str!("../../docs/OPERATIONS.md");
        let (_, reasons) = document.split_once("\n| reason |").expect("it has that table");
        for reason in CloseReason::ALL {
            let row = format!("\n| `{reason}` |");
            assert_eq!(reasons.matches(&row).count(), 1, "{reason}");
        }
    }

    #[test]
    fn every_limit_is_in_the_table() {
        let table = limits();
        for limit in Limit::ALL {
            assert!(table.lines().any(|line| line.starts_with(limit.name())), "{table}");
        }
    }
}
