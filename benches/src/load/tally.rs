//! The tally of a run: messages sent, deliveries that arrived, and those lost, repeated or misplaced.
//!
//! Every server here keeps the order of one talker's messages to one receiver. So one number for each such pair, the
//! next counter, is enough: a higher counter means a loss, a lower one a repetition. That costs a few nanoseconds per
//! delivery, and needs no numbers from the server.

use super::plan::{Plan, Seat};
use super::token::Token;

/// The tally of a run.
#[derive(Debug)]
pub struct Tally {
    talkers: Vec<Talker>,
    receivers: Vec<Receiver>,
    /// The next counter, by receiver and talker of its room: see [`Receiver::base`].
    expected: Vec<u32>,
    receivers_per_message: u32,
    due: Vec<u32>,
    totals: Totals,
}

/// Counts since the run began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Messages sent.
    pub sent: u64,
    /// Messages that arrived for the first time, counted once for each receiver.
    pub delivered: u64,
    /// Messages that arrived again, or after a later one of the same talker.
    pub repeated: u64,
    /// Messages that do not belong here: from another room, the receiver's own, or never sent.
    pub alien: u64,
}

#[derive(Debug, Clone, Copy)]
struct Talker {
    seat: u32,
    room: u32,
    /// The number of the talker in its room.
    number: u32,
    sent: u32,
    /// Deliveries settled (arrived or known to be lost), in whole messages.
    completed: u32,
    /// Deliveries settled beyond those: `settled < receivers_per_message`.
    settled: u32,
    due: bool,
}

#[derive(Debug, Clone, Copy)]
struct Receiver {
    room: u32,
    /// The receiver's own index as a talker, or `u32::MAX`.
    own: u32,
    /// `expected[base + number]` is for the talker with that number.
    base: usize,
}

impl Tally {
    /// Returns an empty tally for `plan`. Every talker is due at first, and again whenever as many further deliveries
    /// are settled as one message causes.
    pub fn new(plan: &Plan) -> Self {
        let (mut talkers, mut receivers) = (Vec::new(), Vec::new());
        for (seat, Seat { room, talker, .. }) in plan.seats.iter().copied().enumerate() {
            let base = seat * plan.talkers_per_room as usize;
            let own = if talker.is_some() { talkers.len() as u32 } else { u32::MAX };
            receivers.push(Receiver { room, own, base });
            if let Some(number) = talker {
                let seat = seat as u32;
                let fresh =
                    Talker { seat, room, number, sent: 0, completed: 0, settled: 0, due: true };
                talkers.push(fresh);
            }
        }
        Self {
            expected: vec![0; receivers.len() * plan.talkers_per_room as usize],
            receivers_per_message: plan.receivers,
            due: (0..talkers.len() as u32).collect(),
            totals: Totals::default(),
            talkers,
            receivers,
        }
    }

    /// The number of talkers.
    pub fn talkers(&self) -> usize {
        self.talkers.len()
    }

    /// The seat of `talker`.
    pub fn seat(&self, talker: usize) -> usize {
        self.talkers[talker].seat as usize
    }

    /// The counts so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Deliveries that are still expected.
    pub fn outstanding(&self) -> u64 {
        self.totals.sent * u64::from(self.receivers_per_message) - self.totals.delivered
    }

    /// Messages of `talker` in flight: unsettled deliveries, in whole messages, rounded up.
    pub fn in_flight(&self, talker: usize) -> u32 {
        let talker = &self.talkers[talker];
        talker.sent - talker.completed
    }

    /// Takes a talker with a message completed since it was last returned here.
    pub fn next_due(&mut self) -> Option<usize> {
        let talker = self.due.pop()? as usize;
        self.talkers[talker].due = false;
        Some(talker)
    }

    /// Counts a message of `talker` as sent at `now`. Returns its token.
    pub fn send(&mut self, talker: usize, now: u64) -> Token {
        let counter = self.talkers[talker].sent;
        self.talkers[talker].sent += 1;
        self.totals.sent += 1;
        Token { talker: talker as u32, counter, sent: now }
    }

    /// Counts a message as arrived at `seat`. Returns whether it arrived for the first time.
    #[inline]
    pub fn arrived(&mut self, seat: usize, token: Token) -> bool {
        let index = token.talker as usize;
        let receiver = self.receivers[seat];
        let talker = self.talkers.get_mut(index).filter(|talker| {
            talker.room == receiver.room
                && token.talker != receiver.own
                && token.counter < talker.sent
        });
        let Some(talker) = talker else {
            self.totals.alien += 1;
            return false;
        };
        let expected = &mut self.expected[receiver.base + talker.number as usize];
        if token.counter < *expected {
            self.totals.repeated += 1;
            return false;
        }
        // Skipped messages are lost, and must not hold up the window forever.
        talker.settled += token.counter + 1 - *expected;
        *expected = token.counter + 1;
        self.totals.delivered += 1;
        if talker.settled >= self.receivers_per_message {
            talker.completed += talker.settled / self.receivers_per_message;
            talker.settled %= self.receivers_per_message;
            if !std::mem::replace(&mut talker.due, true) {
                self.due.push(token.talker);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::plan::Talkers;
    use crate::load::protocol::Protocol;

    /// Two rooms of three members; the first two seats talk, one in each room.
    fn tally() -> Tally {
        let plan = Plan::new(Protocol::Chat, 2, 3, Talkers::Some(1)).expect("it makes sense");
        Tally::new(&plan)
    }

    #[test]
    fn a_talker_is_due_when_its_deliveries_make_a_message() {
        let mut tally = tally();
        let due = [tally.next_due(), tally.next_due(), tally.next_due()];
        assert_eq!(due, [Some(1), Some(0), None]);
        let tokens: Vec<Token> = (0..3).map(|now| tally.send(0, now)).collect();
        assert!(tally.arrived(2, tokens[0]));
        assert_eq!((tally.next_due(), tally.in_flight(0)), (None, 3));
        assert!(tally.arrived(2, tokens[1]));
        assert_eq!((tally.next_due(), tally.in_flight(0)), (Some(0), 2));
        assert!(tally.arrived(4, tokens[0]));
        assert_eq!((tally.next_due(), tally.outstanding()), (None, 3));
    }

    #[test]
    fn a_loss_is_noticed_and_does_not_hold_up_the_window() {
        let mut tally = tally();
        while tally.next_due().is_some() {}
        let (_, second) = (tally.send(0, 0), tally.send(0, 0));
        assert!(tally.arrived(2, second) && tally.arrived(4, second));
        assert_eq!((tally.next_due(), tally.in_flight(0)), (Some(0), 0));
        assert_eq!(tally.outstanding(), 2, "the first was lost twice");
        assert_eq!(tally.totals(), Totals { sent: 2, delivered: 2, repeated: 0, alien: 0 });
    }

    #[test]
    fn what_comes_twice_or_to_the_wrong_one_is_counted_apart() {
        let mut tally = tally();
        let token = tally.send(0, 0);
        assert!(tally.arrived(2, token));
        assert!(!tally.arrived(2, token), "again");
        assert!(!tally.arrived(3, token), "another room");
        assert!(!tally.arrived(0, token), "one's own");
        assert!(!tally.arrived(2, Token { counter: 9, ..token }), "never sent");
        assert!(!tally.arrived(2, Token { talker: 9, ..token }), "nobody");
        assert_eq!(tally.totals(), Totals { sent: 1, delivered: 1, repeated: 1, alien: 4 });
    }

    #[test]
    fn a_long_closed_loop_stays_in_step() {
        let plan = Plan::new(Protocol::Chat, 1, 4, Talkers::All).expect("it makes sense");
        let mut tally = Tally::new(&plan);
        for _ in 0..1_000 {
            let mut sent = Vec::new();
            while let Some(talker) = tally.next_due() {
                while tally.in_flight(talker) < 5 {
                    sent.push(tally.send(talker, 0));
                }
            }
            for seat in 0..4 {
                for &token in sent.iter().filter(|token| token.talker as usize != seat) {
                    assert!(tally.arrived(seat, token));
                }
            }
        }
        let delivered = 1_000 * 4 * 5 * 3;
        assert_eq!(tally.totals().delivered, delivered);
        assert_eq!(tally.outstanding(), 0);
    }
}
