//! What the tools need to know of servers: a process's CPU time, memory and files, the lines that a server
//! prints when it is ready, the metrics of a chat server, and the certificate that a server is given.
//!
//! Called by all the tools; sends no chats.

pub mod certificate;
pub mod chat_server;
pub mod child;
pub mod metrics;
pub mod process;
