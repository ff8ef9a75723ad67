//! The limit on open descriptors, which bounds the number of connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are not connections: the listener, epoll, the waker, signals, the standard
/// streams, and some to spare.
const OWN: usize = 64;

/// Without a configured number, a warning is logged if the system allows fewer connections than this, as the common
/// default of 1,024 descriptors does.
const FEW: usize = 1_000;

/// Raises the limit on open descriptors as far as possible, and lowers `connections` to what it allows. Logs a warning
/// if that is fewer than configured, or few in any case.
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

/// Raises the soft limit to the hard limit. Returns the limit now in force.
fn raise() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    current.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX)
}
