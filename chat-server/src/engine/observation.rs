//! What the engine alone knows of what happens, for the observer.

use chat_core::Output;

use super::Engine;
use crate::connection::Connection;
use crate::net::ConnKey;
use crate::stats::CloseReason;

impl<S, W> Engine<S, W> {
    /// Shows the observer an output, before any of its turn is carried out: the connection of a session
    /// that has ended is still there. One to whom nobody listens goes.
    pub(super) fn observe(&mut self, output: &Output) {
        if let Output::Disconnected { session } = output
            && let Some(&key) = self.sessions.get(session)
        {
            self.note_ending(key);
        }
        if let Some(observer) = &mut self.observer
            && !observer.see(output)
        {
            self.observer = None;
        }
    }

    /// Tells the observer why the session of a connection ends, while the connection is still there.
    pub(super) fn note_ending(&mut self, key: ConnKey) {
        let Some(observer) = &mut self.observer else { return };
        let Some(connection) = self.connections.get(key) else { return };
        let Connection { mailbox: Some(mailbox), reason, .. } = connection else { return };
        // Without a reason nobody asked for it: the hub failed.
        observer.will_end(mailbox.session(), reason.unwrap_or(CloseReason::Internal));
    }
}
