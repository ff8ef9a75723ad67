//! The connections with bytes on their way to their peers, which may have vanished.

use std::collections::VecDeque;
use std::time::Duration;

use crate::net::{ConnKey, Delivery, Instant};

/// How often a connection is looked at before its time is over.
const LOOKS: u32 = 6;

/// What a peer that is there cannot miss: one repeat may be lost, or on its way.
const REPEATS: u8 = 2;

/// The connections to look at, those whose turn is next first.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The time between two looks at a connection.
    period: Duration,
    queue: VecDeque<Watched>,
}

/// A connection that is watched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watched {
    pub(crate) key: ConnKey,
    due: Instant,
    /// When its peer was last heard of, or the watch began.
    heard: Instant,
    /// The repeats at the last look before that, and at the last look.
    repeats: [u8; 2],
}

/// What a look has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Everything has arrived, or nothing is known: there is nothing to watch.
    Delivered,
    /// Something is still on its way.
    Waiting,
    /// The peer has not been heard of for too long.
    Vanished,
}

impl Watch {
    /// Entries that may be stale, however few connections there are.
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

    /// Takes a connection that is to be looked at.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Watched> {
        if self.next_deadline()? > now {
            return None;
        }
        self.queue.pop_front()
    }

    /// Notes what the kernel says about a connection, and watches on if need be.
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
        // Progress begins the count anew, and so does any answer to a question for room.
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

    /// When to look at a connection without any event.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.queue.front().map(|watched| watched.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(60);

    /// What the kernel says of a peer: the time since it was last heard of, and the repeats since.
    type Peer = fn(u64) -> Delivery;

    /// The second in which the watch ends, and how.
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
        // Silent for an hour before; gone from the first second on.
        let gone = |second| delivery(true, 3_600 + second, if second < 2 { 1 } else { 9 });
        assert_eq!(watched(90, gone), Some((50, Sight::Vanished)));
        // Answers for 25 s: its time begins with its last answer.
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
        // Reads nothing: it is asked less and less often whether it has room, and answers each time.
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
