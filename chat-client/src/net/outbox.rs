//! Frames on their way from the one who decides to the thread that writes.
//!
//! Putting something in never waits, so that messages are shown however slowly the server takes
//! what is sent. What is held stays small because the input waits for room.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use chat_proto::{Command, FrameTooLong};

use crate::io_error::Fault;

/// With this many bytes waiting to be written, no further line of input is read.
const ENOUGH: usize = 64 * 1024;

/// Tells the connections of a client apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connection(u64);

/// See the head of this file.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the connection that it is for. With none, nothing is put in.
    connection: Option<u64>,
    /// How many connections there have been.
    connections: u64,
    pending: Vec<u8>,
    /// Nothing more will be put in.
    closed: bool,
    /// Everything put in was written: implies `closed` and an empty `pending`.
    all_sent: bool,
    /// The error that ended writing.
    failure: Option<Fault>,
}

impl State {
    fn is_open(&self) -> bool {
        self.connection.is_some() && !self.closed && self.failure.is_none()
    }
}

impl Outbox {
    /// What is put in goes to a new connection from now on.
    pub(crate) fn attach(&self) -> Connection {
        let mut state = self.lock();
        let number = state.connections + 1;
        let closed = state.closed;
        *state =
            State { connection: Some(number), connections: number, closed, ..State::default() };
        self.changed.notify_all();
        Connection(number)
    }

    /// The connection is gone, and what was not written with it.
    pub(crate) fn detach(&self) {
        let mut state = self.lock();
        state.connection = None;
        state.pending = Vec::new();
        self.changed.notify_all();
    }

    /// Puts one command in. Without a connection, after [`Outbox::close`] and after an error it goes
    /// nowhere.
    pub(crate) fn push(&self, command: &Command) -> Result<(), FrameTooLong> {
        let mut state = self.lock();
        if !state.is_open() {
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

    /// Waits until more may be put in, through a time without a connection too; false when nothing
    /// more will be taken.
    pub(crate) fn wait_for_room(&self) -> bool {
        let must_wait = |state: &State| !state.is_open() || state.pending.len() >= ENOUGH;
        let state = self.wait_while(|state| !state.closed && must_wait(state));
        !state.closed
    }

    /// For the writer: waits for bytes and takes all there are. `None` when all were written and no
    /// more will come, or the connection is gone; asking again means that those taken before were
    /// written.
    pub(crate) fn take(&self, connection: Connection) -> Option<Vec<u8>> {
        let ours = |state: &State| state.connection == Some(connection.0);
        let mut state =
            self.wait_while(|state| ours(state) && !state.closed && state.pending.is_empty());
        if !ours(&state) {
            return None;
        }
        if state.pending.is_empty() {
            // Said before the server can hear of it, so that its answer never comes first.
            state.all_sent = true;
            return None;
        }
        self.changed.notify_all();
        Some(std::mem::take(&mut state.pending))
    }

    /// For the writer: writing has failed for good.
    pub(crate) fn fail(&self, why: Fault) {
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
    pub(crate) fn failure(&self) -> Option<Fault> {
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
        Command::Chat(Text::new(&"x".repeat(len)).expect("a text"))
    }

    fn attached() -> (Outbox, Connection) {
        let outbox = Outbox::default();
        let connection = outbox.attach();
        (outbox, connection)
    }

    #[test]
    fn what_was_put_in_comes_out_together_and_in_order() {
        let (outbox, connection) = attached();
        let mut frames = Vec::new();
        for command in [Command::Rooms, chat(3), Command::Leave] {
            command.write(&mut frames).expect("it fits");
            outbox.push(&command).expect("it fits");
        }
        assert_eq!(outbox.take(connection), Some(frames));
    }

    #[test]
    fn all_is_sent_when_the_writer_comes_back_for_more_and_there_is_none() {
        let (outbox, connection) = attached();
        outbox.push(&Command::Rooms).expect("it fits");
        outbox.close();
        assert!(outbox.take(connection).is_some());
        assert!(!outbox.all_sent());
        assert_eq!(outbox.take(connection), None);
        assert!(outbox.all_sent());
    }

    #[test]
    fn after_the_end_nothing_goes_in() {
        let (outbox, connection) = attached();
        outbox.close();
        outbox.push(&Command::Rooms).expect("it fits");
        assert_eq!(outbox.take(connection), None);
        assert!(!outbox.wait_for_room());
    }

    #[test]
    fn after_an_error_nothing_is_kept() {
        let (outbox, _) = attached();
        outbox.push(&chat(60_000)).expect("it fits");
        outbox.fail(Fault::BrokenPipe);
        outbox.push(&chat(60_000)).expect("it fits");
        assert!(outbox.lock().pending.is_empty() && !outbox.all_sent());
        assert_eq!(outbox.failure(), Some(Fault::BrokenPipe));
    }

    #[test]
    fn the_input_waits_while_enough_is_held() {
        let (outbox, connection) = attached();
        outbox.push(&chat(60_000)).expect("it fits");
        assert!(outbox.wait_for_room());
        outbox.push(&chat(60_000)).expect("it fits");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| outbox.wait_for_room());
            assert!(outbox.take(connection).is_some_and(|frames| frames.len() > ENOUGH));
            assert!(waiting.join().expect("waiting ends"));
        });
    }

    #[test]
    fn the_input_waits_for_the_next_connection() {
        let (outbox, _) = attached();
        outbox.fail(Fault::Reset);
        outbox.detach();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| outbox.wait_for_room());
            outbox.attach();
            assert!(waiting.join().expect("waiting ends"));
        });
        assert_eq!(outbox.failure(), None);
    }

    #[test]
    fn nothing_goes_from_one_connection_into_the_next() {
        let (outbox, first) = attached();
        outbox.push(&chat(3)).expect("it fits");
        outbox.detach();
        outbox.push(&chat(3)).expect("it fits");
        let second = outbox.attach();
        outbox.push(&Command::Rooms).expect("it fits");
        let mut rooms = Vec::new();
        Command::Rooms.write(&mut rooms).expect("it fits");
        assert_eq!(outbox.take(first), None);
        assert_eq!(outbox.take(second), Some(rooms));
        assert!(!outbox.all_sent());
    }

    #[test]
    fn a_text_beyond_a_frame_leaves_the_rest_as_it_was() {
        let (outbox, connection) = attached();
        outbox.push(&Command::Rooms).expect("it fits");
        assert!(outbox.push(&chat(70_000)).is_err());
        assert!(outbox.take(connection).is_some_and(|frames| frames.len() < 100));
    }
}
