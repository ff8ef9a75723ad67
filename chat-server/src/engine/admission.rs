//! Which connections may stay.

use std::net::{IpAddr, SocketAddr};

use chat_core::Role;
use rustc_hash::FxHashSet;

use super::addresses::AddressCounts;
use super::{Engine, Workers};
use crate::connection::Connection;
use crate::limits::Limits;
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::CloseReason;
use crate::stats::LimitKind;

/// Counts connections against the limits on them.
#[derive(Debug)]
pub(super) struct Admission {
    max_connections: usize,
    max_refused: usize,
    addresses: AddressCounts,
    /// Connections that are being told that they cannot stay.
    refused: FxHashSet<ConnKey>,
}

impl Admission {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            max_connections: limits.connections,
            max_refused: limits.refused_connections,
            addresses: AddressCounts::new(limits.connections_per_address),
            refused: FxHashSet::default(),
        }
    }

    /// Admits a connection, beside `count` others, or says why not.
    fn admit(&mut self, key: ConnKey, peer: IpAddr, count: usize) -> Result<(), CloseReason> {
        if count - self.refused.len() >= self.max_connections {
            return Err(CloseReason::ServerFull);
        }
        if !self.addresses.add(key, peer) {
            return Err(CloseReason::TooManyFromAddress);
        }
        Ok(())
    }

    /// Counts a connection that is refused. Returns whether it is waited for until it has read why.
    fn refuse(&mut self, key: ConnKey) -> bool {
        self.refused.insert(key);
        self.refused.len() <= self.max_refused
    }

    /// Counts a connection no more.
    pub(super) fn remove(&mut self, key: ConnKey) {
        self.refused.remove(&key);
        self.addresses.remove(key);
    }

    pub(super) fn refused(&self) -> usize {
        self.refused.len()
    }

    #[cfg(test)]
    pub(super) fn addresses(&self) -> usize {
        self.addresses.len()
    }
}

impl<S: Socket, W: Workers> Engine<S, W> {
    /// The key that [`Engine::connect`] will give next, for registering its socket.
    pub(crate) fn next_key(&self) -> ConnKey {
        self.connections.next_key()
    }

    /// Takes a new connection, or tells it why it cannot stay.
    pub(crate) fn connect(&mut self, now: Instant, socket: S, role: Role, peer: SocketAddr) {
        self.counters.accepted.add(1);
        let key = self.next_key();
        self.log.accepted(key, || socket.peer());
        let admitted = match self.stop {
            Some(_) => Err(CloseReason::Stopped),
            None => self.admission.admit(key, peer.ip(), self.connections.len()),
        };
        if let Err(reason) = admitted {
            return self.refuse(now, socket, reason);
        }
        let mailbox = self.dispatcher.connect(role);
        let session = mailbox.session();
        self.connections.insert(Connection::new(socket, mailbox, now));
        self.sessions.insert(session, key);
        if let Some(observer) = &mut self.observer {
            observer.connected(session, peer);
        }
    }

    /// Tells a connection that it cannot stay. Unless there are too many such, it is waited for until it
    /// has read that.
    fn refuse(&mut self, now: Instant, socket: S, reason: CloseReason) {
        let key = self.connections.insert(Connection::refused(socket, reason, now));
        let is_waited_for = self.admission.refuse(key);
        self.drain(now, key, reason);
        self.counters.refused.set(self.admission.refused() as u64);
        if !is_waited_for {
            self.counters.reach(LimitKind::RefusedConnections);
            self.remove(key);
        }
    }
}
