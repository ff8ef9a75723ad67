//! A hub, a pool and some connections, with the test in place of the reactor.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError};

use chat_core::{Command, HubLimits, Output, Role, RoomEvent, RoomId, SessionId, Text, Title};

use super::mailbox::{Mailbox, Request};
use super::plain::PlainQueues;
use super::pool::Pool;
use super::shared_hub::{HubProgress, SharedHub};
use super::sync::{Condvar, Mutex};
use super::task::Task;

/// The waker of the reactor: a wake-up that precedes the wait is not lost.
#[derive(Debug, Default)]
struct Waker {
    is_woken: Mutex<bool>,
    woken: Condvar,
    /// Not part of the model, since nobody waits for it.
    wakes: AtomicU64,
}

impl Waker {
    fn wake(&self) {
        self.wakes.fetch_add(1, Relaxed);
        *self.is_woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.woken.notify_one();
    }

    fn wait(&self) {
        let mut is_woken = self.is_woken.lock().unwrap_or_else(PoisonError::into_inner);
        while !*is_woken {
            is_woken = self.woken.wait(is_woken).unwrap_or_else(PoisonError::into_inner);
        }
        *is_woken = false;
    }
}

/// A running pool, and the side that posts to it.
#[derive(Debug)]
pub(crate) struct HandOff {
    pub(crate) pool: Pool<PlainQueues<Task>>,
    pub(crate) reactor: Reactor,
}

/// The test's side of the hand-off, which outlives the pool.
#[derive(Debug)]
pub(crate) struct Reactor {
    pub(crate) hub: Arc<SharedHub>,
    waker: Arc<Waker>,
    pub(crate) mailboxes: Vec<Arc<Mailbox>>,
    posted: u64,
    waits: u64,
    pub(crate) outputs: Vec<Output>,
}

impl HandOff {
    pub(crate) fn new(workers: usize, connections: usize) -> Self {
        let reactor = Reactor::new(connections);
        Self { pool: Pool::start(workers, &reactor.hub).expect("threads"), reactor }
    }

    /// Posts a command of a connection, as the reactor does after a read.
    pub(crate) fn post(&mut self, to: usize, command: Command) {
        if let Some(mailbox) = self.reactor.post(to, command) {
            self.pool.submit([mailbox]);
        }
    }

    /// Posts a chat from every connection, and submits all mailboxes at once.
    pub(crate) fn post_to_all(&mut self, n: usize) {
        let all = 0..self.reactor.mailboxes.len();
        let scheduled: Vec<_> = all.filter_map(|to| self.reactor.post(to, chat(n))).collect();
        self.pool.submit(scheduled);
    }
}

impl Reactor {
    /// A hub with this many connections, all in one room.
    pub(crate) fn new(connections: usize) -> Self {
        let waker = Arc::new(Waker::default());
        let woken = Arc::clone(&waker);
        let hub = Arc::new(SharedHub::new(HubLimits::default(), move || woken.wake()));
        let mailboxes = (0..connections).map(|_| Arc::new(Mailbox::new(hub.connect(Role::Guest))));
        let mailboxes: Vec<_> = mailboxes.collect();
        let mut reactor = Self { mailboxes, hub, waker, posted: 0, waits: 0, outputs: Vec::new() };
        for to in 0..connections {
            let enter = match to {
                0 => Command::Create(Title::new("room").expect("a title")),
                _ => Command::Join(RoomId::FIRST),
            };
            let mailbox = reactor.post(to, enter);
            let _ = reactor.hub.run_inline(&mailbox.expect("it was idle"), &mut Vec::new());
            let _ = reactor.hub.run_inline(&reactor.mailboxes[to], &mut Vec::new());
        }
        reactor.hub.take(&mut reactor.outputs);
        reactor.outputs.clear();
        reactor
    }

    /// Posts a command. Returns the mailbox if it has to be scheduled.
    #[must_use]
    pub(crate) fn post(&mut self, to: usize, command: Command) -> Option<Arc<Mailbox>> {
        self.posted += 1;
        let mailbox = &self.mailboxes[to];
        mailbox.post(&mut vec![Request::Do(command)]).then(|| Arc::clone(mailbox))
    }

    pub(crate) fn take(&mut self) -> HubProgress {
        self.hub.take(&mut self.outputs)
    }

    /// Alternates between taking and waiting, until everything posted is done.
    pub(crate) fn wait_until_done(&mut self) {
        while self.take().done < self.posted {
            self.wait();
        }
    }

    pub(crate) fn wait_for_stop(&mut self) {
        while !self.take().stop_requested {
            self.wait();
        }
    }

    fn wait(&mut self) {
        if self.hub.may_wait() {
            self.waits += 1;
            self.waker.wait();
        }
    }

    /// Checks that everything posted is done, that the `each` chats of each connection came in order, and that the
    /// reactor was not woken more often than it waited.
    pub(crate) fn check(&mut self, each: usize) {
        assert_eq!(self.take().done, self.posted, "everything is done");
        let sessions: Vec<_> = self.mailboxes.iter().map(|mailbox| mailbox.session()).collect();
        for by in sessions {
            let said = self.said_by(by);
            assert!(
                said.iter().copied().eq(0..each),
                "{by} said 0..{each}, and {said:?} was heard"
            );
        }
        assert!(
            self.waker.wakes.load(Relaxed) <= self.waits,
            "nobody wakes a reactor that is awake"
        );
    }

    /// The numbers in the chats of a connection, in the order of the outputs.
    pub(crate) fn said_by(&self, session: SessionId) -> Vec<usize> {
        let said = self.outputs.iter().filter_map(|output| match output {
            Output::Broadcast { except, event: RoomEvent::Chat { text, .. }, .. } => {
                (*except == Some(session)).then(|| text.as_str().parse().expect("a number"))
            }
            _ => None,
        });
        said.collect()
    }
}

pub(crate) fn chat(n: usize) -> Command {
    Command::Chat(Text::new(&n.to_string()).expect("a text"))
}
