//! The command line, and what it says about the configuration.

use std::ffi::OsString;

use argh::FromArgs;
use chat_server::Lang;

use crate::config_error::{Mistake, Problem};
use crate::config_file;
use crate::help;
use crate::settings::{Flags, SETTINGS, Settings};
use crate::texts;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// A server, with a port named.
    Serve(Box<Settings>),
    /// Only this text, on standard output.
    Say(String),
}

/// Everything that is wrong with the command line and the file, and in which language to say it.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) problems: Vec<Problem>,
    pub(crate) lang: Lang,
}

/// Reads the command line, and the configuration file that it names.
///
/// # Errors
/// When there is something wrong with them.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Wanted, Refused> {
    let (mut words, mut problems) = (Vec::new(), Vec::new());
    for arg in args {
        match arg.into_string() {
            Ok(arg) => words.extend(split_flag(&arg)),
            Err(arg) => problems.push(Problem::NotUtf8(arg)),
        }
    }
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let lang = lang_asked_for(&words).unwrap_or_default();
    if !problems.is_empty() {
        return Err(Refused { problems, lang });
    }
    if asks_for_help(&words) {
        return Ok(Wanted::Say(help::flags(lang)));
    }
    let flags = match Flags::from_args(&["chat-server"], &words) {
        Ok(flags) => flags,
        Err(exit) if exit.status.is_ok() => return Ok(Wanted::Say(help::flags(lang))),
        Err(exit) => return Err(Refused { problems: vec![Problem::of_argh(&exit.output)], lang }),
    };
    if flags.version {
        return Ok(Wanted::Say(concat!("chat-server ", env!("CARGO_PKG_VERSION")).to_owned()));
    }
    if flags.limits {
        return Ok(Wanted::Say(help::limits(lang)));
    }
    let settings = settings(&flags)?;
    if flags.check {
        let text = format!("# {}\n{}", texts::IN_FORCE.get(settings.lang()), settings.to_toml());
        return Ok(Wanted::Say(text));
    }
    Ok(Wanted::Serve(Box::new(settings)))
}

/// Makes `--flag=value` two words: argh knows only those.
fn split_flag(arg: &str) -> Vec<String> {
    match arg.split_once('=') {
        Some((flag, value)) if flag.starts_with("--") => vec![flag.to_owned(), value.to_owned()],
        _ => vec![arg.to_owned()],
    }
}

/// The language that a flag names, before anything is judged: what is wrong is told in it.
fn lang_asked_for(words: &[&str]) -> Option<Lang> {
    let at = words.iter().position(|word| *word == "--lang")?;
    words.get(at + 1)?.parse().ok()
}

/// argh refuses other flags beside these; whoever asks for help should get it.
fn asks_for_help(words: &[&str]) -> bool {
    words.first() == Some(&"help") || words.iter().any(|word| ["--help", "-h"].contains(word))
}

/// The settings of the file, with those of the flags over them.
fn settings(flags: &Flags) -> Result<Settings, Refused> {
    let (mut settings, mut problems) = (Settings::default(), Vec::new());
    if let Some(path) = &flags.config {
        config_file::apply(path, &mut settings, &mut problems);
    }
    let port_may_be_meant = !problems.is_empty();
    for (setting, value) in SETTINGS.iter().zip(flags.values()) {
        if let Some(value) = value
            && let Err(mistake) = (setting.set)(&mut settings, value)
        {
            problems.push(Problem::Flag { name: setting.name(), value: value.to_owned(), mistake });
        }
    }
    apply_limits(&flags.limit, &mut settings, &mut problems);
    problems.extend(settings.problems());
    let port_is_said = problems
        .iter()
        .any(|problem| matches!(problem, Problem::Flag { name, .. } if name == "port"));
    if settings.config().is_none() && !port_may_be_meant && !port_is_said {
        problems.push(Problem::NoPort);
    }
    if problems.is_empty() {
        return Ok(settings);
    }
    Err(Refused { problems, lang: settings.lang() })
}

fn apply_limits(limits: &[String], settings: &mut Settings, problems: &mut Vec<Problem>) {
    let mut seen = Vec::new();
    for limit in limits {
        let result = match limit.split_once('=') {
            None => Err(Mistake::NotNameAndValue),
            Some((name, value)) => {
                let name = name.replace('_', "-");
                let is_new = !seen.contains(&name);
                seen.push(name.clone());
                if is_new { settings.set_limit(&name, value) } else { Err(Mistake::Twice) }
            }
        };
        if let Err(mistake) = result {
            let (name, value) = ("limit".to_owned(), limit.clone());
            problems.push(Problem::Flag { name, value, mistake });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use chat_proto::Localize;

    use super::*;

    proptest! {
        #[test]
        fn any_words_are_taken_or_refused_in_lines_that_garble_no_terminal(
            words in prop::collection::vec(
                prop_oneof![
                    "--(port|ip|lang|limit|metrics|check|limits|prot)(=[0-9a-z:.]{0,9})?",
                    "ko|en|rooms=1",
                    "\\PC{0,9}|(.|\n){0,5}",
                    "-{0,2}[a=\u{1b}\n]{1,4}",
                ],
                0..6,
            ),
        ) {
            let Err(refused) = parse(words.iter().map(OsString::from)) else { return Ok(()) };
            prop_assert!(!refused.problems.is_empty());
            for problem in &refused.problems {
                let said = problem.localized(refused.lang).to_string();
                prop_assert!(!said.contains(char::is_control), "{said:?}");
            }
        }
    }

    #[test]
    fn the_language_asked_for_is_known_before_anything_is_judged() {
        let lang = |line: &str| match parse(line.split(' ').map(OsString::from)) {
            Err(refused) => refused.lang,
            other => panic!("{line}: {other:?}"),
        };
        for line in ["--lang=ko --prot=1", "--prot=1 --lang ko", "--lang=ko", "--port --lang=ko 1"]
        {
            assert_eq!(lang(line), Lang::Ko, "{line}");
        }
        for line in ["--prot=1", "--lang=fr --port=0", "--lang", "--lang=KO --prot"] {
            assert_eq!(lang(line), Lang::En, "{line}");
        }
    }
}
