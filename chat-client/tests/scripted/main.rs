//! The real client against a scripted peer: what a real server would never send, and how every
//! conversation can end. All waiting is for something to happen, and has a deadline.

mod command_line;
mod conversation;
mod endings;
mod hostile;
mod support;
