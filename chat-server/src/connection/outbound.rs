//! The output side of a connection: pending bytes, and whether the peer keeps up.

use std::mem;
use std::num::NonZeroU16;
use std::time::Duration;

use chat_core::{Lang, Notice, RoomId};
use chat_proto::{Framing, websocket};

use super::form::Form;
use super::send_buffer::SendBuffer;
use super::token_bucket::{Rate, TokenBucket};
use crate::net::Instant;

/// The longest time for which a peer counts as a steady reader after reading.
const STEADY_TIME: Duration = Duration::from_secs(1);

/// The output side of a connection.
#[derive(Debug)]
pub(crate) struct Outbound {
    pub(crate) send: SendBuffer,
    /// Bytes sent to this connection alone.
    answers: TokenBucket,
    /// The time until which the peer counts as a steady reader. Each write extends it by the time that a steady reader
    /// takes for as many bytes. `None` while nothing is pending.
    steady_until: Option<Instant>,
    /// Memory of this connection alone, as last added to the total, in bytes.
    accounted: u32,
    /// The code to close a WebSocket with, if its peer has sent or caused one.
    close_code: Option<NonZeroU16>,
    form: Form,
    flags: Flags,
}

/// Every idle connection has one.
const _: () = assert!(size_of::<Outbound>() <= 64);

/// The state of a connection, one bit each.
#[derive(Debug, Clone, Copy)]
struct Flags(u8);

impl Flags {
    /// The kernel takes no more until an event says so.
    const BLOCKED: u8 = 1;
    /// The backlog is above the slow limit.
    const SLOW: u8 = 1 << 1;
    /// The connection is among those to be flushed at the end of the turn.
    const QUEUED: u8 = 1 << 2;
    /// The connection is among those that wait for the next frame of a list of rooms.
    const WANTS_PAGE: u8 = 1 << 3;
    /// A write that leaves nothing pending needs no follow-up: nothing was pending before it, no memory is accounted
    /// for, and the connection is neither slow nor unwatched. A single flag, because every delivery checks it.
    const AT_REST: u8 = 1 << 4;
    /// The connection is among those whose peers may have vanished.
    const WATCHED: u8 = 1 << 5;

    const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// Sets a flag, and returns what it was.
    fn replace(&mut self, flag: u8, is_set: bool) -> bool {
        let before = self.has(flag);
        self.0 = self.0 & !flag | if is_set { flag } else { 0 };
        before
    }
}

impl Outbound {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            send: SendBuffer::default(),
            answers: TokenBucket::new(now),
            steady_until: None,
            accounted: 0,
            close_code: None,
            form: Form::Frames,
            flags: Flags(0),
        }
    }

    /// The protocol that the connection speaks.
    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// Sets the protocol that the connection has turned out to speak.
    pub(super) fn set_form(&mut self, form: Form) {
        self.form = form;
    }

    /// How messages to the connection are framed.
    pub(crate) fn framing(&self) -> Framing {
        self.form.framing().unwrap_or_default()
    }

    /// Notes the code to close a WebSocket with.
    pub(super) fn set_close_code(&mut self, code: u16) {
        self.close_code = NonZeroU16::new(code);
    }

    /// Adds a notice to this connection alone, if it can receive any.
    pub(crate) fn push_notice(&mut self, lang: Lang, notice: &Notice, room: Option<(RoomId, u64)>) {
        if let Some(framing) = self.form.framing() {
            self.send.push_notice(framing, lang, notice, room);
        }
    }

    /// Adds the close of a WebSocket, with the code sent or caused by its peer, or else with `code`. Only for
    /// [`Form::WebSocket`].
    pub(crate) fn push_close(&mut self, code: u16) {
        let code = self.close_code.map_or(code, NonZeroU16::get);
        let mut close = Vec::new();
        websocket::write_close(&mut close, code, "");
        self.send.push_bytes(&close);
    }

    /// Drops everything pending, except the rest of a partly written frame; the first `withheld` bytes count as
    /// written.
    pub(super) fn truncate(&mut self, withheld: usize) {
        self.send.truncate(self.form.framing(), withheld);
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
        self.flags.has(Flags::BLOCKED)
    }

    /// Notes that the kernel takes no more.
    pub(super) fn block(&mut self) {
        self.flags.replace(Flags::BLOCKED, true);
    }

    /// Notes that the kernel takes bytes again.
    pub(crate) fn unblock(&mut self) {
        self.flags.replace(Flags::BLOCKED, false);
    }

    /// Marks the connection as queued to be flushed. Returns whether it was not queued before.
    pub(crate) fn enqueue(&mut self) -> bool {
        !self.flags.replace(Flags::QUEUED, true)
    }

    /// Marks the connection as no longer queued to be flushed.
    pub(crate) fn dequeue(&mut self) {
        self.flags.replace(Flags::QUEUED, false);
    }

    /// Notes that the connection waits for the next frame of a list of rooms. Returns whether it did not
    /// before.
    pub(crate) fn enqueue_for_page(&mut self) -> bool {
        !self.flags.replace(Flags::WANTS_PAGE, true)
    }

    /// Notes that the connection no longer waits for the next frame of a list of rooms.
    pub(crate) fn dequeue_for_page(&mut self) {
        self.flags.replace(Flags::WANTS_PAGE, false);
    }

    /// Notes that `written` bytes have been written; `steady` is the rate of a steady reader.
    pub(super) fn note_written(&mut self, now: Instant, written: usize, steady: Rate) {
        if self.send.is_empty() {
            self.steady_until = None;
        } else {
            let before = *self.steady_until.get_or_insert(now);
            let until = before + steady.time_for(written);
            self.steady_until = Some(until.min(now + STEADY_TIME).max(before));
        }
    }

    /// Whether the backlog is above the slow limit.
    pub(crate) fn is_slow(&self) -> bool {
        self.flags.has(Flags::SLOW)
    }

    /// Whether the peer has lately read as fast as a steady reader does.
    pub(crate) fn is_steady(&self, now: Instant) -> bool {
        self.steady_until.is_some_and(|until| now < until)
    }

    /// Since when the peer has not read steadily while something is pending. The connection with the earliest time has
    /// gone longest without reading.
    pub(crate) fn unsteady_since(&self) -> Option<Instant> {
        self.steady_until
    }

    /// Since when the peer has not read steadily, if the backlog is above the slow limit.
    pub(crate) fn slow_since(&self) -> Option<Instant> {
        self.unsteady_since().filter(|_| self.is_slow())
    }

    /// Notes that the connection is slow. If that is new, the connection gets its full time from `now` on. Returns
    /// whether it is new.
    pub(crate) fn become_slow(&mut self, now: Instant) -> bool {
        let is_new = !self.flags.replace(Flags::SLOW, true);
        if is_new {
            self.steady_until = Some(now);
            self.disturb();
        }
        is_new
    }

    /// Restarts the time of a slow connection.
    pub(crate) fn restart_slow_time(&mut self, now: Instant) {
        self.steady_until = self.steady_until.map(|_| now);
    }

    /// Notes that the connection is not slow. Returns whether that is new.
    pub(crate) fn keep_up(&mut self) -> bool {
        self.flags.replace(Flags::SLOW, false)
    }

    /// Whether the connection should make no more requests: it is slow, or a list of rooms is under way.
    pub(crate) fn should_not_ask(&self) -> bool {
        self.is_slow() || self.send.has_waiting_list()
    }

    /// Whether a write that leaves nothing pending needs no follow-up.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.flags.has(Flags::AT_REST)
    }

    /// Updates [`Flags::AT_REST`] after the follow-ups of a write.
    pub(super) fn settle(&mut self) {
        let is_empty = self.send.is_empty() && self.steady_until.is_none();
        let is_at_rest = is_empty && self.accounted == 0 && !self.is_slow();
        self.flags.replace(Flags::AT_REST, is_at_rest);
    }

    /// Notes that the connection is watched. Returns whether it was not before.
    pub(super) fn watch(&mut self) -> bool {
        !self.flags.replace(Flags::WATCHED, true)
    }

    /// Notes that the connection is not watched, until the next write.
    pub(super) fn unwatch(&mut self) {
        self.flags.replace(Flags::WATCHED, false);
        self.disturb();
    }

    /// Makes the next write have follow-ups.
    pub(super) fn disturb(&mut self) {
        self.flags.replace(Flags::AT_REST, false);
    }

    /// Replaces the memory last accounted for. Returns the old and the new value, each capped at 4 GiB.
    pub(super) fn account(&mut self, memory: usize) -> (usize, usize) {
        let memory = u32::try_from(memory).unwrap_or(u32::MAX);
        let before = mem::replace(&mut self.accounted, memory);
        if memory > 0 {
            self.disturb();
        }
        (before as usize, memory as usize)
    }

    /// Memory held for this connection alone, as last accounted for, in bytes.
    pub(super) fn accounted(&self) -> usize {
        self.accounted as usize
    }
}
