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

/// The least time for which a turn reads.
const LEAST: usize = PER_TURN / 4;

/// The time by which each room that still has something to hand out shortens reading.
const OWED: usize = 8;

/// The connections to read, and how far reading is ahead of the hub.
#[derive(Debug)]
pub(crate) struct Ingress {
    limits: InboundLimits,
    /// Connections to read: those that an event has announced, and those that were not read to the end,
    /// which no event will announce.
    ///
    /// Quiet ones, which have lately taken little time, are read before busy ones, so that nobody waits for many peers
    /// that send all they may, whose input takes long, or that end.
    quiet: VecDeque<ConnKey>,
    busy: VecDeque<ConnKey>,
    /// How many of each have yet to be read in this turn.
    left: (usize, usize),
    /// The time for which this turn reads, and how much of it is left.
    total: usize,
    budget: usize,
    /// Whether quiet connections have been read in this turn.
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
    /// Returns an empty queue. `web` says whether browsers are served.
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

    /// Begins a turn, in which each connection queued now is read at most once. Reading is shortened for each of
    /// `owing` rooms that still have something to hand out.
    pub(crate) fn begin_turn(&mut self, now: Instant, owing: usize) {
        self.now = now;
        self.left = (self.quiet.len(), self.busy.len());
        self.total = PER_TURN.saturating_sub(owing * OWED).max(LEAST);
        self.budget = self.total;
        self.had_quiet = false;
    }

    /// Takes the next connection to read, while there is time left in the turn.
    pub(crate) fn pop(&mut self) -> Option<ConnKey> {
        let reserved = self.reserved();
        let (quiet, busy) = &mut self.left;
        let takes_quiet = *quiet > 0 && (*busy == 0 || self.budget > reserved);
        let (left, queue) =
            if takes_quiet { (quiet, &mut self.quiet) } else { (busy, &mut self.busy) };
        if takes_quiet {
            self.had_quiet = true;
        } else if self.had_quiet {
            // The quiet ones' messages go out first: the remaining busy ones wait for the next turn.
            self.budget = self.budget.min(reserved);
        }
        if self.budget == 0 || *left == 0 {
            return None;
        }
        *left -= 1;
        self.budget = self.budget.saturating_sub(READ);
        queue.pop_front()
    }

    /// Whether there is time to read connections that waited for their rooms: before all others (`first`), or after
    /// them.
    pub(crate) fn has_time(&self, first: bool) -> bool {
        self.budget > if first { self.total - self.reserved() } else { 0 }
    }

    /// The time reserved for busy connections, and the time first given to those that waited for their rooms.
    fn reserved(&self) -> usize {
        self.total / 4
    }

    /// Subtracts the time that reading or posting has taken.
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

    /// Like [`Timers::compact`], for the pauses.
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

    /// Reads a connection into the shared buffer, and appends the resulting requests. Unless `accepts`, input is only
    /// buffered, and there are no requests.
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

    /// Whether a connection can be read without any event. `admitted` says that a room admits one.
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
