//! Errors that end the program: before it serves, while it serves, or in the middle of a stop.

use std::error::Error as _;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::PathBuf;

use chat_proto::{Localize, localize};
use chat_server::{Lang, StartError, TlsError};

#[derive(Debug)]
pub(crate) enum ExitError {
    /// The log cannot be started.
    NoLog(io::Error),
    /// The server cannot be started.
    Start(StartError),
    /// Metrics cannot be served at the address given.
    Metrics { address: SocketAddr, error: io::Error },
    /// The certificate or its key is unusable.
    Certificate(TlsError),
    /// The certificate that the server has made cannot be stored.
    NotKept { path: PathBuf, error: io::Error },
    /// The recording cannot be created.
    Record { path: PathBuf, error: io::Error },
    /// There is no directory to store it in.
    NoStateDirectory,
    /// The probed server does not answer, or answers wrongly.
    Probe { address: SocketAddr, error: io::Error },
    /// The system refuses a descriptor or a thread.
    System(io::Error),
    /// The kernel fails to report which sockets are ready.
    Serving(io::Error),
    /// A second signal, with this name, came during the stop.
    SecondSignal(&'static str),
}

impl ExitError {
    /// The address that the error is about, if any.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Start(StartError::Listen { address, .. })
            | Self::Metrics { address, .. }
            | Self::Probe { address, .. } => Some(*address),
            _ => None,
        }
    }

    /// The underlying error, if any.
    pub(crate) fn source(&self) -> Option<String> {
        match self {
            Self::Start(error) => error.source().map(ToString::to_string),
            Self::Certificate(error) => Some(error.to_string()),
            Self::NoLog(error)
            | Self::Metrics { error, .. }
            | Self::Probe { error, .. }
            | Self::NotKept { error, .. }
            | Self::Record { error, .. }
            | Self::System(error)
            | Self::Serving(error) => Some(error.to_string()),
            Self::NoStateDirectory | Self::SecondSignal(_) => None,
        }
    }
}

impl Localize for ExitError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLog(error) => localize!(f, lang,
                en: "cannot start the log: {error}",
                ko: "로그를 시작할 수 없어요: {error}"),
            Self::Start(error) => {
                write!(f, "{}: ", error.localized(lang))?;
                match error {
                    StartError::Config(error) => error.fmt_in(lang, f),
                    StartError::Listen { address, source } => {
                        fmt_listen_error(*address, source, lang, f)
                    }
                    StartError::Data(error) => error.fmt_in(lang, f),
                    other => other.source().map_or(Ok(()), |source| write!(f, "{source}")),
                }
            }
            Self::Metrics { address, error } => {
                localize!(f, lang,
                    en: "cannot serve metrics on {address}: ",
                    ko: "{address} 주소에서 메트릭을 보여 줄 수 없어요: ")?;
                fmt_unavailable(error, lang, f)?;
                localize!(f, lang,
                    en: ". Choose another --metrics",
                    ko: ". 다른 --metrics 주소를 골라 주세요")
            }
            Self::Certificate(error) => error.fmt_in(lang, f),
            Self::NotKept { path, error } => {
                let path = path.to_string_lossy();
                localize!(f, lang,
                    en: "cannot keep a certificate in {path}: {error}. Choose another --tls-dir",
                    ko: "{path}에 인증서를 둘 수 없어요: {error}. 다른 --tls-dir 폴더를 골라 주세요")
            }
            Self::Record { path, error } => {
                let path = path.to_string_lossy();
                localize!(f, lang,
                    en: "cannot record to {path}: {error}. Choose another --record",
                    ko: "{path}에 기록할 수 없어요: {error}. 다른 --record 파일을 골라 주세요")
            }
            Self::NoStateDirectory => localize!(f, lang,
                en: "no directory to keep a certificate in: choose one with --tls-dir",
                ko: "인증서를 둘 곳이 없어요. --tls-dir 폴더를 골라 주세요"),
            Self::Probe { address, error } => localize!(f, lang,
                en: "no answer from {address}: {error}. Is a server running there with --metrics?",
                ko: "{address} 주소에서 답이 없어요: {error}. 서버가 --metrics 설정으로 떠 있는지 보세요"),
            Self::System(error) => localize!(f, lang,
                en: "the system has no descriptors or threads left: {error}",
                ko: "시스템에 남은 디스크립터나 스레드가 없어요: {error}"),
            Self::Serving(error) => localize!(f, lang,
                en: "cannot poll the connections: {error}",
                ko: "준비된 연결을 시스템이 알려 주지 않아요: {error}"),
            Self::SecondSignal(name) => localize!(f, lang,
                en: "second signal, {name}: ending at once",
                ko: "시그널이 또 왔어요 ({name}). 바로 끝내요"),
        }
    }
}

/// Writes why the server cannot listen there, and what to do about it.
fn fmt_listen_error(
    address: SocketAddr,
    error: &io::Error,
    lang: Lang,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match error.kind() {
        ErrorKind::PermissionDenied if address.port() < 1024 => localize!(f, lang,
            en: "ports below 1024 need special rights. Choose a --port of 1024 or above",
            ko: "1024보다 작은 포트는 특별한 권한이 있어야 해요. --port 값을 1024부터 골라 주세요"),
        kind => {
            fmt_unavailable(error, lang, f)?;
            match kind {
                ErrorKind::AddrInUse => localize!(f, lang,
                    en: ". Choose another --port, or --port=0 for a free one",
                    ko: ". 다른 --port 값을 골라 주세요. 빈 포트를 쓰려면 --port=0 하세요"),
                ErrorKind::AddrNotAvailable => localize!(f, lang,
                    en: ". Choose another --ip, such as 127.0.0.1 or 0.0.0.0",
                    ko: ". 127.0.0.1, 0.0.0.0 같은 다른 --ip 주소를 골라 주세요"),
                _ => Ok(()),
            }
        }
    }
}

/// Writes why an address cannot be listened on.
fn fmt_unavailable(error: &io::Error, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error.kind() {
        ErrorKind::AddrInUse => localize!(f, lang,
            en: "another program listens there",
            ko: "다른 프로그램이 쓰고 있어요"),
        ErrorKind::AddrNotAvailable => localize!(f, lang,
            en: "this machine has no such address",
            ko: "이 컴퓨터에 없는 주소예요"),
        _ => write!(f, "{error}"),
    }
}
