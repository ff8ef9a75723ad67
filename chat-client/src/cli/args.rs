//! The command line: `--flag VALUE` and `--flag=VALUE` become what to do, and where the
//! server is.

use std::ffi::OsString;

use argh::FromArgs;
use chat_proto::{Lang, Name, RoomId, ValueError};

use crate::app::input;
use crate::app::texts::Text;
use crate::cli::usage_error::{Misuse, Rule};
use crate::net::destination::{Destination, Host};
use crate::terminal::line::Line;

const PROGRAM: &str = "chat-client";
const HELP: [&str; 2] = ["--help", "-h"];
const LANG: &str = "--lang";

/// Talk in the rooms of a chat server. (What `--help` shows is in the table of texts.)
#[derive(Debug, PartialEq, Eq, FromArgs)]
#[argh(help_triggers("--help", "-h"))]
pub(crate) struct Args {
    /// name of the server's machine, or its address, IPv4 or IPv6 (default 127.0.0.1)
    #[argh(option, arg_name = "host", default = "Host::LOOPBACK", from_str_fn(host))]
    ip: Host,

    /// port of the server, 1 to 65535
    #[argh(option, arg_name = "n", from_str_fn(port))]
    port: u16,

    /// the name to have from the start
    #[argh(option, arg_name = "name", from_str_fn(name))]
    pub(crate) name: Option<Name>,

    /// the room to enter at the start
    #[argh(option, arg_name = "id", from_str_fn(room))]
    pub(crate) join: Option<RoomId>,

    /// one message a line, no colours, no editing
    #[argh(switch)]
    pub(crate) plain: bool,

    /// connect again when the connection is lost
    #[argh(switch)]
    pub(crate) reconnect: bool,

    /// language of the client's own texts, ko or en
    #[argh(option, arg_name = "lang", from_str_fn(lang))]
    pub(crate) lang: Option<Lang>,
}

/// Why there is nothing to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Help was asked for.
    Help(Vec<Line>),
    /// The flags are wrong.
    Usage(Line),
}

impl Args {
    /// Reads the arguments behind the program's name. What is told is told in the language they
    /// ask for, or else in `lang`.
    pub(crate) fn parse(given: impl Iterator<Item = OsString>, lang: Lang) -> Result<Self, Stop> {
        let mut words = Vec::new();
        for arg in given {
            match arg.into_string() {
                Ok(arg) => words.extend(split_flag(&arg).map(str::to_owned)),
                Err(_) => return Err(usage(&Misuse::NotUtf8, lang)),
            }
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let asked = words.iter().position(|word| *word == LANG).and_then(|at| words.get(at + 1));
        let lang = asked.and_then(|word| word.parse().ok()).unwrap_or(lang);
        // argh refuses other flags beside it; whoever asks for help should get it.
        if words.iter().any(|word| HELP.contains(word)) {
            return Err(Stop::Help(Text::Flags.say(lang).lines().map(Line::new).collect()));
        }
        Self::read(&words).map_err(|misuse| usage(&misuse, lang))
    }

    /// Reads words that do not ask for help.
    pub(crate) fn read(words: &[&str]) -> Result<Self, Misuse> {
        Self::from_args(&[PROGRAM], words).map_err(|exit| Misuse::of(&exit.output))
    }

    pub(crate) fn server(&self) -> Destination {
        Destination { host: self.ip.clone(), port: self.port }
    }
}

/// argh takes the value of a flag from the next word only.
fn split_flag(arg: &str) -> impl Iterator<Item = &str> {
    let (flag, value) = match arg.split_once('=') {
        Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
        _ => (arg, None),
    };
    std::iter::once(flag).chain(value)
}

fn usage(misuse: &Misuse, lang: Lang) -> Stop {
    Stop::Usage(Line::new(&Text::BadFlags(misuse).say(lang)))
}

/// The rule that keeps `value` from being one of `flag`: from argh no more comes than a text.
pub(crate) fn broken_rule(flag: &str, value: &str) -> Option<Rule> {
    match flag {
        "--ip" => Some(Rule::Host),
        "--port" => Some(Rule::Port),
        "--name" => joined(value).err().map(Rule::Name),
        "--join" => Some(Rule::Room),
        "--lang" => Some(Rule::Lang),
        _ => None,
    }
}

fn host(value: &str) -> Result<Host, String> {
    value.parse().map_err(|_| Rule::Host.to_string())
}

fn port(value: &str) -> Result<u16, String> {
    match value.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(Rule::Port.to_string()),
    }
}

fn name(value: &str) -> Result<Name, String> {
    joined(value).map_err(|error| Rule::Name(error).to_string())
}

/// Words are joined by one space, as behind `/name`.
fn joined(value: &str) -> Result<Name, ValueError> {
    let words: Vec<&str> = value.split_whitespace().collect();
    Name::new(&words.join(" "))
}

fn room(value: &str) -> Result<RoomId, String> {
    input::room_id(value).ok_or_else(|| Rule::Room.to_string())
}

fn lang(value: &str) -> Result<Lang, String> {
    value.parse().map_err(|_| Rule::Lang.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, Stop> {
        let words = line.split(' ').filter(|word| !word.is_empty());
        Args::parse(words.map(OsString::from), Lang::En)
    }

    fn mistake(line: &str) -> String {
        match parse(line) {
            Err(Stop::Usage(line)) => line.as_str().to_owned(),
            other => panic!("{line} gave {other:?}"),
        }
    }

    #[test]
    fn a_value_follows_its_flag_or_an_equals_sign() {
        for line in ["--port=9000 --ip=::1", "--port 9000 --ip ::1", "--ip=::1 --port 9000"] {
            let args = parse(line).expect("both forms work");
            assert_eq!(args.server().to_string(), "[::1]:9000");
        }
    }

    #[test]
    fn the_default_address_is_the_loopback() {
        let args = parse("--port=9000").expect("the port is all that is required");
        assert_eq!(args.server().to_string(), "127.0.0.1:9000");
    }

    #[test]
    fn the_server_may_have_a_name() {
        let args = parse("--port=9000 --ip=chat.lan").expect("it may");
        assert_eq!(args.server().to_string(), "chat.lan:9000");
    }

    #[test]
    fn a_mistake_names_the_flag_and_what_it_takes_in_one_line() {
        for (line, named) in [
            ("", "--port"),
            ("--port", "--port"),
            ("--port=", "--port"),
            ("--port=0", "--port"),
            ("--port=65536", "--port"),
            ("--port 9000x", "--port"),
            ("--port=1 --port=2", "--port"),
            ("--port=1 --ip=", "--ip"),
            ("--port=1 --ip=here:9000", "--ip"),
            ("--port=1 --join=0", "--join"),
            ("--port=1 --name=", "--name"),
            ("--port=1 --lang=fr", "--lang"),
            ("--port=1 --plain=yes", "yes"),
            ("--prot=1", "--prot"),
            ("--port=1 9000", "9000"),
        ] {
            let told = mistake(line);
            let (start, flags) =
                told.split_once(" The flags are ").expect("it says which there are");
            assert!(start.starts_with(char::is_lowercase) && start.contains(named), "{told}");
            assert!(flags.contains("--port=N"), "{told}");
        }
    }

    #[test]
    fn a_name_that_the_shell_has_split_is_told_of_quotes() {
        assert!(mistake("--port=1 --name=Guido van Rossum").contains("van\" (a value with spaces"));
        assert!(!mistake("--port=1 --nmae=x").contains("quotes"));
    }

    #[test]
    fn a_name_and_a_room_are_checked_at_once() {
        let args = parse("--port=1 --name=김철수 --join=7 --plain --reconnect").expect("all good");
        assert_eq!(args.name.as_ref().map(Name::as_str), Some("김철수"));
        assert_eq!((args.join, args.plain, args.reconnect), (RoomId::new(7).ok(), true, true));
        assert_eq!(name("Guido  van Rossum").map(|name| name.as_str().len()), Ok(16));
        assert!(name(&"x".repeat(33)).is_err() && room("+1").is_err());
    }

    #[test]
    fn help_wins_over_everything_else() {
        for line in ["--help", "-h", "--port=1 --help", "--help --ip=x", "--prot -h"] {
            assert!(matches!(parse(line), Err(Stop::Help(lines)) if lines.len() > 5));
        }
    }

    #[test]
    fn the_language_asked_for_is_spoken_at_once() {
        for line in ["--help --lang=ko", "--lang ko --port=0"] {
            let told = match parse(line) {
                Err(Stop::Help(lines)) => lines[0].clone(),
                Err(Stop::Usage(line)) => line,
                Ok(args) => panic!("{args:?}"),
            };
            assert!(told.as_str().contains(|c| ('가'..='힣').contains(&c)), "{told:?}");
        }
    }

    #[test]
    fn help_has_every_flag_in_every_language() {
        let exit = Args::from_args(&[PROGRAM], &HELP[..1]).expect_err("argh's own help");
        let words = exit.output.split(|c: char| !(c.is_ascii_alphabetic() || c == '-'));
        let flags: Vec<&str> = words.filter(|word| word.starts_with("--")).collect();
        assert!(flags.len() > 7, "{flags:?}");
        for lang in [Lang::En, Lang::Ko] {
            for flag in &flags {
                assert!(Text::Flags.say(lang).contains(&format!("  {flag}")), "{flag}");
            }
        }
    }
}
