//! What the reactor hands to the writer's thread, and what that reports back.
//!
//! One lock, held for a swap of two vectors. The writer sleeps until there is enough to do, and is only woken then. What
//! waits is bounded: beyond that, the newest is given up, and goes on being given up until the writer has taken what
//! waits, so that one gap results and not many.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::batch::{Batch, RoomChanges};

/// Shared by the reactor and the writer.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Bytes that may wait.
    limit: usize,
    pub(super) report: Report,
}

/// What the writer reports.
pub(super) struct Report {
    /// The last number handed over of which everything is in the database.
    pub(super) committed: AtomicU64,
    /// The last number handed over when nothing had come for a while.
    pub(super) quiet: AtomicU64,
    pub(super) is_failing: AtomicBool,
    /// Broadcasts written since the start.
    pub(super) events: AtomicU64,
    /// Bytes of the database, without those that can be used again.
    pub(super) size: AtomicU64,
    /// Deletions because of the age, and because of the size.
    pub(super) by_age: AtomicU64,
    pub(super) by_size: AtomicU64,
    /// The last error.
    pub(super) fault: Mutex<Option<String>>,
    pub(super) tell: Box<dyn Fn() + Send + Sync>,
}

#[derive(Debug, Default)]
struct Waiting {
    batch: Batch,
    /// What remains of what has been given up.
    lost: RoomChanges,
    /// The number of the last hand-over.
    last: u64,
    is_giving_up: bool,
    /// The writer sleeps until so many bytes wait; never, while it is awake.
    wake_at: Option<usize>,
    stop: Option<Stop>,
}

impl Waiting {
    fn take(&mut self, taken: &mut Taken) {
        self.is_giving_up = false;
        taken.batch.append(&mut self.batch);
        taken.lost.append(&mut self.lost);
        taken.last = self.last;
    }
}

/// How the writer is to end.
#[derive(Debug)]
pub(super) enum Stop {
    /// Write everything, and a snapshot if there is one. Give up at that time.
    InOrder(Option<Vec<u8>>, Instant),
    /// At once, as if killed.
    Abandon,
}

/// What the writer has taken, until it is in the database.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) batch: Batch,
    pub(super) lost: RoomChanges,
    /// The number of the last hand-over that is part of it.
    pub(super) last: u64,
}

impl Taken {
    pub(super) fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.lost.is_empty()
    }

    /// Empties it: all of it is in the database.
    pub(super) fn clear(&mut self) {
        self.batch.clear();
        self.lost = RoomChanges::default();
    }
}

/// Why the writer has been woken.
#[derive(Debug)]
pub(super) enum Woken {
    /// Something has been taken.
    Work,
    /// Nothing has come in time.
    Timeout,
    /// It is to end. What was left has been taken.
    Stop(Stop),
}

impl Queue {
    pub(super) fn new(limit: usize, tell: Box<dyn Fn() + Send + Sync>) -> Self {
        let report = Report {
            committed: AtomicU64::new(0),
            quiet: AtomicU64::new(0),
            is_failing: AtomicBool::new(false),
            events: AtomicU64::new(0),
            size: AtomicU64::new(0),
            by_age: AtomicU64::new(0),
            by_size: AtomicU64::new(0),
            fault: Mutex::new(None),
            tell,
        };
        Self { waiting: Mutex::default(), changed: Condvar::new(), limit, report }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a batch over, which is empty afterwards. Returns false if it is given up.
    pub(super) fn hand_over(&self, batch: &mut Batch, number: u64) -> bool {
        let mut waiting = self.lock();
        waiting.last = number;
        let fits = waiting.batch.len() + batch.len() <= self.limit;
        let is_kept = fits && !waiting.is_giving_up;
        if is_kept {
            waiting.batch.append(batch);
        } else {
            waiting.is_giving_up = true;
            waiting.lost.note_lost(batch);
            batch.clear();
        }
        let len = waiting.batch.len();
        if waiting.wake_at.take_if(|enough| len >= *enough || !is_kept).is_some() {
            drop(waiting);
            self.changed.notify_one();
        }
        is_kept
    }

    /// Tells the writer to end.
    pub(super) fn stop(&self, stop: Stop) {
        self.lock().stop = Some(stop);
        self.changed.notify_one();
    }

    /// Memory of what waits, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.lock().batch.memory()
    }

    /// Waits at most `patience` for work, and then until `not_before` for more of it, unless there is much. Takes what
    /// waits then.
    pub(super) fn take(
        &self,
        taken: &mut Taken,
        not_before: Instant,
        patience: Option<Duration>,
    ) -> Woken {
        let enough = self.limit / 8;
        let begin = Instant::now();
        let mut waiting = self.lock();
        loop {
            let now = Instant::now();
            let is_empty = waiting.batch.is_empty() && waiting.lost.is_empty();
            if waiting.stop.is_some() {
                break;
            }
            let time = if is_empty {
                let left =
                    patience.map(|patience| (begin + patience).saturating_duration_since(now));
                if left == Some(Duration::ZERO) {
                    return Woken::Timeout;
                }
                left
            } else if waiting.batch.len() >= enough || waiting.is_giving_up || now >= not_before {
                break;
            } else {
                Some(not_before - now)
            };
            waiting.wake_at = Some(if is_empty { 1 } else { enough });
            waiting = match time {
                Some(time) => {
                    let result = self.changed.wait_timeout(waiting, time);
                    result.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            };
            waiting.wake_at = None;
        }
        waiting.take(taken);
        waiting.stop.take().map_or(Woken::Work, Woken::Stop)
    }

    /// Takes what waits. Returns false if that is nothing.
    pub(super) fn take_rest(&self, taken: &mut Taken) -> bool {
        self.lock().take(taken);
        !taken.is_empty()
    }

    /// Sleeps for so long, unless it is time to stop.
    pub(super) fn pause(&self, time: Duration) -> Option<Stop> {
        let until = Instant::now() + time;
        let mut waiting = self.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if waiting.stop.is_some() || left.is_zero() {
                return waiting.stop.take();
            }
            let result = self.changed.wait_timeout(waiting, left);
            waiting = result.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Report {
    /// Notes an error. Tells the reactor if it is the first in a row.
    pub(super) fn failed(&self, error: &dyn fmt::Display) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        if !self.is_failing.swap(true, Ordering::AcqRel) {
            (self.tell)();
        }
    }

    /// Notes that everything up to this number is in the database. Tells the reactor if it waits for that, or if the
    /// disk had failed before.
    pub(super) fn committed(&self, number: u64, events: u64, is_awaited: bool) {
        self.events.fetch_add(events, Ordering::Relaxed);
        self.committed.store(number, Ordering::Release);
        let had_failed = self.is_failing.swap(false, Ordering::AcqRel);
        if is_awaited || had_failed {
            (self.tell)();
        }
    }

    /// Notes that nothing has come for a while, and tells the reactor.
    pub(super) fn quiet(&self, number: u64) {
        self.quiet.store(number, Ordering::Release);
        (self.tell)();
    }

    /// The last error.
    pub(super) fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("limit", &self.limit).finish_non_exhaustive()
    }
}
