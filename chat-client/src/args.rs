//! The command line: `--flag VALUE` and `--flag=VALUE` become an address to connect to.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use argh::FromArgs;

use crate::render::{Line, lowercase_first};

const PROGRAM: &str = "chat-client";
const HELP: &str = "--help";

/// Said after every mistake, so that no second look is needed to mend it.
const FLAGS: &str = "The flags are --ip=ADDR (IPv4 or IPv6, default 127.0.0.1) and --port=N (1 to 65535, required).";

/// Talk in the rooms of a chat server.
///
/// Lines are read from the terminal or a pipe; /help lists the commands.
#[derive(Debug, PartialEq, Eq, FromArgs)]
pub(crate) struct Args {
    /// address of the server, IPv4 or IPv6 (default 127.0.0.1)
    #[argh(option, arg_name = "addr", default = "DEFAULT_IP", from_str_fn(ip))]
    ip: IpAddr,

    /// port of the server, 1 to 65535
    #[argh(option, arg_name = "n", from_str_fn(port))]
    port: u16,
}

const DEFAULT_IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Why there is nothing to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Help was asked for.
    Help(Vec<Line>),
    /// The flags are wrong.
    Usage(Line),
}

impl Args {
    /// Reads the arguments behind the program's name.
    pub(crate) fn parse(given: impl Iterator<Item = OsString>) -> Result<Self, Stop> {
        let mut words = Vec::new();
        for arg in given {
            match arg.into_string() {
                Ok(arg) => words.extend(split_flag(&arg).map(str::to_owned)),
                Err(_) => return Err(usage("an argument is not UTF-8")),
            }
        }
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        // argh refuses other flags beside it; whoever asks for help should get it.
        if words.contains(&HELP) {
            words = vec![HELP];
        }
        Self::from_args(&[PROGRAM], &words).map_err(|exit| match exit.status {
            Ok(()) => Stop::Help(exit.output.lines().map(Line::new).collect()),
            Err(()) => usage(&exit.output),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.ip, self.port)
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

fn usage(mistake: &str) -> Stop {
    let mistake = mistake.split_whitespace().collect::<Vec<_>>().join(" ");
    Stop::Usage(Line::new(&format!("{}. {FLAGS}", lowercase_first(mistake.trim_end_matches('.')))))
}

fn ip(value: &str) -> Result<IpAddr, String> {
    value.parse().map_err(|_| "no IPv4 or IPv6 address".to_owned())
}

fn port(value: &str) -> Result<u16, String> {
    match value.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err("no number from 1 to 65535".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, Stop> {
        Args::parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
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
            assert_eq!(args.address().to_string(), "[::1]:9000");
        }
    }

    #[test]
    fn the_default_address_is_the_loopback() {
        let args = parse("--port=9000").expect("the port is all that is required");
        assert_eq!(args.address().to_string(), "127.0.0.1:9000");
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
            ("--port=1 --ip=localhost", "--ip"),
            ("--prot=1", "--prot"),
            ("--port=1 9000", "9000"),
        ] {
            let told = mistake(line);
            assert!(told.starts_with(char::is_lowercase) && told.ends_with(FLAGS), "{told}");
            assert!(told.split(FLAGS).next().is_some_and(|start| start.contains(named)), "{told}");
        }
    }

    #[test]
    fn help_wins_over_everything_else() {
        for line in ["--help", "--port=1 --help", "--help --ip=x"] {
            assert!(matches!(parse(line), Err(Stop::Help(lines)) if lines.len() > 5));
        }
    }
}
