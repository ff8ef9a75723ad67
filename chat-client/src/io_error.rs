//! Errors of the system, as far as people want to know them. Their words are in [`crate::app::texts`].

use std::io::{self, ErrorKind};

use crate::app::render::lowercase_first;

/// Why the system could not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    Refused,
    Reset,
    TimedOut,
    Unreachable,
    BrokenPipe,
    /// The name of a host that nobody knows, or that has no address.
    NoSuchName,
    /// No name server could be asked.
    NoNameServer,
    /// Any other, as the system says it: `no space left on device`.
    Other(String),
}

/// What the resolvers of glibc, musl, the BSDs and Windows say; they tell std in words only.
const NO_SUCH_NAME: [&str; 6] = [
    "name or service not known",
    "no address associated with hostname",
    "name does not resolve",
    "name has no usable address",
    "nodename nor servname provided, or not known",
    "no such host is known.",
];
const NO_NAME_SERVER: [&str; 2] = ["temporary failure in name resolution", "try again"];

impl Fault {
    /// Why the addresses of a name could not be found.
    pub(crate) fn of_lookup(error: &io::Error) -> Self {
        let text = match Self::from(error) {
            Self::Other(text) => text,
            known => return known,
        };
        let why = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
        let why = lowercase_first(why);
        match why.as_str() {
            why if NO_SUCH_NAME.contains(&why) => Self::NoSuchName,
            why if NO_NAME_SERVER.contains(&why) => Self::NoNameServer,
            _ => Self::Other(why),
        }
    }
}

impl From<&io::Error> for Fault {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_without_their_number() {
        let missing = Fault::from(&io::Error::from_raw_os_error(2));
        assert_eq!(missing, Fault::Other("no such file or directory".into()));
    }

    #[test]
    fn a_lookup_fails_in_few_words() {
        let of = |text: &str| {
            Fault::of_lookup(&io::Error::other(format!(
                "failed to lookup address information: {text}"
            )))
        };
        assert_eq!(of("Name or service not known"), Fault::NoSuchName);
        assert_eq!(of("Temporary failure in name resolution"), Fault::NoNameServer);
        assert_eq!(
            of("Memory allocation failure"),
            Fault::Other("memory allocation failure".into())
        );
        assert_eq!(Fault::of_lookup(&ErrorKind::TimedOut.into()), Fault::TimedOut);
    }
}
