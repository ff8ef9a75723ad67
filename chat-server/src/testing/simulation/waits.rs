//! Counts the turns that each witness waits for the chats of the other one in its room.

use std::collections::BTreeMap;

use chat_testing::{Event, Request};

use crate::testing::simulation::client::Client;
use crate::testing::simulation::trace::Entry;

/// The waits of the first two clients, the witnesses that share a room.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// Entries of each record that have been seen.
    seen: [usize; 2],
    /// The turn in which each chat was sent, by sender and number.
    said: BTreeMap<(usize, u64), u64>,
    /// The most turns that either has waited.
    pub(super) most: u64,
}

impl Waits {
    /// Follows the records at the end of a turn.
    pub(super) fn follow(&mut self, turn: u64, clients: &[Client]) {
        for (client, seen) in clients.iter().zip(&mut self.seen) {
            for entry in &client.trace.entries[*seen..] {
                match entry {
                    Entry::Sent { request: Request::Chat { number }, .. } => {
                        self.said.insert((client.id, *number), turn);
                    }
                    Entry::Received(message) => {
                        if let Ok(Event::Chat { sender, number, .. }) = Event::read(message) {
                            let said = self.said.remove(&(sender, number));
                            self.most = self.most.max(said.map_or(0, |said| turn - said));
                        }
                    }
                    _ => {}
                }
            }
            *seen = client.trace.entries.len();
        }
    }
}
