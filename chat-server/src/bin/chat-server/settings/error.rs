//! Errors of the command line and of configuration files, and their texts.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use chat_proto::{Localize, localize};
use chat_server::{Lang, LimitError, TlsError};

/// A mistake that keeps the program from starting. There may be several.
#[derive(Debug)]
pub(crate) enum SettingError {
    /// An argument is not UTF-8.
    NotUtf8(OsString),
    /// No flag has that name (hyphens included, here and below).
    UnknownFlag { flag: String, suggestion: Option<String> },
    /// An argument is neither a flag nor the value of one.
    Stray(String),
    /// The flag has no value and needs one.
    MissingValue(String),
    /// The flag has a value and takes none.
    UnwantedValue(String),
    /// The flag is given twice.
    RepeatedFlag(String),
    /// An error found by argh, in its words.
    Argh(String),
    /// `history` is not followed by what to do.
    NoAction,
    /// A command lacks a flag that it needs.
    MissingFlag(&'static str),
    /// It is not clear what to erase.
    RoomOrMember,
    /// A flag has a wrong value. The name is without hyphens.
    Flag { name: &'static str, value: String, error: ValueError },
    /// `replay` is not told what to replay.
    MissingRecording,
    /// Chats are to be acknowledged once they are on a disk, but nothing is kept on any.
    DurableWithoutData,
    /// Neither a flag nor the file names a port.
    MissingPort,
    /// The configuration file cannot be read.
    UnreadableFile { path: String, error: io::Error },
    /// The configuration file is longer than 1 MiB.
    FileTooLong { path: String },
    /// A line of the configuration file is wrong.
    InFile { path: String, line: usize, error: FileError },
    /// A limit, wherever it was set, is one that no server can run with.
    Limit(LimitError),
    /// Two addresses to listen on are the same, or one includes the other.
    Overlap { ip: IpAddr, other: IpAddr },
    /// Metrics would be served at the server's own address.
    SameAddress { metrics: SocketAddr, server: SocketAddr },
    /// The certificate or its key is unusable.
    Tls(TlsError),
    /// TLS is required, and there is no certificate.
    NoCertificate,
    /// There is a key without a certificate.
    KeyWithoutCertificate,
    /// A certificate is given, although the server is told to make one.
    TwoCertificates,
}

/// A mistake in a line of a configuration file.
#[derive(Debug)]
pub(crate) enum FileError {
    /// The file is not TOML; the text is the parser's.
    NotToml(String),
    UnknownSection(String),
    UnknownSetting {
        name: String,
        suggestion: Option<String>,
    },
    /// A key has a wrong value, which is shown if it could be that of a flag.
    Value {
        key: String,
        value: Option<String>,
        error: ValueError,
    },
}

/// A mistake in a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ValueError {
    OutOfRange {
        least: u64,
        most: u64,
    },
    /// The value is none of these words; one of them may be similar.
    NotOneOf {
        words: &'static [&'static str],
        nearest: Option<&'static str>,
    },
    NotAnAddress,
    NotAnAddressWithPort,
    NotANetwork,
    NotAHost,
    /// The address is only valid together with an interface, and names none.
    NeedsInterface,
    NoSuchInterface(String),
    NotNameAndValue,
    /// One of several names breaks this rule.
    NotAName(chat_proto::ValueError),
    /// In a file: neither a number nor a string.
    WrongType,
    UnknownLimit(Option<String>),
    Limit(LimitError),
    Repeated,
}

impl SettingError {
    /// Whether a port may have been given despite the error: wrongly, or in a file that could not be read.
    pub(crate) fn may_hide_the_port(&self) -> bool {
        match self {
            Self::Flag { name, .. } => *name == "port",
            Self::MissingValue(flag) => flag == "--port",
            Self::UnreadableFile { .. } | Self::FileTooLong { .. } => true,
            Self::InFile { error: FileError::NotToml(_), .. } => true,
            Self::InFile { error: FileError::Value { key, .. }, .. } => key == "port",
            _ => false,
        }
    }
}

/// Texts about what is missing.
impl SettingError {
    fn fmt_missing(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAction => localize!(f, lang,
                en: "history needs one of export, erase and check, as in history check --data=DIR",
                ko: "history 뒤에 export, erase, check 가운데 하나를 써 주세요. 예를 들면 history check --data=폴더예요"),
            Self::MissingFlag(flag) => localize!(f, lang,
                en: "{flag} is missing",
                ko: "{flag} 플래그가 없어요"),
            Self::RoomOrMember => localize!(f, lang,
                en: "give either --room or --member",
                ko: "--room 플래그나 --member 플래그 가운데 하나만 써 주세요"),
            Self::MissingRecording => localize!(f, lang,
                en: "replay needs a recording, as in chat-server replay FILE",
                ko: "replay 다음에 기록 파일이 없어요. chat-server replay 파일 꼴로 써 주세요"),
            Self::DurableWithoutData => localize!(f, lang,
                en: "durable needs a directory: give one with --data=DIR",
                ko: "durable 설정에는 폴더가 있어야 해요. --data=폴더 꼴로 정해 주세요"),
            _ => Ok(()),
        }
    }
}

impl Localize for SettingError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8(arg) => localize!(f, lang,
                en: "{arg:?} is not UTF-8",
                ko: "{arg:?}: UTF-8이 아니에요"),
            Self::UnknownFlag { flag, suggestion } => {
                localize!(f, lang, en: "there is no flag {flag:?}", ko: "{flag:?} 플래그는 없어요")?;
                suggest_or_list(suggestion.as_deref(), "--help", lang, f)
            }
            Self::Stray(word) => localize!(f, lang,
                en: "{word:?} is neither a flag nor the value of one; quote a value with spaces",
                ko: "{word:?}: 플래그도 그 값도 아니에요. 띄어 쓴 값은 따옴표로 묶어 주세요"),
            Self::MissingValue(flag) => localize!(f, lang,
                en: "{flag} needs a value, as in {flag}=VALUE",
                ko: "{flag} 플래그에 값이 없어요. {flag}=값 꼴로 써 주세요"),
            Self::UnwantedValue(flag) => localize!(f, lang,
                en: "{flag} takes no value",
                ko: "{flag} 플래그에는 값을 쓰지 않아요"),
            Self::RepeatedFlag(flag) => localize!(f, lang,
                en: "{flag} is there twice",
                ko: "{flag} 플래그가 두 번 있어요"),
            Self::Argh(words) => {
                let words = words.escape_debug();
                localize!(f, lang, en: "{words}", ko: "플래그가 잘못됐어요 ({words})")
            }
            Self::Flag { name, value, error } => {
                write!(f, "--{name}={value:?}: ")?;
                error.fmt_in(lang, f)
            }
            Self::NoAction
            | Self::MissingFlag(_)
            | Self::RoomOrMember
            | Self::MissingRecording
            | Self::DurableWithoutData => self.fmt_missing(lang, f),
            Self::MissingPort => localize!(f, lang,
                en: "port is missing: choose one from 0 to 65535, as in --port=9000",
                ko: "port 설정이 없어요. --port=9000처럼 0~65535 사이에서 골라 주세요"),
            Self::UnreadableFile { path, error } => localize!(f, lang,
                en: "--config={path:?}: cannot read the file: {error}",
                ko: "--config={path:?}: 파일을 읽을 수 없어요: {error}"),
            Self::FileTooLong { path } => localize!(f, lang,
                en: "--config={path:?}: the file is longer than 1 MiB",
                ko: "--config={path:?}: 파일이 1 MiB보다 길어요"),
            Self::InFile { path, line, error } => {
                write!(f, "{}:{line}: ", path.escape_debug())?;
                error.fmt_in(lang, f)
            }
            Self::Limit(error) => error.fmt_in(lang, f),
            Self::Overlap { ip, other } if ip == other => localize!(f, lang,
                en: "--ip={ip} is there twice",
                ko: "--ip={ip} 주소가 두 번 있어요"),
            Self::Overlap { ip, other } => localize!(f, lang,
                en: "--ip={ip} includes {other}: leave one of them out",
                ko: "--ip={ip}: {other} 주소도 여기에 들어 있어요. 하나를 빼 주세요"),
            Self::SameAddress { metrics, server } => localize!(f, lang,
                en: "metrics is {metrics}: the chat itself listens on {server}. Choose another port",
                ko: "metrics = {metrics}: 서버가 쓸 주소와 겹쳐요 ({server}). 다른 포트를 골라 주세요"),
            Self::Tls(error) => error.fmt_in(lang, f),
            Self::NoCertificate => localize!(f, lang,
                en: "TLS needs a certificate: name one with --tls-cert, or generate one with --tls-self-signed",
                ko: "TLS에는 인증서가 필요해요. --tls-cert 플래그로 알려 주거나 --tls-self-signed 플래그로 만들어 주세요"),
            Self::KeyWithoutCertificate => localize!(f, lang,
                en: "--tls-key is there without --tls-cert",
                ko: "--tls-key 플래그만 있고 --tls-cert 플래그가 없어요"),
            Self::TwoCertificates => localize!(f, lang,
                en: "--tls-cert and --tls-self-signed exclude each other: leave one of them out",
                ko: "--tls-cert 플래그와 --tls-self-signed 플래그가 다 있어요. 하나를 빼 주세요"),
        }
    }
}

impl Localize for FileError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotToml(why) => localize!(f, lang,
                en: "not TOML: {why}",
                ko: "TOML이 아니에요: {why}"),
            Self::UnknownSection(name) => localize!(f, lang,
                en: "there is no section {name:?}: the only one is [limits]",
                ko: "{name:?} 부분은 없어요. [limits]만 쓸 수 있어요"),
            Self::UnknownSetting { name, suggestion } => {
                localize!(f, lang,
                    en: "there is no setting {name:?}",
                    ko: "{name:?} 설정은 없어요")?;
                suggest_or_list(suggestion.as_deref(), "--help", lang, f)
            }
            Self::Value { key, value, error } => {
                write!(f, "{}", key.escape_debug())?;
                if let Some(value) = value {
                    write!(f, " = {value:?}")?;
                }
                f.write_str(": ")?;
                error.fmt_in(lang, f)
            }
        }
    }
}

impl Localize for ValueError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { least, most } => localize!(f, lang,
                en: "must be a whole number from {least} to {most}",
                ko: "{least}~{most} 사이의 숫자여야 해요"),
            Self::NotOneOf { words, nearest } => {
                let words = words.join(", ");
                localize!(f, lang,
                    en: "must be one of {words}",
                    ko: "{words} 가운데 하나여야 해요")?;
                nearest.map_or(Ok(()), |word| suggest_or_list(Some(word), "", lang, f))
            }
            Self::NotAnAddress => localize!(f, lang,
                en: "must be an address like 127.0.0.1, 0.0.0.0 or ::1",
                ko: "127.0.0.1, 0.0.0.0, ::1 같은 주소여야 해요"),
            Self::NotAnAddressWithPort => localize!(f, lang,
                en: "must be an address with a port, like 127.0.0.1:9464 or [::1]:0",
                ko: "127.0.0.1:9464, [::1]:0 같은 주소와 포트여야 해요"),
            Self::NotANetwork => localize!(f, lang,
                en: "must be addresses or networks like 192.0.2.7 or 10.0.0.0/8",
                ko: "192.0.2.7, 10.0.0.0/8 같은 주소나 네트워크여야 해요"),
            Self::NotAHost => localize!(f, lang,
                en: "must be names like chat.example.org, without a port",
                ko: "chat.example.org 같은 이름이어야 해요. 포트는 빼고 써 주세요"),
            Self::NeedsInterface => localize!(f, lang,
                en: "names no interface: a link-local address needs one, as in fe80::1%eth0",
                ko: "인터페이스가 없어요. 링크 로컬 주소는 fe80::1%eth0처럼 써 주세요"),
            Self::NoSuchInterface(name) => localize!(f, lang,
                en: "there is no interface {name:?}",
                ko: "{name:?} 인터페이스는 없어요"),
            Self::NotNameAndValue => localize!(f, lang,
                en: "must be NAME=VALUE",
                ko: "이름=값 꼴로 써 주세요"),
            Self::NotAName(rule) => {
                let rule = rule.localized(lang);
                localize!(f, lang,
                    en: "must be names separated by commas, but a name {rule}",
                    ko: "쉼표로 나눈 이름이어야 해요 (이름에는 {rule})")
            }
            Self::WrongType => localize!(f, lang,
                en: "must be a number, or a string in quotes",
                ko: "숫자나 따옴표로 묶은 글이어야 해요"),
            Self::UnknownLimit(suggestion) => {
                localize!(f, lang, en: "there is no such limit", ko: "그런 제한은 없어요")?;
                suggest_or_list(suggestion.as_deref(), "--limits", lang, f)
            }
            Self::Limit(error) => error.fmt_in(lang, f),
            Self::Repeated => localize!(f, lang, en: "it is there twice", ko: "두 번 있어요"),
        }
    }
}

/// Continues a sentence about an unknown name: suggests the name that was probably meant, or the flag that lists all.
fn suggest_or_list(
    suggestion: Option<&str>,
    list: &str,
    lang: Lang,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match suggestion {
        Some(word) => localize!(f, lang,
            en: ": did you mean {word}?",
            ko: ". 혹시 {word} 말인가요?"),
        None => localize!(f, lang, en: ": {list} lists them", ko: ". {list}로 볼 수 있어요"),
    }
}
