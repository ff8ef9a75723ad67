//! Memory given back once a crowd has gone.

use super::Engine;

impl<S, W> Engine<S, W> {
    /// Shrinks everything that has grown with the number of connections, once that is a quarter of its peak. Drops the
    /// timers of closed connections before they become many.
    pub(super) fn release_memory(&mut self) {
        let connections = &self.connections;
        self.timers.compact(connections.len(), |at, key| {
            connections.get(key).is_some_and(|connection| connection.timer == Some(at))
        });
        self.ingress.compact_pauses(connections.len(), |key| connections.get(key).is_some());
        self.watch.compact(connections.len(), |key| connections.get(key).is_some());
        if self.connections.shrink() {
            self.sessions.shrink_to_fit();
            self.fanout.shrink();
            self.admission.shrink();
            self.ingress.shrink();
            self.dispatcher.shrink();
            self.egress.shrink();
            self.watch.shrink();
            self.log.shrink();
        }
    }
}
