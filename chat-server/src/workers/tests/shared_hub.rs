//! The cost of a panic of the hub, and the wake-ups of the reactor.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use chat_core::{
    Command, HubLimits, Notice, Output, Role, RoomEvent, RoomId, SessionId, Text, Title,
};
use chat_proto::Framing;
use mio::{Events, Poll, Token, Waker};

use crate::testing::faults::Fault;
use crate::workers::shared_hub::{HubProgress, MailboxState, SharedHub};
use crate::workers::{AskedList, List, Mailbox, Request};

const DEADLINE: Duration = Duration::from_secs(30);

fn chat(text: &str) -> Request {
    Request::Do(Command::Chat(Text::new(text).expect("a text")))
}

/// A hub with two members of one room, and a count of the reactor's wake-ups.
struct Harness {
    hub: Arc<SharedHub>,
    wakes: Arc<AtomicUsize>,
    members: [Arc<Mailbox>; 2],
    runner: Runner,
    posted: u64,
}

/// The thread that runs the mailboxes.
#[derive(Debug, Clone, Copy)]
enum Runner {
    Worker,
    Reactor,
}

impl Runner {
    const BOTH: [Self; 2] = [Self::Worker, Self::Reactor];

    fn run(self, hub: &SharedHub, mailbox: &Mailbox, requests: &mut Vec<Request>) -> MailboxState {
        match self {
            Self::Worker => hub.run(mailbox, requests),
            Self::Reactor => hub.run_inline(mailbox, requests),
        }
    }
}

impl Harness {
    fn new(runner: Runner) -> Self {
        let wakes = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&wakes);
        let hub = Arc::new(SharedHub::new(HubLimits::default(), move || {
            counter.fetch_add(1, Relaxed);
        }));
        let members = [(); 2].map(|()| Arc::new(Mailbox::new(hub.connect(Role::Guest))));
        let mut harness = Self { hub, wakes, members, runner, posted: 0 };
        harness.say(0, [Request::Do(Command::Create(Title::new("room").expect("a title")))]);
        harness.say(1, [Request::Do(Command::Join(RoomId::FIRST))]);
        harness.take();
        harness
    }

    fn session(&self, member: usize) -> SessionId {
        self.members[member].session()
    }

    /// Posts all requests at once, and runs them.
    fn say(&mut self, member: usize, requests: impl IntoIterator<Item = Request>) {
        let mailbox = &self.members[member];
        let mut requests: Vec<_> = requests.into_iter().collect();
        self.posted += requests.len() as u64;
        assert!(mailbox.post(&mut requests), "nobody else runs it");
        let mut scratch = Vec::new();
        while self.runner.run(&self.hub, mailbox, &mut scratch) == MailboxState::Scheduled {}
        assert!(scratch.is_empty(), "nothing is left behind");
    }

    fn take(&self) -> (HubProgress, Vec<Output>) {
        let mut outputs = Vec::new();
        (self.hub.take(&mut outputs), outputs)
    }

    /// The texts of a member that were broadcast.
    fn said(&self, member: usize, outputs: &[Output]) -> Vec<String> {
        let said = outputs.iter().filter_map(|output| match output {
            Output::Broadcast { except, event: RoomEvent::Chat { text, .. }, .. } => {
                (*except == Some(self.session(member))).then(|| text.as_str().to_owned())
            }
            _ => None,
        });
        said.collect()
    }
}

fn count(outputs: &[Output], is_wanted: impl Fn(&Output) -> bool) -> usize {
    outputs.iter().filter(|output| is_wanted(output)).count()
}

#[test]
fn c4_a_panic_costs_the_connection_its_session_and_nobody_else_anything() {
    for runner in Runner::BOTH {
        let mut harness = Harness::new(runner);
        harness.say(1, [chat("before")]);
        harness.say(
            0,
            [chat("heard"), chat(Fault::HubPanics.trigger()), chat("lost"), Request::Disconnect],
        );
        harness.say(1, [chat("after")]);
        let (taken, outputs) = harness.take();

        assert_eq!((taken.done, taken.panics), (harness.posted, 1));
        assert_eq!(harness.said(0, &outputs), ["heard"]);
        assert_eq!(harness.said(1, &outputs), ["before", "after"]);
        let by = harness.session(0);
        let told = |output: &Output| matches!(output, Output::Reply { to, notice: Notice::Internal, .. } if *to == by);
        let ended = |output: &Output| *output == Output::Disconnected { session: by };
        let told_at = outputs.iter().position(told).expect("it is told");
        let ended_at = outputs.iter().position(ended).expect("it is ended");
        assert!(told_at < ended_at, "told first");
        assert_eq!((count(&outputs, told), count(&outputs, ended)), (1, 1));
        let left =
            |output: &Output| matches!(output, Output::Left { session, .. } if *session == by);
        assert_eq!(count(&outputs, left), 1, "the room knows that it is gone");

        // The session has ended, but its requests still count as done.
        harness.say(0, [chat("from beyond"), Request::Disconnect]);
        let (taken, outputs) = harness.take();
        assert_eq!((taken.done, taken.panics, outputs), (harness.posted, 1, Vec::new()));
    }
}

#[test]
fn c4_a_hub_that_cannot_even_end_the_session_ends_the_connection() {
    for runner in Runner::BOTH {
        let mut harness = Harness::new(runner);
        harness.say(0, [chat(Fault::HubPanicsAgain.trigger()), chat("lost")]);
        harness.say(1, [chat("after")]);
        let (taken, outputs) = harness.take();
        assert_eq!((taken.done, taken.panics), (harness.posted, 2));
        let ended = Output::Disconnected { session: harness.session(0) };
        assert_eq!(count(&outputs, |output| *output == ended), 1);
        assert_eq!(harness.said(1, &outputs), ["after"]);
    }
}

#[test]
fn c4_what_came_before_the_panic_is_done_whatever_the_batch() {
    for before in [0, 1, 63, 64, 65, 200] {
        let mut harness = Harness::new(Runner::Worker);
        let requests = (0..before).map(|n| chat(&n.to_string()));
        let behind = (0..100).map(|_| chat("lost"));
        harness.say(0, requests.chain([chat(Fault::HubPanics.trigger())]).chain(behind));
        let (taken, outputs) = harness.take();
        assert_eq!((taken.done, taken.panics), (harness.posted, 1));
        assert!(harness.said(0, &outputs).into_iter().eq((0..before).map(|n| n.to_string())));
    }
}

#[test]
fn c2_the_reactor_is_woken_when_it_waits_and_only_then() {
    let mut harness = Harness::new(Runner::Worker);
    let wakes = Arc::clone(&harness.wakes);
    let wakes = || wakes.load(Relaxed);
    assert_eq!(wakes(), 0, "it has not waited");

    assert!(harness.hub.may_wait(), "there is nothing to take");
    harness.say(0, [chat("one")]);
    harness.say(0, [chat("two")]);
    assert_eq!(wakes(), 1, "once for everything");
    assert!(!harness.hub.may_wait(), "there is something to take");
    harness.take();

    assert!(harness.hub.may_wait());
    // An event wakes it, and it has its turn.
    harness.take();
    harness.say(0, [chat("three")]);
    harness.hub.request_stop();
    assert_eq!(wakes(), 1, "it does not wait");
    assert!(!harness.hub.may_wait(), "it learns of it all the same");
    assert!(harness.take().0.stop_requested);

    assert!(harness.hub.may_wait());
    harness.hub.request_stop();
    harness.hub.request_stop();
    assert_eq!(wakes(), 2, "for the stop too, once");
}

const WAKER: Token = Token(0);

/// A hub that wakes a real poll.
fn hub_and_poll() -> (Arc<SharedHub>, Poll) {
    let poll = Poll::new().expect("a poll");
    let waker = Waker::new(poll.registry(), WAKER).expect("a waker");
    let wake = move || waker.wake().expect("a wake-up");
    (Arc::new(SharedHub::new(HubLimits::default(), wake)), poll)
}

#[test]
fn c2_a_wake_up_between_the_announcement_and_the_poll_is_not_lost() {
    let (hub, mut poll) = hub_and_poll();
    let mailbox = Arc::new(Mailbox::new(hub.connect(Role::Guest)));
    let mut events = Events::with_capacity(4);
    let mut outputs = Vec::new();
    for n in 1..=1_000 {
        assert!(mailbox.post(&mut vec![Request::Do(Command::Leave)]));
        let (to, post) = (Arc::clone(&hub), Arc::clone(&mailbox));
        let worker =
            thread::spawn(
                move || while to.run(&post, &mut Vec::new()) == MailboxState::Scheduled {},
            );
        while hub.take(&mut outputs).done < n {
            if hub.may_wait() {
                poll.poll(&mut events, Some(DEADLINE)).expect("events");
                assert!(!events.is_empty(), "a wake-up got lost");
            }
        }
        worker.join().expect("it has ended");
    }
}

#[test]
fn c3_the_waker_lives_as_long_as_the_reactors_hub() {
    let (hub, mut poll) = hub_and_poll();
    assert!(hub.may_wait());
    // The waking thread drops the hub before the reactor looks.
    let stopper = Arc::clone(&hub);
    thread::spawn(move || stopper.request_stop()).join().expect("it has asked");
    let mut events = Events::with_capacity(4);
    poll.poll(&mut events, Some(DEADLINE)).expect("events");
    assert!(events.iter().any(|event| event.token() == WAKER), "the wake-up got lost");
    assert!(hub.take(&mut Vec::new()).stop_requested);
}

#[test]
fn c3_the_waker_is_dropped_with_the_hub_and_not_before() {
    let waker = Arc::new(());
    let alive: Weak<()> = Arc::downgrade(&waker);
    let hub = SharedHub::new(HubLimits::default(), move || drop(Arc::clone(&waker)));
    assert!(hub.may_wait());
    hub.request_stop();
    assert!(alive.upgrade().is_some(), "it is there for the next wake-up");
    drop(hub);
    assert!(alive.upgrade().is_none());
}

/// Each member is in exactly one frame, in order of arrival, also while members leave.
#[test]
fn s7_a_list_of_members_is_complete_over_several_frames() {
    const MEMBERS: usize = 9_000;
    let mut harness = Harness::new(Runner::Reactor);
    let newcomers: Vec<_> = (2..MEMBERS)
        .map(|_| {
            let mailbox = Arc::new(Mailbox::new(harness.hub.connect(Role::Guest)));
            let mut requests = vec![Request::Do(Command::Join(RoomId::FIRST))];
            assert!(mailbox.post(&mut requests));
            while harness.hub.run_inline(&mailbox, &mut requests) == MailboxState::Scheduled {}
            mailbox
        })
        .collect();
    let list = AskedList::Members { re: None, room: RoomId::FIRST, from: 0 };
    let (mut rest, mut listed, mut frames) = (Some(List::Asked(Box::new(list))), Vec::new(), 0);
    while let Some(list) = rest {
        let mut frame = Vec::new();
        rest = harness.hub.write_page(Framing::Length, &list, &mut frame);
        let page: serde_json::Value = serde_json::from_slice(&frame[2..]).expect("JSON");
        let names = page["members"].as_array().expect("a list");
        listed.extend(names.iter().map(|name| name.as_str().expect("a name").to_owned()));
        frames += 1;
        // Those that have been listed may leave meanwhile.
        if frames == 1 {
            harness.say(0, [Request::Do(Command::Leave)]);
        }
    }
    assert!(frames > 1, "{frames}");
    let all = (1..=MEMBERS).map(|n| format!("user{n}"));
    assert!(all.eq(listed));
    drop(newcomers);
}
