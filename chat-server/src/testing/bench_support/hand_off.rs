//! The hand-off between reactor and workers, on its own.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use chat_core::{Command, HubLimits, Output, Role};

use crate::workers::Pool;
use crate::workers::{Mailbox, Request};
use crate::workers::{MailboxState, SharedHub};

/// Mailboxes, a hub and a pool, with the reactor's part.
#[derive(Debug)]
pub struct HandOff {
    hub: Arc<SharedHub>,
    pool: Pool,
    woken: Receiver<()>,
    mailboxes: Vec<Arc<Mailbox>>,
    requests: Vec<Request>,
    outputs: Vec<Output>,
}

impl HandOff {
    /// Creates a hand-off with this many workers and connections.
    ///
    /// # Panics
    /// If the system refuses a thread.
    pub fn new(workers: usize, connections: usize) -> Self {
        let (wake, woken) = mpsc::channel();
        let hub = Arc::new(SharedHub::new(HubLimits::default(), move || {
            let _ = wake.send(());
        }));
        let pool = Pool::start(workers, &hub).expect("threads");
        let mailboxes = (0..connections).map(|_| Arc::new(Mailbox::new(hub.connect(Role::Guest))));
        let mailboxes = mailboxes.collect();
        Self { hub, pool, woken, mailboxes, requests: Vec::new(), outputs: Vec::new() }
    }

    /// Has every connection carry out `command` this many times, inline or in the pool, and waits until that is done.
    /// Each command must have exactly one output.
    ///
    /// # Panics
    /// If the pool has ended.
    pub fn round(&mut self, command: &Command, times: usize, pooled: bool) {
        for mailbox in &self.mailboxes {
            self.requests.extend((0..times).map(|_| Request::Do(command.clone())));
            if !mailbox.post(&mut self.requests) {
                continue;
            }
            if pooled {
                self.pool.submit([Arc::clone(mailbox)]);
            } else {
                while self.hub.run_inline(mailbox, &mut self.requests) == MailboxState::Scheduled {}
            }
        }
        loop {
            self.hub.take(&mut self.outputs);
            if self.outputs.len() >= self.mailboxes.len() * times {
                return self.outputs.clear();
            }
            if self.hub.may_wait() {
                self.woken.recv().expect("the hub keeps the other end");
            }
        }
    }
}
