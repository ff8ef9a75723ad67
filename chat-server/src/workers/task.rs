//! What the threads of the pool carry out: the mailboxes of connections, and work that would hold the reactor up.

use std::fmt;
use std::sync::Arc;

use chat_core::SessionId;

use super::mailbox::Mailbox;

/// A task of the pool.
#[derive(Debug)]
pub(crate) enum Task {
    /// Run a mailbox.
    Mailbox(Arc<Mailbox>),
    /// Do something that takes long.
    Job(Job),
}

/// Work that takes longer than waking a thread, such as reading from a disk. Jobs have no order.
pub(crate) struct Job(Box<dyn FnOnce() -> Finished + Send>);

/// The result of a job: a frame for a session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    pub(crate) session: SessionId,
    /// The number of the job.
    pub(crate) ticket: u64,
    pub(crate) frame: Vec<u8>,
}

impl Job {
    pub(crate) fn new(work: impl FnOnce() -> Finished + Send + 'static) -> Self {
        Self(Box::new(work))
    }

    pub(crate) fn carry_out(self) -> Finished {
        (self.0)()
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").finish_non_exhaustive()
    }
}
