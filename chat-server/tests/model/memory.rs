//! loom: every execution of a few steps that the memory model allows.
//!
//! loom models `SeqCst` loads and stores too weakly, but `SeqCst` fences exactly: `Sleep` relies on fences
//! alone.

sources_over!(loom);

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use loom::thread;
use sync::AtomicUsize;

use hand_off::{HandOff, chat};
use sleep::Sleep;

/// Runs `f` in every possible execution, or in those with at most this many preemptions.
fn check(preemptions: Option<usize>, f: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(f);
}

/// Work that a worker finds by polling: only the fences of `Sleep` order that look.
#[derive(Debug)]
struct Work(AtomicUsize);

impl Work {
    fn is_there(&self) -> bool {
        self.0.load(Relaxed) > 0
    }

    fn take(&self) -> bool {
        self.is_there() && self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

/// A worker that ends after taking this many pieces of work.
fn worker(shared: &Arc<(Sleep, Work)>, pieces: usize) -> thread::JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let (sleep, work) = &*shared;
        for _ in 0..pieces {
            while !work.take() {
                sleep.sleep_unless(|| work.is_there());
            }
        }
    })
}

#[test]
fn c1_no_wake_up_is_lost_between_the_last_look_and_the_sleep() {
    check(None, || {
        let shared = Arc::new((Sleep::default(), Work(AtomicUsize::new(0))));
        let worker = worker(&shared, 2);
        let (sleep, work) = &*shared;
        for _ in 0..2 {
            work.0.fetch_add(1, Relaxed);
            sleep.wake(1);
        }
        worker.join().expect("the worker has found both");
    });
}

#[test]
fn c1_each_of_two_sleepers_is_woken_for_its_work() {
    check(Some(2), || {
        let shared = Arc::new((Sleep::default(), Work(AtomicUsize::new(0))));
        let workers = [(); 2].map(|()| worker(&shared, 1));
        let (sleep, work) = &*shared;
        for _ in 0..2 {
            work.0.fetch_add(1, Relaxed);
            sleep.wake(1);
        }
        for worker in workers {
            worker.join().expect("each has found one");
        }
    });
}

#[test]
fn c1_wake_ups_without_a_sleeper_are_not_kept() {
    check(None, || {
        let shared = Arc::new((Sleep::default(), Work(AtomicUsize::new(0))));
        for _ in 0..2 {
            let sleeper = Arc::clone(&shared);
            let sleeper = thread::spawn(move || {
                let (sleep, work) = &*sleeper;
                sleep.sleep_unless(|| work.is_there());
                assert!(work.take(), "it sleeps until there is something");
            });
            shared.1.0.fetch_add(1, Relaxed);
            shared.0.wake(2);
            sleeper.join().expect("it was woken");
            // There is no sleeper now.
            shared.0.sleep_unless(|| true);
            shared.0.wake(1);
        }
    });
}

#[test]
fn c10_everything_submitted_is_done_before_a_pool_of_one_ends() {
    check(None, || {
        let mut hand_off = HandOff::new(1, 1);
        hand_off.post(0, chat(0));
        let HandOff { pool, mut reactor } = hand_off;
        drop(pool);
        reactor.check(1);
    });
}
