//! The internals of the server, opened to tests, benchmarks and fuzz targets: the simulation of the whole server,
//! planted faults, scripted sockets, and parts of the server on their own. None of it is in a server: only [`fault!`]
//! occurs in its code, and is `false` there.

#[cfg(feature = "bench-support")]
#[doc(hidden)]
pub mod bench_support;
/// Counts the allocations of this crate's tests.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: &chat_testing::heap::CountingAllocator = chat_testing::heap::COUNTING;

#[cfg(test)]
#[macro_use]
pub(crate) mod faults;
#[cfg(test)]
mod panics;
#[cfg(test)]
pub(crate) mod scripted_socket;
#[cfg(test)]
mod simulation;

/// Whether a test has planted a fault here; never true outside tests.
#[cfg(not(test))]
macro_rules! fault {
    ($fault:ident $(, once)?) => {
        false
    };
    ($fault:ident, $text:expr) => {{
        let _: &str = $text;
        false
    }};
}
