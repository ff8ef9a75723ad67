//! The queue of connections to read.

use std::collections::VecDeque;

use super::read_time::{READ, charge, read_time};
use super::timers::Timers;
use crate::connection::{Connection, Inbound, InboundLimits, Read};
use crate::limits::Limits;
use crate::net::{ConnKey, Instant, Socket};
use crate::workers::Request;

/// How long a turn reads, whatever is queued, in the units of [`read_time`]: some 250 µs.
const PER_TURN: usize = 640;

/// How long a turn reads at least.
const LEAST: usize = PER_TURN / 4;

/// A room that still has something to hand out.
const OWED: usize = 8;

/// The connections to read, and how far reading is ahead of the hub.
#[derive(Debug)]
pub(crate) struct Ingress {
    limits: InboundLimits,
    /// Connections to read: those that an event has announced, and those that were not read to the end,
    /// which no event will announce.
    ///
    /// Quiet ones, which have taken little time of late, are read before busy ones: nobody waits for many who
    /// send all they may, or what takes long.
    quiet: VecDeque<ConnKey>,
    busy: VecDeque<ConnKey>,
    /// How many of these have yet to be read in this turn.
    left: (usize, usize),
    /// How long this turn reads, and how much of that is left.
    total: usize,
    budget: usize,
    /// Quiet connections have been read in this turn.
    had_quiet: bool,
    /// When the turn began.
    now: Instant,
    /// Ends of timed pauses.
    pauses: Timers,
    /// Bytes read since the hub last caught up.
    read_ahead: usize,
    max_read_ahead: usize,
    /// The buffer that every connection is read into.
    buffer: Box<[u8]>,
}

impl Ingress {
    /// `web`: whether browsers are served.
    pub(crate) fn new(limits: &Limits, web: bool) -> Self {
        Self {
            limits: InboundLimits::new(limits, web),
            quiet: VecDeque::new(),
            busy: VecDeque::new(),
            left: (0, 0),
            total: PER_TURN,
            budget: PER_TURN,
            had_quiet: false,
            now: Instant::START,
            pauses: Timers::default(),
            read_ahead: 0,
            max_read_ahead: limits.read_ahead,
            buffer: vec![0; limits.read_per_turn].into(),
        }
    }

    pub(crate) fn limits(&self) -> &InboundLimits {
        &self.limits
    }

    /// Queues a connection. The caller makes sure that it is not queued already.
    pub(crate) fn push(&mut self, key: ConnKey, inbound: &Inbound) {
        let is_quiet = inbound.is_quiet(self.now, &self.limits);
        let queue = if is_quiet { &mut self.quiet } else { &mut self.busy };
        queue.push_back(key);
    }

    /// Begins a turn, in which each connection that is queued now is read once at most. `owing` rooms still have
    /// something to hand out, which shortens the reading.
    pub(crate) fn begin_turn(&mut self, now: Instant, owing: usize) {
        self.now = now;
        self.left = (self.quiet.len(), self.busy.len());
        self.total = PER_TURN.saturating_sub(owing * OWED).max(LEAST);
        self.budget = self.total;
        self.had_quiet = false;
    }

    /// Takes the next connection to read, as long as the turn goes.
    pub(crate) fn pop(&mut self) -> Option<ConnKey> {
        let reserved = self.reserved();
        let (quiet, busy) = &mut self.left;
        let takes_quiet = *quiet > 0 && (*busy == 0 || self.budget > reserved);
        let (left, queue) =
            if takes_quiet { (quiet, &mut self.quiet) } else { (busy, &mut self.busy) };
        if takes_quiet {
            self.had_quiet = true;
        } else if self.had_quiet {
            // The answers to these come first: the rest of the busy ones are for the next turn.
            self.budget = self.budget.min(reserved);
        }
        if self.budget == 0 || *left == 0 {
            return None;
        }
        *left -= 1;
        self.budget = self.budget.saturating_sub(READ);
        queue.pop_front()
    }

    /// Whether the turn goes on to those that waited for their rooms: `first`, before any other.
    pub(crate) fn has_time(&self, first: bool) -> bool {
        self.budget > if first { self.total - self.reserved() } else { 0 }
    }

    /// What is left for busy connections in any case, and what those that waited for their rooms are given first.
    fn reserved(&self) -> usize {
        self.total / 4
    }

    /// Takes the time that reading or posting takes.
    pub(crate) fn spend(&mut self, time: usize) {
        self.budget = self.budget.saturating_sub(time);
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
        self.quiet.shrink_to_fit();
        self.busy.shrink_to_fit();
    }

    /// Reads a connection into the shared buffer, and appends the requests that came of it: none, and what is
    /// read is buffered, unless it `accepts`.
    #[inline]
    pub(crate) fn read<S: Socket>(
        &mut self,
        now: Instant,
        connection: &mut Connection<S>,
        accepts: bool,
        requests: &mut Vec<Request>,
    ) -> Read {
        let nothing;
        let limits = if accepts {
            &self.limits
        } else {
            nothing = self.limits.accepting_nothing();
            &nothing
        };
        let read = connection.read(now, limits, &mut self.buffer, requests);
        let time = read_time(&read, requests, connection.subscription.is_some());
        connection.inbound.charge_time(now, &self.limits, charge(&read, time));
        self.spend(time);
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
        (admitted || self.has_queued()) && self.may_read()
    }

    /// Whether a connection is queued.
    pub(crate) fn has_queued(&self) -> bool {
        !self.quiet.is_empty() || !self.busy.is_empty()
    }

    /// The end of the next pause.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.pauses.next()
    }
}
