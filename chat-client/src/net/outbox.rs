//! Frames on their way from the event loop to the writer thread.
//!
//! Adding a frame never blocks, so messages are shown however slowly the server reads. The outbox stays small because
//! the input thread waits for space in it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use chat_proto::FrameTooLong;
use chat_proto::extended::ClientRequest;

use crate::io_error::IoErrorKind;

/// While this many bytes wait to be written, no further line of input is read.
const HIGH_WATER: usize = 64 * 1024;

/// While this many bytes wait to be written, no typed line is added.
pub(crate) const FULL: usize = 1024 * 1024;

/// The number of a connection of this client, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionId(u64);

/// The frames to be written, and the result of writing.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The connection that the frames are for. Without one, nothing is added.
    connection: Option<u64>,
    /// The number of connections so far.
    connections: u64,
    pending: Vec<u8>,
    /// Whether nothing more will be added.
    closed: bool,
    /// Whether everything added was written; implies `closed` and an empty `pending`.
    all_sent: bool,
    /// The error that ended writing.
    error: Option<IoErrorKind>,
}

impl State {
    fn is_open(&self) -> bool {
        self.connection.is_some() && !self.closed && self.error.is_none()
    }
}

impl Outbox {
    /// Directs frames to a new connection from now on.
    pub(crate) fn attach(&self) -> ConnectionId {
        let mut state = self.lock();
        let number = state.connections + 1;
        let closed = state.closed;
        *state =
            State { connection: Some(number), connections: number, closed, ..State::default() };
        self.changed.notify_all();
        ConnectionId(number)
    }

    /// Gives up the connection, and everything that was not written to it.
    pub(crate) fn detach(&self) {
        let mut state = self.lock();
        state.connection = None;
        state.pending = Vec::new();
        self.changed.notify_all();
    }

    /// Adds one request. Drops it if there is no connection, or after [`Outbox::close`] or an error.
    ///
    /// # Errors
    /// If the request does not fit a frame; nothing is added then.
    pub(crate) fn push(&self, request: &ClientRequest) -> Result<(), FrameTooLong> {
        let mut state = self.lock();
        if !state.is_open() {
            return Ok(());
        }
        request.write(&mut state.pending)?;
        self.changed.notify_all();
        Ok(())
    }

    /// Declares that nothing more will be added.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Blocks until more may be added, even while there is no connection. Returns false once the outbox is closed.
    pub(crate) fn wait_for_space(&self) -> bool {
        let must_wait = |state: &State| !state.is_open() || state.pending.len() >= HIGH_WATER;
        let state = self.wait_while(|state| !state.closed && must_wait(state));
        !state.closed
    }

    /// Blocks until there are bytes for `connection`, and takes them all. Returns `None` once everything was written
    /// and no more will be added, or the connection was given up. Called by the writer; calling again means that it
    /// has written what it took before.
    pub(crate) fn take(&self, connection: ConnectionId) -> Option<Vec<u8>> {
        let ours = |state: &State| state.connection == Some(connection.0);
        let mut state =
            self.wait_while(|state| ours(state) && !state.closed && state.pending.is_empty());
        if !ours(&state) {
            return None;
        }
        if state.pending.is_empty() {
            // Set before the server can see the end, so that its reaction never comes first.
            state.all_sent = true;
            return None;
        }
        self.changed.notify_all();
        Some(std::mem::take(&mut state.pending))
    }

    /// Records that writing has failed for good. Called by the writer.
    pub(crate) fn fail(&self, why: IoErrorKind) {
        let mut state = self.lock();
        state.pending = Vec::new();
        state.error = Some(why);
        self.changed.notify_all();
    }

    /// Whether so much waits to be written that typed lines must not be added.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().pending.len() >= FULL
    }

    /// Whether the outbox is closed and everything was written.
    pub(crate) fn all_sent(&self) -> bool {
        self.lock().all_sent
    }

    /// Whether the outbox is closed and the writer has taken everything. A server that closes at the last request may
    /// do so before the writer knows that it has written it.
    pub(crate) fn all_taken(&self) -> bool {
        let state = self.lock();
        state.closed && state.pending.is_empty() && state.error.is_none()
    }

    /// The error that ended writing.
    pub(crate) fn error(&self) -> Option<IoErrorKind> {
        self.lock().error.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code under the lock can leave the state half changed.
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
    use chat_proto::{Command, Text};

    const ROOMS: ClientRequest = ClientRequest::Command(Command::Rooms);

    fn chat(len: usize) -> ClientRequest {
        Command::Chat(Text::new(&"x".repeat(len)).expect("a text")).into()
    }

    fn attached() -> (Outbox, ConnectionId) {
        let outbox = Outbox::default();
        let connection = outbox.attach();
        (outbox, connection)
    }

    #[test]
    fn all_is_sent_when_the_writer_asks_again_and_nothing_is_left() {
        let (outbox, connection) = attached();
        outbox.push(&ROOMS).expect("it fits");
        outbox.close();
        assert!(outbox.take(connection).is_some());
        assert!(!outbox.all_sent() && outbox.all_taken());
        assert_eq!(outbox.take(connection), None);
        assert!(outbox.all_sent());
    }

    #[test]
    fn a_closed_outbox_takes_nothing() {
        let (outbox, connection) = attached();
        outbox.close();
        outbox.push(&ROOMS).expect("it fits");
        assert_eq!(outbox.take(connection), None);
        assert!(!outbox.wait_for_space());
    }

    #[test]
    fn after_an_error_nothing_is_kept() {
        let (outbox, _) = attached();
        outbox.push(&chat(60_000)).expect("it fits");
        outbox.fail(IoErrorKind::BrokenPipe);
        outbox.push(&chat(60_000)).expect("it fits");
        assert!(outbox.lock().pending.is_empty() && !outbox.all_sent());
        assert_eq!(outbox.error(), Some(IoErrorKind::BrokenPipe));
    }

    #[test]
    fn the_input_waits_above_the_high_water_mark() {
        let (outbox, connection) = attached();
        outbox.push(&chat(60_000)).expect("it fits");
        assert!(outbox.wait_for_space());
        outbox.push(&chat(60_000)).expect("it fits");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| outbox.wait_for_space());
            assert!(outbox.take(connection).is_some_and(|frames| frames.len() > HIGH_WATER));
            assert!(waiting.join().expect("waiting ends"));
        });
    }

    #[test]
    fn the_input_waits_for_the_next_connection() {
        let (outbox, _) = attached();
        outbox.fail(IoErrorKind::Reset);
        outbox.detach();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| outbox.wait_for_space());
            outbox.attach();
            assert!(waiting.join().expect("waiting ends"));
        });
        assert_eq!(outbox.error(), None);
    }

    #[test]
    fn nothing_passes_from_one_connection_to_the_next() {
        let (outbox, first) = attached();
        outbox.push(&chat(3)).expect("it fits");
        outbox.detach();
        outbox.push(&chat(3)).expect("it fits");
        let second = outbox.attach();
        outbox.push(&ROOMS).expect("it fits");
        let mut rooms = Vec::new();
        ROOMS.write(&mut rooms).expect("it fits");
        assert_eq!(outbox.take(first), None);
        assert_eq!(outbox.take(second), Some(rooms));
        assert!(!outbox.all_sent());
    }

    #[test]
    fn a_text_too_long_for_a_frame_changes_nothing() {
        let (outbox, connection) = attached();
        outbox.push(&ROOMS).expect("it fits");
        assert!(outbox.push(&chat(70_000)).is_err());
        assert!(outbox.take(connection).is_some_and(|frames| frames.len() < 100));
    }
}
