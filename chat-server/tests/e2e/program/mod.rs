//! The program: its command line, configuration and logs, its messages to a service manager, and its reactions to
//! signals.

mod cli;
mod configuration;
mod logs;
mod sd_notify;
mod signals;
mod threads;
