//! The queues of connections to flush, and of connections to send the next frame of a list of rooms to.

use std::collections::VecDeque;

use crate::connection::{Rate, Writer};
use crate::limits::Limits;
use crate::net::ConnKey;

/// The connections to flush, and the follow-ups of writes.
#[derive(Debug)]
pub(crate) struct Egress {
    /// Connections with answers to flush at the end of the turn.
    queue: VecDeque<ConnKey>,
    /// How many of these, from the front, have had their memory counted.
    counted: usize,
    /// Connections that wait for the next frame of a list of rooms, in the order in which they are served.
    lists: VecDeque<ConnKey>,
    pub(crate) writer: Writer,
    /// Bytes of answers to one connection.
    pub(crate) answers: Rate,
}

impl Egress {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            queue: VecDeque::new(),
            counted: 0,
            lists: VecDeque::new(),
            writer: Writer::new(limits),
            answers: Rate::new(limits.answers),
        }
    }

    /// Queues a connection. The caller makes sure that it is not queued already.
    pub(crate) fn push(&mut self, key: ConnKey) {
        self.queue.push_back(key);
    }

    /// The number of connections that are queued.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Takes the next connection to flush.
    pub(crate) fn pop(&mut self) -> Option<ConnKey> {
        self.counted = self.counted.saturating_sub(1);
        self.queue.pop_front()
    }

    /// Returns the next queued connection whose memory has not been counted since it was queued.
    pub(crate) fn next_uncounted(&mut self) -> Option<ConnKey> {
        let key = self.queue.get(self.counted)?;
        self.counted += 1;
        Some(*key)
    }

    /// Queues a connection for the next frame of a list of rooms. The caller makes sure that it is not queued
    /// already.
    pub(crate) fn push_list(&mut self, key: ConnKey) {
        self.lists.push_back(key);
    }

    /// Takes the connection that gets the next frame of a list of rooms.
    pub(crate) fn pop_list(&mut self) -> Option<ConnKey> {
        self.lists.pop_front()
    }

    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.queue.shrink_to_fit();
        self.lists.shrink_to_fit();
        self.writer.shrink();
    }

    /// Whether there is a connection to flush without any event.
    pub(crate) fn has_work(&self) -> bool {
        !self.queue.is_empty() || !self.lists.is_empty() || self.writer.has_follow_ups()
    }
}
