//! Connections with bytes on their way to peers that may have vanished.

use std::collections::VecDeque;
use std::time::Duration;

use crate::net::{ConnKey, Delivery, Instant};

/// How many times a connection is checked within the timeout.
const LOOKS: u32 = 6;

/// Repeats that a peer still there does not leave unanswered: one may be lost or on its way, two may not.
const REPEATS: u8 = 2;

/// The connections to check, the next one first.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The time between two checks of a connection.
    period: Duration,
    queue: VecDeque<Watched>,
}

/// A connection that is watched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watched {
    pub(crate) key: ConnKey,
    due: Instant,
    /// When the peer was last heard of, or when the watch began.
    heard: Instant,
    /// The repeats at the last check before `heard`, and at the last check.
    repeats: [u8; 2],
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Everything has arrived, or nothing is known: there is nothing to watch.
    Delivered,
    /// Something is still on its way.
    Waiting,
    /// The peer has been silent for too long.
    Vanished,
}

impl Watch {
    /// Entries that may be stale, no matter how few connections there are.
    const MAX_STALE: usize = 1024;

    /// Watches for peers that have vanished for `timeout`.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { period: timeout / LOOKS, queue: VecDeque::new() }
    }

    /// Watches a connection from now on. The caller makes sure that it is not watched already.
    pub(crate) fn add(&mut self, now: Instant, key: ConnKey) {
        self.queue.push_back(Watched { key, due: now + self.period, heard: now, repeats: [0; 2] });
    }

    /// Drops the connections that are gone when there are many more entries than connections.
    pub(crate) fn compact(&mut self, connections: usize, is_there: impl Fn(ConnKey) -> bool) {
        if self.queue.len() > 2 * connections + Self::MAX_STALE {
            self.queue.retain(|watched| is_there(watched.key));
            self.queue.shrink_to(2 * self.queue.len());
        }
    }

    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.queue.shrink_to_fit();
    }

    /// Takes the next connection whose check is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Watched> {
        if self.next_deadline()? > now {
            return None;
        }
        self.queue.pop_front()
    }

    /// Evaluates the kernel's answer about a connection, and continues the watch if necessary.
    pub(crate) fn look(
        &mut self,
        now: Instant,
        mut watched: Watched,
        delivery: Option<Delivery>,
    ) -> Sight {
        let Some(delivery) = delivery.filter(|delivery| delivery.unconfirmed > 0) else {
            return Sight::Delivered;
        };
        let silence = now.since(watched.heard);
        if delivery.silence < silence {
            watched.heard = watched.heard + (silence - delivery.silence);
            watched.repeats[0] = watched.repeats[1];
        }
        // Progress resets the kernel's count, and so does any answer to a window probe.
        if delivery.repeats < watched.repeats[0] || !delivery.in_flight {
            watched.repeats[0] = 0;
        }
        watched.repeats[1] = delivery.repeats;
        let is_over = now.since(watched.heard) >= self.period * (LOOKS - 1);
        if is_over && delivery.repeats - watched.repeats[0] >= REPEATS {
            return Sight::Vanished;
        }
        watched.due = now + self.period;
        self.queue.push_back(watched);
        Sight::Waiting
    }

    /// When the next check is due.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.queue.front().map(|watched| watched.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(60);

    /// The kernel's answer about a peer, by the second.
    type Peer = fn(u64) -> Delivery;

    /// The second in which the watch ends, and its result.
    fn watched(seconds: u64, peer: Peer) -> Option<(u64, Sight)> {
        let mut watch = Watch::new(TIMEOUT);
        let at = |second| Instant::START + Duration::from_secs(second);
        watch.add(at(0), ConnKey::for_test(1));
        for second in 0..=seconds {
            while let Some(watched) = watch.pop_due(at(second)) {
                let sight = watch.look(at(second), watched, Some(peer(second)));
                if sight != Sight::Waiting {
                    return Some((second, sight));
                }
            }
        }
        None
    }

    fn delivery(in_flight: bool, silence: u64, repeats: u8) -> Delivery {
        let silence = Duration::from_secs(silence);
        Delivery { unconfirmed: 100, in_flight, repeats, silence }
    }

    #[test]
    fn o15_a_peer_that_answers_nothing_is_gone_within_its_time() {
        // Silent for an hour before, and gone from the first second on.
        let gone = |second| delivery(true, 3_600 + second, if second < 2 { 1 } else { 9 });
        assert_eq!(watched(90, gone), Some((50, Sight::Vanished)));
        // Answers for 25 s: the timeout starts with its last answer.
        let later: Peer =
            |second| delivery(true, second.saturating_sub(25), if second < 27 { 0 } else { 9 });
        let (at, sight) = watched(90, later).expect("it has an end");
        assert!(sight == Sight::Vanished && (75..=85).contains(&at), "{at}");
        let without_room: Peer = |second| delivery(false, second, if second < 7 { 1 } else { 4 });
        assert_eq!(watched(90, without_room), Some((50, Sight::Vanished)));
    }

    #[test]
    fn o15_a_peer_that_is_there_is_never_gone() {
        let quick: Peer = |second| delivery(true, second % 2, 0);
        // Reads nothing: it gets window probes less and less often, and answers each.
        let without_room: Peer =
            |second| delivery(false, second % 120, u8::from(second % 120 == 0));
        // Drops what it has no room for, and says so whenever it is repeated.
        let overrun: Peer = |second| delivery(true, second % 120, (second / 120) as u8);
        for peer in [quick, without_room, overrun] {
            assert_eq!(watched(7_200, peer), None);
        }
        let done: Peer = |_| Delivery { unconfirmed: 0, ..delivery(false, 9, 0) };
        assert_eq!(watched(90, done), Some((10, Sight::Delivered)));
    }
}
