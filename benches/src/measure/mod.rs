//! What the tools need from the operating system: a process's CPU time, memory and files, and the
//! lines that a server prints when it is ready.
//!
//! Called by all the tools; knows neither chats nor protocols.

pub mod child;
pub mod process;
