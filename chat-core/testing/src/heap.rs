//! The heap of a test process, counted by its allocator.
//!
//! The allocator counts for the whole process. A test program installs it, and each test that reads the count runs
//! [`in_own_process`](crate::in_own_process):
//!
//! ```
//! use chat_testing::heap::{COUNTING, CountingAllocator, HeapMeter};
//!
//! #[global_allocator]
//! static ALLOCATOR: &CountingAllocator = COUNTING;
//!
//! let mut meter = HeapMeter::default();
//! let kept = meter.measure(|| vec![0_u8; 1_000]);
//! assert_eq!(meter.grown(), 1_000);
//! # drop(kept);
//! ```

use std::alloc::System;
use std::cell::Cell;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// The allocator of the system, wrapped so that it counts.
pub type CountingAllocator = StatsAlloc<System>;

/// The allocator to set as `#[global_allocator]`.
pub static COUNTING: &CountingAllocator = &INSTRUMENTED_SYSTEM;

thread_local! {
    /// Bytes by which the heap has grown in calls of [`uncounted`].
    static UNCOUNTED: Cell<isize> = const { Cell::new(0) };
}

/// Bytes allocated and not freed in this process.
pub fn live() -> usize {
    let stats = INSTRUMENTED_SYSTEM.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Calls a function whose allocations belong to the test itself: no meter counts what it allocates or frees.
pub fn uncounted<R>(call: impl FnOnce() -> R) -> R {
    let before = live();
    let result = call();
    UNCOUNTED.set(UNCOUNTED.get() + live().wrapping_sub(before) as isize);
    result
}

/// Measures how much the heap grows during some calls, and ignores the time in between.
#[derive(Debug, Default)]
pub struct HeapMeter {
    grown: isize,
}

impl HeapMeter {
    /// Adds what a call allocates and does not free; subtracts what it frees of earlier calls.
    pub fn measure<R>(&mut self, call: impl FnOnce() -> R) -> R {
        let counted = || live() as isize - UNCOUNTED.get();
        let before = counted();
        let result = call();
        self.grown += counted() - before;
        result
    }

    /// Bytes by which the heap has grown in the calls so far.
    pub fn grown(&self) -> usize {
        usize::try_from(self.grown).unwrap_or(0)
    }
}
