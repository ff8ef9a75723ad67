//! The hand-off between reactor and workers, model-checked: the actual sources of `sleep`, `mailbox`, `shared_hub` and
//! `pool`, over the primitives of a checker and over plain queues (`plain`), without recordings (`unrecorded`).
//!
//! - `memory` runs under loom, which models memory orderings: it tries every execution of a few steps that the
//!   fences of `Sleep` and the orderings of the pool's stop allow.
//! - `schedules` runs under shuttle, which models interleavings only, but many more: every one of mailbox and
//!   hub, and thousands of whole pools.
//!
//! Each of these faults was planted by hand, and found:
//!
//! | fault | found by |
//! |---|---|
//! | a worker sleeps without its last look | `memory` c1, c10; `schedules` c1, c4, c6, c10 |
//! | `submit` looks for sleepers before it pushes | `schedules` c1, c4, c6, c10 |
//! | no fence before either look, or one that is not `SeqCst` | `memory` c1, c10 |
//! | a wake-up is a notification instead of a permit | `memory` c1, c10; `schedules` c1, c4, c6, c10 |
//! | more permits than sleepers; an announcement that is not withdrawn | `memory` c1 |
//! | a worker that sees the stop does not look again | `memory` c10; `schedules` c10 |
//! | the stop is stored and loaded `Relaxed` | `memory` c10 |
//! | the last look ignores the stop; the drop wakes nobody | `memory` c10; `schedules` c1, c4, c6, c10 |
//! | a mailbox is idle from the take on; `post` schedules a scheduled one | `schedules` c1, c4, c6, c10 |
//! | outputs are taken out of order | `schedules` c1, c4, c6 |
//! | an empty mailbox stays scheduled | `memory` c10; `schedules` c1, c2, c4, c6, c10 |
//! | a mailbox that received more is not run again | `schedules` c1, c4, c6, c10 |
//! | `announce` without news, or before the work; `may_wait` under two locks | `schedules` c1, c2, c4, c6, c10 |
//! | a panic is not caught; its lost requests are not counted | `schedules` c4 |
#![expect(clippy::duplicate_mod, reason = "the same sources over the primitives of two checkers")]

#[expect(dead_code, reason = "the checks do not use all of it")]
#[macro_use]
#[path = "../../src/testing/faults.rs"]
mod faults;
mod testing {
    pub(crate) use super::faults;
}

/// Declares the sources under test, over the primitives of a checker.
macro_rules! sources_over {
    ($checker:ident) => {
        mod sync {
            pub(crate) use $checker::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, fence};
            pub(crate) use $checker::sync::{Condvar, Mutex, MutexGuard};
            pub(crate) use $checker::thread::{Builder, JoinHandle};
        }

        #[path = "hand_off.rs"]
        mod hand_off;
        #[path = "../../src/workers/list.rs"]
        mod list;
        #[path = "../../src/workers/mailbox.rs"]
        mod mailbox;
        #[path = "plain.rs"]
        mod plain;
        #[path = "../../src/workers/pool.rs"]
        mod pool;
        #[path = "../../src/workers/queue.rs"]
        mod queue;
        #[path = "unrecorded.rs"]
        mod recording;
        #[path = "../../src/workers/shared_hub.rs"]
        mod shared_hub;
        #[path = "../../src/workers/sleep.rs"]
        mod sleep;
        #[path = "../../src/workers/task.rs"]
        mod task;
    };
}

#[expect(dead_code, reason = "the checks do not use all of it")]
mod memory;
#[expect(dead_code, reason = "the checks do not use all of it")]
mod schedules;
