//! Errors of the system, as far as people want to know them. Their words are in [`crate::texts`].

use std::io::{self, ErrorKind};

use crate::render::lowercase_first;

/// Why the system could not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    Refused,
    Reset,
    TimedOut,
    Unreachable,
    BrokenPipe,
    /// Any other, as the system says it: `no space left on device`.
    Other(String),
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
}
