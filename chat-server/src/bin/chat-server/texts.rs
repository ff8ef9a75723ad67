//! What the program says to people before it serves, and why it does not: every text in every language.
//!
//! `--lang` chooses, or `lang` in the configuration file. What programs read and search engines know
//! stays English: the lines of the log, `listening on ADDR:PORT` and `metrics on ADDR:PORT`, and
//! `--version`. The words of the system, of argh and of the parser of TOML are theirs. No particle in
//! the Korean hangs on how a value ends.

use std::error::Error as _;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use chat_server::{Lang, StartError};

use crate::config_error::{InFile, Mistake, Problem};
use crate::exit_error::ExitError;
use chat_proto::{Localize, PerLang, localize};

/// What the help says of a flag: what stands for its value, and what it is, with the default in brackets
/// at the end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlagText {
    pub(crate) value: &'static str,
    pub(crate) about: &'static str,
}

/// A row for each flag.
macro_rules! flags {
    ($($flag:ident: en $en_value:literal $en:literal, ko $ko_value:literal $ko:literal;)*) => {
        $(pub(crate) const $flag: PerLang<FlagText> = PerLang {
            en: FlagText { value: $en_value, about: $en },
            ko: FlagText { value: $ko_value, about: $ko },
        };)*
        /// All of them.
        #[cfg(test)]
        const FLAGS: &[PerLang<FlagText>] = &[$($flag),*];
    };
}

flags! {
    PORT: en "N" "port; 0 takes a free one (required, if not in the file)",
        ko "N" "포트. 0이면 빈 포트를 골라요 (파일에 없으면 꼭 필요)";
    IP: en "ADDR" "address, IPv4 or IPv6 (127.0.0.1: this machine only)",
        ko "주소" "IPv4나 IPv6 주소 (127.0.0.1: 이 컴퓨터에서만)";
    SHUTDOWN_FROM: en "WHO" "who may /shutdown: anyone, loopback, nobody (loopback)",
        ko "값" "/shutdown 할 사람: anyone, loopback, nobody (loopback)";
    LANG: en "LANG" "language of what the server says to people: en or ko (en)",
        ko "언어" "서버가 사람들에게 쓰는 언어: en, ko (en)";
    METRICS: en "ADDR:PORT" "serve /metrics and /health there (nowhere)",
        ko "주소:포트" "여기서 /metrics와 /health를 보여 줘요 (없음)";
    WORKER: en "N" "worker threads, 1 to 256 (2)",
        ko "N" "작업 스레드 수, 1~256 (2)";
    INLINE: en "N" "requests of a turn that need no worker (4096)",
        ko "N" "한 차례에 작업 스레드 없이 처리할 요청 수 (4096)";
    RATE: en "N" "commands a second of each connection; 0: no limit (200)",
        ko "N" "연결마다 초당 받는 명령 수. 0: 제한 없음 (200)";
    LOG: en "LEVEL" "off, error, warn, info, debug (as RUST_LOG says, or info)",
        ko "수준" "off, error, warn, info, debug (RUST_LOG 값, 없으면 info)";
    LOG_FORMAT: en "FORM" "text or json (text)",
        ko "형식" "text나 json (text)";
    LIMIT: en "NAME=VALUE" "another limit; may be repeated",
        ko "이름=값" "다른 제한. 여러 번 써도 돼요";
    LIMITS: en "" "list the limits: names, defaults, ranges, costs",
        ko "" "제한 목록: 이름, 기본값, 범위, 비용";
    CONFIG: en "FILE" "the same settings from a TOML file; flags win",
        ko "파일" "같은 설정을 TOML 파일에서 읽어요. 플래그가 먼저예요";
    CHECK: en "" "say what is wrong, or what is in force; start nothing",
        ko "" "시작하지 않고, 틀린 것이나 적용될 설정을 보여 줘요";
    VERSION: en "" "say which version this is",
        ko "" "버전을 보여 줘요";
    HELP: en "" "this text; -h as well",
        ko "" "이 도움말. -h도 같아요";
}

/// Rows with a name for each text that never changes.
macro_rules! fixed {
    ($($text:ident: en $en:literal, ko $ko:literal;)*) => {
        $(pub(crate) const $text: PerLang<&str> = PerLang { en: $en, ko: $ko };)*
        /// All of them.
        #[cfg(test)]
        const FIXED: &[PerLang<&str>] = &[$($text),*];
    };
}

fixed! {
    USAGE: en "Usage: chat-server --port=N [FLAG]...\n\
               A room chat server. Its first line of output is \"listening on ADDR:PORT\".",
        ko "사용법: chat-server --port=N [플래그]...\n\
            채팅방 서버예요. 출력의 첫 줄은 \"listening on 주소:포트\"예요.";
    GROUP_WHERE: en "Where, and for whom", ko "어디서, 누구에게";
    GROUP_HOW_MUCH: en "How much", ko "얼마나";
    GROUP_LOG: en "Log, on standard error", ko "로그 (표준 오류로 나가요)";
    GROUP_CONFIGURATION: en "Configuration", ko "설정";
    EXIT_STATUS: en "Exit status: 0 stopped, 1 failed, 2 a setting is wrong, 128+N second signal N",
        ko "종료 상태: 0 멈춤, 1 실패, 2 설정이 틀림, 128+N 두 번째 시그널 N";
    LIMIT_COLUMN: en "NAME", ko "이름";
    DEFAULT_COLUMN: en "DEFAULT", ko "기본값";
    RANGE_COLUMN: en "RANGE", ko "범위";
    UNITS: en "In a file they stand under [limits]. A size is in B, KiB, MiB or GiB, a time in ms, s, \
               m or h.",
        ko "파일에서는 [limits] 아래에 써요. 크기는 B, KiB, MiB, GiB, 시간은 ms, s, m, h를 붙여요.";
    IN_FORCE: en "The configuration is right. In force is:",
        ko "틀린 설정이 없어요. 적용될 설정은 다음과 같아요:";
    SEE_HELP: en "chat-server --help lists the flags.",
        ko "플래그 목록은 chat-server --help --lang=ko 명령으로 볼 수 있어요.";
}

impl Problem {}

impl ExitError {}

impl Localize for Problem {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8(arg) => localize!(f, lang,
                en: "{arg:?} is not UTF-8",
                ko: "{arg:?}: UTF-8이 아니에요"),
            Self::NoSuchFlag(flag) => localize!(f, lang,
                en: "there is no flag {flag:?}",
                ko: "{flag:?} 플래그는 없어요"),
            Self::Stray(word) => localize!(f, lang,
                en: "{word:?} is neither a flag nor the value of one; quote a value with spaces",
                ko: "{word:?}: 플래그도 그 값도 아니에요. 띄어 쓴 값은 따옴표로 묶어 주세요"),
            Self::NoValue(flag) => localize!(f, lang,
                en: "{flag} needs a value behind it",
                ko: "{flag} 뒤에 값을 써 주세요"),
            Self::FlagTwice(flag) => localize!(f, lang,
                en: "{flag} is there twice",
                ko: "{flag} 플래그가 두 번 있어요"),
            Self::Argh(said) => {
                let said = said.escape_debug();
                localize!(f, lang, en: "{said}", ko: "플래그가 잘못됐어요 ({said})")
            }
            Self::Flag { name, value, mistake } => {
                write!(f, "--{name}={value:?}: ")?;
                mistake.fmt_in(lang, f)
            }
            Self::NoPort => localize!(f, lang,
                en: "--port is missing: a port to listen on, from 0 to 65535",
                ko: "--port 플래그가 없어요: 연결을 받을 포트를 0~65535 사이에서 골라 주세요"),
            Self::NoFile { path, error } => localize!(f, lang,
                en: "--config={path:?}: cannot read it: {error}",
                ko: "--config={path:?}: 파일을 읽을 수 없어요: {error}"),
            Self::FileTooLong { path } => localize!(f, lang,
                en: "--config={path:?}: a configuration has at most 1 MiB",
                ko: "--config={path:?}: 설정 파일은 1 MiB까지 쓸 수 있어요"),
            Self::InFile { path, line, what } => {
                write!(f, "{}:{line}: ", path.escape_debug())?;
                what.fmt_in(lang, f)
            }
            Self::Limit(error) => write!(f, "{}", error.localized(lang)),
            Self::MetricsInTheWay { metrics, server } => localize!(f, lang,
                en: "metrics is {metrics}: the server itself listens on {server}. Choose another port",
                ko: "metrics = {metrics}: 서버가 쓸 주소와 겹쳐요 ({server}). 다른 포트를 골라 주세요"),
        }
    }
}

impl Localize for InFile {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotToml(why) => localize!(f, lang,
                en: "it is not TOML: {why}",
                ko: "TOML이 아니에요: {why}"),
            Self::NoSuchSetting(name) => localize!(f, lang,
                en: "there is no setting {name:?}: --help lists them",
                ko: "{name:?} 설정은 없어요. --help로 볼 수 있어요"),
            Self::LimitOutside(name) => localize!(f, lang,
                en: "{name:?} is a limit: it belongs under [limits]",
                ko: "{name:?} 제한은 [limits] 아래에 써 주세요"),
            Self::Value { key, value, mistake } => {
                write!(f, "{}", key.escape_debug())?;
                if let Some(value) = value {
                    write!(f, " = {value:?}")?;
                }
                f.write_str(": ")?;
                mistake.fmt_in(lang, f)
            }
        }
    }
}

impl Localize for Mistake {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFrom { least, most } => localize!(f, lang,
                en: "it has to be from {least} to {most}",
                ko: "{least}~{most} 사이여야 해요"),
            Self::NotOneOf(words) => localize!(f, lang,
                en: "it has to be one of {words}",
                ko: "{words} 가운데 하나여야 해요"),
            Self::NotAnAddress => localize!(f, lang,
                en: "it has to be an address like 127.0.0.1, 0.0.0.0 or ::1",
                ko: "127.0.0.1, 0.0.0.0, ::1 같은 주소여야 해요"),
            Self::NotAnAddressWithPort => localize!(f, lang,
                en: "it has to be an address with a port like 127.0.0.1:9464 or [::1]:0",
                ko: "127.0.0.1:9464, [::1]:0 같은 주소와 포트여야 해요"),
            Self::NotNameAndValue => localize!(f, lang,
                en: "it has to be NAME=VALUE",
                ko: "이름=값 꼴로 써 주세요"),
            Self::NeitherNumberNorText => localize!(f, lang,
                en: "it has to be a number or a text in quotes",
                ko: "숫자나 따옴표로 묶은 글이어야 해요"),
            Self::NoSuchLimit => localize!(f, lang,
                en: "there is no such limit: --limits lists them",
                ko: "그런 제한은 없어요. --limits로 볼 수 있어요"),
            Self::Limit(error) => write!(f, "{}", error.localized(lang)),
            Self::Twice => localize!(f, lang, en: "it is there twice", ko: "두 번 있어요"),
        }
    }
}

impl Localize for ExitError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLog(error) => localize!(f, lang,
                en: "cannot start a log: {error}",
                ko: "로그를 시작할 수 없어요: {error}"),
            Self::NoPort => Problem::NoPort.fmt_in(lang, f),
            Self::Start(error) => {
                write!(f, "{}: ", error.localized(lang))?;
                say_behind(error, lang, f)
            }
            Self::Metrics { address, error } => {
                localize!(f, lang,
                    en: "cannot serve metrics on {address}: ",
                    ko: "{address} 주소에서 메트릭을 보여 줄 수 없어요: ")?;
                say_unavailable(error, lang, f)?;
                localize!(f, lang,
                    en: ". Choose another --metrics",
                    ko: ". 다른 --metrics 주소를 골라 주세요")
            }
            Self::System(error) => localize!(f, lang,
                en: "the system has no descriptors or threads to give: {error}",
                ko: "시스템에 남은 디스크립터나 스레드가 없어요: {error}"),
            Self::Serving(error) => localize!(f, lang,
                en: "the system does not say which connections are ready: {error}",
                ko: "준비된 연결을 시스템이 알려 주지 않아요: {error}"),
            Self::SecondSignal(name) => localize!(f, lang,
                en: "second signal, {name}: ending at once",
                ko: "시그널이 또 왔어요 ({name}). 바로 끝내요"),
        }
    }
}

/// What is behind the error, and what to do about it.
fn say_behind(error: &StartError, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error {
        StartError::Config(error) => write!(f, "{}", error.localized(lang)),
        StartError::Listen { address, source } => say_not_listening(*address, source, lang, f),
        other => other.source().map_or(Ok(()), |source| write!(f, "{source}")),
    }
}

fn say_not_listening(
    address: SocketAddr,
    error: &io::Error,
    lang: Lang,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match error.kind() {
        ErrorKind::PermissionDenied if address.port() < 1024 => localize!(f, lang,
            en: "ports below 1024 need special rights. Choose a --port from 1024 on",
            ko: "1024보다 작은 포트는 특별한 권한이 있어야 해요. --port 값을 1024부터 골라 주세요"),
        kind => {
            say_unavailable(error, lang, f)?;
            match kind {
                ErrorKind::AddrInUse => localize!(f, lang,
                    en: ". Choose another --port, or --port=0 for a free one",
                    ko: ". 다른 --port 값을 골라 주세요. 빈 포트를 쓰려면 --port=0 하세요"),
                ErrorKind::AddrNotAvailable => localize!(f, lang,
                    en: ". Choose another --ip, as 127.0.0.1 or 0.0.0.0",
                    ko: ". 127.0.0.1, 0.0.0.0 같은 다른 --ip 주소를 골라 주세요"),
                _ => Ok(()),
            }
        }
    }
}

/// Why nobody can listen on an address.
fn say_unavailable(error: &io::Error, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

#[cfg(test)]
mod tests;
