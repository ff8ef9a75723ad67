//! The table of connections, and the memory they hold.

use slab::Slab;

use super::Connection;
use crate::net::{ConnKey, Socket};

/// All connections, by key.
#[derive(Debug)]
pub(crate) struct Connections<S> {
    /// Each occupant with its generation: see [`ConnKey`].
    slab: Slab<(u32, Connection<S>)>,
    next_generation: u32,
    /// Memory held for single connections, as last accounted for, in bytes.
    memory: usize,
    /// The most connections since the table last shrank.
    peak: usize,
}

impl<S> Connections<S> {
    /// Connections that the table may keep memory for, no matter how few there are.
    const FEW: usize = 256;

    pub(crate) fn new() -> Self {
        Self { slab: Slab::new(), next_generation: 0, memory: 0, peak: 0 }
    }

    /// The key that the next [`Connections::insert`] will give.
    pub(crate) fn next_key(&self) -> ConnKey {
        let slot = u32::try_from(self.slab.vacant_key()).expect("descriptors are fewer than 2³²");
        ConnKey::new(slot, self.next_generation)
    }

    pub(crate) fn insert(&mut self, connection: Connection<S>) -> ConnKey {
        let key = self.next_key();
        self.slab.insert((key.generation(), connection));
        self.next_generation = ConnKey::next_generation(key.generation());
        self.peak = self.peak.max(self.slab.len());
        key
    }

    pub(crate) fn get(&self, key: ConnKey) -> Option<&Connection<S>> {
        let (generation, connection) = self.slab.get(key.slot())?;
        (*generation == key.generation() || fault!(NoGeneration)).then_some(connection)
    }

    pub(crate) fn get_mut(&mut self, key: ConnKey) -> Option<&mut Connection<S>> {
        let (generation, connection) = self.slab.get_mut(key.slot())?;
        (*generation == key.generation() || fault!(NoGeneration)).then_some(connection)
    }

    pub(crate) fn remove(&mut self, key: ConnKey) -> Option<Connection<S>> {
        let accounted = self.get(key)?.outbound.accounted();
        self.memory -= if fault!(HeldForEver) { 0 } else { accounted };
        Some(self.slab.remove(key.slot()).1)
    }

    /// Gives memory back once there are a quarter as many connections as at the peak. Returns whether it did. Slots
    /// below the last occupied one are kept.
    pub(crate) fn shrink(&mut self) -> bool {
        let has_emptied = self.peak > Self::FEW.max(4 * self.slab.len());
        if has_emptied {
            self.slab.shrink_to_fit();
            self.peak = self.slab.len();
        }
        has_emptied
    }

    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(crate) fn keys(&self) -> Vec<ConnKey> {
        let key =
            |(slot, (generation, _)): (usize, &(u32, _))| ConnKey::new(slot as u32, *generation);
        self.slab.iter().map(key).collect()
    }

    /// Memory held for single connections, as last accounted for, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }
}

impl<S: Socket> Connections<S> {
    /// Brings a connection's share of the memory up to date.
    pub(crate) fn account_memory(&mut self, key: ConnKey) {
        let Some(connection) = self.get_mut(key) else { return };
        let memory = connection.memory();
        let (before, after) = connection.outbound.account(memory);
        self.memory = self.memory - before + after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Instant;
    use crate::stats::CloseReason;

    #[test]
    fn c7_a_key_of_a_connection_that_is_gone_finds_nobody() {
        let mut connections = Connections::<()>::new();
        let connection = || Connection::refused((), CloseReason::ServerFull, Instant::START);
        let old = connections.insert(connection());
        connections.remove(old);
        let new = connections.insert(connection());
        assert_eq!(old.slot(), new.slot(), "the slot is used again");
        assert!(connections.get(old).is_none() && connections.get(new).is_some());
        assert!(connections.remove(old).is_none(), "nor can it remove the new one");
        assert!(connections.get(new).is_some());
    }
}
