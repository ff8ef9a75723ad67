//! How connections end: by the peer, by an error, or by the server; and all of them at the stop.
//!
//! A connection that closes in order stays in the table until the hub has ended its session; then it gets its
//! last message. A connection whose socket failed, or that is evicted, is detached at once: outputs of the
//! hub for it are dropped.

use chat_core::Notice;

use super::Engine;
use super::state::{Stop, Workers};
use crate::connection::Phase;
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::CloseReason;
use crate::stats::LimitKind;

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Stops accepting requests from an open connection. The hub ends its session, then it is drained.
    pub(super) fn begin_close(&mut self, key: ConnKey, reason: CloseReason) {
        let mut requests = self.dispatcher.scratch();
        if let Some(connection) = self.connections.get_mut(key) {
            connection.begin_close(reason, &mut requests);
            self.connections.account_memory(key);
        }
        self.keep_session(key, &mut requests);
        self.post(key, &mut requests);
        self.dispatcher.give_back(requests);
    }

    /// Removes a connection whose socket has failed. Its room is told that the member has left.
    pub(super) fn socket_failed(&mut self, key: ConnKey) {
        self.begin_close(key, CloseReason::Lost);
        self.detach(key);
        self.remove(key);
    }

    /// Evicts a connection with too large a backlog. It gets the rest of a partly written frame, and the
    /// reason.
    pub(super) fn evict(&mut self, now: Instant, key: ConnKey, reason: CloseReason) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.lifecycle.has_left_hub() {
            return self.remove(key);
        }
        connection.truncate();
        self.begin_close(key, reason);
        if let Some(connection) = self.connections.get_mut(key) {
            // It may be closing for another reason.
            connection.lifecycle.override_reason(reason);
            connection.outbound.keep_up();
        }
        self.detach(key);
        self.drain(now, key, reason);
    }

    /// Cuts a connection off from the hub and from its room: nothing more comes from either.
    pub(super) fn detach(&mut self, key: ConnKey) {
        if fault!(NoGeneration) {
            return;
        }
        self.observe_ending(key, CloseReason::Internal);
        self.fanout.remove(&mut self.connections, key);
        let connection = self.connections.get(key);
        if let Some(session) = connection.and_then(|connection| connection.lifecycle.session()) {
            self.sessions.remove(&session);
            self.askers.remove(session);
        }
    }

    /// Drains a connection that the hub has released: adds its last message, for the reason given before or else for
    /// `fallback`, and writes the pending bytes.
    pub(super) fn drain(&mut self, now: Instant, key: ConnKey, fallback: CloseReason) {
        let deadline = now + self.limits.linger;
        // The hub has already ended the membership, unless it failed.
        self.fanout.leave(&mut self.connections, key);
        let Some(connection) = self.connections.get_mut(key) else { return };
        let reason = connection.begin_drain(fallback, deadline);
        // Logged now, since the kernel forgets the peer's address later.
        self.log.closed(key, reason, || connection.peer());
        if let Some(notice) = self.close_notice(reason)
            && let Some(connection) = self.connections.get_mut(key)
        {
            connection.outbound.push_notice(self.lang, &notice, None);
        }
        self.push_web_close(key, reason);
        self.flush(key);
        self.advance_close(key);
        self.arm_timer(now, key);
    }

    /// The last message to a connection that closes for this reason. A peer that broke the protocol, or was
    /// removed, has been told already.
    fn close_notice(&self, reason: CloseReason) -> Option<Notice> {
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
            CloseReason::ResumedElsewhere => Notice::ResumedElsewhere,
            CloseReason::Stopped => Notice::ServerStopping,
            CloseReason::BadProxyHeader => Notice::ProxyHeaderExpected,
            CloseReason::TlsRequired => Notice::TlsRequired,
            CloseReason::PeerEnded
            | CloseReason::PeerEndedInFrame
            | CloseReason::Lost
            | CloseReason::Http
            | CloseReason::BadInput
            | CloseReason::TlsFailed
            | CloseReason::Removed
            | CloseReason::Internal => return None,
        })
    }

    /// Takes the next step of closing, if the previous one is done.
    pub(super) fn advance_close(&mut self, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        match connection.lifecycle.phase() {
            Phase::Draining { .. } if connection.outbound.send.is_empty() => {
                if fault!(NoLinger)
                    || connection.inbound.has_ended()
                    || connection.shutdown_write().is_err()
                {
                    return self.remove(key);
                }
                connection.lifecycle.linger();
                // The event for earlier input may have been consumed already.
                self.enqueue_read(key);
            }
            Phase::Lingering { .. } if connection.inbound.has_ended() => self.remove(key),
            _ => {}
        }
    }

    /// Closes the socket of a connection, and forgets it.
    pub(super) fn remove(&mut self, key: ConnKey) {
        let Some(connection) = self.connections.remove(key) else { return };
        self.admission.remove(key);
        let reason = connection.lifecycle.reason().unwrap_or(CloseReason::Internal);
        if reason == CloseReason::BadInput && connection.inbound.is_proven() {
            self.counters.reach(LimitKind::BadFrames);
        }
        self.counters.refused.set(self.admission.refused() as u64);
        self.counters.close(reason);
        if !connection.lifecycle.has_left_hub() {
            self.log.closed(key, reason, || connection.peer());
        }
        self.log.forget(key);
        connection.close();
    }
}

/// The stop of the server.
impl<S: Socket, W: Workers> Engine<S, W> {
    /// Stops reading. Once all requests are done, everything that was accepted has been carried out. Does
    /// nothing the second time.
    pub(super) fn begin_stop(&mut self, now: Instant) {
        if self.stop.is_none() {
            let (connections, rooms) = (self.connections.len(), self.fanout.room_count());
            tracing::info!(connections, rooms, "stopping");
            self.stop = Some(Stop::Finishing { deadline: now + self.limits.linger });
            self.counters.stopping.set(1);
            // These requests have been accepted.
            for (room, waiter) in self.fanout.take_waiting() {
                if waiter.joins {
                    self.join(now, waiter.key, room);
                }
            }
        }
    }

    /// Closes every connection once all accepted requests are carried out, or the deadline has passed.
    pub(super) fn advance_stop(&mut self, now: Instant) {
        if let Some(Stop::Finishing { deadline }) = self.stop
            && (self.dispatcher.is_idle() || deadline <= now)
        {
            self.stop = Some(Stop::Closing);
            self.save_for_next_server();
            self.close_all(now);
        }
    }

    /// Tells everyone that the server stops, after the bytes already pending for them.
    fn close_all(&mut self, now: Instant) {
        for key in self.connections.keys() {
            self.fanout.leave(&mut self.connections, key);
            let connection = self.connections.get(key);
            if connection.is_some_and(|connection| !connection.lifecycle.has_left_hub()) {
                self.observe_ending(key, CloseReason::Stopped);
                self.drain(now, key, CloseReason::Stopped);
            }
        }
        self.sessions.clear();
        self.askers.clear();
        self.kept.clear();
        if let Some(observer) = self.observer.take() {
            observer.close();
        }
    }
}
