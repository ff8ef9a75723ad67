//! How connections end: one that the peer ends, one that fails, one that is closed, and all of them
//! when the server stops.
//!
//! One that ends well stays in the table until the hub has ended its session, and is then told what
//! there is to tell. One that is lost or cut off goes at once; what the hub still has for it finds
//! nobody.

use chat_core::Notice;

use super::{Engine, Stopping, Workers};
use crate::connection::{Connection, Phase};
use crate::net::ConnKey;
use crate::net::Instant;
use crate::net::Socket;
use crate::stats::CloseReason;
use crate::stats::LimitKind;

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Tells a connection that it cannot stay. While there are not too many such, it is waited for
    /// until it has read that.
    pub(super) fn refuse(&mut self, now: Instant, socket: S, reason: CloseReason) {
        let waits = self.refused < self.limits.refused_connections;
        let key = self.connections.insert(Connection::refused(socket, reason, now));
        self.refused += 1;
        self.finish(now, key);
        self.counters.refused.set(self.refused as u64);
        if !waits {
            self.counters.reach(LimitKind::RefusedConnections);
            self.remove(key);
        }
    }

    /// Takes no more from an open connection. The hub ends its session, and then it is finished.
    pub(super) fn end(&mut self, key: ConnKey, reason: CloseReason) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let mut requests = Vec::new();
        connection.end(reason, &mut requests);
        self.connections.count_held(key);
        self.post(key, &mut requests);
    }

    /// The socket is of no use any more. The others learn that the member has left.
    pub(super) fn lose(&mut self, key: ConnKey) {
        self.end(key, CloseReason::Lost);
        self.detach(key);
        self.remove(key);
    }

    /// Closes a connection that is owed too much. It gets what it has been sent, to the end of the
    /// frame, and the reason.
    pub(super) fn cut_off(&mut self, now: Instant, key: ConnKey, reason: CloseReason) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.is_closing() {
            return self.remove(key);
        }
        connection.send.cut();
        self.end(key, reason);
        if let Some(connection) = self.connections.get_mut(key) {
            // Also of one that was about to end for another.
            connection.reason = Some(reason);
            connection.behind_since = None;
        }
        self.detach(key);
        self.finish(now, key);
    }

    /// Has nothing more come to the connection from the hub or from its room.
    fn detach(&mut self, key: ConnKey) {
        if fault!(NoGeneration) {
            return;
        }
        self.note_ending(key);
        self.fanout.expel(&mut self.connections, key);
        let mailbox = self.connections.get(key).and_then(|connection| connection.mailbox.as_ref());
        if let Some(mailbox) = mailbox {
            self.sessions.remove(&mailbox.session());
        }
    }

    /// The hub is done with the connection: it is told why it ends, if it does not know, and what it
    /// is owed is still written.
    pub(super) fn finish(&mut self, now: Instant, key: ConnKey) {
        let deadline = now + self.limits.linger;
        // It is a member no more, or the hub failed to say so.
        self.fanout.leave(&mut self.connections, key);
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.finish(deadline);
        // Nobody asked for it: its session ended because the hub failed.
        let reason = *connection.reason.get_or_insert(CloseReason::Internal);
        // Told now: later the kernel does not know any more whose the socket was.
        self.journal.closed(key, reason, || connection.peer());
        if let Some(notice) = self.farewell(reason)
            && let Some(connection) = self.connections.get_mut(key)
        {
            connection.send.push_notice(self.lang, &notice, None);
        }
        self.flush(key);
        self.close_if_done(key);
        self.arm(now, key);
    }

    /// The last message of a connection that ends for this reason. One that sent what is no command
    /// has had an answer to that.
    fn farewell(&self, reason: CloseReason) -> Option<Notice> {
        if fault!(NoFarewell) {
            return None;
        }
        Some(match reason {
            CloseReason::FrameTimeout => Notice::FrameTimeout,
            CloseReason::Backlog | CloseReason::SlowBacklog | CloseReason::TotalBacklog => {
                Notice::SlowConsumer
            }
            CloseReason::ServerFull => Notice::ServerFull { limit: self.limits.connections },
            CloseReason::TooManyFromAddress => {
                Notice::TooManyFromAddress { limit: self.limits.connections_per_address }
            }
            CloseReason::Stopped => Notice::ServerStopping,
            CloseReason::PeerEnded
            | CloseReason::PeerEndedInFrame
            | CloseReason::Lost
            | CloseReason::BadInput
            | CloseReason::Internal => return None,
        })
    }

    /// Takes the next step of closing, if the one before is done.
    pub(super) fn close_if_done(&mut self, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        match connection.phase {
            Phase::Finishing { deadline } if connection.send.is_empty() => {
                if fault!(NoLinger) {
                    return self.remove(key);
                }
                if connection.peer_ended || connection.shutdown_write().is_err() {
                    return self.remove(key);
                }
                connection.phase = Phase::Lingering { deadline };
                // The event for what it sent before may be gone already.
                self.plan_read(key);
            }
            Phase::Lingering { .. } if connection.peer_ended => self.remove(key),
            _ => {}
        }
    }

    pub(super) fn remove(&mut self, key: ConnKey) {
        let Some(connection) = self.connections.remove(key) else { return };
        self.refused -= usize::from(connection.refused);
        self.addresses.remove(key);
        let reason = connection.reason.unwrap_or(CloseReason::Internal);
        if reason == CloseReason::BadInput && connection.is_proven() {
            self.counters.reach(LimitKind::BadFrames);
        }
        self.counters.refused.set(self.refused as u64);
        self.counters.close(reason);
        if !connection.is_closing() {
            self.journal.closed(key, reason, || connection.peer());
        }
        connection.close();
    }

    /// Stops reading; when all requests are done, everything that was accepted has been carried out.
    /// Does nothing the second time.
    pub(super) fn begin_stop(&mut self, now: Instant) {
        if self.stopping.is_none() {
            tracing::info!(
                connections = self.connections.len(),
                rooms = self.fanout.room_count(),
                "stopping"
            );
            let deadline = now + self.limits.linger;
            self.stopping = Some(Stopping::Draining { deadline });
            self.counters.stopping.set(1);
        }
    }

    /// Tells everyone that this is the end, after everything they are owed.
    pub(super) fn say_goodbye(&mut self, now: Instant) {
        self.stopping = Some(Stopping::Closing);
        for key in self.connections.keys() {
            self.fanout.leave(&mut self.connections, key);
            let Some(connection) = self.connections.get_mut(key) else { continue };
            if matches!(connection.phase, Phase::Open | Phase::Ending) {
                connection.reason.get_or_insert(CloseReason::Stopped);
                self.note_ending(key);
                self.finish(now, key);
            }
        }
        self.sessions.clear();
        if let Some(observer) = self.observer.take() {
            observer.close();
        }
    }
}
