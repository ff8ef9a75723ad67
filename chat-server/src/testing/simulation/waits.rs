//! How many turns a witness waits for what the other one in its room says.

use std::collections::BTreeMap;

use crate::testing::simulation::client::Client;
use crate::testing::simulation::trace::{Entry, Request};

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
                    Entry::Received(message) if message.kind == "SCChat" => {
                        let said = chat_of(&message.text).and_then(|chat| self.said.remove(&chat));
                        self.most = self.most.max(said.map_or(0, |said| turn - said));
                    }
                    _ => {}
                }
            }
            *seen = client.trace.entries.len();
        }
    }
}

fn chat_of(text: &str) -> Option<(usize, u64)> {
    let (sender, number) = text.split(' ').next()?.split_once(':')?;
    Some((sender.parse().ok()?, number.parse().ok()?))
}
