//! The input side of a connection: bytes to requests, within its budgets.
//!
//! `input` decodes; this file validates frames and charges budgets. `messages` does the same for a WebSocket.

mod input;
mod limits;
mod messages;
mod outcome;
mod standing;

use std::io::ErrorKind;
use std::mem;

use chat_proto::{HEADER_LEN, Rejection};

pub(crate) use self::input::Head;
use self::input::Input;
pub(crate) use self::limits::InboundLimits;
use self::limits::QUIET;
pub(crate) use self::outcome::{Closing, Handshake, Read, ReadEnd};
use self::standing::{Dialect, Standing, Verdict};
use super::form::Form;
use super::token_bucket::{Rate, TokenBucket};
use crate::net::{Instant, Socket, StreamState};
use crate::stats::{CloseReason, LimitKind};
use crate::workers::Request;

/// A read of fewer bytes than this costs a quarter of a command, unless it completes a frame: a frame that
/// comes in many pieces costs as many reads. Longer pieces are few within the budget of bytes. So does one of nothing
/// but records without content.
const SHORT: usize = 1024;

/// Why a connection is not read for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// Until a timer expires.
    Timed,
    /// Until less is pending for it.
    Pending,
    /// Until a room admits it.
    Room,
}

/// The input side of a connection. A connection owns input memory only while it holds part of a frame,
/// or frames to be accepted later.
#[derive(Debug)]
pub(crate) struct Inbound {
    input: Input,
    commands: TokenBucket,
    /// Bytes of the frames that were accepted.
    input_bytes: TokenBucket,
    bad_frames: TokenBucket,
    /// The event loop's time.
    time: TokenBucket,
    /// The time at which the first byte of an incomplete frame arrived.
    frame_since: Option<Instant>,
    pause: Option<Pause>,
    /// Whether the connection is queued to be read.
    queued: bool,
    /// Whether the connection has asked for a list of rooms that is not under way yet.
    expects_list: bool,
    /// Whether the peer has ended its stream: there is nothing more to read.
    peer_ended: bool,
    /// Whether an event has announced an end or an urgent mark in the stream, perhaps after some bytes: a read that
    /// does not fill its buffer may have stopped at the mark.
    is_marked: bool,
    dialect: Dialect,
    /// Bytes of the frames that were accepted.
    #[cfg(test)]
    pub(crate) accepted: u64,
}

/// The result of accepting frames.
struct Accepted {
    bytes: usize,
    /// Why the connection must be closed, if it must.
    closing: Option<Closing>,
}

impl Accepted {
    const NOTHING: Self = Self { bytes: 0, closing: None };
}

impl Inbound {
    pub(super) fn new(now: Instant) -> Self {
        // A new connection starts out busy, so that a crowd of new ones does not delay those already there.
        let mut time = TokenBucket::new(now);
        time.charge(now, Rate::new(QUIET), QUIET.burst);
        Self {
            time,
            input: Input::new(),
            commands: TokenBucket::new(now),
            input_bytes: TokenBucket::new(now),
            bad_frames: TokenBucket::new(now),
            frame_since: None,
            pause: None,
            queued: false,
            expects_list: false,
            peer_ended: false,
            is_marked: false,
            dialect: Dialect::Unknown,
            #[cfg(test)]
            accepted: 0,
        }
    }

    /// The head of the HTTP request that the peer is sending, if it is, as far as it has arrived.
    pub(super) fn request(&self) -> Option<&[u8]> {
        self.input.request()
    }

    /// Takes the head of an HTTP request, if one has arrived.
    pub(super) fn take_head(&mut self) -> Option<Head> {
        self.input.take_head()
    }

    /// Returns the form that the first bytes of a refused peer call for. Keeps them while they do not tell.
    pub(super) fn hear_first(&mut self, bytes: &[u8]) -> Form {
        self.input.hear_first(bytes)
    }

    /// Takes the pongs that are owed to the peer of a WebSocket.
    pub(super) fn take_replies(&mut self) -> Vec<u8> {
        self.input.take_replies()
    }

    /// Reads messages of a WebSocket from now on.
    pub(super) fn upgrade(&mut self) {
        self.input = Input::messages();
        self.frame_since = None;
    }

    /// Drops the buffered input.
    pub(super) fn discard(&mut self) {
        self.input = Input::new();
        self.frame_since = None;
    }

    /// Notes an event for the end of the stream, or for urgent data.
    pub(crate) fn mark(&mut self) {
        self.is_marked = true;
    }

    /// Marks the connection as queued to be read. Returns whether it was not queued before.
    pub(crate) fn enqueue(&mut self) -> bool {
        !mem::replace(&mut self.queued, true)
    }

    /// Marks the connection as no longer queued to be read.
    pub(crate) fn dequeue(&mut self) {
        self.queued = false;
    }

    /// Whether the peer has ended its stream.
    pub(crate) fn has_ended(&self) -> bool {
        self.peer_ended
    }

    /// Whether the peer has sent a frame that was a command.
    pub(crate) fn is_proven(&self) -> bool {
        self.dialect != Dialect::Unknown
    }

    /// The time at which the budgets allow the next command, and the budget that takes longest; `None` if
    /// they allow one now.
    pub(crate) fn over_budget_until(
        &self,
        now: Instant,
        limits: &InboundLimits,
    ) -> Option<(Instant, LimitKind)> {
        let commands = self.commands.empty_until(now, limits.commands);
        let input = self.input_bytes.empty_until(now, limits.input);
        let commands = commands.map(|at| (at, LimitKind::Commands));
        commands.into_iter().chain(input.map(|at| (at, LimitKind::Input))).max_by_key(|(at, _)| *at)
    }

    /// Charges the time that reading the connection took, in units of some 0.4 µs.
    #[inline]
    pub(crate) fn charge_time(&mut self, now: Instant, limits: &InboundLimits, time: usize) {
        self.time.charge(now, limits.time, time as u32);
    }

    /// Whether the connection has taken little time lately, and goes on. Closing one takes long, and nobody waits for
    /// that.
    pub(crate) fn is_quiet(&self, now: Instant, limits: &InboundLimits) -> bool {
        !self.is_marked && self.time.is_mostly_full(now, limits.time)
    }

    /// Stops reading for now. Events do not resume it.
    pub(crate) fn pause(&mut self, why: Pause) {
        self.pause = Some(why);
    }

    /// Ends the pause.
    pub(crate) fn resume(&mut self) {
        self.pause = None;
    }

    /// Notes that the connection has asked for a list of rooms. Its next command waits until the list is
    /// encoded: the list must not show what that command does.
    pub(crate) fn expect_list(&mut self) {
        self.expects_list = true;
    }

    /// Notes that the list of rooms is under way.
    pub(crate) fn list_has_begun(&mut self) {
        self.expects_list = false;
    }

    /// Whether the connection has asked for a list of rooms that is not under way.
    pub(crate) fn expects_list(&self) -> bool {
        self.expects_list
    }

    pub(crate) fn paused(&self) -> Option<Pause> {
        self.pause
    }

    /// Whether whole frames are buffered, to be accepted later.
    pub(crate) fn has_frames(&self) -> bool {
        self.input.has_frames()
    }

    /// Buffered bytes of input: part of a frame, and frames to be accepted later.
    #[cfg(test)]
    pub(crate) fn buffered(&self) -> usize {
        self.input.buffered()
    }

    /// Whether no input waits for more bytes or to be accepted, and no reply to it waits to be sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.input.is_empty()
    }

    /// Memory of the buffered input, in bytes.
    pub(crate) fn memory(&self) -> usize {
        if fault!(UncountedInput) { 0 } else { self.input.memory() }
    }

    /// Whether the peer itself holds up its message by a flood of fragments and control frames within it. They give the
    /// message no more time.
    pub(crate) fn is_held_up(&self) -> bool {
        self.input.is_flooded()
    }

    /// The time at which the first byte of an incomplete frame arrived.
    pub(crate) fn frame_since(&self) -> Option<Instant> {
        self.frame_since
    }

    /// The deadline of an incomplete frame. A pause does not extend it: input that arrives in time fits the kernel's
    /// buffer, and is read before the deadline closes the connection.
    pub(super) fn frame_deadline(&self, limits: &InboundLimits) -> Option<Instant> {
        self.frame_since.map(|since| since + limits.frame_timeout)
    }

    /// Reads for [`Connection::read`](super::Connection::read). Returns the result, and why to close the
    /// connection, if there is a reason.
    pub(super) fn read(
        &mut self,
        socket: &mut impl Socket,
        is_open: bool,
        now: Instant,
        limits: &InboundLimits,
        buffer: &mut [u8],
        requests: &mut Vec<Request>,
    ) -> (Read, Option<Closing>) {
        let (before, work, since) = (socket.state(), socket.work(), self.frame_since);
        let (bytes, mut end) =
            if self.has_frames() { (0, ReadEnd::Kept) } else { self.fill(socket, buffer) };
        let state = socket.state();
        let is_refused = state == StreamState::Refused
            && !(limits.web && self.input.may_be_http(&buffer[..bytes]));
        let Accepted { bytes: accepted, closing } = if is_open && is_refused {
            Accepted { bytes: 0, closing: Some(Closing::new(CloseReason::TlsRequired)) }
        } else if is_open {
            // Even if the peer resets the stream, input that arrived before the reset counts.
            let accepted = self.accept(now, limits, &mut buffer[..bytes], requests);
            if state.is_incomplete() {
                self.note_incomplete_stream(now, since.filter(|_| accepted.bytes == 0));
            }
            let is_short = || bytes == 0 || (end == ReadEnd::Drained && bytes < SHORT);
            if accepted.bytes == 0 && end != ReadEnd::Kept && is_short() {
                self.commands.charge_quarter(now, limits.commands);
            }
            accepted
        } else {
            Accepted::NOTHING
        };
        // The end waits for the frames before it, for a list of rooms (which must still show the peer), for a room to
        // admit the peer, and for the end of a pause.
        let is_ahead_of_end = self.has_frames()
            || limits.frames_per_turn == 0
            || requests.last().is_some_and(|last| last.lists_rooms() || last.joins().is_some());
        let close = match end {
            _ if closing.is_some() => closing,
            ReadEnd::Failed => Some(Closing::new(CloseReason::Lost)),
            ReadEnd::Garbled => Some(Closing::new(CloseReason::TlsFailed)),
            ReadEnd::Ended if !is_ahead_of_end => {
                let in_frame = self.input.is_incomplete();
                Some(Closing::new(if in_frame {
                    CloseReason::PeerEndedInFrame
                } else {
                    CloseReason::PeerEnded
                }))
            }
            _ => None,
        };
        let is_kept = self.has_frames() || (end == ReadEnd::Ended && is_ahead_of_end);
        if !end.has_failed() && closing.is_none() && is_kept {
            // The next read will meet the end again.
            end = ReadEnd::Kept;
        }
        self.peer_ended |= end == ReadEnd::Ended;
        let handshake = Handshake::between(before, state);
        let work = socket.work().wrapping_sub(work);
        (Read { bytes, accepted, end, handshake, work }, close)
    }

    /// Reads into `buffer`. Returns how many bytes, and why it stopped.
    fn fill(&mut self, socket: &mut impl Socket, buffer: &mut [u8]) -> (usize, ReadEnd) {
        let mut filled = 0;
        loop {
            // Never with an empty slice: that reads 0 bytes, which looks like the end.
            let is_drained = match socket.read(&mut buffer[filled..]) {
                Ok(0) => return (filled, ReadEnd::Ended),
                Ok(n) => {
                    filled += n;
                    !self.is_marked
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => true,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == ErrorKind::InvalidData => return (filled, ReadEnd::Garbled),
                Err(_) => return (filled, ReadEnd::Failed),
            };
            if filled == buffer.len() || socket.state() == StreamState::Ready {
                return (filled, ReadEnd::Budget);
            }
            if is_drained {
                return (filled, ReadEnd::Drained);
            }
        }
    }

    /// Accepts frames: at most those that the command budget and the turn allow, and none after one that is
    /// not a chat, since that may cost more than its length suggests, and the frames after it may be for
    /// another room.
    fn accept(
        &mut self,
        now: Instant,
        limits: &InboundLimits,
        bytes: &mut [u8],
        requests: &mut Vec<Request>,
    ) -> Accepted {
        if limits.web && !self.is_proven() {
            self.input.detect_http(bytes);
        }
        let Input::Frames(decoder) = &mut self.input else {
            return self.accept_web(now, limits, bytes, requests);
        };
        let most = self.commands.left(now, limits.commands).min(limits.frames_per_turn);
        let (mut count, mut accepted, mut verdict) = (0, 0, Verdict::Chat);
        let mut standing =
            Standing { bad_frames: &mut self.bad_frames, dialect: &mut self.dialect };
        let mut frames = decoder.feed(bytes);
        while count < most && verdict == Verdict::Chat {
            let Some(payload) = frames.next_frame() else { break };
            count += 1;
            accepted += HEADER_LEN + payload.len();
            verdict = standing.accept(now, limits, str::from_utf8(payload), requests);
        }
        if verdict == Verdict::Violation {
            return Accepted { bytes: accepted, closing: Some(Closing::for_bad_input()) };
        }
        frames.buffer_rest();
        self.charge(now, limits, count, accepted);
        self.note_incomplete(now, count > 0);
        let is_violation = !self.is_proven() && !self.has_frames() && self.input.is_foreign();
        if is_violation {
            requests.push(Request::Reject(Rejection::NotAnObject));
        }
        Accepted { bytes: accepted, closing: is_violation.then(Closing::for_bad_input) }
    }

    /// Charges the budgets for `count` frames, of `accepted` bytes in total.
    #[inline]
    fn charge(&mut self, now: Instant, limits: &InboundLimits, count: u32, accepted: usize) {
        #[cfg(test)]
        {
            self.accepted += accepted as u64;
        }
        self.commands.charge(now, limits.commands, count);
        self.input_bytes.charge(now, limits.input, accepted as u32);
    }

    /// Records when something incomplete began: `now` if it began after something was `completed`.
    #[inline]
    fn note_incomplete(&mut self, now: Instant, completed: bool) {
        if !self.input.is_incomplete() {
            self.frame_since = None;
        } else if completed || self.frame_since.is_none() {
            self.frame_since = Some(now);
        }
    }

    /// Records since when the peer has left a handshake or a record incomplete.
    #[cold]
    fn note_incomplete_stream(&mut self, now: Instant, since: Option<Instant>) {
        if !self.has_frames() && self.frame_since.is_none() {
            self.frame_since = since.or(Some(now));
        }
    }
}
