//! What connections are owed and do not take: how much one may be owed, and all of them.

use std::cmp::Reverse;
use std::time::Duration;

use chat_core::RoomId;

use super::{Engine, Workers};
use crate::connection::Connection;
use crate::net::ConnKey;
use crate::net::Instant;
use crate::net::Socket;
use crate::stats::CloseReason;
use crate::stats::LimitKind;

/// How long the talkers of a room wait for a member that has fallen behind: the time in which a reader
/// gets a core on a busy machine. Who does not read at all holds them up no longer, and once.
const CATCH_UP: Duration = Duration::from_millis(100);

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Cuts off who is owed more than it may be, and notes who is behind and who no longer is.
    pub(super) fn check_backlogs(&mut self, now: Instant) {
        while let Some(key) = self.connections.take_behind() {
            if self.connections.get(key).is_none_or(Connection::is_closing) {
                // It gets nothing more, and has a deadline.
                continue;
            }
            let owed = self.owed(key);
            if owed > self.limits.backlog {
                self.cut_off(now, key, CloseReason::Backlog);
            } else if owed > self.limits.slow_backlog {
                self.fall_behind(now, key);
            } else {
                self.keep_up(now, key);
            }
        }
        if self.held() > self.limits.total_backlog {
            self.relieve(now);
        }
    }

    fn fall_behind(&mut self, now: Instant, key: ConnKey) {
        if let Some(connection) = self.connections.get_mut(key) {
            if connection.behind_since.is_none() {
                connection.behind_since = Some(now);
                self.counters.reach(LimitKind::SlowBacklog);
                if let Some(place) = &connection.place {
                    self.fanout.fell_behind(place.room, key);
                }
            }
            self.arm(now, key);
        }
    }

    /// Whether somebody in the room has just fallen behind, and may need no more than a moment. What is
    /// said there meanwhile would be owed to it at once, however fast it reads.
    pub(super) fn waits_for_somebody(&mut self, now: Instant, room: RoomId) -> bool {
        let connections = &self.connections;
        self.fanout.waits_for(room, |key| {
            let behind = connections.get(key).filter(|c| c.place.is_some_and(|p| p.room == room));
            behind.and_then(|c| c.behind_since).is_some_and(|since| now < since + CATCH_UP)
        })
    }

    /// The connection is not behind any more: whatever it falls behind by next has its own time.
    fn keep_up(&mut self, now: Instant, key: ConnKey) {
        if fault!(BehindForEver) {
            return;
        }
        if let Some(connection) = self.connections.get_mut(key)
            && connection.behind_since.take().is_some()
        {
            self.read_again(now, key);
        }
    }

    /// Cuts off those for which the most is held, until all together hold no more than they may. Who
    /// has no more than its share is not to blame: what is too much then is what rooms are handing
    /// out, which is bounded for each and soon gone.
    fn relieve(&mut self, now: Instant) {
        let mut keys = self.connections.keys();
        let share = self.limits.total_backlog / keys.len().max(1);
        keys.sort_by_cached_key(|&key| Reverse(self.keeps(key)));
        for key in keys {
            if self.held() <= self.limits.total_backlog || self.keeps(key) <= share {
                return;
            }
            self.cut_off(now, key, CloseReason::TotalBacklog);
        }
    }

    /// Bytes that a connection is owed.
    fn owed(&self, key: ConnKey) -> usize {
        let Some(connection) = self.connections.get(key) else { return 0 };
        let by_room = connection.place.as_ref().map_or(0, |place| self.fanout.owed(place));
        connection.send.len() + by_room
    }

    /// Bytes that are held because of a connection, those that others share counted whole.
    fn keeps(&self, key: ConnKey) -> usize {
        let Some(connection) = self.connections.get(key) else { return 0 };
        let by_room = connection.place.as_ref().map_or(0, |place| self.fanout.keeps_for(place));
        connection.send.holds() + by_room + connection.input_len()
    }
}

impl<S, W> Engine<S, W> {
    /// Bytes held for all connections.
    pub(super) fn held(&self) -> usize {
        self.connections.held() + self.fanout.held()
    }
}
