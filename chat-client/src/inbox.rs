//! [`Inbox`]: the events that wait for the event loop, in bounded memory.
//!
//! A person at the keyboard must not wait for what a server sends, so input goes first. While input never ends, every
//! other event is a message.

use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chat_proto::Received;

use crate::io_error::IoErrorKind;
use crate::net::connection::StreamEnd;
use crate::net::connector::{ConnectError, Connected};
use crate::terminal::keys::Key;
use crate::terminal::line_reader::LineError;
use crate::terminal::tty::Change;

/// The most events of input that wait: 1 MiB at most, with lines of 64 KiB.
const MAX_INPUT: usize = 16;

/// While this many bytes of messages wait, no more are read from the server.
pub(crate) const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// The memory that a message takes besides its payload.
const MESSAGE_OVERHEAD: usize = 512;

/// The input of the event loop.
pub(crate) enum Event {
    Line(Result<String, LineError>),
    Keys(Vec<Key>),
    InputEnded,
    InputFailed(IoErrorKind),
    Terminal(Change),
    Connected(Result<Connected, ConnectError>),
    Message(Box<Received>),
    Closed(StreamEnd),
    /// The text being painted is on the terminal.
    Painted(io::Result<()>),
}

/// The kinds of events that can be handled now. All others always can.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) input: bool,
    pub(crate) messages: bool,
}

/// The events, in order within each kind.
#[derive(Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Other events. There are few, each caused by the event loop or by a signal.
    others: VecDeque<Event>,
    input: VecDeque<Event>,
    /// Messages with the bytes that each counts for, and the end of their connection.
    messages: VecDeque<(Event, usize)>,
    message_bytes: usize,
    /// Whether the last event taken was input.
    input_was_last: bool,
}

impl State {
    fn take(&mut self, wanted: Wanted) -> Option<Event> {
        if let Some(event) = self.others.pop_front() {
            return Some(event);
        }
        let has_message = wanted.messages && !self.messages.is_empty();
        let has_input = wanted.input && !self.input.is_empty();
        self.input_was_last = has_input && !(has_message && self.input_was_last);
        if self.input_was_last {
            return self.input.pop_front();
        }
        if !has_message {
            return None;
        }
        let (event, bytes) = self.messages.pop_front()?;
        self.message_bytes -= bytes;
        Some(event)
    }
}

impl Inbox {
    /// Adds an event that must not wait.
    pub(crate) fn put(&self, event: Event) {
        self.lock().others.push_back(event);
        self.changed.notify_all();
    }

    /// Adds an event of input, waiting until there is space for it.
    pub(crate) fn put_input(&self, event: Event) {
        self.wait_while(|state| state.input.len() >= MAX_INPUT).input.push_back(event);
        self.changed.notify_all();
    }

    /// Adds a message with a payload of this many bytes, or the end of a connection, waiting until there is space.
    pub(crate) fn put_message(&self, event: Event, payload: usize) {
        let mut state = self.wait_while(|state| state.message_bytes >= MAX_MESSAGE_BYTES);
        let bytes = payload + MESSAGE_OVERHEAD;
        state.messages.push_back((event, bytes));
        state.message_bytes += bytes;
        drop(state);
        self.changed.notify_all();
    }

    /// Takes a wanted event, if there is one.
    pub(crate) fn try_next(&self, wanted: Wanted) -> Option<Event> {
        let event = self.lock().take(wanted);
        self.changed.notify_all();
        event
    }

    /// Takes a wanted event, waiting until `until` at most. Returns `None` after that.
    pub(crate) fn next(&self, wanted: Wanted, until: Option<Instant>) -> Option<Event> {
        let mut state = self.lock();
        loop {
            if let Some(event) = state.take(wanted) {
                drop(state);
                self.changed.notify_all();
                return Some(event);
            }
            state = match until {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.checked_duration_since(Instant::now())?;
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code under the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed
            .wait_while(self.lock(), |state| condition(state))
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::Incoming;
    use std::sync::Arc;
    use std::thread;

    const ALL: Wanted = Wanted { input: true, messages: true };

    fn message(text: &str) -> Event {
        let mut message = Incoming::default();
        message.text = text.to_owned();
        Event::Message(Box::new(Received::Plain { message, re: None }))
    }

    fn line(text: &str) -> Event {
        Event::Line(Ok(text.to_owned()))
    }

    /// The text of the next event.
    fn next(inbox: &Inbox, wanted: Wanted) -> Option<String> {
        Some(match inbox.try_next(wanted)? {
            Event::Message(message) => match *message {
                Received::Plain { message, .. } => message.text,
                other => panic!("{other:?} was not put in"),
            },
            Event::Line(line) => line.expect("a line"),
            _ => "other".to_owned(),
        })
    }

    #[test]
    fn v6_input_goes_first_and_keeps_no_message_waiting() {
        let inbox = Inbox::default();
        for n in 0..3 {
            inbox.put_message(message(&format!("m{n}")), 9);
            inbox.put_input(line(&format!("i{n}")));
        }
        inbox.put(Event::InputEnded);
        let taken: Vec<String> = std::iter::from_fn(|| next(&inbox, ALL)).collect();
        assert_eq!(taken, ["other", "i0", "m0", "i1", "m1", "i2", "m2"]);
    }

    #[test]
    fn v6_what_is_not_wanted_waits_and_holds_nothing_else_up() {
        let inbox = Inbox::default();
        inbox.put_message(message("m"), 9);
        inbox.put_input(line("i"));
        let wanted = |input, messages| Wanted { input, messages };
        assert_eq!(next(&inbox, wanted(false, false)), None);
        assert_eq!(next(&inbox, wanted(false, true)).as_deref(), Some("m"));
        assert_eq!(next(&inbox, wanted(false, true)), None);
        assert_eq!(next(&inbox, wanted(true, false)).as_deref(), Some("i"));
        assert!(inbox.next(ALL, Some(Instant::now())).is_none());
    }

    #[test]
    fn v6_no_more_waits_than_there_is_space_for() {
        const LEN: usize = 60_000;
        let inbox = Arc::new(Inbox::default());
        let (messages, lines) = (Arc::clone(&inbox), Arc::clone(&inbox));
        let threads = [
            thread::spawn(move || (0..200).for_each(|_| messages.put_message(message("m"), LEN))),
            thread::spawn(move || (0..200).for_each(|_| lines.put_input(line("i")))),
        ];
        for _ in 0..400 {
            assert!(inbox.next(ALL, None).is_some());
            let state = inbox.lock();
            let bytes: usize = state.messages.iter().map(|(_, bytes)| bytes).sum();
            assert_eq!(bytes, state.message_bytes);
            assert!(bytes < MAX_MESSAGE_BYTES + LEN + MESSAGE_OVERHEAD);
            assert!(state.input.len() <= MAX_INPUT);
        }
        for thread in threads {
            thread.join().expect("no panic");
        }
    }
}
