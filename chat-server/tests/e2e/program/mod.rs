//! The program: its command line, configuration and logs, what it tells a service manager, and what signals
//! do to it.

mod cli;
mod configuration;
mod logs;
mod sd_notify;
mod signals;
mod threads;
