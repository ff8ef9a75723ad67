//! The worker pool: named threads that run mailboxes, and steal them from each other.

use std::io;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_deque::{Injector, Stealer, Worker};

use crate::desk::{Desk, Ran};
use crate::mailbox::Mailbox;
use crate::sleep::Sleep;

type Task = Arc<Mailbox>;

/// The threads, from the reactor's side. Dropping it stops and joins them.
#[derive(Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    desk: Arc<Desk>,
    injector: Injector<Task>,
    stealers: Box<[Stealer<Task>]>,
    sleep: Sleep,
    stop: AtomicBool,
}

impl Pool {
    /// Starts `workers` threads, or one if that is 0, named `chat-worker-0` and so on, that carry out
    /// mailboxes at `desk`.
    ///
    /// # Errors
    /// When the system gives no more threads; those that were started are stopped again.
    pub(crate) fn start(workers: usize, desk: &Arc<Desk>) -> io::Result<Self> {
        let deques: Vec<_> = iter::repeat_with(Worker::new_fifo).take(workers.max(1)).collect();
        let shared = Arc::new(Shared {
            desk: Arc::clone(desk),
            injector: Injector::new(),
            stealers: deques.iter().map(Worker::stealer).collect(),
            sleep: Sleep::default(),
            stop: AtomicBool::new(false),
        });
        let mut pool = Self { shared, threads: Vec::new() };
        for (index, deque) in deques.into_iter().enumerate() {
            let shared = Arc::clone(&pool.shared);
            let thread = thread::Builder::new().name(format!("chat-worker-{index}"));
            pool.threads.push(thread.spawn(move || shared.work(&deque))?);
        }
        Ok(pool)
    }

    /// Hands over scheduled mailboxes.
    pub(crate) fn submit(&self, tasks: impl IntoIterator<Item = Task>) {
        let mut count = 0;
        for task in tasks {
            self.shared.injector.push(task);
            count += 1;
        }
        self.shared.sleep.wake(count);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.sleep.wake(self.threads.len());
        for thread in self.threads.drain(..) {
            // A worker that panicked has said so on standard error.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// A worker's life: everything that is to be had is done before it stops.
    fn work(&self, local: &Worker<Task>) {
        let mut requests = Vec::new();
        loop {
            if let Some(mailbox) = self.find_task(local) {
                // Behind what is waiting already: one that talks much waits like all others.
                if self.desk.run(&mailbox, &mut requests) == Ran::More {
                    local.push(mailbox);
                }
            } else if self.stop.load(Ordering::SeqCst) {
                return;
            } else {
                self.sleep.sleep_unless(|| self.has_work());
            }
        }
    }

    /// Own deque, then the injector, then the others: the loop of crossbeam-deque's documentation.
    fn find_task(&self, local: &Worker<Task>) -> Option<Task> {
        local.pop().or_else(|| {
            iter::repeat_with(|| {
                self.injector
                    .steal_batch_and_pop(local)
                    .or_else(|| self.stealers.iter().map(Stealer::steal).collect())
            })
            .find(|steal| !steal.is_retry())
            .and_then(crossbeam_deque::Steal::success)
        })
    }

    fn has_work(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
            || !self.injector.is_empty()
            || self.stealers.iter().any(|stealer| !stealer.is_empty())
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
