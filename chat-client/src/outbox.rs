//! Frames on their way from the one who decides to the thread that writes.
//!
//! Putting something in never waits, so that messages are shown however slowly the server takes
//! what is sent. What is held stays small because the input waits for room.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use chat_proto::{Command, FrameTooLong};

/// With this many bytes waiting to be written, no further line of input is read.
const ENOUGH: usize = 64 * 1024;

/// See the head of this file.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    pending: Vec<u8>,
    /// Nothing more will be put in.
    closed: bool,
    /// Everything put in was written: implies `closed` and an empty `pending`.
    all_sent: bool,
    /// The error that ended writing.
    failure: Option<String>,
}

impl Outbox {
    /// Puts one command in. After [`Outbox::close`] and after an error it goes nowhere.
    pub(crate) fn push(&self, command: &Command) -> Result<(), FrameTooLong> {
        let mut state = self.lock();
        if state.closed || state.failure.is_some() {
            return Ok(());
        }
        command.write(&mut state.pending)?;
        self.changed.notify_all();
        Ok(())
    }

    /// Nothing more will be put in.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits until more may be put in; false when nothing more will be taken.
    pub(crate) fn wait_for_room(&self) -> bool {
        let open = |state: &State| !state.closed && state.failure.is_none();
        let state = self.wait_while(|state| open(state) && state.pending.len() >= ENOUGH);
        open(&state)
    }

    /// For the writer: waits for bytes and takes all there are. `None` when all were written and no
    /// more will come; asking again means that those taken before were written.
    pub(crate) fn take(&self) -> Option<Vec<u8>> {
        let mut state = self.wait_while(|state| !state.closed && state.pending.is_empty());
        if state.pending.is_empty() {
            // Said before the server can hear of it, so that its answer never comes first.
            state.all_sent = true;
            return None;
        }
        self.changed.notify_all();
        Some(std::mem::take(&mut state.pending))
    }

    /// For the writer: writing has failed for good.
    pub(crate) fn fail(&self, why: String) {
        let mut state = self.lock();
        state.pending = Vec::new();
        state.failure = Some(why);
        self.changed.notify_all();
    }

    /// Whether everything was written, and there was nothing to come.
    pub(crate) fn all_sent(&self) -> bool {
        self.lock().all_sent
    }

    /// The error that ended writing.
    pub(crate) fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code under the lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, mut condition: impl FnMut(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed
            .wait_while(self.lock(), |state| condition(state))
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::Text;

    fn chat(len: usize) -> Command {
        Command::Chat(Text::new("x".repeat(len)).expect("a text"))
    }

    #[test]
    fn what_was_put_in_comes_out_together_and_in_order() {
        let outbox = Outbox::default();
        let mut frames = Vec::new();
        for command in [Command::Rooms, chat(3), Command::Leave] {
            command.write(&mut frames).expect("it fits");
            outbox.push(&command).expect("it fits");
        }
        assert_eq!(outbox.take(), Some(frames));
    }

    #[test]
    fn all_is_sent_when_the_writer_comes_back_for_more_and_there_is_none() {
        let outbox = Outbox::default();
        outbox.push(&Command::Rooms).expect("it fits");
        outbox.close();
        assert!(outbox.take().is_some());
        assert!(!outbox.all_sent());
        assert_eq!(outbox.take(), None);
        assert!(outbox.all_sent());
    }

    #[test]
    fn after_the_end_nothing_goes_in() {
        let outbox = Outbox::default();
        outbox.close();
        outbox.push(&Command::Rooms).expect("it fits");
        assert_eq!(outbox.take(), None);
        assert!(!outbox.wait_for_room());
    }

    #[test]
    fn after_an_error_nothing_is_kept_and_nobody_waits() {
        let outbox = Outbox::default();
        outbox.push(&chat(60_000)).expect("it fits");
        outbox.fail("broken pipe".into());
        outbox.push(&chat(60_000)).expect("it fits");
        assert!(!outbox.wait_for_room());
        assert!(!outbox.all_sent());
        assert_eq!(outbox.failure().as_deref(), Some("broken pipe"));
    }

    #[test]
    fn the_input_waits_while_enough_is_held() {
        let outbox = Outbox::default();
        outbox.push(&chat(60_000)).expect("it fits");
        assert!(outbox.wait_for_room());
        outbox.push(&chat(60_000)).expect("it fits");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| outbox.wait_for_room());
            assert!(outbox.take().is_some_and(|frames| frames.len() > ENOUGH));
            assert!(waiting.join().expect("waiting ends"));
        });
    }

    #[test]
    fn a_text_beyond_a_frame_leaves_the_rest_as_it_was() {
        let outbox = Outbox::default();
        outbox.push(&Command::Rooms).expect("it fits");
        assert!(outbox.push(&chat(70_000)).is_err());
        assert!(outbox.take().is_some_and(|frames| frames.len() < 100));
    }
}
