//! End-to-end tests: whole servers, over sockets, and the program with its flags, files and signals.
//!
//! All of them are one program, which links once. Its tests run side by side in one process; a test that
//! counts descriptors or threads of its process, or limits them, runs [`in_own_process`].
//!
//! [`in_own_process`]: support::in_own_process

mod events;
mod faults;
mod frames;
mod metrics;
mod program;
mod protocol;
mod rooms;
mod shutdown;
mod slow;
mod support;
mod tls;
mod web;
mod websocket;

/// Counts what the servers of the tests allocate.
#[global_allocator]
static ALLOCATOR: &chat_testing::heap::CountingAllocator = chat_testing::heap::COUNTING;
