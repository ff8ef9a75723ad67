//! Parses the command line.

use std::ffi::OsString;
use std::fmt;

use argh::FromArgs;
use chat_proto::{Lang, Localize, Name};

use crate::app::options::Options;
use crate::cli::help;
use crate::cli::usage_error::{UsageError, ValueRule};
use crate::net::destination::{Destination, Host};
use crate::net::tls::settings::server_name;
use crate::net::tls::trust::Trust;

const HELP: [&str; 2] = ["--help", "-h"];

/// The request in a command line.
#[derive(Debug)]
pub(crate) enum Request {
    Chat(Args),
    /// Print this text.
    Print(String),
}

/// The checked flags.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) server: Destination,
    /// The certificates to trust. Connections are encrypted if given.
    pub(crate) trust: Option<Trust>,
    pub(crate) plain: bool,
    /// All options except the format, which depends on the terminal.
    pub(crate) options: Options,
}

/// An invalid command line. `Display` says what is wrong with it, and lists the flags.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) error: UsageError,
    pub(crate) lang: Lang,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.error.localized(self.lang), help::IN_SHORT.get(self.lang))
    }
}

/// Parses the arguments after the program's name; both `--flag VALUE` and `--flag=VALUE` work. Texts are in the
/// language that the flags ask for, or else in `lang`.
///
/// # Errors
/// If a flag is unknown, missing, or has an invalid value.
pub(crate) fn parse(given: impl Iterator<Item = OsString>, lang: Lang) -> Result<Request, Refused> {
    let mut words = Vec::new();
    for arg in given {
        match arg.into_string() {
            Ok(arg) => words.extend(split_flag(&arg).map(str::to_owned)),
            Err(_) => return Err(Refused { error: UsageError::NotUtf8, lang }),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let lang = requested_lang(&words).unwrap_or(lang);
    // argh would refuse other flags beside these, which should not keep anybody from the help.
    if words.iter().any(|word| HELP.contains(word)) {
        return Ok(Request::Print(help::FLAGS.get(lang).to_owned()));
    }
    read(&words, lang).map_err(|error| Refused { error, lang })
}

/// Splits `--flag=VALUE`, since argh takes values only from the next word.
fn split_flag(arg: &str) -> impl Iterator<Item = &str> {
    let (flag, value) = match arg.split_once('=') {
        Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
        _ => (arg, None),
    };
    std::iter::once(flag).chain(value)
}

/// The value of `--lang`, the language in which mistakes in the other flags are reported.
fn requested_lang(words: &[&str]) -> Option<Lang> {
    let at = words.iter().position(|word| *word == "--lang")?;
    words.get(at + 1)?.parse().ok()
}

/// Talk in the rooms of a chat server. (`help::FLAGS` is what `--help` shows.)
#[derive(FromArgs)]
#[argh(help_triggers("--help", "-h"))]
struct Flags {
    /// host name or address of the server
    #[argh(option)]
    ip: Option<String>,

    /// port of the server
    #[argh(option)]
    port: Option<String>,

    /// encrypt, and trust the authorities of this system
    #[argh(switch)]
    tls: bool,

    /// encrypt, and trust the authorities in a file
    #[argh(option)]
    tls_ca: Option<String>,

    /// encrypt, and trust one certificate
    #[argh(option)]
    tls_fingerprint: Option<String>,

    /// name to take at the start
    #[argh(option)]
    name: Option<String>,

    /// room to enter at the start
    #[argh(option)]
    join: Option<String>,

    /// one message a line, no colours, no editing
    #[argh(switch)]
    plain: bool,

    /// connect again when the connection is lost
    #[argh(switch)]
    reconnect: bool,

    /// language of the client
    #[argh(option)]
    lang: Option<String>,

    /// print the version
    #[argh(switch)]
    version: bool,
}

/// Parses words that do not ask for help.
fn read(words: &[&str], lang: Lang) -> Result<Request, UsageError> {
    let flags = Flags::from_args(&["chat-client"], words)
        .map_err(|exit| UsageError::of_argh(&exit.output))?;
    if flags.version {
        let version = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
        return Ok(Request::Print(version.to_owned()));
    }
    let port = value("--port", flags.port, port)?.ok_or(UsageError::NoPort)?;
    let trust = trust(flags.tls, flags.tls_ca, flags.tls_fingerprint)?;
    let host = value("--ip", flags.ip, |text| host(text, trust.as_ref()))?;
    Ok(Request::Chat(Args {
        server: Destination { host: host.unwrap_or(Host::LOOPBACK), port },
        trust,
        plain: flags.plain,
        options: Options {
            name: value("--name", flags.name, name)?,
            join: value("--join", flags.join, |id| id.parse().map_err(|_| ValueRule::Room))?,
            reconnect: flags.reconnect,
            lang: value("--lang", flags.lang, |code| code.parse().map_err(|_| ValueRule::Lang))?
                .unwrap_or(lang),
            ..Options::default()
        },
    }))
}

/// Parses the value of a flag, if the flag was given.
fn value<T>(
    flag: &'static str,
    value: Option<String>,
    parse: impl FnOnce(&str) -> Result<T, ValueRule>,
) -> Result<Option<T>, UsageError> {
    let Some(value) = value else { return Ok(None) };
    match parse(&value) {
        Ok(parsed) => Ok(Some(parsed)),
        // argh took the next flag as the value.
        Err(_) if value.starts_with("--") => Err(UsageError::NoValue(flag.to_owned())),
        Err(rule) => Err(UsageError::BadValue { flag, value, rule }),
    }
}

/// Returns whom to trust, if any of the flags asks for TLS.
fn trust(
    tls: bool,
    authorities: Option<String>,
    fingerprint: Option<String>,
) -> Result<Option<Trust>, UsageError> {
    let authorities = value("--tls-ca", authorities, |file| match file {
        "" => Err(ValueRule::File),
        file => Ok(Trust::Authorities(file.into())),
    })?;
    let certificate = value("--tls-fingerprint", fingerprint, |fingerprint| {
        fingerprint.parse().map(Trust::Certificate).map_err(|_| ValueRule::Fingerprint)
    })?;
    match (authorities, certificate) {
        (Some(_), Some(_)) => Err(UsageError::TwoTrusts),
        (authorities, certificate) => {
            Ok(authorities.or(certificate).or_else(|| tls.then_some(Trust::System)))
        }
    }
}

fn host(value: &str, trust: Option<&Trust>) -> Result<Host, ValueRule> {
    let host = value.parse().map_err(|_| ValueRule::Host)?;
    // A fingerprint identifies a certificate, whatever the host's name is.
    let needs_name = matches!(trust, Some(Trust::System | Trust::Authorities(_)));
    if needs_name && server_name(&host).is_err() {
        return Err(ValueRule::NameInCertificate);
    }
    Ok(host)
}

fn port(value: &str) -> Result<u16, ValueRule> {
    value.parse().ok().filter(|&port| port > 0).ok_or(ValueRule::Port)
}

/// Joins words with single spaces, as `/name` does.
fn name(value: &str) -> Result<Name, ValueRule> {
    let words: Vec<&str> = value.split_whitespace().collect();
    Name::new(&words.join(" ")).map_err(ValueRule::Name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::line::cells_of;
    use chat_proto::{RoomId, ValueError};
    use proptest::prelude::*;

    fn parse_words(words: &[&str]) -> Result<Request, Refused> {
        parse(words.iter().map(OsString::from), Lang::En)
    }

    fn request(line: &str) -> Request {
        parse_words(&line.split_whitespace().collect::<Vec<_>>()).expect(line)
    }

    fn args(line: &str) -> Args {
        let Request::Chat(args) = request(line) else { panic!("{line} asks for no chat") };
        args
    }

    fn printed(line: &str) -> String {
        let Request::Print(text) = request(line) else { panic!("{line} prints nothing") };
        text
    }

    #[track_caller]
    fn error(words: &[&str]) -> UsageError {
        parse_words(words).expect_err("something is wrong with them").error
    }

    #[test]
    fn a_value_follows_its_flag_or_an_equals_sign() {
        for line in ["--port=9000 --ip=::1", "--port 9000 --ip ::1", "--ip=::1 --port 9000"] {
            assert_eq!(args(line).server.to_string(), "[::1]:9000");
        }
        assert_eq!(args("--port=9000").server.to_string(), "127.0.0.1:9000");
        assert_eq!(args("--port=9000 --ip=chat.lan").server.to_string(), "chat.lan:9000");
    }

    #[test]
    fn every_mistake_with_flags_is_recognized() {
        let port = || "--port".to_owned();
        assert_eq!(error(&[]), UsageError::NoPort);
        assert_eq!(error(&["--port"]), UsageError::NoValue(port()));
        assert_eq!(error(&["--port", "--plain"]), UsageError::NoValue(port()));
        assert_eq!(error(&["--port=1", "--port=2"]), UsageError::Repeated(port()));
        assert_eq!(error(&["--prot=1"]), UsageError::UnknownFlag("--prot".to_owned()));
        assert_eq!(error(&["-x"]), UsageError::UnknownFlag("-x".to_owned()));
        for word in ["9000", "help", "", "a\nb"] {
            assert_eq!(error(&["--port=1", word]), UsageError::StrayWord(word.to_owned()));
        }
    }

    #[test]
    fn every_rule_for_a_value_is_checked() {
        for (flag, value, rule) in [
            ("--port", "0", ValueRule::Port),
            ("--port", "65536", ValueRule::Port),
            ("--port", "9000x", ValueRule::Port),
            ("--port", "", ValueRule::Port),
            ("--port", "x': duplicate values provided", ValueRule::Port),
            ("--ip", "", ValueRule::Host),
            ("--ip", "here:9000", ValueRule::Host),
            ("--tls-ca", "", ValueRule::File),
            ("--tls-fingerprint", "12:34", ValueRule::Fingerprint),
            ("--join", "0", ValueRule::Room),
            ("--join", "+1", ValueRule::Room),
            ("--lang", "fr", ValueRule::Lang),
            ("--name", "", ValueRule::Name(ValueError::Empty)),
            ("--name", "a\u{7}", ValueRule::Name(ValueError::Forbidden('\u{7}'))),
        ] {
            let words = [flag, value, "--port", "1"];
            let words = if flag == "--port" { &words[..2] } else { &words };
            assert_eq!(error(words), UsageError::BadValue { flag, value: value.to_owned(), rule });
        }
    }

    #[test]
    fn a_name_and_a_room_are_checked_at_once() {
        let Args { plain, options, .. } =
            args("--port=1 --name=김철수 --join=7 --plain --reconnect");
        assert_eq!(options.name.as_ref().map(Name::as_str), Some("김철수"));
        assert_eq!((options.join, plain, options.reconnect), (RoomId::new(7).ok(), true, true));
        assert_eq!(name("Guido  van Rossum").map(|name| name.as_str().len()), Ok(16));
    }

    #[test]
    fn any_flag_for_tls_asks_for_it() {
        let digits = "0123456789abcdef".repeat(4);
        let pinned = || digits.parse().map(Trust::Certificate).ok();
        for (flags, trust) in [
            ("", None),
            ("--tls", Some(Trust::System)),
            ("--tls-ca=a.pem", Some(Trust::Authorities("a.pem".into()))),
            ("--tls --tls-ca a.pem", Some(Trust::Authorities("a.pem".into()))),
            (&format!("--tls-fingerprint={digits}"), pinned()),
            (&format!("--tls --tls-fingerprint=SHA256:{}", digits.to_uppercase()), pinned()),
        ] {
            assert_eq!(args(&format!("--port=1 {flags}")).trust, trust, "{flags}");
        }
        let both = ["--port=1", "--tls-ca=a.pem", &format!("--tls-fingerprint={digits}")];
        assert_eq!(error(&both), UsageError::TwoTrusts);
    }

    #[test]
    fn a_host_that_no_certificate_names_needs_a_fingerprint() {
        let host = "--ip=채팅.lan";
        let pinned = format!("--tls-fingerprint={}", "0".repeat(64));
        for good in [vec![host], vec![host, &pinned]] {
            assert!(parse_words(&[&["--port=1"][..], &good].concat()).is_ok(), "{good:?}");
        }
        for trust in ["--tls", "--tls-ca=a.pem"] {
            assert_eq!(
                error(&["--port=1", host, trust]),
                UsageError::BadValue {
                    flag: "--ip",
                    value: "채팅.lan".to_owned(),
                    rule: ValueRule::NameInCertificate
                }
            );
        }
    }

    #[test]
    fn help_wins_over_everything_else() {
        for line in ["--help", "-h", "--port=1 --help", "--help --ip=x", "--prot -h"] {
            assert_eq!(printed(line), help::FLAGS.en);
        }
    }

    #[test]
    fn the_requested_language_is_spoken_at_once() {
        assert_eq!(printed("--help --lang=ko"), help::FLAGS.ko);
        assert_eq!(parse_words(&["--lang", "ko", "--port=0"]).expect_err("0").lang, Lang::Ko);
    }

    #[test]
    fn help_has_every_flag_and_fits_a_terminal() {
        let exit = Flags::from_args(&["chat-client"], &HELP[..1]).err().expect("argh's own help");
        let words = exit.output.split(|c: char| !(c.is_ascii_alphabetic() || c == '-'));
        let flags: Vec<&str> = words.filter(|word| word.starts_with("--")).collect();
        assert!(flags.len() > 8, "{flags:?}");
        for help in Lang::ALL.map(|lang| help::FLAGS.get(lang)) {
            assert!(flags.iter().all(|flag| help.contains(&format!("  {flag}"))), "{help}");
            assert!(help.lines().all(|line| cells_of(line) <= 80), "{help}");
        }
    }

    fn words() -> impl Strategy<Value = Vec<String>> {
        let flags = ["--ip", "--port", "--tls", "--tls-ca", "--name", "--join", "--lang", "--"];
        let word = prop_oneof![
            3 => prop::sample::select(flags.map(str::to_owned).to_vec()),
            1 => prop::sample::select(vec!["1", "ko", "a", "help"]).prop_map(str::to_owned),
            1 => any::<String>(),
            1 => "[-': \n\\PC]{0,9}",
        ];
        prop::collection::vec(word, 0..6)
    }

    proptest! {
        #[test]
        fn everything_that_argh_reports_is_recognized(words in words()) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            prop_assume!(!words.iter().any(|word| HELP.contains(word)));
            match read(&words, Lang::En) {
                Err(UsageError::Other(text)) => prop_assert!(false, "{text}"),
                Err(UsageError::BadValue { flag, value, .. }) => {
                    prop_assert!(words.windows(2).any(|pair| pair == [flag, &value]), "{flag}");
                }
                Err(UsageError::UnknownFlag(word) | UsageError::StrayWord(word)) => {
                    prop_assert!(words.contains(&word.as_str()), "{word}");
                }
                _ => {}
            }
        }
    }
}
