//! Errors of the operating system, reduced to what matters to a person.

use std::fmt;
use std::io::{self, ErrorKind};

use chat_proto::{Lang, Localize, PerLang};

/// The reason why the operating system could not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IoErrorKind {
    Refused,
    Reset,
    TimedOut,
    Unreachable,
    BrokenPipe,
    /// A host name that does not exist, or has no address.
    UnknownHost,
    /// No name server could be asked.
    NoNameServer,
    /// Any other error, in the words of the system: `no space left on device`.
    Other(String),
}

/// The messages of the resolvers of glibc, musl, the BSDs and Windows; std does not expose these errors in any other
/// way.
const UNKNOWN_HOST: [&str; 6] = [
    "name or service not known",
    "no address associated with hostname",
    "name does not resolve",
    "name has no usable address",
    "nodename nor servname provided, or not known",
    "no such host is known.",
];
const NO_NAME_SERVER: [&str; 2] = ["temporary failure in name resolution", "try again"];

impl IoErrorKind {
    /// Classifies an error of looking up a host name.
    pub(crate) fn of_lookup(error: &io::Error) -> Self {
        let text = match Self::from(error) {
            Self::Other(text) => text,
            known => return known,
        };
        let why = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
        match lowercase_first(why) {
            why if UNKNOWN_HOST.contains(&&*why) => Self::UnknownHost,
            why if NO_NAME_SERVER.contains(&&*why) => Self::NoNameServer,
            why => Self::Other(why),
        }
    }
}

impl From<&io::Error> for IoErrorKind {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::ConnectionReset => Self::Reset,
            ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Self::Unreachable,
            ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => {
                let text = error.to_string();
                Self::Other(lowercase_first(text.split(" (os error").next().unwrap_or_default()))
            }
        }
    }
}

/// Writes the end of a sentence, without its full stop.
impl Localize for IoErrorKind {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (en, ko) = match self {
            Self::Refused => ("connection refused", "연결이 거부됐어요"),
            Self::Reset => ("connection reset by peer", "상대가 연결을 끊었어요"),
            Self::TimedOut => ("no answer", "응답이 없어요"),
            Self::Unreachable => ("no route to that address", "그 주소로 가는 길이 없어요"),
            Self::BrokenPipe => ("broken pipe", "받는 쪽이 닫혔어요"),
            Self::UnknownHost => ("there is no such host", "그런 이름이 없어요"),
            Self::NoNameServer => ("no name server answers", "이름을 물어볼 서버에 닿지 않아요"),
            Self::Other(text) => (text.as_str(), text.as_str()),
        };
        f.write_str(PerLang { en, ko }.get(lang))
    }
}

/// Lines of the client begin with a lower-case letter.
fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_described_without_its_number() {
        let missing = IoErrorKind::from(&io::Error::from_raw_os_error(2));
        assert_eq!(missing, IoErrorKind::Other("no such file or directory".into()));
    }

    #[test]
    fn a_failed_lookup_is_described_in_few_words() {
        let of = |text: &str| {
            let text = format!("failed to lookup address information: {text}");
            IoErrorKind::of_lookup(&io::Error::other(text))
        };
        assert_eq!(of("Name or service not known"), IoErrorKind::UnknownHost);
        assert_eq!(of("Temporary failure in name resolution"), IoErrorKind::NoNameServer);
        let other = IoErrorKind::Other("memory allocation failure".into());
        assert_eq!(of("Memory allocation failure"), other);
        assert_eq!(IoErrorKind::of_lookup(&ErrorKind::TimedOut.into()), IoErrorKind::TimedOut);
    }
}
