//! The worker pool: threads that run mailboxes and steal them from each other.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::mailbox::Mailbox;
use super::queue::{Queues, Stealing};
use super::shared_hub::{MailboxState, SharedHub};
use super::sleep::Sleep;
use super::sync::{AtomicBool, Builder, JoinHandle};
use super::task::{Job, Task};

/// The worker threads, from the reactor's side. Dropping the pool runs everything that was submitted,
/// then stops and joins them.
#[derive(Debug)]
pub(crate) struct Pool<Q = Stealing<Task>> {
    shared: Arc<Shared<Q>>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared<Q> {
    hub: Arc<SharedHub>,
    queues: Q,
    sleep: Sleep,
    stop: AtomicBool,
}

impl<Q: Queues<Task>> Pool<Q> {
    /// Starts `workers` threads (0 counts as 1), named `chat-worker-0` and so on, that run mailboxes
    /// against `hub`.
    ///
    /// # Errors
    /// If the system refuses a thread. The threads started so far have ended again.
    pub(crate) fn start(workers: usize, hub: &Arc<SharedHub>) -> io::Result<Self> {
        Self::start_by(workers, hub, Builder::spawn)
    }

    /// Like [`Pool::start`], with `spawn` to create the threads.
    pub(crate) fn start_by(
        workers: usize,
        hub: &Arc<SharedHub>,
        mut spawn: impl FnMut(Builder, Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>>,
    ) -> io::Result<Self> {
        let workers = workers.max(1);
        let (queues, locals) = Q::new(workers);
        let shared = Shared {
            hub: Arc::clone(hub),
            queues,
            sleep: Sleep::default(),
            stop: AtomicBool::new(false),
        };
        let mut pool = Self { shared: Arc::new(shared), threads: Vec::new() };
        for (index, local) in locals.into_iter().enumerate() {
            let shared = Arc::clone(&pool.shared);
            let thread = Builder::new().name(format!("chat-worker-{index}"));
            let thread = spawn(thread, Box::new(move || shared.work(&local))).map_err(|e| {
                let started = pool.threads.len();
                io::Error::new(e.kind(), format!("{started} of {workers} workers started: {e}"))
            })?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Submits scheduled mailboxes.
    pub(crate) fn submit(&self, mailboxes: impl IntoIterator<Item = Arc<Mailbox>>) {
        let mut count = 0;
        for mailbox in mailboxes {
            self.shared.queues.push(Task::Mailbox(mailbox));
            count += 1;
        }
        self.shared.sleep.wake(count);
    }

    /// Starts a job, whose result the hub will have for the reactor.
    pub(crate) fn start_job(&self, job: Job) {
        self.shared.queues.push(Task::Job(job));
        self.shared.sleep.wake(1);
    }

    /// The number of tasks that a worker has stolen from another.
    pub(crate) fn steals(&self) -> u64 {
        self.shared.queues.steals()
    }
}

impl<Q> Drop for Pool<Q> {
    fn drop(&mut self) {
        // A worker that sees the stop also sees everything submitted before it.
        self.shared.stop.store(true, Release);
        self.shared.sleep.wake(self.threads.len());
        for thread in self.threads.drain(..) {
            // The panic hook has already reported a worker that panicked.
            let _ = thread.join();
        }
    }
}

impl<Q: Queues<Task>> Shared<Q> {
    /// Runs a worker until the stop, and then until nothing is left to run.
    fn work(&self, local: &Q::Local) {
        let mut requests = Vec::new();
        let mut stop = false;
        loop {
            while let Some(task) = self.queues.find(local) {
                match task {
                    Task::Mailbox(mailbox) => {
                        // Behind what already waits: a busy connection takes its turn like all others.
                        if self.hub.run(&mailbox, &mut requests) == MailboxState::Scheduled {
                            Q::push_local(local, Task::Mailbox(mailbox));
                        }
                    }
                    Task::Job(job) => self.hub.finish(job.carry_out()),
                }
            }
            if stop {
                return;
            }
            // Something may have been submitted since the last look at the queues, so look once more.
            stop = self.stop.load(Acquire);
            if !stop {
                self.sleep.sleep_unless(|| self.has_work());
            }
        }
    }

    fn has_work(&self) -> bool {
        self.stop.load(Relaxed) || !self.queues.is_empty()
    }
}
