//! The table of connections, and keys that never mean a later connection in the same slot.

use std::io;

use slab::Slab;

use crate::connection::Connection;
use crate::net::ConnKey;

#[derive(Debug)]
pub(crate) struct Connections<S> {
    slab: Slab<(u32, Connection<S>)>,
    next_generation: u32,
    /// Bytes written to one connection before the others have their turn.
    write_budget: usize,
    /// Bytes beyond which it matters how much a connection is owed.
    slow_backlog: usize,
    /// Bytes held for single connections, as of the last time each was looked at.
    held: usize,
    /// Connections whose budget ended before what they are owed.
    unfinished: Vec<ConnKey>,
    /// Connections whose socket failed.
    failed: Vec<ConnKey>,
    /// Connections that are owed much, or were.
    behind: Vec<ConnKey>,
}

impl<S> Connections<S> {
    pub(crate) fn new(write_budget: usize, slow_backlog: usize) -> Self {
        Self {
            slab: Slab::new(),
            next_generation: 0,
            write_budget,
            slow_backlog,
            held: 0,
            unfinished: Vec::new(),
            failed: Vec::new(),
            behind: Vec::new(),
        }
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
        key
    }

    pub(crate) fn get(&self, key: ConnKey) -> Option<&Connection<S>> {
        let (generation, connection) = self.slab.get(key.slot())?;
        if fault!(NoGeneration) {
            return Some(connection);
        }
        (*generation == key.generation()).then_some(connection)
    }

    pub(crate) fn get_mut(&mut self, key: ConnKey) -> Option<&mut Connection<S>> {
        let (generation, connection) = self.slab.get_mut(key.slot())?;
        if fault!(NoGeneration) {
            return Some(connection);
        }
        (*generation == key.generation()).then_some(connection)
    }

    pub(crate) fn remove(&mut self, key: ConnKey) -> Option<Connection<S>> {
        let counted = self.get(key)?.counted;
        let counted = if fault!(HeldForEver) { 0 } else { counted };
        self.held -= counted as usize;
        Some(self.slab.remove(key.slot()).1)
    }

    /// Bytes held for single connections.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Brings up to date how much is held for a connection, after it was read.
    pub(crate) fn count_held(&mut self, key: ConnKey) {
        let Some(connection) = self.get_mut(key) else { return };
        let (before, held) = connection.recount();
        self.held = self.held - before + held;
    }

    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(crate) fn keys(&self) -> Vec<ConnKey> {
        let key =
            |(slot, (generation, _)): (usize, &(u32, _))| ConnKey::new(slot as u32, *generation);
        self.slab.iter().map(key).collect()
    }

    /// Flushes what a connection is owed, as far as the budget goes.
    pub(crate) fn flush(&mut self, key: ConnKey)
    where
        S: crate::net::Socket,
    {
        self.write(key, Connection::flush);
    }

    /// Has `write` write to a connection with a budget. What came of it is remembered for
    /// [`Connections::take_unfinished`], [`Connections::take_failed`] and
    /// [`Connections::take_behind`].
    pub(crate) fn write(
        &mut self,
        key: ConnKey,
        write: impl FnOnce(&mut Connection<S>, usize) -> io::Result<bool>,
    ) {
        let (budget, slow_backlog) = (self.write_budget, self.slow_backlog);
        let Some(connection) = self.get_mut(key) else { return };
        let written = write(connection, budget);
        if matches!(written, Ok(false)) && connection.is_at_rest() {
            // Nearly always: everything is with the kernel, and was before.
            return;
        }
        let behind = connection.send.len() > slow_backlog || connection.behind_since.is_some();
        let (before, held) = connection.recount();
        self.held = self.held - before + held;
        match written {
            Err(_) => self.failed.push(key),
            Ok(true) => self.unfinished.push(key),
            Ok(false) => {}
        }
        if behind {
            self.behind.push(key);
        }
    }

    /// Notes that a connection is owed so much, also of what is not in its send buffer.
    pub(crate) fn note_backlog(&mut self, key: ConnKey, owed: usize) {
        if owed > self.slow_backlog {
            self.behind.push(key);
        }
    }

    /// A connection of which it has to be looked at how much it is owed.
    pub(crate) fn take_behind(&mut self) -> Option<ConnKey> {
        self.behind.pop()
    }

    /// Whether there is a connection whose budget ended, or whose socket failed.
    pub(crate) fn has_follow_ups(&self) -> bool {
        !self.unfinished.is_empty() || !self.failed.is_empty()
    }

    /// A connection whose budget ended since the last call.
    pub(crate) fn take_unfinished(&mut self) -> Option<ConnKey> {
        self.unfinished.pop()
    }

    /// A connection whose socket has failed since the last call.
    pub(crate) fn take_failed(&mut self) -> Option<ConnKey> {
        self.failed.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Instant;
    use crate::stats::CloseReason;

    #[test]
    fn c7_a_key_of_a_connection_that_is_gone_finds_nobody() {
        let mut connections = Connections::<()>::new(1, 1);
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
