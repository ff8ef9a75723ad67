//! How many connections the process may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are not connections: the listener, epoll, the waker, signals, the standard
/// streams, and some to spare.
const OWN: usize = 64;

/// Fewer connections than anybody expects who names no number. A system that leaves a process 1,024
/// descriptors, as many do until they are told otherwise, is below it.
const FEW: usize = 1_000;

/// Raises the limit on open descriptors as far as it goes, and makes `connections` as many as that
/// allows, if they are more.
pub(crate) fn make_room_for(connections: &mut usize, asked_for: bool) {
    let descriptors = raise();
    let allowed = descriptors.saturating_sub(OWN).max(1);
    if *connections <= allowed {
        return;
    }
    if asked_for {
        tracing::warn!(
            asked_for = *connections,
            allowed,
            descriptors,
            "fewer connections than asked for: raise the limit on open descriptors (ulimit -n)"
        );
    } else if allowed < FEW {
        tracing::warn!(
            allowed,
            descriptors,
            "few connections: raise the limit on open descriptors (ulimit -n)"
        );
    }
    *connections = allowed;
}

/// Raises the soft limit to the hard one. Returns what it is then.
fn raise() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    current.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX)
}
