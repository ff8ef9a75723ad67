//! What the engine reports to the observer.

use chat_core::Output;

use super::Engine;
use crate::net::ConnKey;
use crate::stats::CloseReason;

impl<S, W> Engine<S, W> {
    /// Shows the observer an output before any output of the turn is applied, while the connection of a session that
    /// has ended is still there. Drops an observer that nobody listens to.
    pub(super) fn observe(&mut self, output: &Output) {
        if let Output::Disconnected { session } | Output::Detached { session } = output
            && let Some(&key) = self.sessions.get(session)
        {
            // If there is no reason yet, nobody asked for the end: the hub failed.
            self.observe_ending(key, CloseReason::Internal);
        }
        if let Some(observer) = &mut self.observer
            && !observer.observe(output)
        {
            self.observer = None;
        }
    }

    /// Tells the observer why a connection's session ends, while the connection is still there: the reason given so
    /// far, or else `fallback`.
    pub(super) fn observe_ending(&mut self, key: ConnKey, fallback: CloseReason) {
        let Some(observer) = &mut self.observer else { return };
        let Some(connection) = self.connections.get(key) else { return };
        let lifecycle = &connection.lifecycle;
        if let Some(session) = lifecycle.session() {
            observer.will_end(session, lifecycle.reason().unwrap_or(fallback));
        }
    }
}
