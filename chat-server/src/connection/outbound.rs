//! The output side of a connection: pending bytes, and whether the peer keeps up.

use std::mem;

use super::send_buffer::SendBuffer;
use super::token_bucket::{Rate, TokenBucket};
use crate::net::Instant;

/// The output side of a connection.
#[derive(Debug)]
pub(crate) struct Outbound {
    pub(crate) send: SendBuffer,
    /// Bytes sent to this connection alone.
    answers: TokenBucket,
    /// The time since which the backlog has been above the slow limit, if it is.
    slow_since: Option<Instant>,
    /// Memory of the connection alone, as last added to the sum of all, in bytes.
    accounted: u32,
    /// The kernel takes no more until an event says so.
    blocked: bool,
    /// The connection is among those to be flushed at the end of the turn.
    queued: bool,
    /// The connection has asked for a list of rooms, and has not been answered.
    expects_list: bool,
    /// The connection is among those that wait for the next frame of a list of rooms.
    wants_page: bool,
}

impl Outbound {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            send: SendBuffer::default(),
            answers: TokenBucket::new(now),
            slow_since: None,
            accounted: 0,
            blocked: false,
            queued: false,
            expects_list: false,
            wants_page: false,
        }
    }

    /// Charges `bytes` of answers to the connection's budget, on credit if need be.
    pub(crate) fn charge_answer(&mut self, now: Instant, rate: Rate, bytes: usize) {
        self.answers.charge(now, rate, u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// The time at which the budget allows the next answer; `None` if it allows one now.
    pub(crate) fn answers_wait_until(&self, now: Instant, rate: Rate) -> Option<Instant> {
        self.answers.empty_until(now, rate)
    }

    /// Whether the kernel takes no more until an event says so.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Notes that the kernel takes no more.
    pub(super) fn block(&mut self) {
        self.blocked = true;
    }

    /// Notes that the kernel takes bytes again.
    pub(crate) fn unblock(&mut self) {
        self.blocked = false;
    }

    /// Notes that the connection is to be flushed. Returns whether it was not to be flushed before.
    pub(crate) fn enqueue(&mut self) -> bool {
        !mem::replace(&mut self.queued, true)
    }

    /// Notes that the connection is being flushed.
    pub(crate) fn dequeue(&mut self) {
        self.queued = false;
    }

    /// Notes that the connection waits for the next frame of a list of rooms. Returns whether it did not
    /// before.
    pub(crate) fn enqueue_for_page(&mut self) -> bool {
        !mem::replace(&mut self.wants_page, true)
    }

    /// Notes that the connection is being given the next frame of a list of rooms.
    pub(crate) fn dequeue_for_page(&mut self) {
        self.wants_page = false;
    }

    /// The time since which the backlog has been above the slow limit, if it is.
    pub(crate) fn slow_since(&self) -> Option<Instant> {
        self.slow_since
    }

    /// Notes that the connection is slow, as of `now`. Returns whether that is new.
    pub(crate) fn become_slow(&mut self, now: Instant) -> bool {
        let is_new = self.slow_since.is_none();
        self.slow_since.get_or_insert(now);
        is_new
    }

    /// Restarts the time of a slow connection.
    pub(crate) fn restart_slow_time(&mut self, now: Instant) {
        self.slow_since = self.slow_since.map(|_| now);
    }

    /// Notes that the connection is not slow. Returns whether that is new.
    pub(crate) fn keep_up(&mut self) -> bool {
        self.slow_since.take().is_some()
    }

    /// Whether the connection should ask for no more: it is slow, or a list of rooms has been asked for, or
    /// is under way.
    pub(crate) fn should_not_ask(&self) -> bool {
        self.slow_since.is_some() || self.expects_list || self.send.has_waiting_list()
    }

    /// Notes that the connection has asked for a list of rooms. Its next command waits until the list is
    /// encoded: the list must not show what that command does.
    pub(crate) fn expect_list(&mut self) {
        self.expects_list = true;
    }

    /// Adds the list of rooms that was asked for.
    pub(crate) fn push_list(&mut self) {
        self.expects_list = false;
        self.send.push_rooms();
    }

    /// Whether there is nothing to account for: nothing is pending, nothing was before, and the connection is
    /// not slow.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.send.is_empty() && self.accounted == 0 && self.slow_since.is_none()
    }

    /// Replaces the memory last accounted for. Returns the old and the new value, each capped at 4 GiB.
    pub(super) fn account(&mut self, memory: usize) -> (usize, usize) {
        let memory = u32::try_from(memory).unwrap_or(u32::MAX);
        let before = mem::replace(&mut self.accounted, memory);
        (before as usize, memory as usize)
    }

    /// Memory held for the connection alone, as it was last accounted for, in bytes.
    pub(super) fn accounted(&self) -> usize {
        self.accounted as usize
    }
}
