//! The table of connections, and keys that never mean a later connection in the same slot.

use std::io;

use slab::Slab;

use crate::connection::Connection;
#[cfg(test)]
use crate::simulation::bugs::{Bug, planted};

/// Names one connection of a server. A key outlives its connection harmlessly: the slot's next
/// occupant has another generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnKey {
    slot: u32,
    generation: u32,
}

// A key has to fit a token.
const _: () = assert!(usize::BITS >= 64, "this server needs a 64-bit machine");

impl ConnKey {
    /// Bits of a generation: keys stay below the tokens that the reactor reserves for itself.
    const GENERATION_BITS: u32 = 31;

    /// As a number below 2⁶³, for [`mio::Token`].
    pub(crate) const fn to_token(self) -> mio::Token {
        mio::Token(((self.generation as usize) << 32) | self.slot as usize)
    }

    /// The inverse of [`ConnKey::to_token`].
    pub(crate) const fn from_token(token: mio::Token) -> Self {
        Self { slot: token.0 as u32, generation: (token.0 >> 32) as u32 }
    }

    #[cfg(test)]
    pub(crate) const fn for_test(slot: u32) -> Self {
        Self { slot, generation: 0 }
    }
}

#[derive(Debug)]
pub(crate) struct Connections<S> {
    slab: Slab<(u32, Connection<S>)>,
    next_generation: u32,
    /// Bytes written to one connection before the others have their turn.
    write_budget: usize,
    /// The most bytes that a connection may be owed.
    backlog: usize,
    /// Connections whose budget ended before what they are owed.
    unfinished: Vec<ConnKey>,
    /// Connections that cannot go on: their socket failed, or they are owed too much.
    failed: Vec<ConnKey>,
}

impl<S> Connections<S> {
    pub(crate) fn new(write_budget: usize, backlog: usize) -> Self {
        Self {
            slab: Slab::new(),
            next_generation: 0,
            write_budget,
            backlog,
            unfinished: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// The key that the next [`Connections::insert`] will give.
    pub(crate) fn next_key(&self) -> ConnKey {
        let slot = u32::try_from(self.slab.vacant_key()).expect("descriptors are fewer than 2³²");
        ConnKey { slot, generation: self.next_generation }
    }

    pub(crate) fn insert(&mut self, connection: Connection<S>) -> ConnKey {
        let key = self.next_key();
        self.slab.insert((key.generation, connection));
        self.next_generation = (key.generation + 1) % (1 << ConnKey::GENERATION_BITS);
        key
    }

    pub(crate) fn get(&self, key: ConnKey) -> Option<&Connection<S>> {
        let (generation, connection) = self.slab.get(key.slot as usize)?;
        #[cfg(test)]
        if planted(Bug::NoGeneration) {
            return Some(connection);
        }
        (*generation == key.generation).then_some(connection)
    }

    pub(crate) fn get_mut(&mut self, key: ConnKey) -> Option<&mut Connection<S>> {
        let (generation, connection) = self.slab.get_mut(key.slot as usize)?;
        #[cfg(test)]
        if planted(Bug::NoGeneration) {
            return Some(connection);
        }
        (*generation == key.generation).then_some(connection)
    }

    pub(crate) fn remove(&mut self, key: ConnKey) {
        if self.get(key).is_some() {
            self.slab.remove(key.slot as usize);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(crate) fn keys(&self) -> Vec<ConnKey> {
        let key = |(slot, (generation, _)): (usize, &(u32, _))| ConnKey {
            slot: slot as u32,
            generation: *generation,
        };
        self.slab.iter().map(key).collect()
    }

    /// Flushes what a connection is owed, as far as the budget goes. What is left to do is
    /// remembered for [`Connections::take_unfinished`] and [`Connections::take_failed`].
    pub(crate) fn flush(&mut self, key: ConnKey)
    where
        S: crate::socket::Socket,
    {
        self.write(key, Connection::flush);
    }

    /// Has `write` write to a connection with a budget. One that is owed too much after that does not
    /// read, or not fast enough: it cannot go on.
    pub(crate) fn write(
        &mut self,
        key: ConnKey,
        write: impl FnOnce(&mut Connection<S>, usize) -> io::Result<bool>,
    ) {
        let (budget, backlog) = (self.write_budget, self.backlog);
        let Some(connection) = self.get_mut(key) else { return };
        match write(connection, budget) {
            Err(_) => self.failed.push(key),
            Ok(_) if connection.send.len() > backlog => self.failed.push(key),
            Ok(true) => self.unfinished.push(key),
            Ok(false) => {}
        }
    }

    /// A connection whose budget ended since the last call.
    pub(crate) fn take_unfinished(&mut self) -> Option<ConnKey> {
        self.unfinished.pop()
    }

    /// A connection of which it turned out since the last call that it cannot go on.
    pub(crate) fn take_failed(&mut self) -> Option<ConnKey> {
        self.failed.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_the_way_through_a_token() {
        let key = ConnKey { slot: 12_345, generation: (1 << ConnKey::GENERATION_BITS) - 1 };
        assert_eq!(ConnKey::from_token(key.to_token()), key);
        assert!(key.to_token().0 < usize::MAX >> 1);
    }

    #[test]
    fn a_key_of_a_connection_that_is_gone_finds_nobody() {
        let mut connections = Connections::<()>::new(1, 1);
        let old = connections.insert(Connection::for_test());
        connections.remove(old);
        let new = connections.insert(Connection::for_test());
        assert_eq!(old.slot, new.slot, "the slot is used again");
        assert!(connections.get(old).is_none() && connections.get(new).is_some());
        connections.remove(old);
        assert!(connections.get(new).is_some(), "nor can it remove the new one");
    }
}
