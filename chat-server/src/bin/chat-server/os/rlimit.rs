//! The limit on open descriptors, which bounds the number of connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are not connections: the listener, epoll, the waker, signals, the standard
/// streams, and some to spare.
const OWN: usize = 64;

/// An operator who sets no number is warned if the system allows fewer connections than this, as one with
/// the common default of 1,024 descriptors does.
const FEW: usize = 1_000;

/// Raises the limit on open descriptors as far as it goes, and lowers `connections` to what it allows.
/// Warns if that is fewer than what was set, or few by any measure.
pub(crate) fn make_room_for(connections: &mut usize, is_set: bool) {
    let descriptors = raise();
    let allowed = descriptors.saturating_sub(OWN).max(1);
    if *connections <= allowed {
        return;
    }
    if is_set {
        tracing::warn!(
            configured = *connections,
            allowed,
            descriptors,
            "fewer connections than configured: raise the limit on open descriptors (ulimit -n)"
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

/// Raises the soft limit to the hard one. Returns the limit then in force.
fn raise() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    current.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX)
}
