//! Measurements and helpers for all tools: a process's CPU time, memory and files, the lines that a server prints when
//! it is ready, the metrics of a chat server, and certificates for servers. Sends no chats.

pub mod certificate;
pub mod chat_server;
pub mod child;
pub mod metrics;
pub mod process;
