//! The threads of the client: some that wait, and one that decides.
//!
//! ```text
//! input --lines or keys--> +--------+ --frames--> outbox --> writer --> server
//!                          | decide | --lines--> screen
//! reader ----messages----> +--------+
//! ```
//! Only the deciding thread has the state and the screen; see [`crate::event_loop`]. The queue before it
//! is bounded: who does not look at the output is not sent more. It never waits for the server: see
//! [`Outbox`]. When it returns the process ends, and the other threads with it, whatever they wait
//! for. A connection has a reader and a writer of its own, and one that connects before that.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use chat_proto::Incoming;

use crate::app::input::Mistake;
use crate::app::state::Closed;
use crate::io_error::Fault;
use crate::net::connection::{Unreached, connect, read_messages, write_frames};
use crate::net::destination::Destination;
use crate::net::outbox::Outbox;
use crate::terminal::keys::{Key, KeyDecoder};
use crate::terminal::line_reader::next_line;
use crate::terminal::tty::{self, Change};

/// Events that wait for the deciding thread: at most 4 MiB of lines of 64 KiB.
pub(crate) const QUEUE_LEN: usize = 64;

/// Bytes of a key that do not come within this time are not one key.
const KEY_TIME: Duration = Duration::from_millis(100);

/// What the deciding thread is told.
pub(crate) enum Event {
    Line(Result<String, Mistake>),
    Keys(Vec<Key>),
    InputEnded,
    InputFailed(Fault),
    Terminal(Change),
    Connected(Result<TcpStream, Unreached>),
    Message(Box<Incoming>),
    Closed(Closed),
}

/// Reads and writes a connection from now on.
pub(crate) fn serve(
    stream: &Arc<TcpStream>,
    outbox: &Arc<Outbox>,
    events: SyncSender<Event>,
) -> io::Result<()> {
    let connection = outbox.attach();
    let (reading, writing, outbox) = (Arc::clone(stream), Arc::clone(stream), Arc::clone(outbox));
    spawn("reader", move || {
        let closed = read_messages(&*reading, |message| {
            events.send(Event::Message(Box::new(message))).is_ok()
        });
        // Nobody is left to tell when the deciding thread has gone.
        let _ = events.send(Event::Closed(closed));
    })?;
    spawn("writer", move || write_frames(&writing, &outbox, connection))
}

/// Connects, which may take a while, and tells what came of it.
pub(crate) fn spawn_connector(server: Destination, events: SyncSender<Event>) -> io::Result<()> {
    spawn("connector", move || {
        let _ = events.send(Event::Connected(connect(&server)));
    })
}

/// Reads lines, as fast as they can be sent.
pub(crate) fn spawn_lines(outbox: &Arc<Outbox>, events: SyncSender<Event>) -> io::Result<()> {
    let outbox = Arc::clone(outbox);
    spawn("input", move || {
        let mut input = io::stdin().lock();
        while outbox.wait_for_room() {
            let event = match next_line(&mut input) {
                Ok(Some(line)) => Event::Line(line),
                Ok(None) => Event::InputEnded,
                Err(error) => Event::InputFailed(Fault::from(&error)),
            };
            let last = !matches!(event, Event::Line(_));
            if events.send(event).is_err() || last {
                return;
            }
        }
    })
}

/// Reads keys, and watches what happens to the terminal.
pub(crate) fn spawn_keys(events: SyncSender<Event>) -> io::Result<()> {
    let changes = events.clone();
    // With a full queue the deciding thread is about to look at the terminal anyway.
    tty::watch_signals(move |change| drop(changes.try_send(Event::Terminal(change))))?;
    spawn("input", move || {
        let mut decoder = KeyDecoder::default();
        let mut buffer = [0; 4096];
        loop {
            if decoder.is_waiting() && !tty::is_readable_within(KEY_TIME) {
                decoder.give_up();
            }
            let mut keys = Vec::new();
            let event = match tty::read(&mut buffer) {
                Ok(0) => Event::InputEnded,
                Ok(len) => {
                    decoder.feed(&buffer[..len], &mut keys);
                    Event::Keys(keys)
                }
                Err(error) => Event::InputFailed(Fault::from(&error)),
            };
            let last = !matches!(event, Event::Keys(_));
            if events.send(event).is_err() || last {
                return;
            }
        }
    })
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(body).map(drop)
}
