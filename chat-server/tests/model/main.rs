//! The hand-off between reactor and workers, model-checked: `sleep`, `mailbox`, `shared_hub` and `pool` as
//! they are, over the primitives of a checker and over queues that it sees through (`plain`).
//!
//! - `memory` runs under loom, which knows the memory model: it tries each execution that the fences
//!   of `Sleep` and the orderings of the pool's stop allow, of a few steps.
//! - `schedules` runs under shuttle, which knows interleavings only, but many more of them: each one of
//!   mailbox and hub, and some thousand of whole pools.
//!
//! Neither is worth more than what it finds. Each of these was planted by hand, and found:
//!
//! | what is broken | found by |
//! |---|---|
//! | a worker sleeps without its last look | `memory` c1, c10; `schedules` c1, c4, c6, c10 |
//! | `submit` looks for sleepers, then pushes | `schedules` c1, c4, c6, c10 |
//! | no fence before either look, or one that is not `SeqCst` | `memory` c1, c10 |
//! | a wake-up is a notification and no permit | `memory` c1, c10; `schedules` c1, c4, c6, c10 |
//! | more permits than sleepers; an announcement that is not taken back | `memory` c1 |
//! | a worker that sees the stop does not look again | `memory` c10; `schedules` c10 |
//! | the stop is stored, and loaded, `Relaxed` | `memory` c10 |
//! | the last look does not look for the stop; the drop wakes nobody | `memory` c10; `schedules` c1, c4, c6, c10 |
//! | a mailbox is idle from the take on; `post` schedules a scheduled one | `schedules` c1, c4, c6, c10 |
//! | outputs are taken out of order | `schedules` c1, c4, c6 |
//! | an empty mailbox stays scheduled | `memory` c10; `schedules` c1, c2, c4, c6, c10 |
//! | a mailbox that got more is not run again | `schedules` c1, c4, c6, c10 |
//! | `announce` without news, or before the work; `may_wait` under two locks | `schedules` c1, c2, c4, c6, c10 |
//! | a panic is not caught; what it lost is not counted | `schedules` c4 |
#![expect(clippy::duplicate_mod, reason = "the same files over the primitives of two checkers")]

#[expect(dead_code, reason = "what is checked does not use all of it")]
#[macro_use]
#[path = "../../src/testing/faults.rs"]
mod faults;
mod testing {
    pub(crate) use super::faults;
}

#[expect(dead_code, reason = "what is checked does not use all of it")]
mod memory;
#[expect(dead_code, reason = "what is checked does not use all of it")]
mod schedules;
