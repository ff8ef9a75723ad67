//! Workers outlive panics of the hub, and a pool that cannot start leaves nothing behind.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread::Builder;
use std::time::Duration;

use chat_core::{Command, HubLimits, Output, Role, RoomEvent, SessionId, Text, Title};

use crate::testing::faults::Fault;
use crate::workers::Pool;
use crate::workers::SharedHub;
use crate::workers::{Mailbox, Request};

const DEADLINE: Duration = Duration::from_secs(30);

/// A hub with a pool, where the test plays the reactor.
struct Harness {
    pool: Pool,
    /// Held by each worker, to count the living.
    alive: Arc<()>,
    hub: Arc<SharedHub>,
    woken: mpsc::Receiver<()>,
    mailboxes: Vec<Arc<Mailbox>>,
    outputs: Vec<Output>,
}

impl Harness {
    fn new(workers: usize, sessions: usize) -> Self {
        let (wake, woken) = mpsc::channel();
        let hub = Arc::new(SharedHub::new(HubLimits::default(), move || {
            let _ = wake.send(());
        }));
        let alive = Arc::new(());
        let pool = Pool::start_by(workers, &hub, |thread, life| {
            let alive = Arc::clone(&alive);
            thread.spawn(move || {
                life();
                drop(alive);
            })
        });
        let pool = pool.expect("threads");
        let mailboxes = (0..sessions).map(|_| Arc::new(Mailbox::new(hub.connect(Role::Guest))));
        Self { pool, alive, woken, mailboxes: mailboxes.collect(), hub, outputs: Vec::new() }
    }

    fn post(&self, to: usize, command: Command) {
        let mailbox = &self.mailboxes[to];
        if mailbox.post(&mut vec![Request::Do(command)]) {
            self.pool.submit([Arc::clone(mailbox)]);
        }
    }

    /// Waits like the reactor until `enough` outputs are there.
    fn wait_for(&mut self, enough: impl Fn(&[Output]) -> bool) {
        loop {
            self.hub.take(&mut self.outputs);
            if enough(&self.outputs) {
                return;
            }
            if self.hub.may_wait() {
                self.woken.recv_timeout(DEADLINE).expect("a wake-up got lost");
            }
        }
    }
}

fn chat(n: usize) -> Command {
    Command::Chat(Text::new(&n.to_string()).expect("a text"))
}

fn said(output: &Output) -> Option<(SessionId, usize)> {
    match output {
        Output::Broadcast { except: Some(by), event: RoomEvent::Chat { text, .. }, .. } => {
            Some((*by, text.as_str().parse().expect("a number")))
        }
        _ => None,
    }
}

#[test]
fn c4_workers_live_on_after_a_panic() {
    const WORKERS: usize = 2;
    const SESSIONS: usize = 16;
    let mut harness = Harness::new(WORKERS, SESSIONS);
    for mailbox in 0..SESSIONS {
        harness.post(mailbox, Command::Create(Title::new("room").expect("a title")));
    }
    // More panics than workers, while every other connection keeps talking.
    for n in 0..100 {
        for mailbox in 0..SESSIONS {
            let panics = mailbox % 2 == 1 && n == mailbox;
            let fault = || Command::Chat(Text::new(Fault::HubPanics.trigger()).expect("a text"));
            harness.post(mailbox, if panics { fault() } else { chat(n) });
        }
    }
    harness.wait_for(|outputs| {
        let ended = |output: &&Output| matches!(output, Output::Disconnected { .. });
        outputs.iter().filter_map(said).filter(|(_, n)| *n == 99).count() == SESSIONS / 2
            && outputs.iter().filter(ended).count() == SESSIONS / 2
    });
    for (index, mailbox) in harness.mailboxes.iter().enumerate() {
        let of = |(by, n): (SessionId, usize)| (by == mailbox.session()).then_some(n);
        let heard = harness.outputs.iter().filter_map(said).filter_map(of);
        let expected = if index % 2 == 1 { index } else { 100 };
        assert!(heard.eq(0..expected), "connection {index}");
    }
    let panics = harness.hub.take(&mut harness.outputs).panics;
    assert_eq!(panics, SESSIONS as u64 / 2);
    assert_eq!(Arc::strong_count(&harness.alive), WORKERS + 1, "no worker has ended");
}

#[test]
fn c8_a_system_without_threads_is_an_error_and_leaves_none() {
    for available in 0..4 {
        let (begun, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let hub = Arc::new(SharedHub::new(HubLimits::default(), || {}));
        let spawn = |thread: Builder, life: Box<dyn FnOnce() + Send>| {
            if begun.fetch_add(1, Relaxed) == available {
                return Err(io::Error::new(io::ErrorKind::WouldBlock, "no threads"));
            }
            let ended = Arc::clone(&ended);
            thread.spawn(move || {
                life();
                ended.fetch_add(1, Relaxed);
            })
        };
        let error = <Pool>::start_by(4, &hub, spawn).expect_err("a thread is missing");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(error.to_string(), format!("{available} of 4 workers started: no threads"));
        assert_eq!(ended.load(Relaxed), available, "those that were started have ended");
        assert_eq!(Arc::strong_count(&hub), 1, "nothing is left of them");
    }
}
