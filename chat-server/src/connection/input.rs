//! What comes in on a connection: bytes to requests, and the patience for them.

use std::io::ErrorKind;
use std::time::Duration;

use chat_proto::{Command, HEADER_LEN, Rejection};

use super::{Connection, Phase};
use crate::connection::token_bucket::Rate;
use crate::limits::Limits;
use crate::net::Instant;
use crate::net::Socket;
use crate::stats::CloseReason;
use crate::workers::Request;

/// What a connection may send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InputLimits {
    pub(crate) commands: Rate,
    pub(crate) bad_frames: Rate,
    pub(crate) frame_timeout: Duration,
}

impl InputLimits {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            commands: Rate::new(limits.commands),
            bad_frames: Rate::new(limits.bad_frames),
            frame_timeout: limits.frame_timeout,
        }
    }
}

/// Frames of a connection that are taken in a turn: enough for who talks fast, and little to wait for.
const FRAMES: u32 = 64;

/// What came of reading.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    /// Bytes that the kernel gave.
    pub(crate) bytes: usize,
    /// Bytes of frames that were taken, also of those that came earlier.
    pub(crate) taken: usize,
    pub(crate) end: ReadEnd,
}

/// Why a connection is read no further for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// Until a time that is noted.
    Timed,
    /// Until it has been sent enough of what it is owed.
    Owed,
}

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    /// An event will tell when there is more.
    Drained,
    /// There may be more; no event will tell.
    Budget,
    /// Frames are here that have not been taken.
    Kept,
    /// The peer has ended its stream.
    Ended,
    /// The connection is of no use any more.
    Failed,
}

impl<S> Connection<S> {
    /// To be called on an event that says that the peer has ended its stream, or has sent urgent data
    /// in it.
    pub(crate) fn announce_cut(&mut self) {
        self.cut_announced = true;
    }

    /// Until when it is read no further because it has sent too many commands.
    pub(crate) fn must_pause(&self, now: Instant, limits: InputLimits) -> Option<Instant> {
        self.commands.empty_until(now, limits.commands)
    }

    /// Reads no further for now. Whoever ends that has it read again; an event does not.
    pub(crate) fn pause_reading(&mut self, why: Pause) {
        self.read_paused = Some(why);
    }

    /// Ends the pause. A frame that was on its way has its time again: it could not end meanwhile.
    pub(crate) fn resume_reading(&mut self, now: Instant) {
        if self.read_paused.take().is_some() && self.frame_since.is_some() {
            self.frame_since = Some(now);
        }
    }

    /// Only while it is open: what it sends when it is being closed is read and thrown away.
    pub(crate) fn is_read_paused(&self) -> bool {
        self.read_pause().is_some()
    }

    /// As [`Connection::is_read_paused`]: why, if it is.
    pub(crate) fn read_pause(&self) -> Option<Pause> {
        self.read_paused.filter(|_| self.phase == Phase::Open)
    }

    /// Whether frames are here that have not been taken.
    pub(crate) fn has_kept_frames(&self) -> bool {
        self.decoder.has_frame()
    }

    /// Bytes of input that are held: of a frame that is on its way, and frames to be taken later.
    pub(crate) fn input_len(&self) -> usize {
        self.decoder.buffered().len()
    }

    /// When the frame that is on its way has to have ended. While it is not read, it has time.
    pub(crate) fn frame_deadline(&self, limits: InputLimits) -> Option<Instant> {
        if self.read_paused.is_some() {
            return None;
        }
        self.frame_since.map(|since| since + limits.frame_timeout)
    }

    /// Takes frames, no more than there are commands left, nor than a turn's, and after one that is no
    /// chat no other: it may cost more than it looks like, and what comes behind it may be for
    /// another room. Returns their bytes.
    fn accept_bytes(
        &mut self,
        now: Instant,
        limits: InputLimits,
        bytes: &[u8],
        requests: &mut Vec<Request>,
    ) -> usize {
        if self.phase != Phase::Open {
            return 0;
        }
        let most = self.commands.left(now, limits.commands).min(FRAMES);
        let (mut count, mut taken, mut is_chat) = (0, 0, true);
        let mut frames = self.decoder.feed(bytes);
        while count < most && is_chat {
            let Some(payload) = frames.next_frame() else { break };
            count += 1;
            taken += HEADER_LEN + payload.len();
            match Command::parse(payload) {
                Ok(command) => {
                    is_chat = matches!(command, Command::Chat(_));
                    requests.push(Request::Do(command));
                }
                Err(rejection) => {
                    let bad = rejection.is_bad();
                    requests.push(Request::Reject(rejection));
                    if bad {
                        if self.proven && self.bad_frames.take(now, limits.bad_frames) {
                            continue;
                        }
                        drop(frames);
                        self.end(CloseReason::BadInput, requests);
                        return taken;
                    }
                }
            }
            self.proven = true;
        }
        frames.buffer_rest();
        #[cfg(test)]
        {
            self.taken += taken as u64;
        }
        self.commands.charge(now, limits.commands, count);
        self.note_frame(now, count);
        if !self.proven && !self.has_kept_frames() && is_foreign(self.decoder.buffered()) {
            requests.push(Request::Reject(Rejection::NotAnObject));
            self.end(CloseReason::BadInput, requests);
        }
        taken
    }

    /// Notes since when a frame has been on its way, after `count` were taken. One that is here is not.
    fn note_frame(&mut self, now: Instant, count: u32) {
        if self.decoder.buffered().is_empty() || self.has_kept_frames() {
            self.frame_since = None;
        } else if count > 0 || self.frame_since.is_none() {
            self.frame_since = Some(now);
        }
    }
}

impl<S: Socket> Connection<S> {
    /// Takes the frames that were kept, or else reads at most one `buffer` full, and appends the requests
    /// in it, the last of them `Disconnect` when there is nothing to come.
    pub(crate) fn read(
        &mut self,
        now: Instant,
        limits: InputLimits,
        buffer: &mut [u8],
        requests: &mut Vec<Request>,
    ) -> Read {
        if self.has_kept_frames() {
            let taken = self.accept_bytes(now, limits, &[], requests);
            return Read { bytes: 0, taken, end: ReadEnd::Kept };
        }
        let (bytes, end) = self.fill(buffer);
        // Also of a peer that resets the stream: what came before, it has said.
        let taken = self.accept_bytes(now, limits, &buffer[..bytes], requests);
        match end {
            ReadEnd::Failed => self.end(CloseReason::Lost, requests),
            // The end will be there again when they have been taken.
            _ if self.has_kept_frames() => return Read { bytes, taken, end: ReadEnd::Kept },
            ReadEnd::Ended => {
                self.peer_ended = true;
                let in_frame = !self.decoder.buffered().is_empty();
                let reason =
                    if in_frame { CloseReason::PeerEndedInFrame } else { CloseReason::PeerEnded };
                self.end(reason, requests);
            }
            ReadEnd::Drained | ReadEnd::Budget | ReadEnd::Kept => {}
        }
        Read { bytes, taken, end }
    }

    /// Reads into `buffer` and returns how much, and why it stopped.
    fn fill(&mut self, buffer: &mut [u8]) -> (usize, ReadEnd) {
        let mut filled = 0;
        loop {
            // Never with an empty slice: that reads 0 bytes, which looks like the end.
            match self.socket.read(&mut buffer[filled..]) {
                Ok(0) => return (filled, ReadEnd::Ended),
                Ok(n) => filled += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return (filled, ReadEnd::Drained),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return (filled, ReadEnd::Failed),
            }
            if filled == buffer.len() {
                return (filled, ReadEnd::Budget);
            }
            if !self.cut_announced {
                return (filled, ReadEnd::Drained);
            }
        }
    }
}

/// Whether the first bytes of a stream cannot be the beginning of a frame with a JSON object in it:
/// a browser, a TLS hello or a little-endian length, which would otherwise be waited for.
fn is_foreign(bytes: &[u8]) -> bool {
    match bytes.get(HEADER_LEN) {
        None => false,
        Some(b'{' | b' ' | b'\t' | b'\r' | b'\n') => is_little_endian(bytes),
        Some(_) => true,
    }
}

/// Whether this is a whole command behind a length with its bytes the wrong way round, and nothing
/// more: its sender waits for an answer. As ours it would be the beginning of a long frame that goes
/// on behind its object.
fn is_little_endian(bytes: &[u8]) -> bool {
    bytes.split_first_chunk::<HEADER_LEN>().is_some_and(|(header, payload)| {
        usize::from(u16::from_le_bytes(*header)) == payload.len()
            && !Command::parse(payload).is_err_and(|rejection| rejection.is_bad())
    })
}
