//! A visitor: a virtual user that plays one scenario, and checks the server's part in it.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use chat_testing::{Checker, Received, Request};

use super::client::{Client, Route};
use super::scenario::{Due, Kind, Leaving, Reading, Scenario, Step};
use super::socket::End;

/// How long the server may take for whatever comes next: longer than a frame may take, and longer than a flood takes
/// at the permitted rate.
const PATIENCE: Duration = Duration::from_secs(60);

/// Time between two bytes that are sent one by one.
const DRIP: Duration = Duration::from_millis(10);

/// A visitor that lacked a core for this long may have read too late through no fault of the server.
const EXCUSE: Duration = Duration::from_secs(5);

/// Bytes read from one visitor in a turn.
const READ_PER_TURN: usize = 1024 * 1024;

/// The most that a turn counts. A longer turn means that this process had no core, which says nothing about the
/// server.
pub(super) const MAX_TURN: Duration = Duration::from_millis(100);

/// The time of a turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// The time by which the server's deadlines are judged: it passes only while this process has a core.
    pub(super) now: Instant,
    /// The real time since the last turn.
    pub(super) passed: Duration,
}

/// A scenario that is being played.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) kind: Kind,
    pub(super) client: Client,
    steps: VecDeque<Step>,
    reading: Reading,
    /// Bytes to be sent one by one, and for how long the next byte has been due.
    drip: VecDeque<u8>,
    dripped: Duration,
    /// The time before which no step is taken.
    rest: Instant,
    deadline: Instant,
    leaving: Option<Leaving>,
    may_be_cut: bool,
    /// How much less time this process had than it needed.
    lag: Duration,
}

impl Visitor {
    /// Connects, and begins the scenario.
    pub(super) fn new(
        scenario: Scenario,
        now: Instant,
        id: usize,
        route: Route,
        checker: &mut Checker,
    ) -> io::Result<Self> {
        Ok(Self {
            kind: scenario.kind,
            client: Client::open(id, route, checker)?,
            steps: scenario.steps.into(),
            reading: Reading::Always,
            drip: VecDeque::new(),
            dripped: Duration::ZERO,
            rest: now,
            deadline: now + PATIENCE,
            leaving: None,
            may_be_cut: scenario.may_be_cut,
            lag: Duration::ZERO,
        })
    }

    /// Reads, and takes the steps that are due. Returns whether the visit is over.
    ///
    /// # Errors
    /// The server's mistake.
    pub(super) fn turn(
        &mut self,
        Turn { now, passed }: Turn,
        buffer: &mut [u8],
        checker: &mut Checker,
        on: &mut dyn FnMut(Received),
    ) -> Result<bool, String> {
        self.lag += passed.saturating_sub(MAX_TURN);
        self.may_be_cut |= self.kind == Kind::Pauser && self.lag > EXCUSE;
        self.client.socket.flush();
        let most = match self.reading {
            Reading::Always => READ_PER_TURN,
            Reading::Slowly(bytes) => (f64::from(bytes) * passed.as_secs_f64()) as usize,
            Reading::Never => 0,
        };
        self.client.read(checker, buffer, most, on)?;
        if let Some(end) = self.client.socket.end() {
            return self.check(end).map(|()| true);
        }
        self.drip(now, passed);
        while self.drip.is_empty() && self.leaving.is_none() && now >= self.rest {
            let waits = matches!(self.steps.front(), Some(Step::Answers));
            if waits && !self.client.conversation.is_answered() {
                break;
            }
            self.deadline = now + PATIENCE;
            self.step(now, checker);
        }
        if matches!(self.leaving, Some(Leaving::Drop | Leaving::Reset)) {
            return Ok(true);
        }
        if now > self.deadline.max(self.rest) {
            return Err(format!(
                "nothing for {} s: {}, leaving {:?}",
                PATIENCE.as_secs(),
                self.client.missing(),
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
                self.client.socket.send_bytes(&[byte]);
                self.deadline = now + PATIENCE;
            }
        }
    }

    fn step(&mut self, now: Instant, checker: &mut Checker) {
        match self.steps.pop_front() {
            Some(Step::Send(bytes, dues)) => {
                self.expect(checker, dues);
                self.client.socket.send(&bytes);
            }
            Some(Step::Chat(more)) => self.client.chat(checker, 0, &"é\"".repeat(more)),
            Some(Step::Drip(bytes, dues)) => {
                self.expect(checker, dues);
                self.drip = self.client.socket.encode(&bytes).into();
            }
            Some(Step::OutOfBand) => {
                if self.client.socket.has_sent_all() {
                    self.client.socket.send_out_of_band();
                }
            }
            Some(Step::Wait(time)) => self.rest = now + time,
            Some(Step::Answers) => {}
            Some(Step::Read(reading)) => self.reading = reading,
            Some(Step::Leave(leaving)) => self.leave(leaving),
            None => self.leave(Leaving::Drop),
        }
    }

    fn expect(&mut self, checker: &mut Checker, dues: Vec<Due>) {
        for Due(request, code) in dues {
            match code {
                Some(code) => self.client.conversation.send_for(request, code),
                None => self.client.conversation.send(checker, request),
            }
        }
    }

    fn leave(&mut self, leaving: Leaving) {
        match leaving {
            Leaving::Finish => self.client.socket.finish(),
            Leaving::Reset => self.client.socket.reset_on_drop(),
            Leaving::Drop | Leaving::Expelled(_) => {}
        }
        self.leaving = Some(leaving);
    }

    /// Whether the stream ended as it should.
    fn check(&self, end: End) -> Result<(), String> {
        let conversation = &self.client.conversation;
        let last = conversation.farewell();
        let is_answered = conversation.is_answered();
        // Only the first frames of bad input are answered.
        let is_rejected = conversation.last_was_bad()
            && conversation.pending().all(|request| matches!(request, Request::Bad(_)));
        let is_right = match self.leaving {
            _ if self.may_be_cut && last.is_none_or(|last| last == "slow-consumer") => true,
            Some(Leaving::Finish) => end == End::Whole && is_answered && last.is_none(),
            Some(Leaving::Expelled(word)) => {
                end == End::Whole && (is_answered || is_rejected) && last == word
            }
            _ => false,
        };
        if is_right {
            return Ok(());
        }
        Err(format!(
            "the stream ended ({end:?}) with last word {last:?}, leaving {:?}: {}",
            self.leaving,
            self.client.missing()
        ))
    }
}
