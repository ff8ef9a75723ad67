//! Checks of limits, alone and against each other.

use chat_proto::{HEADER_LEN, MAX_PAYLOAD};

use super::error::{Floor, LimitError, Reason};
use super::table::Limit;
use super::values::Limits;

impl Limits {
    /// Bytes of the longest frame.
    const FRAME: usize = HEADER_LEN + MAX_PAYLOAD;

    /// Returns an error for every limit that is out of range or contradicts another.
    pub(crate) fn errors(&self) -> Vec<LimitError> {
        let mut errors: Vec<_> = Limit::ALL.iter().filter_map(|l| l.error(self)).collect();
        let in_order = [
            (Floor::LongestFrame, Self::FRAME, "slow-backlog", self.slow_backlog),
            (Floor::Limit("slow-backlog"), self.slow_backlog, "backlog", self.backlog),
            (Floor::Limit("backlog"), self.backlog, "total-backlog", self.total_backlog),
            (Floor::Limit("read-per-turn"), self.read_per_turn, "read-ahead", self.read_ahead),
        ];
        for (floor, least, name, bytes) in in_order {
            if bytes < least {
                let (bytes, least) = (bytes as u64, least as u64);
                errors.push(LimitError::new(Reason::TooSmall { name, bytes, floor, least }));
            }
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn problems(change: fn(&mut Limits)) -> Vec<String> {
        let mut limits = Limits::default();
        change(&mut limits);
        limits.errors().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn values_that_no_server_can_run_with_are_named() {
        assert_eq!(Limits::default().errors(), []);
        assert_eq!(
            problems(|l| l.accepts_per_turn = 0),
            ["accepts-per-turn is 0: must be from 1 to 1000000000"]
        );
        let [problem] = &problems(|l| l.linger = Duration::MAX)[..] else { panic!("there is one") };
        assert!(problem.starts_with("linger is ") && problem.ends_with(" to 24h"), "{problem}");
    }

    #[test]
    fn a2_limits_that_contradict_each_other_are_named() {
        assert_eq!(
            problems(|l| l.slow_backlog = 2 * l.backlog),
            ["backlog is 1MiB: must be at least 2MiB, the value of slow-backlog"]
        );
        assert_eq!(
            problems(|l| l.slow_backlog = 1_000),
            ["slow-backlog is 1000B: must be at least 65537B, the longest frame"]
        );
        assert_eq!(
            problems(|l| l.total_backlog = 1024),
            ["total-backlog is 1KiB: must be at least 1MiB, the value of backlog"]
        );
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let problems = problems(|l| {
            l.connections = 0;
            l.read_per_turn = usize::MAX;
        });
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].starts_with("connections is 0"), "{problems:?}");
        assert!(problems[1].ends_with("from 1B to 64MiB"), "{problems:?}");
        assert!(problems[2].starts_with("read-ahead is 4MiB"), "{problems:?}");
    }
}
