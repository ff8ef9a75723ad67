//! The life of a connection: three threads that wait, and one that decides.
//!
//! ```text
//! input --lines--> +--------+ --frames--> outbox --> writer --> server
//!                  | decide | --lines--> screen
//! reader-messages->+--------+
//! ```
//! Only the deciding thread has the [`App`] and the screen. The queue before it is bounded: who
//! does not look at the output is not sent more. It never waits for the server: see [`Outbox`].
//! When it returns the process ends, and the other threads with it, whatever they wait for.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use chat_proto::Incoming;

use crate::app::{Action, App, Closed, Ending};
use crate::input::next_line;
use crate::net::{plain, read_messages, write_frames};
use crate::outbox::Outbox;
use crate::render::Line;
use crate::screen::Screen;
use crate::typed::Mistake;

/// Lines and messages that wait for the deciding thread: at most 4 MiB of lines of 64 KiB.
const QUEUE_LEN: usize = 64;

/// How long a person who typed `/quit` waits for a server that does not close the connection. A
/// script has all the time it takes: the server may still be busy with what it sent.
const PATIENCE: Duration = Duration::from_secs(5);

enum Event {
    Line(Result<String, Mistake>),
    InputEnded,
    InputFailed(io::Error),
    Message(Incoming),
    Closed(Closed),
}

/// Runs until the connection has ended. Whether `person` sits at a terminal decides only how long
/// `/quit` waits.
///
/// # Errors
/// When output cannot be written, or there are no threads to be had.
pub(crate) fn run(stream: TcpStream, screen: Screen, person: bool) -> io::Result<Ending> {
    let stream = Arc::new(stream);
    let outbox = Arc::new(Outbox::default());
    let (sender, events) = sync_channel(QUEUE_LEN);
    spawn_reader(&stream, sender.clone())?;
    spawn_writer(&stream, &outbox)?;
    spawn_input(&outbox, sender)?;
    let patience = person.then_some(PATIENCE);
    Chat { app: App::default(), stream, outbox, screen, events, patience, deadline: None }.run()
}

fn spawn_reader(stream: &Arc<TcpStream>, events: SyncSender<Event>) -> io::Result<()> {
    let stream = Arc::clone(stream);
    spawn("reader", move || {
        let closed =
            read_messages(&*stream, |message| events.send(Event::Message(message)).is_ok());
        // Nobody is left to tell when the deciding thread has gone.
        let _ = events.send(Event::Closed(closed));
    })
}

fn spawn_writer(stream: &Arc<TcpStream>, outbox: &Arc<Outbox>) -> io::Result<()> {
    let (stream, outbox) = (Arc::clone(stream), Arc::clone(outbox));
    spawn("writer", move || write_frames(&stream, &outbox))
}

fn spawn_input(outbox: &Arc<Outbox>, events: SyncSender<Event>) -> io::Result<()> {
    let outbox = Arc::clone(outbox);
    spawn("input", move || {
        let mut input = io::stdin().lock();
        while outbox.wait_for_room() {
            let event = match next_line(&mut input) {
                Ok(Some(line)) => Event::Line(line),
                Ok(None) => Event::InputEnded,
                Err(error) => Event::InputFailed(error),
            };
            let last = !matches!(event, Event::Line(_));
            if events.send(event).is_err() || last {
                return;
            }
        }
    })
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(body).map(drop)
}

/// What the deciding thread has.
struct Chat {
    app: App,
    stream: Arc<TcpStream>,
    outbox: Arc<Outbox>,
    screen: Screen,
    events: Receiver<Event>,
    /// How long `/quit` waits, if not for ever.
    patience: Option<Duration>,
    deadline: Option<Instant>,
}

impl Chat {
    fn run(mut self) -> io::Result<Ending> {
        while let Some(event) = self.next_event()? {
            match event {
                Event::Line(Ok(line)) => {
                    let action = self.app.line(&line);
                    if action == Action::Quit {
                        self.deadline = self.patience.map(|patience| Instant::now() + patience);
                    }
                    self.act(action)?;
                }
                Event::Line(Err(mistake)) => self.act(self.app.mistake(&mistake))?,
                Event::InputEnded => {
                    let action = self.app.input_ended();
                    self.act(action)?;
                }
                Event::InputFailed(error) => {
                    let line = format!("cannot read the input: {}", plain(&error));
                    self.screen.complain(&Line::new(&line));
                    return Ok(Ending::Bad);
                }
                Event::Message(message) => self.screen.show(&self.app.incoming(&message))?,
                Event::Closed(closed) => return self.end(closed),
            }
        }
        self.screen.complain(&Line::new(
            "the server does not close the connection; left without waiting for it",
        ));
        Ok(Ending::Bad)
    }

    /// The next event, or `None` when the deadline passes. What was shown is brought out before
    /// waiting, and only then: many messages at once cost one write.
    fn next_event(&mut self) -> io::Result<Option<Event>> {
        match self.events.try_recv() {
            Ok(event) => return Ok(Some(event)),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => self.screen.flush()?,
        }
        let received = match self.deadline {
            None => self.events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(deadline) => {
                self.events.recv_timeout(deadline.saturating_duration_since(Instant::now()))
            }
        };
        Ok(match received {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            // The reader says so when it ends; without its word all that is known is the end.
            Err(RecvTimeoutError::Disconnected) => Some(Event::Closed(Closed::Clean)),
        })
    }

    fn act(&mut self, action: Action) -> io::Result<()> {
        match action {
            Action::Nothing => {}
            Action::Send(command) => {
                if let Err(too_long) = self.outbox.push(&command) {
                    self.screen.complain(&Line::new(&format!("! {too_long}")));
                }
            }
            Action::Show(lines) => self.screen.show(&lines)?,
            Action::Refuse(line) => self.screen.complain(&line),
            Action::Quit => self.outbox.close(),
        }
        Ok(())
    }

    fn end(mut self, closed: Closed) -> io::Result<Ending> {
        let (ending, line) = self.app.closed(&self.really(closed), self.outbox.all_sent());
        match (ending, line) {
            (Ending::Good, line) => self.screen.show(line.as_slice())?,
            (Ending::Bad, line) => {
                if let Some(line) = line {
                    self.screen.complain(&line);
                }
            }
        }
        self.screen.flush()?;
        Ok(ending)
    }

    /// A clean end says nothing about the other direction: an error of the writer, or a reset that
    /// came after the end, tells that the server did not take everything.
    fn really(&self, closed: Closed) -> Closed {
        if closed != Closed::Clean {
            return closed;
        }
        let reset = || self.stream.take_error().ok().flatten().map(|error| plain(&error));
        self.outbox.failure().or_else(reset).map_or(Closed::Clean, Closed::Lost)
    }
}
