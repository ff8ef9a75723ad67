//! What comes in on a connection: bytes to requests, and the patience for them.

use std::io::ErrorKind;
use std::time::Duration;

use chat_proto::{Command, HEADER_LEN, Rejection};

use super::{Connection, Phase};
use crate::bucket::Rate;
use crate::close_reason::CloseReason;
use crate::limits::Limits;
use crate::mailbox::Request;
use crate::moment::Moment;
use crate::socket::Socket;

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

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    /// An event will tell when there is more.
    Drained,
    /// There may be more; no event will tell.
    Budget,
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
    pub(crate) fn must_pause(&self, now: Moment, limits: InputLimits) -> Option<Moment> {
        self.commands.empty_until(now, limits.commands)
    }

    /// Reads no further for now. Whoever ends that has it read again; an event does not.
    pub(crate) fn pause_reading(&mut self) {
        self.read_paused = true;
    }

    /// Ends the pause. A frame that was on its way has its time again: it could not end meanwhile.
    pub(crate) fn resume_reading(&mut self, now: Moment) {
        if std::mem::take(&mut self.read_paused) && self.frame_since.is_some() {
            self.frame_since = Some(now);
        }
    }

    /// Only while it is open: what it sends when it is being closed is read and thrown away.
    pub(crate) fn is_read_paused(&self) -> bool {
        self.read_paused && self.phase == Phase::Open
    }

    /// Bytes kept of a frame that is on its way.
    pub(crate) fn partial_len(&self) -> usize {
        self.decoder.partial_len()
    }

    /// When the frame that is on its way has to have ended. While it is not read, it has time.
    pub(crate) fn frame_deadline(&self, limits: InputLimits) -> Option<Moment> {
        if self.read_paused {
            return None;
        }
        self.frame_since.map(|since| since + limits.frame_timeout)
    }

    fn accept_bytes(
        &mut self,
        now: Moment,
        limits: InputLimits,
        bytes: &[u8],
        requests: &mut Vec<Request>,
    ) {
        if self.phase != Phase::Open {
            return;
        }
        let mut count = 0;
        let mut frames = self.decoder.feed(bytes);
        while let Some(payload) = frames.next_frame() {
            count += 1;
            match Command::parse(payload) {
                Ok(command) => requests.push(Request::Do(command)),
                Err(rejection) => {
                    let bad = rejection.is_bad();
                    requests.push(Request::Reject(rejection));
                    if bad {
                        if self.proven && self.bad_frames.take(now, limits.bad_frames) {
                            continue;
                        }
                        drop(frames);
                        return self.end(CloseReason::BadInput, requests);
                    }
                }
            }
            self.proven = true;
        }
        drop(frames);
        self.commands.charge(now, limits.commands, count);
        if self.decoder.partial_len() == 0 {
            self.frame_since = None;
        } else if count > 0 || self.frame_since.is_none() {
            self.frame_since = Some(now);
        }
        if !self.proven && is_foreign(self.decoder.partial()) {
            requests.push(Request::Reject(Rejection::NotAnObject));
            self.end(CloseReason::BadInput, requests);
        }
    }
}

impl<S: Socket> Connection<S> {
    /// Reads at most one `buffer` full and appends the requests in it, the last of them `Disconnect`
    /// when there is nothing to come. Returns how many bytes came, and why it stopped.
    pub(crate) fn read(
        &mut self,
        now: Moment,
        limits: InputLimits,
        buffer: &mut [u8],
        requests: &mut Vec<Request>,
    ) -> (usize, ReadEnd) {
        let (filled, end) = self.fill(buffer);
        // Also of a peer that resets the stream: what came before, it has said.
        self.accept_bytes(now, limits, &buffer[..filled], requests);
        match end {
            ReadEnd::Ended => {
                self.peer_ended = true;
                let in_frame = self.decoder.partial_len() > 0;
                let reason =
                    if in_frame { CloseReason::PeerEndedInFrame } else { CloseReason::PeerEnded };
                self.end(reason, requests);
            }
            ReadEnd::Failed => self.end(CloseReason::Lost, requests),
            ReadEnd::Drained | ReadEnd::Budget => {}
        }
        (filled, end)
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
