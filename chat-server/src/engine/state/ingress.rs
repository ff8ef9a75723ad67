//! The queue of connections to read.

use std::collections::VecDeque;

use super::timers::Timers;
use crate::connection::{Connection, InboundLimits, Read};
use crate::limits::Limits;
use crate::net::{ConnKey, Instant, Socket};
use crate::workers::Request;

/// The connections to read, and how far reading is ahead of the hub.
#[derive(Debug)]
pub(crate) struct Ingress {
    limits: InboundLimits,
    /// Connections to read: those that an event has announced, and those that were not read to the end,
    /// which no event will announce.
    queue: VecDeque<ConnKey>,
    /// Ends of timed pauses.
    pauses: Timers,
    /// Bytes read since the hub last caught up.
    read_ahead: usize,
    max_read_ahead: usize,
    /// The buffer that every connection is read into.
    buffer: Box<[u8]>,
}

impl Ingress {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limits: InboundLimits::new(limits),
            queue: VecDeque::new(),
            pauses: Timers::default(),
            read_ahead: 0,
            max_read_ahead: limits.read_ahead,
            buffer: vec![0; limits.read_per_turn].into(),
        }
    }

    pub(crate) fn limits(&self) -> InboundLimits {
        self.limits
    }

    /// Queues a connection. The caller makes sure that it is not queued already.
    pub(crate) fn push(&mut self, key: ConnKey) {
        self.queue.push_back(key);
    }

    /// The number of connections that are queued.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Takes the next connection to read.
    pub(crate) fn pop(&mut self) -> Option<ConnKey> {
        self.queue.pop_front()
    }

    /// Sets when [`Ingress::pop_expired_pause`] returns a paused connection.
    pub(crate) fn pause(&mut self, key: ConnKey, until: Instant) {
        self.pauses.add(until, key);
    }

    /// Takes a connection whose pause has expired.
    pub(crate) fn pop_expired_pause(&mut self, now: Instant) -> Option<ConnKey> {
        self.pauses.pop_due(now).map(|(_, key)| key)
    }

    /// As [`Timers::compact`], for the pauses.
    pub(crate) fn compact_pauses(
        &mut self,
        connections: usize,
        is_there: impl Fn(ConnKey) -> bool,
    ) {
        self.pauses.compact(connections, |_, key| is_there(key));
    }

    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.queue.shrink_to_fit();
    }

    /// Reads a connection into the shared buffer, and appends the requests that came of it.
    #[inline]
    pub(crate) fn read<S: Socket>(
        &mut self,
        now: Instant,
        connection: &mut Connection<S>,
        limits: InboundLimits,
        requests: &mut Vec<Request>,
    ) -> Read {
        let read = connection.read(now, limits, &mut self.buffer, requests);
        if !requests.is_empty() {
            self.read_ahead += read.accepted;
        }
        read
    }

    /// Bytes read since the hub last caught up.
    #[cfg(test)]
    pub(crate) fn read_ahead(&self) -> usize {
        self.read_ahead
    }

    /// Whether the hub has kept up with what was read.
    pub(crate) fn may_read(&self) -> bool {
        self.read_ahead < self.max_read_ahead
    }

    /// Notes that everything read has been carried out.
    pub(crate) fn caught_up(&mut self) {
        self.read_ahead = 0;
    }

    /// Whether a connection can be read without any event; `admitted`: whether a room admits one.
    pub(crate) fn has_work(&self, admitted: bool) -> bool {
        (admitted || !self.queue.is_empty()) && self.may_read()
    }

    /// The end of the next pause.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.pauses.next()
    }
}
