//! How many connections the process may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are not connections: the listener, epoll, the waker, signals, the standard
/// streams, and some to spare.
const OWN: usize = 64;

/// Raises the limit on open descriptors as far as it goes, and returns how many connections that
/// allows.
pub(crate) fn most_connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let descriptors = current.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    descriptors.saturating_sub(OWN).max(1)
}
