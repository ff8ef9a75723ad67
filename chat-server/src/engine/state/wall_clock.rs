//! The time of day, for messages that are dated.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::net::Instant;

/// Tells the time in ms since 1970, which never goes back. It follows the event loop's time, and asks the system once a
/// second: a system call a turn would cost as much as a short message.
#[derive(Debug)]
pub(crate) struct WallClock {
    /// The system's time.
    system: fn() -> u64,
    /// When the system was asked last, and what it said.
    asked: (Instant, u64),
    now: u64,
}

impl WallClock {
    const ASK_EVERY: Duration = Duration::from_secs(1);

    pub(crate) fn new() -> Self {
        let now = unix_time();
        Self { system: unix_time, asked: (Instant::START, now), now }
    }

    /// The time, as of the last [`WallClock::tick`].
    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    /// Sets the time.
    #[inline]
    pub(crate) fn tick(&mut self, now: Instant) {
        let (at, said) = self.asked;
        let since = now.since(at);
        if since >= Self::ASK_EVERY {
            self.ask(now);
        } else {
            self.now = self.now.max(said + since.as_millis() as u64);
        }
    }

    #[cold]
    fn ask(&mut self, now: Instant) {
        let said = (self.system)();
        self.asked = (now, said);
        self.now = self.now.max(said);
    }
}

/// The system's time, in ms since 1970.
fn unix_time() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_follows_the_event_loop_and_never_goes_back() {
        let at = |millis| Instant::START + Duration::from_millis(millis);
        let mut clock =
            WallClock { system: || 5_000, asked: (Instant::START, 10_000), now: 10_000 };
        clock.tick(at(999));
        assert_eq!(clock.now(), 10_999);
        // The system's time has been set back.
        clock.tick(at(1_000));
        assert_eq!(clock.now(), 10_999);
        clock.system = || 20_000;
        clock.tick(at(2_000));
        clock.tick(at(2_400));
        assert_eq!(clock.now(), 20_400);
    }
}
