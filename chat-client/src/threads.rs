//! The threads that block on behalf of the event loop, and the events they send it.
//!
//! ```text
//! input --lines or keys--> +------------+ --frames--> outbox --> writer --> server
//!                          | event loop | --lines--> screen
//! reader ----messages----> +------------+
//! ```
//! Only the [event loop](crate::event_loop) has the state and the screen. Its queue is bounded: while
//! nobody reads the output, no more is read from the server. The loop itself never waits for the server;
//! see [`Outbox`]. When it returns the process ends, with all threads, whatever they wait for. Each
//! connection has a reader and a writer, and each attempt to make one a connector.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use chat_proto::Incoming;

use crate::io_error::IoErrorKind;
use crate::net::connection::{ConnectError, StreamEnd, connect, read_messages, write_frames};
use crate::net::destination::Destination;
use crate::net::outbox::Outbox;
use crate::terminal::keys::{Key, KeyDecoder};
use crate::terminal::line_reader::{LineError, next_line};
use crate::terminal::tty::{self, Change};

/// The capacity of the event queue: at most 4 MiB, of lines of 64 KiB.
pub(crate) const QUEUE_LEN: usize = 64;

/// How long the rest of an escape sequence may take.
const KEY_TIMEOUT: Duration = Duration::from_millis(100);

/// The input of the event loop.
pub(crate) enum Event {
    Line(Result<String, LineError>),
    Keys(Vec<Key>),
    InputEnded,
    InputFailed(IoErrorKind),
    Terminal(Change),
    Connected(Result<TcpStream, ConnectError>),
    Message(Box<Incoming>),
    Closed(StreamEnd),
}

/// Starts the reader and the writer of a connection.
pub(crate) fn serve(
    stream: &Arc<TcpStream>,
    outbox: &Arc<Outbox>,
    events: SyncSender<Event>,
) -> io::Result<()> {
    let connection = outbox.attach();
    let (reading, writing, outbox) = (Arc::clone(stream), Arc::clone(stream), Arc::clone(outbox));
    spawn("reader", move || {
        let deliver = |message| events.send(Event::Message(Box::new(message))).is_ok();
        let end = read_messages(&*reading, deliver);
        // Fails when the event loop has ended.
        let _ = events.send(Event::Closed(end));
    })?;
    spawn("writer", move || write_frames(&writing, &outbox, connection))
}

/// Starts an attempt to connect.
pub(crate) fn spawn_connector(server: Destination, events: SyncSender<Event>) -> io::Result<()> {
    spawn("connector", move || {
        let _ = events.send(Event::Connected(connect(&server)));
    })
}

/// Starts reading lines, as fast as they can be sent.
pub(crate) fn spawn_lines(outbox: &Arc<Outbox>, events: SyncSender<Event>) -> io::Result<()> {
    let outbox = Arc::clone(outbox);
    spawn("input", move || {
        let mut input = io::stdin().lock();
        while outbox.wait_for_space() {
            let event = match next_line(&mut input) {
                Ok(Some(line)) => Event::Line(line),
                Ok(None) => Event::InputEnded,
                Err(error) => Event::InputFailed(IoErrorKind::from(&error)),
            };
            let last = !matches!(event, Event::Line(_));
            if events.send(event).is_err() || last {
                return;
            }
        }
    })
}

/// Starts reading keys, and watching the terminal.
pub(crate) fn spawn_keys(events: SyncSender<Event>) -> io::Result<()> {
    let changes = events.clone();
    // With a full queue the event loop is about to paint anyway.
    tty::watch_signals(move |change| drop(changes.try_send(Event::Terminal(change))))?;
    spawn("input", move || {
        let mut decoder = KeyDecoder::default();
        let mut buffer = [0; 4096];
        loop {
            if decoder.is_waiting() && !tty::is_readable_within(KEY_TIMEOUT) {
                decoder.give_up();
            }
            let mut keys = Vec::new();
            let event = match tty::read(&mut buffer) {
                Ok(0) => Event::InputEnded,
                Ok(len) => {
                    decoder.feed(&buffer[..len], &mut keys);
                    Event::Keys(keys)
                }
                Err(error) => Event::InputFailed(IoErrorKind::from(&error)),
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
