//! The threads that block on behalf of the event loop, and the events they send it.
//!
//! ```text
//! input --lines or keys--> inbox --> +------------+ --frames--> outbox --> writer --> server
//!                                    | event loop |
//! reader ----messages----> inbox --> +------------+ --rows--> painter --> terminal
//! ```
//! Only the [event loop](crate::event_loop) has the state and the screen. Its [`Inbox`] is bounded: while nobody reads
//! the output, no more is read from the server. The loop itself never waits for the server (see [`Outbox`]) nor, when
//! it reads keys, for the terminal; output for programs it writes itself. When it returns, the process ends with all
//! its threads, whatever they are waiting for. Each connection has a reader and a writer, and each attempt to connect
//! has a connector.

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::inbox::{Event, Inbox};
use crate::io_error::IoErrorKind;
use crate::net::connection::{read_messages, write_frames};
use crate::net::connector::Connector;
use crate::net::hello::Hello;
use crate::net::outbox::Outbox;
use crate::net::stream::Stream;
use crate::terminal::keys::KeyDecoder;
use crate::terminal::line_reader::next_line;
use crate::terminal::tty;

/// How long the rest of an escape sequence may take.
const KEY_TIMEOUT: Duration = Duration::from_millis(100);

/// Starts the reader and the writer of a connection. The bytes in `unread` are read before those of the stream. The
/// server `knows_hello` if it has answered one.
pub(crate) fn serve(
    stream: &Arc<Stream>,
    unread: Vec<u8>,
    knows_hello: bool,
    outbox: &Arc<Outbox>,
    inbox: &Arc<Inbox>,
) -> io::Result<()> {
    let inbox = Arc::clone(inbox);
    let connection = outbox.attach();
    let (reading, writing, outbox) = (Arc::clone(stream), Arc::clone(stream), Arc::clone(outbox));
    spawn("reader", move || {
        let unread = unread.as_slice();
        let deliver = |message, len| inbox.put_message(Event::Message(Box::new(message)), len);
        let bytes = unread.chain(reading.reader());
        let end = read_messages(bytes, knows_hello, deliver);
        inbox.put_message(Event::Closed(end), 0);
    })?;
    spawn("writer", move || write_frames(&writing, &outbox, connection))
}

/// Starts an attempt to connect.
pub(crate) fn spawn_connector(
    connector: Connector,
    hello: Hello,
    inbox: &Arc<Inbox>,
) -> io::Result<()> {
    let inbox = Arc::clone(inbox);
    spawn("connector", move || inbox.put(Event::Connected(connector.connect(&hello))))
}

/// Starts reading lines, as fast as they can be sent.
pub(crate) fn spawn_lines(outbox: &Arc<Outbox>, inbox: &Arc<Inbox>) -> io::Result<()> {
    let (outbox, inbox) = (Arc::clone(outbox), Arc::clone(inbox));
    spawn("input", move || {
        let mut input = io::stdin().lock();
        while outbox.wait_for_space() {
            let event = match next_line(&mut input) {
                Ok(Some(line)) => Event::Line(line),
                Ok(None) => Event::InputEnded,
                Err(error) => Event::InputFailed(IoErrorKind::from(&error)),
            };
            let last = !matches!(event, Event::Line(_));
            inbox.put_input(event);
            if last {
                return;
            }
        }
    })
}

/// Starts reading keys, and watching the terminal.
pub(crate) fn spawn_keys(inbox: &Arc<Inbox>) -> io::Result<()> {
    let (inbox, changes) = (Arc::clone(inbox), Arc::clone(inbox));
    tty::watch_signals(move |change| changes.put(Event::Terminal(change)))?;
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
            inbox.put_input(event);
            if last {
                return;
            }
        }
    })
}

/// Starts the thread that writes to a terminal, however slowly the terminal reads. Each text is followed by
/// [`Event::Painted`], for which the next text must wait.
pub(crate) fn spawn_painter(inbox: &Arc<Inbox>) -> io::Result<SyncSender<String>> {
    let inbox = Arc::clone(inbox);
    let (sender, texts) = sync_channel::<String>(1);
    spawn("painter", move || {
        for text in texts {
            let mut output = io::stdout().lock();
            let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
            inbox.put(Event::Painted(written));
        }
    })?;
    Ok(sender)
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(body).map(drop)
}
