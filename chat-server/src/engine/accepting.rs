//! New connections: admitted, or refused and told why.

use std::net::SocketAddr;

use chat_core::Role;

use super::Engine;
use super::state::Workers;
use crate::connection::{Connection, Handshake, Phase, Read, ReadEnd};
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::{CloseReason, LimitKind, ReliefStep};

impl<S: Socket, W: Workers> Engine<S, W> {
    /// The key that [`Engine::connect`] will assign next, needed to register the socket.
    pub(crate) fn next_key(&self) -> ConnKey {
        self.connections.next_key()
    }

    /// Admits a new connection, or refuses it.
    pub(crate) fn connect(&mut self, now: Instant, socket: S, role: Role, peer: SocketAddr) {
        self.counters.accepted.add(1);
        let key = self.next_key();
        self.log.accepted(key, || socket.peer());
        let admitted = match self.stop {
            Some(_) => Err(CloseReason::Stopped),
            None if self.is_full() => {
                self.note_relief(ReliefStep::Refused);
                Err(CloseReason::ServerFull)
            }
            None => self.admission.admit(key, peer.ip(), self.connections.len()),
        };
        let wait = match admitted {
            Ok(wait) => wait,
            Err(reason) => return self.refuse(now, socket, reason, self.site.is_some()),
        };
        let mailbox = self.dispatcher.connect(role);
        let session = mailbox.session();
        self.connections.insert(Connection::new(socket, mailbox, now));
        self.sessions.insert(session, key);
        if let Some(until) = wait {
            self.counters.reach(LimitKind::NewConnections);
            self.pause_until(key, until);
        }
        if let Some(observer) = &mut self.observer {
            observer.connected(session, peer);
        }
    }

    /// Admits or refuses a connection that a proxy made for `peer`.
    pub(crate) fn connect_proxied(
        &mut self,
        now: Instant,
        socket: S,
        role: Role,
        peer: SocketAddr,
    ) {
        self.log.remember(self.next_key(), peer);
        self.connect(now, socket, role, peer);
    }

    /// Refuses a new connection for `reason`.
    pub(crate) fn turn_away(
        &mut self,
        now: Instant,
        socket: S,
        peer: SocketAddr,
        reason: CloseReason,
    ) {
        self.counters.accepted.add(1);
        self.log.accepted(self.next_key(), || Some(peer));
        self.refuse(now, socket, reason, false);
    }

    /// Refuses a connection: tells the peer why, and drains the connection. If it `may_be_web`, its first bytes are
    /// awaited first, since they show whether it belongs to a browser. If too many connections are being refused,
    /// closes it without waiting.
    fn refuse(&mut self, now: Instant, socket: S, reason: CloseReason, may_be_web: bool) {
        let key = self.connections.insert(Connection::refused(socket, reason, now));
        let is_waited_for = self.admission.refuse(key);
        if may_be_web && is_waited_for {
            self.arm_timer(now, key);
        } else {
            self.drain(now, key, reason);
        }
        self.counters.refused.set(self.admission.refused() as u64);
        if !is_waited_for {
            self.counters.reach(LimitKind::RefusedConnections);
            self.remove(key);
        }
    }

    /// Goes on with a refused connection that has been read.
    pub(super) fn advance_refusal(&mut self, now: Instant, key: ConnKey, read: &Read) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        // First bytes that do not tell the form are kept.
        let has_told = read.bytes > 0 && connection.inbound.is_empty();
        if has_told || read.end == ReadEnd::Ended {
            self.tell_refused(now, key);
        } else if read.handshake == Handshake::Complete {
            connection.lifecycle.restart_refusal(now);
            self.arm_timer(now, key);
        }
    }

    /// Tells a refused connection why, once its first bytes, its end or its silence say in which form.
    pub(super) fn tell_refused(&mut self, now: Instant, key: ConnKey) {
        if let Some(connection) = self.connections.get(key)
            && let Phase::Refused { reason, .. } = connection.lifecycle.phase()
        {
            self.drain(now, key, reason);
        }
    }
}
