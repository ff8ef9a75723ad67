//! Reasons why a handshake has failed, and why a certificate is not trusted.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::IpAddr;

use chat_proto::{Lang, Localize, localize};
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use crate::io_error::IoErrorKind;
use crate::net::destination::Destination;
use crate::net::tls::fingerprint::Fingerprint;

/// The most names shown; a certificate can have a hundred.
const MAX_NAMES: usize = 5;

/// The most characters shown of a name; no host name is longer.
const MAX_NAME: usize = 253;

/// The reason why the TLS handshake failed on an accepted connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TlsError {
    /// The server's answer is not TLS.
    NotTls,
    /// The server has closed the connection.
    Closed,
    /// The connection was lost, or there was no answer in time.
    Lost(IoErrorKind),
    Untrusted(Untrusted),
    /// Anything else, in the words of rustls.
    Other(String),
}

/// A certificate that is not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Untrusted {
    pub(crate) shown: Fingerprint,
    pub(crate) why: Distrust,
}

/// The reason why a certificate is not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Distrust {
    UnknownAuthority,
    /// It belongs to an authority rather than a server, as `openssl req -x509` makes it.
    Authority,
    /// It is valid for these names only.
    OtherName(Vec<String>),
    /// It expired on this date, such as `2026-11-27`.
    Expired(String),
    /// It is not valid before this date, such as `2026-11-27`.
    NotYetValid(String),
    /// Its fingerprint is not the pinned one.
    OtherThanPinned,
    /// Anything else, in the words of rustls.
    Other(String),
}

impl TlsError {
    /// Classifies what rustls or the socket reports.
    pub(super) fn of(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match inner {
            Some(rustls::Error::InvalidMessage(_)) => Self::NotTls,
            Some(rustls::Error::InvalidCertificate(CertificateError::Other(other))) => {
                match other.0.downcast_ref::<Untrusted>() {
                    Some(untrusted) => Self::Untrusted(untrusted.clone()),
                    None => Self::Other(other.to_string()),
                }
            }
            Some(other) => Self::Other(other.to_string()),
            None if error.kind() == ErrorKind::UnexpectedEof => Self::Closed,
            None => Self::Lost(IoErrorKind::from(error)),
        }
    }

    /// Whether another attempt would probably fail in the same way.
    pub(crate) fn is_lasting(&self) -> bool {
        match self {
            Self::NotTls | Self::Untrusted(_) | Self::Other(_) => true,
            Self::Closed | Self::Lost(_) => false,
        }
    }
}

impl From<CertificateError> for Distrust {
    fn from(error: CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer => Self::UnknownAuthority,
            CertificateError::NotValidForNameContext { presented, .. } => {
                Self::OtherName(presented.iter().map(|name| bare_name(name)).collect())
            }
            CertificateError::ExpiredContext { not_after, .. } => Self::Expired(date(not_after)),
            CertificateError::NotValidYetContext { not_before, .. } => {
                Self::NotYetValid(date(not_before))
            }
            CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
                Self::Authority
            }
            other => Self::Other(rustls::Error::from(other).to_string()),
        }
    }
}

/// Strips a name of what rustls puts around it: `DnsName("chat.example")`, `IpAddress(0::1)`.
fn bare_name(name: &str) -> String {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    let inside = inside.unwrap_or(name).trim_matches('"');
    let shortened = || inside.chars().take(MAX_NAME).collect();
    inside.parse().map_or_else(|_| shortened(), |address: IpAddr| address.to_string())
}

/// The date, in UTC.
fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%Y-%m-%d").to_string()
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate {} is not trusted", self.shown)
    }
}

impl StdError for Untrusted {}

impl TlsError {
    /// Describes what went wrong with `server`.
    pub(crate) fn of_server<'a>(&'a self, server: &'a Destination) -> impl Localize + 'a {
        OfServer { error: self, server }
    }
}

/// An error, and the server that it concerns.
struct OfServer<'a> {
    error: &'a TlsError,
    server: &'a Destination,
}

impl Localize for OfServer<'_> {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.server;
        match self.error {
            TlsError::NotTls => localize!(f, lang,
                                en: "{server} does not speak TLS. Is the port right? Without --tls, anybody on the network path \
                     can read and change what is said",
                ko: "{server} 서버는 TLS로 말하지 않아요. 포트가 맞나요? --tls 없이 연결하면 중간에서 누구나 대화를 \
                     읽고 바꿀 수 있어요"),
            TlsError::Closed => localize!(f, lang,
                en: "{server} closed the connection during the TLS handshake. Does it speak TLS?",
                ko: "TLS로 연결하는 중에 {server} 서버가 연결을 끊었어요. TLS를 쓰는 서버가 맞나요?"),
            TlsError::Lost(why) => {
                let why = why.localized(lang);
                localize!(f, lang,
                    en: "the TLS handshake with {server} failed: {why}. Does it speak TLS?",
                    ko: "{server} 서버에 TLS로 연결할 수 없어요: {why}. TLS를 쓰는 서버가 맞나요?")
            }
            TlsError::Untrusted(untrusted) => untrusted.say(server, lang, f),
            TlsError::Other(text) => localize!(f, lang,
                en: "the TLS handshake with {server} failed: {text}",
                ko: "{server} 서버에 TLS로 연결할 수 없어요: {text}"),
        }
    }
}

impl Untrusted {
    fn say(&self, server: &Destination, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shown, why } = self;
        if *why == Distrust::OtherThanPinned {
            return localize!(f, lang,
                                en: "DANGER: the certificate of {server} does not match --tls-fingerprint. Somebody may be in \
                     between, to read and change what is said. Nothing was sent. If the server has a new \
                     certificate, ask its operator whether this is its fingerprint: {shown}",
                ko: "위험: {server} 서버의 인증서가 --tls-fingerprint와 달라요. 누군가 중간에서 대화를 읽거나 바꾸려는 \
                     것일 수 있어요. 아무 말도 보내지 않았어요. 서버가 인증서를 바꿨다면, 새 지문이 이것인지 \
                     운영자에게 물어보세요: {shown}");
        }
        let why = why.localized(lang);
        localize!(f, lang,
            en: "cannot trust {server}: {why}. If this is the fingerprint that the server printed, use \
                 --tls-fingerprint={shown}",
            ko: "{server} 서버를 믿을 수 없어요: {why}. 서버에 표시된 지문이 이것과 같으면 이 옵션을 쓰세요: \
                 --tls-fingerprint={shown}")
    }
}

/// Writes a sentence without its full stop.
impl Localize for Distrust {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAuthority => localize!(f, lang,
                en: "no authority known here has signed its certificate",
                ko: "인증서에 서명한 기관을 몰라요"),
            Self::Authority => localize!(f, lang,
                en: "its certificate is one for authorities, not for servers",
                ko: "서버가 아니라 인증 기관의 인증서를 보여 줬어요"),
            Self::OtherName(names) => {
                let names = list(names);
                localize!(f, lang,
                    en: "its certificate is for another name: {names}",
                    ko: "다른 이름의 인증서예요: {names}")
            }
            Self::Expired(date) => localize!(f, lang,
                en: "its certificate expired on {date}, or the clock here is wrong",
                ko: "인증서가 {date}에 만료됐거나, 이 컴퓨터의 시계가 틀려요"),
            Self::NotYetValid(date) => localize!(f, lang,
                en: "its certificate is not valid before {date}, or the clock here is wrong",
                ko: "인증서를 {date}부터 쓸 수 있거나, 이 컴퓨터의 시계가 틀려요"),
            Self::OtherThanPinned => localize!(f, lang,
                en: "it shows another certificate",
                ko: "다른 인증서를 보여 줬어요"),
            Self::Other(text) => localize!(f, lang, en: "{text}", ko: "{text}"),
        }
    }
}

/// The names, or the first few of them.
fn list(names: &[String]) -> String {
    match names {
        [] => "-".to_owned(),
        [first @ .., _] if first.len() >= MAX_NAMES => {
            format!("{}, …", first[..MAX_NAMES].join(", "))
        }
        _ => names.join(", "),
    }
}
