//! The pool's queues without crossbeam: plain lists behind locks, which a model checker sees through.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use super::queue::Queues;
use super::sync::{AtomicUsize, Mutex, MutexGuard};

#[derive(Debug)]
pub(crate) struct Plain<T> {
    shared: Line<T>,
    own: Box<[Arc<Line<T>>]>,
}

/// A list, and its length for those who look without the lock. They may see an old one, as with
/// crossbeam's deques: nothing but the pool's fences orders that look.
#[derive(Debug)]
pub(crate) struct Line<T> {
    len: AtomicUsize,
    tasks: Mutex<VecDeque<T>>,
}

impl<T> Line<T> {
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

impl<T: Send + 'static> Queues<T> for Plain<T> {
    type Local = Arc<Line<T>>;

    fn new(workers: usize) -> (Self, Vec<Self::Local>) {
        let own: Box<[_]> = (0..workers).map(|_| Arc::new(Line::new())).collect();
        let locals = own.to_vec();
        (Self { shared: Line::new(), own }, locals)
    }

    fn push(&self, task: T) {
        self.shared.push(task);
    }

    fn push_local(local: &Self::Local, task: T) {
        local.push(task);
    }

    fn find(&self, local: &Self::Local) -> Option<T> {
        local.pop().or_else(|| self.take_two(local)).or_else(|| {
            // An own queue that was empty is looked at again, as with crossbeam's.
            self.own.iter().find_map(|line| line.pop())
        })
    }

    fn is_empty(&self) -> bool {
        self.shared.is_empty() && self.own.iter().all(|line| line.is_empty())
    }
}

impl<T> Plain<T> {
    /// A batch: the second task is for a moment in no queue at all.
    fn take_two(&self, local: &Line<T>) -> Option<T> {
        let first = self.shared.pop()?;
        if let Some(second) = self.shared.pop() {
            local.push(second);
        }
        Some(first)
    }
}
