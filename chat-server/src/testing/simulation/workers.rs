//! The worker pool without threads: the seed decides which worker runs what, and when.
//!
//! A worker takes the contents of a mailbox in one step and runs them in later ones, as a thread may be preempted
//! anywhere in between. That a mailbox has one runner is guaranteed by the mailbox alone; nothing here helps.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use chat_testing::Rng;

use crate::engine::Workers;
use crate::workers::SharedHub;
use crate::workers::{self, Mailbox, Request};

/// The pool, shared by the engine and the world that schedules it.
#[derive(Debug, Clone)]
pub(super) struct VirtualPool(Rc<RefCell<Pool>>);

#[derive(Debug)]
struct Pool {
    rng: Rng,
    hub: Arc<SharedHub>,
    queue: Vec<Arc<Mailbox>>,
    workers: Vec<Option<Job>>,
}

/// The work of one worker.
#[derive(Debug)]
struct Job {
    mailbox: Arc<Mailbox>,
    /// Requests taken and not run yet.
    requests: Vec<Request>,
}

impl VirtualPool {
    pub(super) fn new(rng: Rng, hub: Arc<SharedHub>, workers: usize) -> Self {
        let workers = (0..workers).map(|_| None).collect();
        Self(Rc::new(RefCell::new(Pool { rng, hub, queue: Vec::new(), workers })))
    }

    pub(super) fn has_work(&self) -> bool {
        let pool = self.0.borrow();
        !pool.queue.is_empty() || pool.workers.iter().any(Option::is_some)
    }

    /// Lets some worker take one step.
    pub(super) fn step(&self) {
        self.0.borrow_mut().step();
    }
}

impl Workers for VirtualPool {
    /// The workers may begin before the reactor continues.
    fn start_job(&mut self, job: workers::Job) {
        panic!("there is no store: {job:?}");
    }

    fn submit(&mut self, mailboxes: &mut Vec<Arc<Mailbox>>) {
        let mut pool = self.0.borrow_mut();
        pool.queue.append(mailboxes);
        for _ in 0..pool.rng.within(0..8) {
            pool.step();
        }
    }
}

impl Pool {
    fn step(&mut self) {
        let worker = self.rng.within(0..self.workers.len());
        match self.workers[worker].take() {
            Some(job) => self.workers[worker] = self.go_on(job),
            None if self.queue.is_empty() => {}
            None => {
                let mailbox = self.queue.swap_remove(self.rng.within(0..self.queue.len()));
                let mut requests = Vec::new();
                if mailbox.take(&mut requests) {
                    self.workers[worker] = Some(Job { mailbox, requests });
                }
            }
        }
    }

    /// Runs some of the requests taken. A mailbox whose requests are done goes to the end of the queue.
    fn go_on(&mut self, mut job: Job) -> Option<Job> {
        let count = self.rng.portion(job.requests.len());
        let mut batch = job.requests.drain(..count).collect();
        self.hub.run_taken(job.mailbox.session(), &mut batch);
        if job.requests.is_empty() {
            self.queue.push(job.mailbox);
            return None;
        }
        Some(job)
    }
}
