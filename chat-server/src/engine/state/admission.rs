//! Admission of new connections.

use std::net::IpAddr;

use rustc_hash::FxHashSet;

use super::addresses::{AddressCounts, AtLimit};
use crate::limits::Limits;
use crate::net::{ConnKey, Instant};
use crate::stats::CloseReason;

/// Counts connections against the limits on them.
#[derive(Debug)]
pub(crate) struct Admission {
    max_connections: usize,
    max_refused: usize,
    addresses: AddressCounts,
    /// Connections being refused.
    refused: FxHashSet<ConnKey>,
}

impl Admission {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            max_connections: limits.connections,
            max_refused: limits.refused_connections,
            addresses: AddressCounts::new(limits),
            refused: FxHashSet::default(),
        }
    }

    /// Sets the time.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.addresses.tick(now);
    }

    /// Admits a connection in addition to `count` others, or returns the reason for refusing it. An admitted
    /// connection comes with the time at which it may be read, if its address has opened too many lately.
    pub(crate) fn admit(
        &mut self,
        key: ConnKey,
        peer: IpAddr,
        count: usize,
    ) -> Result<Option<Instant>, CloseReason> {
        if count - self.refused.len() >= self.max_connections {
            return Err(CloseReason::ServerFull);
        }
        self.addresses.add(key, peer).map_err(|AtLimit| CloseReason::TooManyFromAddress)
    }

    /// Counts a refused connection. Returns whether to wait until it has read the reason.
    pub(crate) fn refuse(&mut self, key: ConnKey) -> bool {
        self.refused.insert(key);
        self.refused.len() <= self.max_refused
    }

    /// Stops counting a connection.
    pub(crate) fn remove(&mut self, key: ConnKey) {
        self.refused.remove(&key);
        self.addresses.remove(key);
    }

    /// The address of a connection, if there is a limit on those from it, and that limit.
    pub(crate) fn limited_address(&self, key: ConnKey) -> Option<(IpAddr, usize)> {
        self.addresses.limited(key)
    }

    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.refused.shrink_to_fit();
        self.addresses.shrink();
    }

    pub(crate) fn refused(&self) -> usize {
        self.refused.len()
    }

    #[cfg(test)]
    pub(crate) fn addresses(&self) -> usize {
        self.addresses.len()
    }
}
