//! How idle workers sleep, and how they are woken without losing a wake-up.
//!
//! A worker that finds nothing to do announces that it sleeps, and *then* looks once more. A submitter
//! pushes work to its queue, and *then* looks for sleepers. The sequentially consistent fence between the
//! two steps on either side is all that orders them: one of the sides sees the other. A wake-up is a
//! permit that stays until a sleeper takes it, so it cannot get lost between the last look and the wait.
//! Step by step: `docs/ARCHITECTURE.md`, "Hand-off".

use std::sync::PoisonError;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use super::sync::{AtomicUsize, Condvar, Mutex, MutexGuard, fence};

#[derive(Debug, Default)]
pub(crate) struct Sleep {
    /// Workers that have announced that they sleep. Changes only under the lock of `permits`.
    sleepers: AtomicUsize,
    /// Wake-ups not taken yet. `permits <= sleepers` whenever the lock is free.
    permits: Mutex<usize>,
    granted: Condvar,
}

impl Sleep {
    /// Sleeps until woken, unless `has_work` finds something after the announcement. `has_work` runs under the lock,
    /// so it must be short.
    pub(crate) fn sleep_unless(&self, has_work: impl FnOnce() -> bool) {
        let mut permits = self.lock();
        self.sleepers.fetch_add(1, Relaxed);
        fence(SeqCst);
        if !has_work() {
            while *permits == 0 {
                permits = self.granted.wait(permits).unwrap_or_else(PoisonError::into_inner);
            }
            *permits -= 1;
        }
        self.sleepers.fetch_sub(1, Relaxed);
    }

    /// Wakes up to `count` sleepers, after their work has been pushed to the queues that they check. Costs a fence and
    /// a load when nobody sleeps.
    pub(crate) fn wake(&self, count: usize) {
        fence(SeqCst);
        if self.sleepers.load(Relaxed) == 0 {
            return;
        }
        let mut permits = self.lock();
        let granted = count.min(self.sleepers.load(Relaxed) - *permits);
        *permits += granted;
        drop(permits);
        for _ in 0..granted {
            self.granted.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        // The count is valid wherever a holder of the lock may have panicked.
        self.permits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
