//! A visitor: carries out a visit, step by step, and knows whether the server did its part.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::dialogue::{Dialogue, Expect, Heard};
use super::peer::{End, Peer};
use super::visits::{Kind, Leaving, Reading, Step, Visit};

/// How long the server may take for whatever comes next: longer than a frame may take, and a flood
/// at the rate that the server allows.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two bytes of what is sent byte by byte.
const DRIP: Duration = Duration::from_millis(10);

/// A visitor that had no core for so long may have read too late for a server that did nothing wrong.
const EXCUSE: Duration = Duration::from_secs(5);

/// Bytes read from one visitor in a turn.
const READ_PER_TURN: usize = 1024 * 1024;

/// What a turn counts at most. A longer one means that this process had no core, and then it says
/// nothing of what the server did.
pub(super) const MAX_TURN: Duration = Duration::from_millis(100);

/// The time of a turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// The time of this process, by which the server's deadlines are judged: it goes on only while
    /// this process has a core.
    pub(super) now: Instant,
    /// What has really passed since the last turn.
    pub(super) passed: Duration,
}

/// A visit that goes on.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) kind: Kind,
    pub(super) peer: Peer,
    pub(super) dialogue: Dialogue,
    steps: VecDeque<Step>,
    reading: Reading,
    /// To be sent byte by byte, and since when the next one is due.
    drip: VecDeque<u8>,
    dripped: Duration,
    /// No step before this.
    rest: Instant,
    deadline: Instant,
    leaving: Option<Leaving>,
    may_be_cut: bool,
    /// By which this process had less than it needed.
    lag: Duration,
}

impl Visitor {
    /// Begins `visit`.
    pub(super) fn new(
        visit: Visit,
        now: Instant,
        to: SocketAddr,
        from: Option<IpAddr>,
    ) -> io::Result<Self> {
        Ok(Self {
            kind: visit.kind,
            peer: Peer::open(to, from, visit.receive_buffer)?,
            dialogue: Dialogue::default(),
            steps: visit.steps.into(),
            reading: Reading::Always,
            drip: VecDeque::new(),
            dripped: Duration::ZERO,
            rest: now,
            deadline: now + PATIENCE,
            leaving: None,
            may_be_cut: visit.may_be_cut,
            lag: Duration::ZERO,
        })
    }

    /// Reads, and does what is due. Returns whether the visit is over.
    ///
    /// # Errors
    /// What the server did wrong.
    pub(super) fn turn(
        &mut self,
        Turn { now, passed }: Turn,
        buffer: &mut [u8],
        on: &mut dyn FnMut(Heard<'_>) -> Result<(), String>,
    ) -> Result<bool, String> {
        self.lag += passed.saturating_sub(MAX_TURN);
        self.may_be_cut |= self.kind == Kind::Pauser && self.lag > EXCUSE;
        self.peer.flush();
        let most = match self.reading {
            Reading::Always => READ_PER_TURN,
            Reading::Slowly(bytes) => (f64::from(bytes) * passed.as_secs_f64()) as usize,
            Reading::Never => 0,
        };
        self.dialogue.read(&mut self.peer, buffer, most, on)?;
        if let Some(end) = self.peer.end() {
            return self.check(end).map(|()| true);
        }
        self.drip(now, passed);
        while self.drip.is_empty() && self.leaving.is_none() && now >= self.rest {
            let waits = matches!(self.steps.front(), Some(Step::Answers));
            if waits && !self.dialogue.is_answered() {
                break;
            }
            self.deadline = now + PATIENCE;
            self.step(now);
        }
        if matches!(self.leaving, Some(Leaving::Drop | Leaving::Reset)) {
            return Ok(true);
        }
        if now > self.deadline.max(self.rest) {
            return Err(format!(
                "nothing for {} s: {}, leaving {:?}",
                PATIENCE.as_secs(),
                self.dialogue.missing(),
                self.leaving
            ));
        }
        Ok(false)
    }

    fn drip(&mut self, now: Instant, passed: Duration) {
        self.dripped += passed;
        while self.dripped >= DRIP {
            self.dripped -= DRIP;
            if let Some(byte) = self.drip.pop_front() {
                self.peer.send(&[byte]);
                self.deadline = now + PATIENCE;
            }
        }
    }

    fn step(&mut self, now: Instant) {
        match self.steps.pop_front() {
            Some(Step::Send(bytes, answers)) => {
                self.expect(answers);
                self.peer.send(&bytes);
            }
            Some(Step::Say(frame)) => {
                self.dialogue.say();
                self.peer.send(&frame);
            }
            Some(Step::Drip(bytes, answers)) => {
                self.expect(answers);
                self.drip = bytes.into();
            }
            Some(Step::OutOfBand) => {
                if self.peer.has_sent_all() {
                    self.peer.send_out_of_band();
                }
            }
            Some(Step::Wait(time)) => self.rest = now + time,
            Some(Step::Answers) => {}
            Some(Step::Read(reading)) => self.reading = reading,
            Some(Step::Leave(leaving)) => self.leave(leaving),
            None => self.leave(Leaving::Drop),
        }
    }

    fn expect(&mut self, answers: Vec<Expect>) {
        for answer in answers {
            self.dialogue.expect(answer);
        }
    }

    fn leave(&mut self, leaving: Leaving) {
        match leaving {
            Leaving::Finish => self.peer.finish(),
            Leaving::Reset => self.peer.reset_on_drop(),
            Leaving::Drop | Leaving::Expelled(_) => {}
        }
        self.leaving = Some(leaving);
    }

    /// Whether the stream ended as it should.
    fn check(&self, end: End) -> Result<(), String> {
        let last = self.dialogue.last_word();
        let in_order = end == End::Whole && self.dialogue.is_answered();
        let is_right = match self.leaving {
            _ if self.may_be_cut && last.is_none_or(|last| last == "slow-consumer") => true,
            Some(Leaving::Finish) => in_order && last.is_none(),
            Some(Leaving::Expelled(word)) => in_order && last == word,
            _ => false,
        };
        if is_right {
            return Ok(());
        }
        Err(format!(
            "the stream ended ({end:?}) with last word {last:?}, leaving {:?}: {}",
            self.leaving,
            self.dialogue.missing()
        ))
    }
}
