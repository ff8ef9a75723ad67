//! A configuration file: TOML, with the settings of the command line under the same names.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;

use chat_server::Limit;
use toml::de::{DeTable, DeValue};

use crate::settings::{SETTINGS, Settings};

/// The largest file that is read, in bytes.
const MAX_LEN: u64 = 1 << 20;

/// Puts what the file says into `settings`, and what is wrong with it into `problems`, each with its
/// line.
pub(crate) fn apply(path: &str, settings: &mut Settings, problems: &mut Vec<String>) {
    match read(path) {
        Ok(text) => apply_text(path, &text, settings, problems),
        Err(error) => problems.push(format!("--config={path:?}: {error}")),
    }
}

fn apply_text(path: &str, text: &str, settings: &mut Settings, problems: &mut Vec<String>) {
    let mut file = Reading { path, text, settings, problems };
    match DeTable::parse(text) {
        Ok(table) => file.apply(table.get_ref()),
        Err(error) => file.problem(error.span(), error.message().lines().next().unwrap_or("?")),
    }
}

fn read(path: &str) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_LEN + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_LEN {
        return Err(io::Error::other("a configuration has at most 1 MiB"));
    }
    Ok(text)
}

struct Reading<'a> {
    path: &'a str,
    text: &'a str,
    settings: &'a mut Settings,
    problems: &'a mut Vec<String>,
}

impl Reading<'_> {
    fn apply(&mut self, table: &DeTable<'_>) {
        // In the order of the settings, whatever that of the file: a limit is more than `rate`.
        for setting in SETTINGS {
            let name = setting.name();
            if let Some((key, value)) = table.iter().find(|(key, _)| *key.get_ref() == name) {
                self.set(key.span(), &name, value.get_ref(), setting.set);
            }
        }
        for (key, value) in table {
            let name = key.get_ref();
            match value.get_ref() {
                DeValue::Table(limits) if name == "limits" => self.apply_limits(limits),
                _ if SETTINGS.iter().any(|setting| setting.name() == *name) => {}
                _ => {
                    let problem = match Limit::named(name) {
                        Some(_) => format!("{name:?} is a limit: it belongs under [limits]"),
                        None => format!("there is no setting {name:?}: --help lists them"),
                    };
                    self.problem(Some(key.span()), &problem);
                }
            }
        }
    }

    fn apply_limits(&mut self, limits: &DeTable<'_>) {
        for (key, value) in limits {
            let name = key.get_ref();
            let spelled_twice = name.contains('_')
                && limits.iter().any(|(other, _)| *other.get_ref() == name.replace('_', "-"));
            if spelled_twice {
                self.problem(Some(key.span()), &format!("limits.{name}: it is there twice"));
                continue;
            }
            let full_name = format!("limits.{}", name.escape_debug());
            self.set(key.span(), &full_name, value.get_ref(), |settings, value| {
                settings.set_limit(name, value)
            });
        }
    }

    fn set(
        &mut self,
        at: Range<usize>,
        name: &str,
        value: &DeValue<'_>,
        set: impl FnOnce(&mut Settings, &str) -> Result<(), String>,
    ) {
        let (shown, result) = match text_of(value) {
            Some(value) => (format!(" = {value:?}"), set(self.settings, &value)),
            None => (String::new(), Err("it has to be a number or a text in quotes".to_owned())),
        };
        if let Err(problem) = result {
            self.problem(Some(at), &format!("{name}{shown}: {problem}"));
        }
    }

    fn problem(&mut self, at: Option<Range<usize>>, problem: &str) {
        let before = self.text.get(..at.map_or(0, |at| at.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        self.problems.push(format!("{}:{line}: {problem}", self.path.escape_debug()));
    }
}

/// A value as a flag would have it.
fn text_of<'a>(value: &'a DeValue<'_>) -> Option<Cow<'a, str>> {
    match value {
        DeValue::String(text) => Some(Cow::Borrowed(text)),
        DeValue::Integer(number) if number.radix() == 10 => Some(Cow::Borrowed(number.as_str())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let (mut settings, mut problems) = (Settings::default(), Vec::new());
        apply_text("a.toml", text, &mut settings, &mut problems);
        problems
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(text in "([a-z_\\[\\]=\"\n .,0-9-]|limits|port|\\PC){0,60}") {
            problems(&text);
        }

        #[test]
        fn every_line_of_what_is_in_force_may_be_spoiled(at in 0..400_usize, by in any::<char>()) {
            let mut text: Vec<_> = Settings::default().to_toml().chars().collect();
            let at = at % text.len();
            text[at] = by;
            let text: String = text.into_iter().collect();
            for problem in problems(&text) {
                prop_assert!(!problem.contains(char::is_control), "{problem:?}");
                prop_assert!(problem.starts_with("a.toml:"), "{problem}");
            }
        }
    }

    #[test]
    fn what_is_in_force_is_a_file_that_changes_nothing() {
        let mut settings = Settings::default();
        settings.set_limit("backlog", "3MiB").expect("it is in range");
        let text = settings.to_toml();
        let (mut read, mut problems) = (Settings::default(), Vec::new());
        apply_text("a.toml", &text, &mut read, &mut problems);
        assert_eq!((problems, read.to_toml()), (vec![], text));
    }
}
