//! Makes the hub panic where a test asks for it. Built for tests only.

use std::mem;

use chat_core::Command;

use super::mailbox::Request;

#[derive(Debug, Default)]
pub(crate) struct Fault {
    again: bool,
}

impl Fault {
    /// Who says this makes the hub panic.
    pub(crate) const ONCE: &str = "panic!";
    /// Who says this makes it panic, and panic again when it ends the session.
    pub(crate) const TWICE: &str = "panic!!";

    /// # Panics
    /// When the test asked for it.
    pub(crate) fn strike(&mut self, request: &Request) {
        match request {
            Request::Do(Command::Chat(text)) => {
                self.again = text.as_str() == Self::TWICE;
                let asked = [Self::ONCE, Self::TWICE].contains(&text.as_str());
                assert!(!asked, "the panic that the test asked for");
            }
            Request::Disconnect => {
                assert!(!mem::take(&mut self.again), "the second panic that the test asked for");
            }
            Request::Do(_) | Request::Reject(_) => {}
        }
    }
}
