//! Peers that have vanished without a word while bytes are on their way to them. (The kernel's keep-alive finds the
//! others.)
//!
//! A connection is watched from a write until the peer has confirmed everything. A check costs some microseconds, a
//! few times within [`Limits::peer_timeout`](crate::Limits::peer_timeout).

use super::Engine;
use super::state::{Sight, Workers};
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::LimitKind;

/// The most checks in a turn.
const LOOKS_PER_TURN: usize = 16;

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Checks the connections that are due, and removes those whose peers have vanished.
    pub(super) fn look_for_vanished(&mut self, now: Instant) {
        for _ in 0..LOOKS_PER_TURN {
            let Some(watched) = self.watch.pop_due(now) else { return };
            let Some(connection) = self.connections.get_mut(watched.key) else { continue };
            // A connection that is being closed has a deadline.
            let is_closing = connection.lifecycle.has_left_hub();
            let delivery =
                (!is_closing).then(|| connection.delivery(&mut self.sock_diag)).flatten();
            match self.watch.look(now, watched, delivery) {
                Sight::Waiting => {}
                Sight::Delivered => connection.unwatch(),
                Sight::Vanished => self.remove_vanished(watched.key),
            }
        }
    }

    fn remove_vanished(&mut self, key: ConnKey) {
        self.counters.reach(LimitKind::PeerTimeout);
        if let Some(connection) = self.connections.get_mut(key) {
            // Otherwise the kernel would keep retransmitting.
            connection.reset_on_close();
        }
        self.socket_failed(key);
    }
}
