//! The schedule of an open loop: when messages are due. The caller provides the time; there is no clock here.

use std::ops::Range;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// Message *i* is due `i / rate` seconds after the first, regardless of earlier messages.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// When the first message is due, in nanoseconds.
    began: u64,
    /// Messages a second.
    rate: u32,
    /// Messages taken.
    taken: u64,
}

impl Schedule {
    /// Returns a schedule whose first message is due at `began`, in nanoseconds of any clock. `rate` is in messages
    /// per second, and not 0.
    pub fn new(began: u64, rate: u32) -> Self {
        Self { began, rate, taken: 0 }
    }

    /// Takes every message that is due at `now` and was not taken before.
    pub fn take_due(&mut self, now: u64) -> Range<u64> {
        let Some(elapsed) = now.checked_sub(self.began) else { return self.taken..self.taken };
        // Times are whole nanoseconds: a message is due in the nanosecond that contains its time.
        let due = ((u128::from(elapsed) + 1) * u128::from(self.rate)).div_ceil(NANOS_PER_SECOND);
        let first = self.taken;
        self.taken = first.max(due as u64);
        first..self.taken
    }

    /// The time at which `message`, counted from 0, is due, in nanoseconds.
    pub fn due_at(&self, message: u64) -> u64 {
        self.began + (u128::from(message) * NANOS_PER_SECOND / u128::from(self.rate)) as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn everything_due_is_taken_once_and_nothing_early(
            began in 0..u64::from(u32::MAX),
            rate in 1..10_000_000_u32,
            pauses in prop::collection::vec(0..50_000_000_000_u64, 1..20),
        ) {
            let mut schedule = Schedule::new(began, rate);
            let (mut now, mut next) = (began, 0);
            for pause in pauses {
                now += pause;
                let due = schedule.take_due(now);
                prop_assert_eq!(due.start, next, "a message was left out, or taken twice");
                next = due.end;
                prop_assert!(schedule.due_at(next - 1) <= now, "the last one is early");
                prop_assert!(schedule.due_at(next) > now, "the next one is due as well");
            }
            prop_assert!(schedule.take_due(now).is_empty());
            // Never more than rate × time, plus the first message.
            let most = u128::from(now - began + 1) * u128::from(rate) / NANOS_PER_SECOND + 1;
            prop_assert!(u128::from(next) <= most);
        }
    }

    #[test]
    fn at_a_thousand_a_second_there_is_one_each_millisecond() {
        const MS: u64 = 1_000_000;
        let mut schedule = Schedule::new(7 * MS, 1_000);
        assert_eq!(schedule.take_due(0), 0..0);
        assert_eq!(schedule.take_due(7 * MS), 0..1);
        assert_eq!(schedule.take_due(8 * MS - 1), 1..1);
        assert_eq!(schedule.take_due(8 * MS), 1..2);
        // Everything held up by a pause is due at once, each message since its own time.
        assert_eq!(schedule.take_due(357 * MS), 2..351);
        assert_eq!((schedule.due_at(2), schedule.due_at(350)), (9 * MS, 357 * MS));
    }

    #[test]
    fn the_longest_and_fastest_run_has_no_overflow() {
        const HOUR: u64 = 3_600_000_000_000;
        let mut schedule = Schedule::new(0, 10_000_000);
        assert_eq!(schedule.take_due(HOUR), 0..36_000_000_001);
        assert_eq!(schedule.due_at(36_000_000_000), HOUR);
    }
}
