//! The tables that `--help` and `--limits` print.

use chat_proto::PerLang;
use chat_server::{Lang, Limit, Limits};

use crate::settings::{OTHER_FLAGS, SETTINGS};
use crate::texts::{self, FlagText};

/// The flags, on one screen.
pub(crate) fn flags(lang: Lang) -> String {
    let mut text = format!("{}\n", texts::USAGE.get(lang));
    // The row of `limit` describes `limits` as well.
    let ([limit, _], others) = OTHER_FLAGS.split_first_chunk().expect("there are more");
    let rows = |flags: &[(&str, PerLang<FlagText>)]| {
        flags.iter().map(|(name, text)| row(name, text, lang)).collect::<String>()
    };
    let mut group = "";
    for setting in SETTINGS {
        if setting.group.get(lang) != group {
            group = setting.group.get(lang);
            text += &format!("{group}:\n");
        }
        text += &row(setting.name, &setting.text, lang);
        if setting.name == "rate" {
            text += &rows(&[*limit]);
        }
    }
    // The last row describes `help` as well.
    let others = &others[..others.len() - 1];
    text += &format!("{}:\n{}", texts::GROUP_CONFIGURATION.get(lang), rows(others));
    text + texts::EXIT_STATUS.get(lang)
}

fn row(flag: &str, text: &PerLang<FlagText>, lang: Lang) -> String {
    let FlagText { value, about } = text.get(lang);
    let equals = if value.is_empty() { "" } else { "=" };
    format!("  --{} {about}\n", padded(&format!("{flag}{equals}{value}"), 18))
}

/// The table of limits.
pub(crate) fn limits(lang: Lang) -> String {
    let defaults = Limits::default();
    let name = padded(texts::LIMIT_COLUMN.get(lang), 25);
    let default = texts::DEFAULT_COLUMN.get(lang);
    let gap = " ".repeat(8_usize.saturating_sub(columns(default)));
    let mut text = format!("{name}{gap}{default}  {}\n", texts::RANGE_COLUMN.get(lang));
    for limit in Limit::ALL {
        let (name, value, range) = (limit.name(), limit.show(&defaults), limit.range(lang));
        text += &format!("{name:<25}{value:>8}  {range}\n");
        text += &format!("    {}\n", limit.about(lang));
    }
    text + texts::UNITS.get(lang)
}

/// Pads a text with spaces to the given number of columns.
fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// The columns that a text takes on a terminal: two for each Hangul syllable.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if ('가'..='힣').contains(&c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use chat_server::CloseReason;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn the_flags_fit_a_screen() {
        for lang in Lang::ALL {
            let text = flags(lang);
            assert!(text.lines().count() <= 38, "{text}");
            for line in text.lines() {
                assert!(columns(line) <= 80, "{line}");
            }
        }
    }

    #[test]
    fn the_descriptions_of_flags_and_limits_are_aligned() {
        for lang in Lang::ALL {
            let text = flags(lang);
            for setting in SETTINGS {
                let FlagText { value, about } = setting.text.get(lang);
                let equals = if value.is_empty() { "" } else { "=" };
                let flag = format!("  --{}{equals}{value} ", setting.name);
                let line = text.lines().find(|line| line.starts_with(&flag)).expect("a line of it");
                let (before, _) = line.split_once(about).expect("it says what it is");
                assert_eq!(columns(before), 23, "{line}");
            }
            let table = limits(lang);
            let head = table.lines().next().expect("it has a head");
            assert_eq!(columns(head.trim_end_matches(texts::RANGE_COLUMN.get(lang))), 35);
        }
        assert_eq!(columns("--ip=주소"), 9);
    }

    #[test]
    fn the_help_shows_the_actual_defaults() {
        let defaults = Settings::default();
        for lang in Lang::ALL {
            let mut shown = 0;
            for setting in SETTINGS {
                let Some(value) = (setting.show)(&defaults) else { continue };
                let FlagText { about, .. } = setting.text.get(lang);
                let (_, default) = about.rsplit_once('(').expect("a default in brackets");
                assert!(default.starts_with(&value), "{}: {about}, not {value}", setting.name);
                shown += 1;
            }
            assert!(shown > 5);
            let rate = Limit::named("commands").expect("there is one").show(&Limits::default());
            let rate = format!("({})", rate.trim_end_matches("/s"));
            assert!(texts::RATE.get(lang).about.ends_with(&rate), "not {rate}");
        }
    }

    /// The tables of settings and limits that docs/OPERATIONS.md must contain.
    fn reference() -> [String; 2] {
        let settings = SETTINGS.iter().map(|setting| {
            let FlagText { value, about } = setting.text.get(Lang::En);
            let value = if value.is_empty() { "true" } else { value };
            format!("| `{} = {value}` | {about} |\n", setting.name)
        });
        let limits = Limit::ALL.iter().map(|limit| {
            let (default, range) = (limit.show(&Limits::default()), limit.range(Lang::En));
            format!("| `{}` | {default} | {range} | {} |\n", limit.name(), limit.about(Lang::En))
        });
        [settings.collect(), limits.collect()]
    }

    #[test]
    fn the_document_lists_every_setting_and_limit() {
        let document = include_str!("../../../../../docs/OPERATIONS.md");
        for table in reference() {
            assert!(document.contains(&format!("|---|\n{table}\n")), "it should hold:\n{table}");
        }
    }

    #[test]
    fn the_document_explains_every_close_reason() {
        let document = include_str!("../../../../../docs/OPERATIONS.md");
        let (_, reasons) = document.split_once("\n| reason |").expect("it has that table");
        for reason in CloseReason::ALL {
            let row = format!("\n| `{reason}` |");
            assert_eq!(reasons.matches(&row).count(), 1, "{reason}");
        }
    }

    #[test]
    fn the_image_has_this_version_and_probes_the_address_of_its_metrics() {
        let image = include_str!("../../../../../Dockerfile");
        let version = env!("CARGO_PKG_VERSION");
        assert!(image.contains(&format!("image.version=\"{version}\"\n")), "not {version}");
        let address =
            |flag: &str| image.split_once(flag).and_then(|(_, rest)| rest.split('"').next());
        assert_eq!(address("--probe="), address("--metrics="));
        assert!(address("--probe=").is_some());
    }

    #[test]
    fn every_limit_is_in_the_table() {
        for table in Lang::ALL.map(limits) {
            for limit in Limit::ALL {
                assert!(table.lines().any(|line| line.starts_with(limit.name())), "{table}");
            }
        }
    }
}
