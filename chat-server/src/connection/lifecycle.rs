//! The life of a connection: open, closing, draining, lingering; and the reason for its end.

use std::sync::Arc;
use std::time::Duration;

use chat_core::SessionId;

use crate::net::Instant;
use crate::stats::CloseReason;
use crate::workers::Mailbox;

/// The time that a refused connection has to show whether it is a browser's, after a handshake if there is one:
/// browsers speak first.
pub(super) const FIRST_BYTES: Duration = Duration::from_millis(250);

/// The time for that handshake to begin. Before, nothing can be told: longer than the silence after which a stream
/// takes plain text.
pub(super) const HANDSHAKE_BEGINS: Duration = Duration::from_millis(1_250);

/// The phase of a connection. It never goes back.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    phase: Phase,
    /// The route to the hub: `None` once the hub has released the connection, or if it was refused.
    mailbox: Option<Arc<Mailbox>>,
}

/// The phases, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The connection is read, and its commands are carried out.
    Open,
    /// The connection is refused, and the peer has not been told: its first bytes show which protocol it speaks.
    Refused {
        reason: CloseReason,
        /// The time since which they are waited for.
        since: Instant,
    },
    /// The last request of the connection, `Disconnect`, is on its way through the hub. Input is discarded.
    Closing(CloseReason),
    /// The hub has released the connection. Pending bytes are written, then the stream to the peer is ended.
    Draining {
        reason: CloseReason,
        /// When the connection is closed at the latest.
        deadline: Instant,
    },
    /// The stream to the peer has been ended. Input is discarded until the peer ends its side: closing earlier would
    /// destroy bytes on their way to the peer.
    Lingering {
        reason: CloseReason,
        /// When the connection is closed at the latest.
        deadline: Instant,
    },
}

impl Lifecycle {
    /// Returns the lifecycle of a connection with a session.
    pub(super) fn open(mailbox: Arc<Mailbox>) -> Self {
        Self { phase: Phase::Open, mailbox: Some(mailbox) }
    }

    /// Returns the lifecycle of a refused connection.
    pub(super) fn refused(reason: CloseReason, now: Instant) -> Self {
        Self { phase: Phase::Refused { reason, since: now }, mailbox: None }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether the connection is refused and the peer has not been told.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.phase, Phase::Refused { .. })
    }

    /// Waits for the first bytes of a refused connection from now on: its handshake is over.
    pub(crate) fn restart_refusal(&mut self, now: Instant) {
        if let Phase::Refused { since, .. } = &mut self.phase {
            *since = now;
        }
    }

    /// Whether the hub has released it, so that it only has to be drained and closed.
    pub(crate) fn has_left_hub(&self) -> bool {
        matches!(self.phase, Phase::Draining { .. } | Phase::Lingering { .. })
    }

    /// The reason for closing; `None` while the connection is open.
    pub(crate) fn reason(&self) -> Option<CloseReason> {
        match self.phase {
            Phase::Open => None,
            Phase::Closing(reason)
            | Phase::Refused { reason, .. }
            | Phase::Draining { reason, .. }
            | Phase::Lingering { reason, .. } => Some(reason),
        }
    }

    pub(crate) fn mailbox(&self) -> Option<&Arc<Mailbox>> {
        self.mailbox.as_ref()
    }

    /// The session, until the hub releases it.
    pub(crate) fn session(&self) -> Option<SessionId> {
        self.mailbox.as_ref().map(|mailbox| mailbox.session())
    }

    /// Moves an open connection to [`Phase::Closing`]. Returns whether it was open.
    pub(super) fn close(&mut self, reason: CloseReason) -> bool {
        let was_open = self.is_open();
        if was_open {
            self.phase = Phase::Closing(reason);
        }
        was_open
    }

    /// Moves the connection to [`Phase::Draining`]. Returns the reason given before, or `fallback` if there is none.
    pub(super) fn drain(&mut self, fallback: CloseReason, deadline: Instant) -> CloseReason {
        let reason = self.reason().unwrap_or(fallback);
        self.phase = Phase::Draining { reason, deadline };
        self.mailbox = None;
        reason
    }

    /// Moves a draining connection to [`Phase::Lingering`], with the same deadline.
    pub(crate) fn linger(&mut self) {
        if let Phase::Draining { reason, deadline } = self.phase {
            self.phase = Phase::Lingering { reason, deadline };
        }
    }

    /// Replaces the reason of a connection in [`Phase::Closing`].
    pub(crate) fn override_reason(&mut self, reason: CloseReason) {
        if let Phase::Closing(_) = self.phase {
            self.phase = Phase::Closing(reason);
        }
    }
}
