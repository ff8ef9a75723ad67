//! The receiving end of the queue of events.

use std::iter;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::event::Event;
use crate::stats::Counter;

/// The events of a server, from [`Server::observe`](crate::Server::observe): an iterator that waits for the
/// next one, and ends with the server.
///
/// - **Order.** Events come in the order in which things happened, whichever worker carried them out: of a session
///   from [`Event::Connected`] to [`Event::Ended`], of a room from [`Event::RoomCreated`] to [`Event::RoomClosed`],
///   with rising broadcast numbers. Only [`Event::Connected`] may come a little before events of others at that time.
/// - **Time.** An event is queued in the turn of the event loop that sends its message to the clients, right before
///   that. The reader may see it before the clients do, or after.
/// - **Loss.** The server never waits for the reader: while the queue is full, further events are missed.
///   [`Event::Missed`] takes their place as soon as there is room again; [`Events::missed`] counts them.
/// - **End.** When the server stops, each session gets its [`Event::Ended`] after everything that was carried out;
///   then the events end. Rooms that still have members get no [`Event::RoomClosed`].
///
/// Dropping it ends the observation.
#[derive(Debug)]
pub struct Events {
    queue: Receiver<Event>,
    missed: Arc<Counter>,
}

impl Events {
    pub(super) fn new(queue: Receiver<Event>, missed: Arc<Counter>) -> Self {
        Self { queue, missed }
    }

    /// Waits for the next event, for at most `timeout`; not at all if that is [`Duration::ZERO`].
    ///
    /// # Errors
    /// `Timeout` if no event came, `Disconnected` if none will.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Event, RecvTimeoutError> {
        self.queue.recv_timeout(timeout)
    }

    /// The number of events missed so far.
    pub fn missed(&self) -> u64 {
        self.missed.value()
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.queue.recv().ok()
    }
}

impl iter::FusedIterator for Events {}
