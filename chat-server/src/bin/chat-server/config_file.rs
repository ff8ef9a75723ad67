//! A configuration file: TOML, with the settings of the command line under the same names.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;

use chat_server::Limit;
use toml::de::{DeTable, DeValue};

use crate::config_error::{InFile, Mistake, Problem};
use crate::settings::{SETTINGS, Settings};

/// The largest file that is read, in bytes.
const MAX_LEN: u64 = 1 << 20;

/// Puts what the file says into `settings`, and what is wrong with it into `problems`, each with its
/// line.
pub(crate) fn apply(path: &str, settings: &mut Settings, problems: &mut Vec<Problem>) {
    match read(path) {
        Ok(text) if text.len() as u64 > MAX_LEN => {
            problems.push(Problem::FileTooLong { path: path.to_owned() });
        }
        Ok(text) => apply_text(path, &text, settings, problems),
        Err(error) => problems.push(Problem::NoFile { path: path.to_owned(), error }),
    }
}

fn apply_text(path: &str, text: &str, settings: &mut Settings, problems: &mut Vec<Problem>) {
    let mut file = Reading { path, text, settings, problems };
    let (table, errors) = DeTable::parse_recoverable(text);
    match errors.first() {
        None => file.apply(table.get_ref()),
        Some(error) => {
            // The rest of it may say in which language.
            file.apply_lang(table.get_ref());
            let why = error.message().lines().next().unwrap_or("?").to_owned();
            file.problem(error.span(), InFile::NotToml(why));
        }
    }
}

/// What is in the file, and a byte more than it may have if it has more.
fn read(path: &str) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_LEN + 1).read_to_string(&mut text)?;
    Ok(text)
}

struct Reading<'a> {
    path: &'a str,
    text: &'a str,
    settings: &'a mut Settings,
    problems: &'a mut Vec<Problem>,
}

impl Reading<'_> {
    fn apply(&mut self, table: &DeTable<'_>) {
        // In the order of the settings, whatever that of the file: a limit is more than `rate`.
        for setting in SETTINGS {
            let name = setting.name();
            if let Some((key, value)) = table.iter().find(|(key, _)| *key.get_ref() == name) {
                self.set(key.span(), name, value.get_ref(), setting.set);
            }
        }
        for (key, value) in table {
            let name = key.get_ref();
            match value.get_ref() {
                DeValue::Table(limits) if name == "limits" => self.apply_limits(limits),
                _ if SETTINGS.iter().any(|setting| setting.name() == *name) => {}
                _ => {
                    let name = name.as_ref().to_owned();
                    let what = match Limit::named(&name) {
                        Some(_) => InFile::LimitOutside(name),
                        None => InFile::NoSuchSetting(name),
                    };
                    self.problem(Some(key.span()), what);
                }
            }
        }
    }

    /// Only the language, of what may be no TOML as a whole.
    fn apply_lang(&mut self, table: &DeTable<'_>) {
        let lang = table.iter().find(|(key, _)| key.get_ref() == "lang");
        if let Some(DeValue::String(lang)) = lang.map(|(_, value)| value.get_ref())
            && let Ok(lang) = lang.parse()
        {
            self.settings.speak(lang);
        }
    }

    fn apply_limits(&mut self, limits: &DeTable<'_>) {
        for (key, value) in limits {
            let name = key.get_ref();
            let spelled_twice = name.contains('_')
                && limits.iter().any(|(other, _)| *other.get_ref() == name.replace('_', "-"));
            let full_name = format!("limits.{name}");
            if spelled_twice {
                let mistake = Mistake::Twice;
                let what = InFile::Value { key: full_name, value: None, mistake };
                self.problem(Some(key.span()), what);
                continue;
            }
            self.set(key.span(), full_name, value.get_ref(), |settings, value| {
                settings.set_limit(name, value)
            });
        }
    }

    fn set(
        &mut self,
        at: Range<usize>,
        key: String,
        value: &DeValue<'_>,
        set: impl FnOnce(&mut Settings, &str) -> Result<(), Mistake>,
    ) {
        let (value, result) = match text_of(value) {
            Some(value) => (Some(value.as_ref().to_owned()), set(self.settings, &value)),
            None => (None, Err(Mistake::NeitherNumberNorText)),
        };
        if let Err(mistake) = result {
            self.problem(Some(at), InFile::Value { key, value, mistake });
        }
    }

    fn problem(&mut self, at: Option<Range<usize>>, what: InFile) {
        let before = self.text.get(..at.map_or(0, |at| at.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        self.problems.push(Problem::InFile { path: self.path.to_owned(), line, what });
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

    use chat_proto::Localize;

    use super::*;

    /// In the language that the text asks for.
    fn problems(text: &str) -> Vec<String> {
        let (mut settings, mut problems) = (Settings::default(), Vec::new());
        apply_text("a.toml", text, &mut settings, &mut problems);
        problems.iter().map(|problem| problem.localized(settings.lang()).to_string()).collect()
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
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(read.to_toml(), text);
    }

    #[test]
    fn what_is_no_toml_may_still_say_in_which_language() {
        for text in ["lang = \"ko\"\nport = \n", "[limits\nrooms = 1\n", "port = = 1\nlang = 'ko'"]
        {
            let [problem] = &problems(text)[..] else { panic!("it is said alone: {text:?}") };
            let is_korean = problem.contains("TOML이 아니에요");
            assert_eq!(is_korean, text.contains("ko"), "{problem}");
        }
    }

    #[test]
    fn no_name_in_a_file_garbles_a_terminal() {
        for text in ["\"\\u001b[2J\" = 1", "[limits]\n\"\\u001b_a\" = 1\n\"\\u001b-a\" = 1\n"] {
            let problems = problems(text);
            assert!(!problems.is_empty());
            assert!(problems.iter().all(|said| !said.contains(char::is_control)), "{problems:?}");
        }
    }
}
