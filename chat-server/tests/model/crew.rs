//! A hub, a pool and some connections, with the test in the place of the reactor.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError};

use chat_core::{Command, HubLimits, Output, Role, RoomEvent, RoomId, SessionId, Text, Title};

use super::mailbox::{Mailbox, Request};
use super::plain::Plain;
use super::pool::Pool;
use super::shared_hub::{HubProgress, SharedHub};
use super::sync::{Condvar, Mutex};

/// What the reactor waits in: a ring that comes too early is heard all the same.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    ringing: Condvar,
    /// Counted beside the model: nobody waits for it.
    rings: AtomicU64,
}

impl Bell {
    fn ring(&self) {
        self.rings.fetch_add(1, Relaxed);
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ringing.notify_one();
    }

    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !*rung {
            rung = self.ringing.wait(rung).unwrap_or_else(PoisonError::into_inner);
        }
        *rung = false;
    }
}

#[derive(Debug)]
pub(crate) struct Crew {
    pub(crate) pool: Pool<Plain<Arc<Mailbox>>>,
    pub(crate) reactor: Reactor,
}

/// What is left when the pool has ended.
#[derive(Debug)]
pub(crate) struct Reactor {
    pub(crate) hub: Arc<SharedHub>,
    bell: Arc<Bell>,
    pub(crate) mailboxes: Vec<Arc<Mailbox>>,
    posted: u64,
    waits: u64,
    pub(crate) outputs: Vec<Output>,
}

impl Crew {
    pub(crate) fn new(workers: usize, connections: usize) -> Self {
        let reactor = Reactor::new(connections);
        Self { pool: Pool::start(workers, &reactor.hub).expect("threads"), reactor }
    }

    /// Has a connection say something, as the reactor does with what it has read.
    pub(crate) fn post(&mut self, to: usize, command: Command) {
        if let Some(mailbox) = self.reactor.post(to, command) {
            self.pool.submit([mailbox]);
        }
    }

    /// Has everyone say something, and hands it over at once.
    pub(crate) fn post_to_all(&mut self, n: usize) {
        let all = 0..self.reactor.mailboxes.len();
        let scheduled: Vec<_> = all.filter_map(|to| self.reactor.post(to, chat(n))).collect();
        self.pool.submit(scheduled);
    }
}

impl Reactor {
    /// With so many connections, all in one room.
    pub(crate) fn new(connections: usize) -> Self {
        let bell = Arc::new(Bell::default());
        let rope = Arc::clone(&bell);
        let hub = Arc::new(SharedHub::new(HubLimits::default(), move || rope.ring()));
        let mailboxes = (0..connections).map(|_| Arc::new(Mailbox::new(hub.connect(Role::Guest))));
        let mailboxes: Vec<_> = mailboxes.collect();
        let mut reactor = Self { mailboxes, hub, bell, posted: 0, waits: 0, outputs: Vec::new() };
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

    /// The mailbox, if somebody has to run it now.
    #[must_use]
    pub(crate) fn post(&mut self, to: usize, command: Command) -> Option<Arc<Mailbox>> {
        self.posted += 1;
        let mailbox = &self.mailboxes[to];
        mailbox.post(&mut vec![Request::Do(command)]).then(|| Arc::clone(mailbox))
    }

    pub(crate) fn take(&mut self) -> HubProgress {
        self.hub.take(&mut self.outputs)
    }

    /// Takes and waits in turn, until everything that was posted is done.
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
            self.bell.wait();
        }
    }

    /// Everything that was posted is done; each connection said so much, and was heard in order; what
    /// the room hears is in the room's order; the reactor was not woken more often than it waited.
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
            self.bell.rings.load(Relaxed) <= self.waits,
            "nobody wakes a reactor that is awake"
        );
    }

    /// The numbers that a connection said, in the order in which they went out.
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
