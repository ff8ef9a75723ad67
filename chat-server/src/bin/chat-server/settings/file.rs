//! The configuration file: TOML, with the settings of the command line under the same names.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::error::{FileError, SettingError, ValueError};
use super::names::{Place, set_limit, suggest};
use super::table::{SETTINGS, is_switch};
use super::values::Settings;

/// The longest file that is read, in bytes.
const MAX_LEN: u64 = 1 << 20;

/// Applies a file to `settings`, and adds everything that is wrong with it to `errors`.
pub(crate) fn apply_file(path: &str, settings: &mut Settings, errors: &mut Vec<SettingError>) {
    match read(path) {
        Ok(text) if text.len() as u64 > MAX_LEN => {
            errors.push(SettingError::FileTooLong { path: path.to_owned() });
        }
        Ok(text) => apply_text(path, &text, settings, errors),
        Err(error) => errors.push(SettingError::UnreadableFile { path: path.to_owned(), error }),
    }
}

fn apply_text(path: &str, text: &str, settings: &mut Settings, errors: &mut Vec<SettingError>) {
    let before = errors.len();
    let mut reader = Reader { path, text, settings, errors };
    let (table, syntax_errors) = DeTable::parse_recoverable(text);
    match syntax_errors.first() {
        None => reader.apply(table.get_ref()),
        Some(error) => {
            // A file that is not TOML may still name the language.
            reader.apply_lang(table.get_ref());
            let why = error.message().lines().next().unwrap_or("?").to_owned();
            reader.refuse(error.span(), FileError::NotToml(why));
        }
    }
    errors[before..].sort_by_key(|error| match error {
        SettingError::InFile { line, .. } => *line,
        _ => 0,
    });
}

/// Reads the file, at most one byte beyond its maximum length.
fn read(path: &str) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_LEN + 1).read_to_string(&mut text)?;
    Ok(text)
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    settings: &'a mut Settings,
    errors: &'a mut Vec<SettingError>,
}

impl Reader<'_> {
    fn apply(&mut self, table: &DeTable<'_>) {
        // In the order of the settings, not of the file: limits come after `rate`.
        for setting in SETTINGS {
            if let Some((key, value)) = table.iter().find(|(key, _)| *key.get_ref() == setting.name)
            {
                self.set(key.span(), setting.name.to_owned(), value.get_ref(), setting.set);
            }
        }
        for (key, value) in table {
            let name = key.get_ref();
            let error = match value.get_ref() {
                _ if SETTINGS.iter().any(|setting| setting.name == *name) => continue,
                DeValue::Table(limits) if name == "limits" => {
                    self.apply_limits(limits);
                    continue;
                }
                DeValue::Table(_) => FileError::UnknownSection(name.as_ref().to_owned()),
                _ => {
                    let suggestion = suggest(name, Place::File);
                    FileError::UnknownSetting { name: name.as_ref().to_owned(), suggestion }
                }
            };
            self.refuse(Some(key.span()), error);
        }
    }

    /// Applies only the language, for a file that is not TOML as a whole.
    fn apply_lang(&mut self, table: &DeTable<'_>) {
        let lang = table.iter().find(|(key, _)| key.get_ref() == "lang");
        if let Some(DeValue::String(lang)) = lang.map(|(_, value)| value.get_ref())
            && let Ok(lang) = lang.parse()
        {
            self.settings.config.lang = lang;
        }
    }

    fn apply_limits(&mut self, limits: &DeTable<'_>) {
        for (key, value) in limits {
            let name = key.get_ref();
            let is_repeated = name.contains('_')
                && limits.iter().any(|(other, _)| *other.get_ref() == name.replace('_', "-"));
            let key_path = format!("limits.{name}");
            if is_repeated {
                let error = ValueError::Repeated;
                self.refuse(
                    Some(key.span()),
                    FileError::Value { key: key_path, value: None, error },
                );
                continue;
            }
            self.set(key.span(), key_path, value.get_ref(), |settings, value| {
                set_limit(settings, name, value, Place::LimitsSection)
            });
        }
    }

    fn set(
        &mut self,
        at: Range<usize>,
        key: String,
        value: &DeValue<'_>,
        set: impl FnOnce(&mut Settings, &str) -> Result<(), ValueError>,
    ) {
        let (value, result) = match as_flag_value(value, is_switch(&key)) {
            Some(value) => (Some(value.as_ref().to_owned()), set(self.settings, &value)),
            None => (None, Err(ValueError::WrongType)),
        };
        if let Err(error) = result {
            self.refuse(Some(at), FileError::Value { key, value, error });
        }
    }

    fn refuse(&mut self, at: Option<Range<usize>>, error: FileError) {
        let before = self.text.get(..at.map_or(0, |at| at.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        self.errors.push(SettingError::InFile { path: self.path.to_owned(), line, error });
    }
}

/// The value as a flag would have it. `is_switch` says that it is true or false.
fn as_flag_value<'a>(value: &'a DeValue<'_>, is_switch: bool) -> Option<Cow<'a, str>> {
    match value {
        DeValue::String(text) => Some(Cow::Borrowed(text)),
        DeValue::Boolean(value) if is_switch => {
            Some(Cow::Borrowed(if *value { "true" } else { "false" }))
        }
        DeValue::Integer(number) if number.radix() == 10 => Some(Cow::Borrowed(number.as_str())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::Localize;
    use proptest::prelude::*;

    use super::*;
    use crate::settings::to_toml;

    /// The errors of a text, in the language that it asks for.
    fn errors(text: &str) -> Vec<String> {
        let (mut settings, mut errors) = (Settings::default(), Vec::new());
        apply_text("a.toml", text, &mut settings, &mut errors);
        errors.iter().map(|error| error.localized(settings.lang()).to_string()).collect()
    }

    proptest! {
        #[test]
        fn arbitrary_text_does_not_panic(text in "([a-z_\\[\\]=\"\n .,0-9-]|limits|port|\\PC){0,60}") {
            errors(&text);
        }

        #[test]
        fn a_spoiled_file_is_refused_with_the_file_name_and_without_control_characters(
            at in 0..400_usize,
            by in any::<char>(),
        ) {
            let mut text: Vec<_> = to_toml(&Settings::default()).chars().collect();
            let at = at % text.len();
            text[at] = by;
            let text: String = text.into_iter().collect();
            for error in errors(&text) {
                prop_assert!(!error.contains(char::is_control), "{error:?}");
                prop_assert!(error.starts_with("a.toml:"), "{error}");
            }
        }
    }

    #[test]
    fn the_settings_in_force_read_back_as_the_same_settings() {
        let mut settings = Settings::default();
        set_limit(&mut settings, "backlog", "3MiB", Place::LimitFlag).expect("it is in range");
        let text = to_toml(&settings);
        let (mut read, mut errors) = (Settings::default(), Vec::new());
        apply_text("a.toml", &text, &mut read, &mut errors);
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(to_toml(&read), text);
    }

    #[test]
    fn a_file_that_is_not_toml_may_still_name_the_language() {
        for text in ["lang = \"ko\"\nport = \n", "[limits\nrooms = 1\n", "port = = 1\nlang = 'ko'"]
        {
            let [error] = &errors(text)[..] else { panic!("it is told alone: {text:?}") };
            assert_eq!(error.contains("TOML이 아니에요"), text.contains("ko"), "{error}");
        }
    }

    #[test]
    fn names_in_a_file_are_shown_without_control_characters() {
        for text in [
            "\"\\u001b[2J\" = 1",
            "[limits]\n\"\\u001b_a\" = 1\n\"\\u001b-a\" = 1\n",
            "[\"\\u001b\"]\n",
        ] {
            let errors = errors(text);
            assert!(!errors.is_empty());
            assert!(errors.iter().all(|error| !error.contains(char::is_control)), "{errors:?}");
        }
    }
}
