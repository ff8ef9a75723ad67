//! Where tasks wait for a worker: what the pool needs of its queues, and crossbeam's deques as such.

use std::iter;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_deque::{Injector, Steal, Stealer, Worker};

/// A queue for everyone, and one for each worker from which the others may take. Each task comes out
/// once.
///
/// What a thread sees of these queues may be old: a task that was just put in may not be found yet.
/// Where that matters the pool puts a fence, or an acquire, between.
pub(crate) trait Queues<T>: Send + Sync + Sized + 'static {
    /// The worker's end of its own queue.
    type Local: Send + 'static;

    /// Queues for so many workers, with each worker's end of its own.
    fn new(workers: usize) -> (Self, Vec<Self::Local>);

    /// Adds a task to the queue for everyone.
    fn push(&self, task: T);

    /// Adds a task behind all others in the worker's own queue.
    fn push_local(local: &Self::Local, task: T);

    /// Takes a task, from the worker's own queue if there is one. `None` only when each queue was
    /// seen to be empty.
    fn find(&self, local: &Self::Local) -> Option<T>;

    /// Whether each queue is seen to be empty.
    fn is_empty(&self) -> bool;

    /// How many tasks were taken from the queue of another worker.
    fn steals(&self) -> u64 {
        0
    }
}

/// An injector, and a deque for each worker, from which idle ones steal.
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

    /// The loop of crossbeam-deque's documentation. `Retry` is not `Empty`.
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
