//! shuttle: the whole hand-off, with the pool, on many schedules.

sources_over!(shuttle);

use std::sync::Arc;

use chat_core::{Command, Text};

use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, thread};

use crate::testing::faults::{self, Fault};

use hand_off::{HandOff, Reactor, chat};
use shared_hub::MailboxState;

/// The seed of all schedules. A failure also prints its schedule, for `shuttle::replay`.
const SEED: u64 = 0x00C0_FFEE;

/// Runs `f` on this many schedules of each kind: random ones, and ones with few preemptions at bad places (PCT).
fn check(schedules: usize, f: impl Fn() + Send + Sync + 'static) {
    println!("seed {SEED:#x}");
    let f = Arc::new(f);
    let again = Arc::clone(&f);
    Runner::new(RandomScheduler::new_from_seed(SEED, schedules), Config::new()).run(move || f());
    Runner::new(PctScheduler::new_from_seed(SEED, 3, schedules), Config::new())
        .run(move || again());
}

/// Runs `f` on every possible schedule.
fn check_all(f: impl Fn() + Send + Sync + 'static) {
    let schedules = Runner::new(DfsScheduler::new(None, false), Config::new()).run(f);
    println!("{schedules} schedules");
}

/// Runs a mailbox on a thread, as a worker does.
fn run(reactor: &Reactor, mailbox: Option<Arc<mailbox::Mailbox>>) -> thread::JoinHandle<()> {
    let hub = Arc::clone(&reactor.hub);
    thread::spawn(move || {
        if let Some(mailbox) = mailbox {
            while hub.run(&mailbox, &mut Vec::new()) == MailboxState::Scheduled {}
        }
    })
}

#[test]
fn c2_the_reactor_is_woken_for_every_completion() {
    check_all(|| {
        let mut reactor = Reactor::new(1);
        let mailbox = reactor.post(0, chat(0));
        let worker = run(&reactor, mailbox);
        reactor.wait_until_done();
        reactor.check(1);
        worker.join().expect("the worker has ended");
    });
}

#[test]
fn c2_a_stop_wakes_the_reactor() {
    check_all(|| {
        let mut reactor = Reactor::new(0);
        let hub = Arc::clone(&reactor.hub);
        let stopper = thread::spawn(move || hub.request_stop());
        reactor.wait_for_stop();
        stopper.join().expect("it has asked");
    });
}

#[test]
fn c6_a_mailbox_has_one_runner_and_forgets_nothing() {
    check_all(|| {
        let mut reactor = Reactor::new(1);
        let first = reactor.post(0, chat(0));
        let first = run(&reactor, first);
        let second = reactor.post(0, chat(1));
        let second = run(&reactor, second);
        first.join().expect("one runner has ended");
        second.join().expect("and the other");
        reactor.check(2);
    });
}

/// The bugs that the simulation plants in this part are found.
#[test]
#[should_panic(expected = "deadlock")]
fn c2_a_worker_that_never_wakes_the_reactor_is_found() {
    faults::with(Fault::LostWakeUp, c2_the_reactor_is_woken_for_every_completion);
}

#[test]
#[should_panic(expected = "was heard")]
fn c6_two_runners_of_a_mailbox_are_found() {
    faults::with(Fault::TwoRunners, c6_a_mailbox_has_one_runner_and_forgets_nothing);
}

#[test]
fn c1_a_request_while_workers_fall_asleep_is_done() {
    check(2_000, || {
        let mut hand_off = HandOff::new(2, 1);
        for n in 0..3 {
            hand_off.post(0, chat(n));
            hand_off.reactor.wait_until_done();
        }
        hand_off.reactor.check(3);
    });
}

#[test]
fn c1_a_batch_wakes_no_more_workers_than_sleep() {
    check(2_000, || {
        let mut hand_off = HandOff::new(2, 3);
        for n in 0..2 {
            hand_off.post_to_all(n);
        }
        hand_off.reactor.wait_until_done();
        hand_off.reactor.check(2);
    });
}

#[test]
fn c6_several_workers_keep_the_order_of_each_connection() {
    check(2_000, || {
        let mut hand_off = HandOff::new(3, 2);
        for n in 0..3 {
            hand_off.post(0, chat(n));
            hand_off.post(1, chat(n));
        }
        hand_off.reactor.wait_until_done();
        hand_off.reactor.check(3);
    });
}

#[test]
fn c10_a_pool_that_was_never_used_ends() {
    check(2_000, || drop(HandOff::new(3, 0)));
}

#[test]
fn c10_a_pool_that_has_nothing_left_to_do_ends() {
    check(2_000, || {
        let mut hand_off = HandOff::new(2, 1);
        hand_off.post(0, chat(0));
        hand_off.reactor.wait_until_done();
        let HandOff { pool, mut reactor } = hand_off;
        drop(pool);
        reactor.check(1);
    });
}

#[test]
fn c10_everything_submitted_is_done_before_the_pool_ends() {
    check(3_000, || {
        let mut hand_off = HandOff::new(2, 3);
        for n in 0..2 {
            for to in 0..3 {
                hand_off.post(to, chat(n));
            }
        }
        let HandOff { pool, mut reactor } = hand_off;
        drop(pool);
        reactor.check(2);
    });
}

#[test]
fn c10_the_last_owner_of_the_pool_ends_it() {
    check(2_000, || {
        let HandOff { pool, mut reactor } = HandOff::new(2, 1);
        let pool = Arc::new(pool);
        let other = Arc::clone(&pool);
        let mailbox = reactor.post(0, chat(0));
        let other = thread::spawn(move || other.submit(mailbox));
        drop(pool);
        other.join().expect("it has submitted");
        reactor.check(1);
    });
}

#[test]
fn c4_a_panic_costs_one_connection_its_session_and_no_worker() {
    check(500, || {
        let mut hand_off = HandOff::new(2, 3);
        let text = Text::new(Fault::HubPanics.trigger()).expect("a text");
        hand_off.post(0, chat(0));
        hand_off.post(0, Command::Chat(text));
        // Never carried out, whether posted before the panic or after it.
        hand_off.post(0, chat(1));
        for n in 0..2 {
            hand_off.post(1, chat(n));
            hand_off.post(2, chat(n));
        }
        let HandOff { pool, mut reactor } = hand_off;
        reactor.wait_until_done();
        assert_eq!(reactor.take().panics, 1);
        let heard = reactor.mailboxes.iter().map(|mailbox| reactor.said_by(mailbox.session()));
        assert!(heard.eq([vec![0], vec![0, 1], vec![0, 1]]), "everybody else is heard");
        drop(pool);
    });
}
