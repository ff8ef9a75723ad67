//! How many turns a witness waits for what the other one in its room says.

use std::collections::BTreeMap;

use chat_testing::{Event, Request};

use crate::testing::simulation::client::Client;
use crate::testing::simulation::trace::Entry;

/// The first two clients are the witnesses in a room of their own.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// Entries of each record that have been looked at.
    seen: [usize; 2],
    /// The turn in which each chat was said, by who said it and its number.
    said: BTreeMap<(usize, u64), u64>,
    /// The most turns that anyone has waited.
    pub(super) most: u64,
}

impl Waits {
    /// To be called at the end of a turn.
    pub(super) fn look(&mut self, turn: u64, clients: &[Client]) {
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
