//! The command line, and what it says about the configuration.

use std::ffi::OsString;

use argh::FromArgs;

use crate::config_file;
use crate::help;
use crate::settings::{Flags, SETTINGS, Settings};

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// A server, with a port named.
    Serve(Box<Settings>),
    /// Only this text, on standard output.
    Say(String),
}

/// Reads the command line, and the configuration file that it names.
///
/// # Errors
/// Everything that is wrong with them, each in a line or some.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Wanted, Vec<String>> {
    let mut words = Vec::new();
    for arg in args {
        let arg = arg.into_string().map_err(|arg| vec![format!("{arg:?} is not UTF-8")])?;
        words.extend(split_flag(&arg));
    }
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let flags = match Flags::from_args(&["chat-server"], &words) {
        Ok(flags) => flags,
        Err(exit) if exit.status.is_ok() => return Ok(Wanted::Say(help::flags())),
        Err(exit) => return Err(vec![visible(exit.output.trim_end())]),
    };
    if flags.version {
        return Ok(Wanted::Say(concat!("chat-server ", env!("CARGO_PKG_VERSION")).to_owned()));
    }
    if flags.limits {
        return Ok(Wanted::Say(help::limits()));
    }
    let settings = settings(&flags)?;
    if flags.check {
        let text = format!("# The configuration is right. In force is:\n{}", settings.to_toml());
        return Ok(Wanted::Say(text));
    }
    Ok(Wanted::Serve(Box::new(settings)))
}

/// The settings of the file, with those of the flags over them.
fn settings(flags: &Flags) -> Result<Settings, Vec<String>> {
    let (mut settings, mut problems) = (Settings::default(), Vec::new());
    if let Some(path) = &flags.config {
        config_file::apply(path, &mut settings, &mut problems);
    }
    let port_may_be_meant = !problems.is_empty();
    for (setting, value) in SETTINGS.iter().zip(flags.values()) {
        if let Some(value) = value
            && let Err(problem) = (setting.set)(&mut settings, value)
        {
            problems.push(format!("--{}={value:?}: {problem}", setting.name()));
        }
    }
    apply_limits(&flags.limit, &mut settings, &mut problems);
    problems.extend(settings.problems());
    let port_is_said = problems.iter().any(|problem| problem.starts_with("--port"));
    if settings.config().is_none() && !port_may_be_meant && !port_is_said {
        problems.push("--port is missing: a port to listen on, from 0 to 65535".to_owned());
    }
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

fn apply_limits(limits: &[String], settings: &mut Settings, problems: &mut Vec<String>) {
    let mut seen = Vec::new();
    for limit in limits {
        let Some((name, value)) = limit.split_once('=') else {
            problems.push(format!("--limit={limit:?}: it has to be NAME=VALUE"));
            continue;
        };
        let name = name.replace('_', "-");
        let result = match seen.contains(&name) {
            true => Err("it is there twice".to_owned()),
            false => settings.set_limit(&name, value),
        };
        if let Err(problem) = result {
            problems.push(format!("--limit={limit:?}: {problem}"));
        }
        seen.push(name);
    }
}

/// Makes `--flag=value` two words: argh knows only those.
fn split_flag(arg: &str) -> Vec<String> {
    match arg.split_once('=') {
        Some((flag, value)) if flag.starts_with("--") => vec![flag.to_owned(), value.to_owned()],
        _ => vec![arg.to_owned()],
    }
}

/// The text with its control characters escaped, but for the ends of its lines.
fn visible(text: &str) -> String {
    let lines = text.lines().map(|line| {
        line.chars().fold(String::new(), |mut line, c| {
            if c.is_control() {
                line.extend(c.escape_default());
            } else {
                line.push(c);
            }
            line
        })
    });
    lines.collect::<Vec<_>>().join("\n")
}
