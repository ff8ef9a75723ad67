//! The input side of a connection: bytes to requests, within its budgets.

use std::io::ErrorKind;
use std::mem;
use std::time::Duration;

use chat_proto::{Command, FrameDecoder, HEADER_LEN, Rejection};

use super::token_bucket::{Rate, TokenBucket};
use crate::limits::{Limits, RateLimit};
use crate::net::{Instant, Socket};
use crate::stats::{CloseReason, LimitKind};
use crate::workers::Request;

/// Frames accepted from one connection in a turn: enough for a fast talker, and few for the others to wait for.
const FRAMES_PER_TURN: u32 = 64;

/// A read of fewer bytes than this costs a quarter of a command, unless it completes a frame: a frame that
/// comes in many pieces costs as many reads. Longer pieces are few within the budget of bytes.
const SHORT: usize = 1024;

/// The time that a quiet connection takes, in units of some 0.4 µs: as much as 160 short messages a second that come
/// one by one, or 0.03 % of the event loop's.
const QUIET: RateLimit = RateLimit { burst: 800, per_second: 800 };

/// The limits on what a connection sends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InboundLimits {
    commands: Rate,
    input: Rate,
    bad_frames: Rate,
    time: Rate,
    frame_timeout: Duration,
    frames_per_turn: u32,
}

impl InboundLimits {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            commands: Rate::new(limits.commands),
            input: Rate::new(limits.input),
            bad_frames: Rate::new(limits.bad_frames),
            time: Rate::new(QUIET),
            frame_timeout: limits.frame_timeout,
            frames_per_turn: FRAMES_PER_TURN,
        }
    }

    /// The same limits, under which nothing is accepted: what is read is buffered.
    pub(crate) fn accepting_nothing(&self) -> Self {
        Self { frames_per_turn: 0, ..*self }
    }
}

/// The result of reading a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    /// Bytes read from the kernel.
    pub(crate) bytes: usize,
    /// Bytes of the frames that were accepted, including bytes read earlier.
    pub(crate) accepted: usize,
    pub(crate) end: ReadEnd,
}

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    /// The kernel has no more; an event will announce more.
    Drained,
    /// The kernel may have more; no event will announce it.
    Budget,
    /// Frames were buffered for later; no event will announce them.
    Kept,
    /// The peer has ended its stream.
    Ended,
    /// The socket has failed.
    Failed,
}

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
    decoder: FrameDecoder,
    commands: TokenBucket,
    /// Bytes of the frames that were accepted.
    input: TokenBucket,
    bad_frames: TokenBucket,
    /// The event loop's time.
    time: TokenBucket,
    /// The time at which the first byte of an incomplete frame arrived.
    frame_since: Option<Instant>,
    pause: Option<Pause>,
    /// The connection is among those to be read.
    queued: bool,
    /// The connection has asked for a list of rooms, and none is under way.
    expects_list: bool,
    /// The peer has ended its stream: nothing more will be read.
    peer_ended: bool,
    /// An event has announced an end or an urgent mark in the stream, perhaps after some bytes: a read that
    /// does not fill its buffer may have stopped at the mark.
    is_marked: bool,
    /// The peer has sent a frame that was a command: it speaks our protocol.
    is_proven: bool,
    /// Bytes of the frames that were accepted.
    #[cfg(test)]
    pub(crate) accepted: u64,
}

/// The result of accepting frames.
struct Accepted {
    bytes: usize,
    /// The peer has broken the protocol once too often.
    is_violation: bool,
}

impl Inbound {
    pub(super) fn new(now: Instant) -> Self {
        // Those that are there come before those that come now, of which there may be many.
        let mut time = TokenBucket::new(now);
        time.charge(now, Rate::new(QUIET), QUIET.burst);
        Self {
            time,
            decoder: FrameDecoder::new(),
            commands: TokenBucket::new(now),
            input: TokenBucket::new(now),
            bad_frames: TokenBucket::new(now),
            frame_since: None,
            pause: None,
            queued: false,
            expects_list: false,
            peer_ended: false,
            is_marked: false,
            is_proven: false,
            #[cfg(test)]
            accepted: 0,
        }
    }

    /// Drops the buffered input.
    pub(super) fn discard(&mut self) {
        self.decoder = FrameDecoder::new();
        self.frame_since = None;
    }

    /// Notes an event for the end of the stream, or for urgent data.
    pub(crate) fn mark(&mut self) {
        self.is_marked = true;
    }

    /// Notes that the connection is to be read. Returns whether it was not to be read before.
    pub(crate) fn enqueue(&mut self) -> bool {
        !mem::replace(&mut self.queued, true)
    }

    /// Notes that the connection is being read.
    pub(crate) fn dequeue(&mut self) {
        self.queued = false;
    }

    /// Whether the peer has ended its stream.
    pub(crate) fn has_ended(&self) -> bool {
        self.peer_ended
    }

    /// Whether the peer has sent a frame that was a command.
    pub(crate) fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// The time at which the budgets allow the next command, and the budget that takes longest; `None` if
    /// they allow one now.
    pub(crate) fn over_budget_until(
        &self,
        now: Instant,
        limits: &InboundLimits,
    ) -> Option<(Instant, LimitKind)> {
        let commands = self.commands.empty_until(now, limits.commands);
        let input = self.input.empty_until(now, limits.input);
        let commands = commands.map(|at| (at, LimitKind::Commands));
        commands.into_iter().chain(input.map(|at| (at, LimitKind::Input))).max_by_key(|(at, _)| *at)
    }

    /// Charges the time that reading the connection took, in units of some 0.4 µs.
    #[inline]
    pub(crate) fn charge_time(&mut self, now: Instant, limits: &InboundLimits, time: usize) {
        self.time.charge(now, limits.time, time as u32);
    }

    /// Whether the connection has taken little time of late.
    pub(crate) fn is_quiet(&self, now: Instant, limits: &InboundLimits) -> bool {
        self.time.is_mostly_full(now, limits.time)
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
        self.decoder.has_frame()
    }

    /// Buffered bytes of input: part of a frame, and frames to be accepted later.
    pub(crate) fn buffered(&self) -> usize {
        self.decoder.buffered().len()
    }

    /// Memory of the buffered input, in bytes.
    pub(crate) fn memory(&self) -> usize {
        if fault!(UncountedInput) { 0 } else { self.decoder.capacity() }
    }

    /// The time at which the first byte of an incomplete frame arrived.
    pub(crate) fn frame_since(&self) -> Option<Instant> {
        self.frame_since
    }

    /// The deadline of an incomplete frame. A pause does not move it: what arrives in time fits the kernel's
    /// buffer, and is read before anybody is closed for it.
    pub(super) fn frame_deadline(&self, limits: &InboundLimits) -> Option<Instant> {
        self.frame_since.map(|since| since + limits.frame_timeout)
    }

    /// Reads for [`Connection::read`](super::Connection::read). Returns the result, and the reason for closing
    /// the connection, if there is one.
    pub(super) fn read(
        &mut self,
        socket: &mut impl Socket,
        is_open: bool,
        now: Instant,
        limits: &InboundLimits,
        buffer: &mut [u8],
        requests: &mut Vec<Request>,
    ) -> (Read, Option<CloseReason>) {
        let (bytes, mut end) =
            if self.has_frames() { (0, ReadEnd::Kept) } else { self.fill(socket, buffer) };
        let Accepted { bytes: accepted, is_violation } = if is_open {
            // Also from a peer that resets the stream: what arrived before counts.
            let accepted = self.accept(now, limits, &buffer[..bytes], requests);
            if end == ReadEnd::Drained && accepted.bytes == 0 && bytes < SHORT {
                self.commands.charge_quarter(now, limits.commands);
            }
            accepted
        } else {
            Accepted { bytes: 0, is_violation: false }
        };
        // The end waits for the frames before it, for a list of rooms, which the peer is still to be in, for a
        // room to let the peer in, and for the end of a pause.
        let is_ahead_of_end = self.has_frames()
            || limits.frames_per_turn == 0
            || matches!(requests.last(), Some(Request::Do(Command::Rooms | Command::Join(_))));
        let close = match end {
            _ if is_violation => Some(CloseReason::BadInput),
            ReadEnd::Failed => Some(CloseReason::Lost),
            ReadEnd::Ended if !is_ahead_of_end => {
                let in_frame = self.buffered() > 0;
                Some(if in_frame { CloseReason::PeerEndedInFrame } else { CloseReason::PeerEnded })
            }
            _ => None,
        };
        let is_kept = self.has_frames() || (end == ReadEnd::Ended && is_ahead_of_end);
        if end != ReadEnd::Failed && !is_violation && is_kept {
            // An end will be met again.
            end = ReadEnd::Kept;
        }
        self.peer_ended |= end == ReadEnd::Ended;
        (Read { bytes, accepted, end }, close)
    }

    /// Reads into `buffer`. Returns how many bytes, and why it stopped.
    fn fill(&mut self, socket: &mut impl Socket, buffer: &mut [u8]) -> (usize, ReadEnd) {
        let mut filled = 0;
        loop {
            // Never with an empty slice: that reads 0 bytes, which looks like the end.
            match socket.read(&mut buffer[filled..]) {
                Ok(0) => return (filled, ReadEnd::Ended),
                Ok(n) => filled += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return (filled, ReadEnd::Drained),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return (filled, ReadEnd::Failed),
            }
            if filled == buffer.len() {
                return (filled, ReadEnd::Budget);
            }
            if !self.is_marked {
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
        bytes: &[u8],
        requests: &mut Vec<Request>,
    ) -> Accepted {
        let most = self.commands.left(now, limits.commands).min(limits.frames_per_turn);
        let (mut count, mut accepted, mut is_chat) = (0, 0, true);
        let mut frames = self.decoder.feed(bytes);
        while count < most && is_chat {
            let Some(payload) = frames.next_frame() else { break };
            count += 1;
            accepted += HEADER_LEN + payload.len();
            match Command::parse(payload) {
                Ok(command) => {
                    is_chat = matches!(command, Command::Chat(_));
                    requests.push(Request::Do(command));
                }
                Err(rejection) => {
                    let is_bad = rejection.is_bad();
                    is_chat = is_bad || matches!(rejection, Rejection::BadText(_));
                    requests.push(Request::Reject(rejection));
                    if is_bad {
                        if self.is_proven && self.bad_frames.take(now, limits.bad_frames) {
                            continue;
                        }
                        return Accepted { bytes: accepted, is_violation: true };
                    }
                }
            }
            self.is_proven = true;
        }
        frames.buffer_rest();
        #[cfg(test)]
        {
            self.accepted += accepted as u64;
        }
        self.commands.charge(now, limits.commands, count);
        self.input.charge(now, limits.input, accepted as u32);
        self.note_frame(now, count);
        let is_violation =
            !self.is_proven && !self.has_frames() && is_foreign(self.decoder.buffered());
        if is_violation {
            requests.push(Request::Reject(Rejection::NotAnObject));
        }
        Accepted { bytes: accepted, is_violation }
    }

    /// Notes the time at which an incomplete frame began, after `count` frames were accepted.
    fn note_frame(&mut self, now: Instant, count: u32) {
        if self.decoder.buffered().is_empty() || self.has_frames() {
            self.frame_since = None;
        } else if count > 0 || self.frame_since.is_none() {
            self.frame_since = Some(now);
        }
    }
}

/// Whether the first bytes of a stream cannot be the beginning of a frame with a JSON object in it:
/// a browser, a TLS hello or a little-endian length, which would otherwise be waited for.
fn is_foreign(bytes: &[u8]) -> bool {
    // The binary PROXY header begins with two empty lines.
    let mut start = bytes.iter().skip(HEADER_LEN).take(8);
    match start.find(|byte| !b" \t\r\n".contains(byte)) {
        None | Some(b'{') => is_little_endian(bytes),
        Some(_) => true,
    }
}

/// Whether this is exactly one command after a little-endian length: its sender waits for an answer. In our
/// byte order, it would be the beginning of a long frame that continues after its object.
fn is_little_endian(bytes: &[u8]) -> bool {
    bytes.split_first_chunk::<HEADER_LEN>().is_some_and(|(header, payload)| {
        usize::from(u16::from_le_bytes(*header)) == payload.len()
            && !Command::parse(payload).is_err_and(|rejection| rejection.is_bad())
    })
}
