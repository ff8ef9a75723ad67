//! The program: its command line, configuration and logs, its messages to a service manager, its recordings, and its reactions to
//! signals.

mod cli;
mod configuration;
mod history;
mod logs;
mod recording;
mod sd_notify;
mod signals;
mod threads;
