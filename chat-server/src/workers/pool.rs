//! The worker pool: named threads that run mailboxes, and steal them from each other.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::mailbox::Mailbox;
use super::queue::{Queues, Stealing};
use super::shared_hub::{MailboxState, SharedHub};
use super::sleep::Sleep;
use super::sync::{AtomicBool, Builder, JoinHandle};

/// The threads, from the reactor's side. Dropping it stops and joins them, after everything that was
/// submitted.
#[derive(Debug)]
pub(crate) struct Pool<Q = Stealing<Arc<Mailbox>>> {
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

impl<Q: Queues<Arc<Mailbox>>> Pool<Q> {
    /// Starts `workers` threads, or one if that is 0, named `chat-worker-0` and so on, that carry out
    /// mailboxes at `hub`.
    ///
    /// # Errors
    /// When the system gives no more threads; those that were started have ended again.
    pub(crate) fn start(workers: usize, hub: &Arc<SharedHub>) -> io::Result<Self> {
        Self::start_by(workers, hub, Builder::spawn)
    }

    /// As [`Pool::start`], with threads that `spawn` gives.
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

    /// Hands over scheduled mailboxes.
    pub(crate) fn submit(&self, mailboxes: impl IntoIterator<Item = Arc<Mailbox>>) {
        let mut count = 0;
        for mailbox in mailboxes {
            self.shared.queues.push(mailbox);
            count += 1;
        }
        self.shared.sleep.wake(count);
    }

    /// How many mailboxes a worker took from another.
    pub(crate) fn steals(&self) -> u64 {
        self.shared.queues.steals()
    }
}

impl<Q> Drop for Pool<Q> {
    fn drop(&mut self) {
        // Whoever sees it sees what was submitted before.
        self.shared.stop.store(true, Release);
        self.shared.sleep.wake(self.threads.len());
        for thread in self.threads.drain(..) {
            // A worker that panicked has said so on standard error.
            let _ = thread.join();
        }
    }
}

impl<Q: Queues<Arc<Mailbox>>> Shared<Q> {
    /// A worker's life: everything that is to be had is done before it stops.
    fn work(&self, local: &Q::Local) {
        let mut requests = Vec::new();
        let mut stop = false;
        loop {
            while let Some(mailbox) = self.queues.find(local) {
                // Behind what is waiting already: one that talks much waits like all others.
                if self.hub.run(&mailbox, &mut requests) == MailboxState::Scheduled {
                    Q::push_local(local, mailbox);
                }
            }
            if stop {
                return;
            }
            // Seen only now, it may hide what was submitted since the look at the queues: once more.
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
