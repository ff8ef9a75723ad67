//! The command line: sorts it, has argh parse it, and reports everything wrong with it at once.

use std::ffi::OsString;
use std::net::SocketAddr;

use argh::FromArgs;
use chat_server::Lang;

use super::help;
use crate::commands::{self, Command};
use crate::settings::{
    Flags, Place, SETTINGS, SettingError, Settings, ValueError, apply_file, is_list, is_switch,
    parse_address, set_limit, suggest, takes_value, to_toml,
};
use crate::texts;

/// A valid command line.
#[derive(Debug)]
pub(crate) enum Request {
    /// Serve with these settings.
    Serve(Box<Settings>),
    /// Ask the server that serves metrics at this address for its health.
    Probe(SocketAddr, Lang),
    /// Carry out a command.
    Command(Command, Lang),
    /// Print this text and do nothing else.
    Print(String),
}

/// The errors in the command line and the file, with the language to report them in.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) errors: Vec<SettingError>,
    pub(crate) lang: Lang,
}

/// Parses the command line, and reads the configuration file that it names.
///
/// # Errors
/// If anything is wrong with them.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Request, Refused> {
    let (mut words, mut errors) = (Vec::new(), Vec::new());
    for arg in args {
        match arg.into_string() {
            Ok(word) => words.push(word),
            Err(arg) => errors.push(SettingError::NotUtf8(arg)),
        }
    }
    let asks_for_help = words.first().is_some_and(|word| word == "help")
        || words.iter().any(|word| ["--help", "-h"].contains(&word.as_str()));
    if !asks_for_help && let Some(request) = command(&words, &mut errors) {
        return request;
    }
    let words = sort_out(words, &mut errors);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let mut lang = lang_asked_for(&words).unwrap_or_default();
    if asks_for_help {
        return Ok(Request::Print(help::flags(lang)));
    }
    let request = match Flags::from_args(&["chat-server"], &words) {
        Ok(flags) => answer(&flags, &mut lang, &mut errors),
        Err(exit) => {
            errors.push(SettingError::Argh(exit.output));
            None
        }
    };
    request.filter(|_| errors.is_empty()).ok_or(Refused { errors, lang })
}

/// Returns the request for a command, if the first word is one.
fn command(words: &[String], errors: &mut Vec<SettingError>) -> Option<Result<Request, Refused>> {
    let (first, rest) = words.split_first()?;
    let parse = commands::named(first)?;
    let mut lang = Lang::default();
    let mut others = Vec::new();
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let value = match word.strip_prefix("--lang") {
            Some("") => rest.next().map(String::as_str),
            Some(value) if value.starts_with('=') => Some(&value[1..]),
            _ => {
                others.push(word.clone());
                continue;
            }
        };
        let value = value.unwrap_or_default();
        match value.parse() {
            Ok(known) => lang = known,
            Err(_) => errors.push(SettingError::Flag {
                name: "lang",
                value: value.to_owned(),
                error: ValueError::NotOneOf { words: &["en", "ko"], nearest: None },
            }),
        }
    }
    match parse(&others) {
        Ok(command) if errors.is_empty() => return Some(Ok(Request::Command(command, lang))),
        Ok(_) => {}
        Err(more) => errors.extend(more),
    }
    Some(Err(Refused { errors: std::mem::take(errors), lang }))
}

/// Drops invalid words and splits `--flag=value` in two, the only form that argh accepts.
fn sort_out(words: Vec<String>, errors: &mut Vec<SettingError>) -> Vec<String> {
    let mut good: Vec<String> = Vec::new();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            errors.push(SettingError::Stray(word));
            continue;
        }
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        let name = flag.strip_prefix("--").unwrap_or_default();
        let is_repeated = name != "limit" && good.contains(&flag);
        match (takes_value(name), value) {
            (None, value) => {
                // The next word is its value, unless it is a flag.
                value.or_else(|| words.next_if(|word| !word.starts_with('-')));
                let suggestion = suggest(&flag, Place::Flag);
                errors.push(SettingError::UnknownFlag { flag, suggestion });
            }
            (Some(false), Some(_)) => errors.push(SettingError::UnwantedValue(flag)),
            (Some(false), None) if is_switch(name) && is_repeated => {
                errors.push(SettingError::RepeatedFlag(flag));
            }
            // argh sees a flag with a value, as in a file.
            (Some(false), None) if is_switch(name) => good.extend([flag, "true".to_owned()]),
            (Some(false), None) => good.push(flag),
            (Some(true), value) => {
                match value.or_else(|| words.next_if(|word| !word.starts_with("--"))) {
                    None => errors.push(SettingError::MissingValue(flag)),
                    Some(value) if is_repeated && is_list(name) => append(&mut good, &flag, &value),
                    Some(_) if is_repeated => errors.push(SettingError::RepeatedFlag(flag)),
                    Some(value) => good.extend([flag, value]),
                }
            }
        }
    }
    good
}

/// Appends to the value of a flag that is a list.
fn append(good: &mut [String], flag: &str, value: &str) {
    if let Some(at) = good.iter().position(|word| word == flag) {
        good[at + 1] += &format!(",{value}");
    }
}

fn lang_asked_for(words: &[&str]) -> Option<Lang> {
    let at = words.iter().position(|word| *word == "--lang")?;
    words.get(at + 1)?.parse().ok()
}

/// Returns the request that the flags ask for, or `None` if it is invalid. Sets `lang` to the language of the
/// settings.
fn answer(flags: &Flags, lang: &mut Lang, errors: &mut Vec<SettingError>) -> Option<Request> {
    if flags.version {
        let version = concat!("chat-server ", env!("CARGO_PKG_VERSION"));
        return Some(Request::Print(version.to_owned()));
    }
    if flags.limits {
        return Some(Request::Print(help::limits(*lang)));
    }
    if let Some(value) = &flags.probe {
        let address = parse_address(value).map_err(|error| {
            errors.push(SettingError::Flag { name: "probe", value: value.to_owned(), error });
        });
        return Some(Request::Probe(address.ok()?, *lang));
    }
    let settings = apply(flags, errors);
    *lang = settings.lang();
    Some(if flags.check {
        let heading = texts::IN_FORCE.get(*lang);
        Request::Print(format!("# {heading}\n{}", to_toml(&settings)))
    } else {
        Request::Serve(Box::new(settings))
    })
}

/// The settings of the file, overridden by those of the flags.
fn apply(flags: &Flags, errors: &mut Vec<SettingError>) -> Settings {
    let mut settings = Settings::default();
    if let Some(path) = &flags.config {
        apply_file(path, &mut settings, errors);
    }
    for (setting, value) in SETTINGS.iter().zip(flags.values()) {
        if let Some(value) = value
            && let Err(error) = (setting.set)(&mut settings, value)
        {
            let (name, value) = (setting.name, value.to_owned());
            errors.push(SettingError::Flag { name, value, error });
        }
    }
    if flags.no_web {
        settings.config.web = None;
    }
    apply_limits(&flags.limit, &mut settings, errors);
    if !settings.has_port && !errors.iter().any(SettingError::may_hide_the_port) {
        errors.push(SettingError::MissingPort);
    }
    errors.extend(settings.errors());
    settings
}

fn apply_limits(limits: &[String], settings: &mut Settings, errors: &mut Vec<SettingError>) {
    let mut seen = Vec::new();
    for limit in limits {
        let result = match limit.split_once('=') {
            None => Err(ValueError::NotNameAndValue),
            Some((name, value)) => {
                let name = name.replace('_', "-");
                let is_new = !seen.contains(&name);
                seen.push(name.clone());
                if is_new {
                    set_limit(settings, &name, value, Place::LimitFlag)
                } else {
                    Err(ValueError::Repeated)
                }
            }
        };
        if let Err(error) = result {
            errors.push(SettingError::Flag { name: "limit", value: limit.clone(), error });
        }
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::Localize;
    use proptest::prelude::*;

    use super::*;

    fn refused<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<Refused> {
        parse(words.into_iter().map(OsString::from)).err()
    }

    proptest! {
        #[test]
        fn arbitrary_words_are_refused_without_control_characters(
            words in prop::collection::vec(
                prop_oneof![
                    "--(port|ip|lang|limit|metrics|check|limits|prot)(=[0-9a-z:.]{0,9})?",
                    "ko|en|rooms=1|help",
                    "\\PC{0,9}|(.|\n){0,5}",
                    "-{0,2}[a=\u{1b}\n]{1,4}",
                ],
                0..6,
            ),
        ) {
            let Some(refused) = refused(words.iter().map(String::as_str)) else { return Ok(()) };
            prop_assert!(!refused.errors.is_empty());
            for error in &refused.errors {
                prop_assert!(!matches!(error, SettingError::Argh(_)), "found before: {error:?}");
                let text = error.localized(refused.lang).to_string();
                prop_assert!(!text.contains(char::is_control), "{text:?}");
            }
        }
    }

    #[test]
    fn errors_are_in_the_language_of_the_flag() {
        let lang = |line: &str| refused(line.split(' ')).unwrap_or_else(|| panic!("{line}")).lang;
        for line in ["--lang=ko --prot=1", "--prot=1 --lang ko", "--lang=ko", "--port --lang=ko 1"]
        {
            assert_eq!(lang(line), Lang::Ko, "{line}");
        }
        for line in ["--prot=1", "--lang=fr --port=0", "--lang", "--lang=KO --prot"] {
            assert_eq!(lang(line), Lang::En, "{line}");
        }
    }

    #[test]
    fn a12_all_errors_are_reported_at_once() {
        let errors = |line: &str| {
            let refused = refused(line.split(' ')).unwrap_or_else(|| panic!("{line} is right"));
            let errors = refused.errors.iter();
            errors.map(|error| error.localized(Lang::En).to_string()).collect::<Vec<_>>()
        };
        const MISSING: &str = "port is missing: choose one from 0 to 65535, as in --port=9000";
        assert_eq!(
            errors("--prot 9000 -x --check=yes --worker=0 --rate --lang=kr --lang en --log=inof 7"),
            [
                "there is no flag \"--prot\": did you mean --port?",
                "there is no flag \"-x\": --help lists them",
                "--check takes no value",
                "--rate needs a value, as in --rate=VALUE",
                "--lang is there twice",
                "\"7\" is neither a flag nor the value of one; quote a value with spaces",
                "--lang=\"kr\": must be one of en, ko: did you mean ko?",
                "--worker=\"0\": must be a whole number from 1 to 256",
                "--log=\"inof\": must be one of off, error, warn, info, debug: did you mean info?",
                MISSING,
            ]
        );
        let near = "--limit=\"conections=5\": there is no such limit: did you mean connections?";
        assert_eq!(errors("--limit=conections=5"), [near, MISSING]);
        // A wrong port is not reported as missing, too.
        for line in ["--port", "--port=x", "--config=/nonexistent"] {
            assert_eq!(errors(line).len(), 1, "{line}");
        }
    }
}
