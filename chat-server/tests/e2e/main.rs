//! End-to-end tests: whole servers, over sockets, and the program with its flags, files and signals.
//!
//! They form one program, which links once. Its tests run in parallel in one process; a test that counts or limits the
//! descriptors or threads of its process runs [`in_own_process`].
//!
//! [`in_own_process`]: support::in_own_process

mod data;
mod events;
mod faults;
mod frames;
mod hello;
mod metrics;
mod program;
mod protocol;
mod replacement;
mod resume;
mod rooms;
mod shutdown;
mod slow;
mod support;
mod tls;
mod web;
mod websocket;

/// Counts the allocations of the servers under test.
#[global_allocator]
static ALLOCATOR: &chat_testing::heap::CountingAllocator = chat_testing::heap::COUNTING;
