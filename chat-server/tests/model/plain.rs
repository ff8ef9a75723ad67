//! The pool's queues without crossbeam: lists behind locks of the model checker.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use super::queue::Queues;
use super::sync::{AtomicUsize, Mutex, MutexGuard};

/// The shared queue and one for each worker.
#[derive(Debug)]
pub(crate) struct PlainQueues<T> {
    shared: List<T>,
    own: Box<[Arc<List<T>>]>,
}

/// A list, and its length for a look without the lock. As with crossbeam's deques, that look may see an old length:
/// only the pool's fences order it.
#[derive(Debug)]
pub(crate) struct List<T> {
    len: AtomicUsize,
    tasks: Mutex<VecDeque<T>>,
}

impl<T> List<T> {
    fn new() -> Self {
        Self { len: AtomicUsize::new(0), tasks: Mutex::new(VecDeque::new()) }
    }

    fn push(&self, task: T) {
        let mut tasks = self.lock();
        tasks.push_back(task);
        self.len.store(tasks.len(), Relaxed);
    }

    fn pop(&self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let mut tasks = self.lock();
        let task = tasks.pop_front();
        self.len.store(tasks.len(), Relaxed);
        task
    }

    fn is_empty(&self) -> bool {
        self.len.load(Relaxed) == 0
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Queues<T> for PlainQueues<T> {
    type Local = Arc<List<T>>;

    fn new(workers: usize) -> (Self, Vec<Self::Local>) {
        let own: Box<[_]> = (0..workers).map(|_| Arc::new(List::new())).collect();
        let locals = own.to_vec();
        (Self { shared: List::new(), own }, locals)
    }

    fn push(&self, task: T) {
        self.shared.push(task);
    }

    fn push_local(local: &Self::Local, task: T) {
        local.push(task);
    }

    fn find(&self, local: &Self::Local) -> Option<T> {
        local.pop().or_else(|| self.take_two(local)).or_else(|| {
            // Looks at its own queue again, as crossbeam's does.
            self.own.iter().find_map(|list| list.pop())
        })
    }

    fn is_empty(&self) -> bool {
        self.shared.is_empty() && self.own.iter().all(|list| list.is_empty())
    }
}

impl<T> PlainQueues<T> {
    /// Takes a batch: for a moment, the second task is in no queue.
    fn take_two(&self, local: &List<T>) -> Option<T> {
        let first = self.shared.pop()?;
        if let Some(second) = self.shared.pop() {
            local.push(second);
        }
        Some(first)
    }
}
