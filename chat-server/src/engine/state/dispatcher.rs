//! Requests on their way to the hub, and outputs on their way back.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use chat_core::{Output, Role};
use chat_proto::Framing;

use crate::net::Instant;
use crate::workers::{Finished, HubProgress, Job, List, Mailbox, MailboxState, Request, SharedHub};

/// Runs the mailboxes that the reactor does not run itself.
pub(crate) trait Workers {
    /// Schedules each of `mailboxes` to be run, and leaves the vector empty.
    fn submit(&mut self, mailboxes: &mut Vec<Arc<Mailbox>>);

    /// Starts a job, whose result the hub will have.
    fn start_job(&mut self, job: Job);

    /// The number of tasks that a worker has stolen from another.
    fn steals(&self) -> u64 {
        0
    }
}

/// The engine's side of the hand-off: posts requests to mailboxes, runs the mailboxes here or submits them to
/// the workers, and takes the outputs of the hub.
#[derive(Debug)]
pub(crate) struct Dispatcher<W> {
    hub: Arc<SharedHub>,
    workers: W,
    /// The most requests that are run here. Up to this many, waking a worker would cost more than the work itself.
    inline_requests: usize,
    /// Scheduled mailboxes that have not been run or submitted yet, and the requests posted to them.
    run_queue: Vec<Arc<Mailbox>>,
    queued_requests: usize,
    /// Requests posted since the server began, and those of them that are done.
    posted: u64,
    done: u64,
    /// The count of done requests at which the oldest submitted batch is complete, and when it was submitted.
    submitted: Option<(u64, Instant)>,
    /// Scratch space, empty between calls.
    requests: Vec<Request>,
    outputs: Vec<Output>,
    page: Vec<u8>,
}

/// What the engine takes from the hub once a turn.
#[derive(Debug)]
pub(crate) struct Completed {
    /// Outputs, in the hub's order. Return the vector with [`Dispatcher::recycle`].
    pub(crate) outputs: Vec<Output>,
    pub(crate) progress: HubProgress,
    /// How long the workers had a batch, if one has been completed.
    pub(crate) worker_wait: Option<Duration>,
}

impl<W: Workers> Dispatcher<W> {
    pub(crate) fn new(hub: Arc<SharedHub>, workers: W, inline_requests: usize) -> Self {
        Self {
            hub,
            workers,
            inline_requests,
            run_queue: Vec::new(),
            queued_requests: 0,
            posted: 0,
            done: 0,
            submitted: None,
            requests: Vec::new(),
            outputs: Vec::new(),
            page: Vec::new(),
        }
    }

    /// Runs a short queue here, and submits a long one to the workers.
    pub(crate) fn run(&mut self, now: Instant) {
        if mem::take(&mut self.queued_requests) > self.inline_requests {
            self.submitted.get_or_insert((self.posted, now));
            return self.workers.submit(&mut self.run_queue);
        }
        for mailbox in self.run_queue.drain(..) {
            while self.hub.run_inline(&mailbox, &mut self.requests) == MailboxState::Scheduled {}
        }
    }

    /// Returns the next frame of a list, and what is left of it.
    pub(crate) fn page(&mut self, framing: Framing, list: &List) -> (Vec<u8>, Option<List>) {
        self.page.clear();
        let rest = self.hub.write_page(framing, list, &mut self.page);
        // Copied, so that it takes no more memory than it is long.
        (self.page.as_slice().into(), rest)
    }

    /// Takes everything that the hub has answered.
    pub(crate) fn take(&mut self, now: Instant) -> Completed {
        let mut outputs = mem::take(&mut self.outputs);
        let progress = self.hub.take(&mut outputs);
        self.done = if fault!(HastyStop) { self.posted } else { progress.done };
        let submitted = self.submitted.take_if(|(posted, _)| *posted <= progress.done);
        let worker_wait = submitted.map(|(_, since)| now.since(since));
        Completed { outputs, progress, worker_wait }
    }

    /// Starts a job.
    pub(crate) fn start_job(&mut self, job: Job) {
        self.workers.start_job(job);
    }

    /// The number of tasks that a worker has stolen from another.
    pub(crate) fn steals(&self) -> u64 {
        self.workers.steals()
    }
}

impl<W> Dispatcher<W> {
    /// The most outputs that memory is kept for from turn to turn.
    const KEPT_OUTPUTS: usize = 1024;

    /// Tells the hub the time, in ms since 1970.
    pub(crate) fn set_time(&self, now: u64) {
        self.hub.set_time(now);
    }

    /// Takes the results of jobs.
    pub(crate) fn take_finished(&self) -> Vec<Finished> {
        self.hub.take_finished()
    }

    /// The hub itself.
    pub(crate) fn hub(&self) -> &SharedHub {
        &self.hub
    }

    /// Begins a session, and returns its mailbox.
    pub(crate) fn connect(&self, role: Role) -> Arc<Mailbox> {
        Arc::new(Mailbox::new(self.hub.connect(role)))
    }

    /// Lends an empty vector for requests; see [`Dispatcher::give_back`].
    pub(crate) fn scratch(&mut self) -> Vec<Request> {
        mem::take(&mut self.requests)
    }

    /// Posts requests, and schedules the mailbox if it was idle.
    pub(crate) fn post(&mut self, mailbox: &Arc<Mailbox>, requests: &mut Vec<Request>) {
        self.queued_requests += requests.len();
        self.posted += requests.len() as u64;
        if mailbox.post(requests) {
            self.run_queue.push(Arc::clone(mailbox));
        }
    }

    /// Takes the empty vector of [`Dispatcher::scratch`] back.
    #[inline]
    pub(crate) fn give_back(&mut self, requests: Vec<Request>) {
        debug_assert!(requests.is_empty());
        self.requests = requests;
    }

    /// Takes the vector of [`Completed::outputs`] back, empty. Keeps no more memory than an ordinary turn needs.
    pub(crate) fn recycle(&mut self, mut outputs: Vec<Output>) {
        debug_assert!(outputs.is_empty());
        outputs.shrink_to(Self::KEPT_OUTPUTS);
        self.outputs = outputs;
    }

    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.run_queue.shrink_to_fit();
    }

    /// Whether mailboxes are waiting to be run.
    pub(crate) fn has_queued(&self) -> bool {
        !self.run_queue.is_empty()
    }

    /// Requests posted since the server began.
    pub(crate) fn posted(&self) -> u64 {
        self.posted
    }

    /// Requests done since the server began.
    pub(crate) fn done(&self) -> u64 {
        self.done
    }

    /// Whether every request has been done.
    pub(crate) fn is_idle(&self) -> bool {
        self.done == self.posted
    }
}
