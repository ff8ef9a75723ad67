//! The queues in which mailboxes wait for a worker: the trait that the pool uses, over crossbeam's deques.

use std::iter;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_deque::{Injector, Steal, Stealer, Worker};

/// A queue shared by all workers, and one per worker from which the others may steal. Each task comes out exactly
/// once.
///
/// A thread's view of these queues may be stale: it may not find a task that was just pushed. Where that matters, the
/// pool puts a fence or an acquire in between.
pub(crate) trait Queues<T>: Send + Sync + Sized + 'static {
    /// The worker's end of its own queue.
    type Local: Send + 'static;

    /// Makes queues for `workers` workers, and each worker's end of its own.
    fn new(workers: usize) -> (Self, Vec<Self::Local>);

    /// Adds a task to the shared queue.
    fn push(&self, task: T);

    /// Adds a task to the end of the worker's own queue.
    fn push_local(local: &Self::Local, task: T);

    /// Takes a task, from the worker's own queue if there is one. Returns `None` only after seeing every
    /// queue empty.
    fn find(&self, local: &Self::Local) -> Option<T>;

    /// Whether every queue looks empty.
    fn is_empty(&self) -> bool;

    /// The number of tasks taken from the queue of another worker.
    fn steals(&self) -> u64 {
        0
    }
}

/// An injector, and a deque for each worker, from which idle workers steal.
#[derive(Debug)]
pub(crate) struct Stealing<T> {
    injector: Injector<T>,
    stealers: Box<[Stealer<T>]>,
    steals: AtomicU64,
}

impl<T> Stealing<T> {
    fn steal(&self) -> Steal<T> {
        let stolen: Steal<T> = self.stealers.iter().map(Stealer::steal).collect();
        if stolen.is_success() {
            self.steals.fetch_add(1, Ordering::Relaxed);
        }
        stolen
    }
}

impl<T: Send + 'static> Queues<T> for Stealing<T> {
    type Local = Worker<T>;

    fn new(workers: usize) -> (Self, Vec<Self::Local>) {
        let deques: Vec<_> = iter::repeat_with(Worker::new_fifo).take(workers).collect();
        let stealers = deques.iter().map(Worker::stealer).collect();
        (Self { injector: Injector::new(), stealers, steals: AtomicU64::new(0) }, deques)
    }

    fn push(&self, task: T) {
        self.injector.push(task);
    }

    fn push_local(local: &Self::Local, task: T) {
        local.push(task);
    }

    /// The loop from crossbeam-deque's documentation. `Retry` is not `Empty`.
    fn find(&self, local: &Self::Local) -> Option<T> {
        local.pop().or_else(|| {
            iter::repeat_with(|| self.injector.steal_batch_and_pop(local).or_else(|| self.steal()))
                .find(|steal| !steal.is_retry())
                .and_then(Steal::success)
        })
    }

    fn is_empty(&self) -> bool {
        self.injector.is_empty() && self.stealers.iter().all(Stealer::is_empty)
    }

    fn steals(&self) -> u64 {
        self.steals.load(Ordering::Relaxed)
    }
}
