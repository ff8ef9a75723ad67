//! The event loop: takes events, and carries out their effects on screen, server and clock.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use crate::app::input_error::InputError;
use crate::app::render;
use crate::app::state::{AfterClose, App, Context, Effects};
use crate::app::status::Status;
use crate::io_error::IoErrorKind;
use crate::net::backoff;
use crate::net::connection::StreamEnd;
use crate::net::destination::Destination;
use crate::net::outbox::Outbox;
use crate::terminal::editor::{Editor, Pressed};
use crate::terminal::input_rows::InputLine;
use crate::terminal::keys::Key;
use crate::terminal::line_reader::LineError;
use crate::terminal::screen::Screen;
use crate::terminal::tty::{self, Change};
use crate::threads::{self, Event, QUEUE_LEN};

/// How long to wait after `/quit` for the server to close, at a terminal. A script waits as long as it
/// takes: the server may still be busy with its commands.
const QUIT_TIMEOUT: Duration = Duration::from_secs(5);

/// The source of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputSource {
    /// Lines from a pipe or a file.
    Pipe,
    /// Lines from a terminal in its own mode.
    Lines,
    /// Keys from a terminal that was taken over.
    Keys,
}

/// Whether the client did what it was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Success,
    Failure,
}

/// The state of the connection.
enum Link {
    Up(Arc<TcpStream>),
    /// Lost at `since`; the next attempt is due at `until`.
    Waiting {
        since: Instant,
        until: Instant,
    },
    /// Lost at `since`; an attempt is being made.
    Connecting {
        since: Instant,
    },
}

/// Everything that the event loop owns.
struct EventLoop {
    app: App,
    screen: Screen,
    outbox: Arc<Outbox>,
    server: Destination,
    link: Link,
    events: Receiver<Event>,
    sender: SyncSender<Event>,
    editor: Option<Editor>,
    /// The terminal is restored while the process is stopped.
    suspended: bool,
    /// Input from a time without a connection, no more than the queue held; see
    /// [`Outbox::wait_for_space`].
    waiting: Vec<Event>,
    /// Attempts since the server last accepted a connection.
    attempts: u32,
    quit_timeout: Option<Duration>,
    /// The end of the wait after `/quit`.
    quit_deadline: Option<Instant>,
}

/// Runs until the connection has ended for good.
///
/// # Errors
/// When output cannot be written, or a thread cannot be started.
pub(crate) fn run(
    app: App,
    stream: TcpStream,
    server: Destination,
    screen: Screen,
    source: InputSource,
) -> io::Result<Ending> {
    let outbox = Arc::new(Outbox::default());
    let (sender, events) = sync_channel(QUEUE_LEN);
    let stream = Arc::new(stream);
    threads::serve(&stream, &outbox, sender.clone())?;
    match source {
        InputSource::Keys => threads::spawn_keys(sender.clone())?,
        InputSource::Lines | InputSource::Pipe => threads::spawn_lines(&outbox, sender.clone())?,
    }
    EventLoop {
        app,
        screen,
        outbox,
        server,
        link: Link::Up(stream),
        events,
        sender,
        editor: (source == InputSource::Keys).then(Editor::default),
        suspended: false,
        waiting: Vec::new(),
        attempts: 0,
        quit_timeout: (source != InputSource::Pipe).then_some(QUIT_TIMEOUT),
        quit_deadline: None,
    }
    .run()
}

impl EventLoop {
    fn run(mut self) -> io::Result<Ending> {
        let effects = self.app.connected(0);
        let mut ending = self.carry_out(&effects)?;
        loop {
            if let Some(ending) = ending {
                self.screen.finish()?;
                return Ok(ending);
            }
            ending = match self.next_event()? {
                Some(event) => self.handle(event)?,
                None => self.time_is_up()?,
            };
        }
    }

    fn handle(&mut self, event: Event) -> io::Result<Option<Ending>> {
        match event {
            Event::Line(_) | Event::InputEnded
                if self.editor.is_none() && !self.app.is_online() =>
            {
                self.waiting.push(event);
                Ok(None)
            }
            Event::Line(line) => self.line(line.as_deref().map_err(|error| *error)),
            Event::Keys(keys) => self.keys(keys),
            // The terminal has gone, and the person with it.
            Event::InputEnded if self.editor.is_some() => self.line(Ok("/quit")),
            Event::InputEnded => {
                let effects = self.app.input_ended();
                self.carry_out(&effects)
            }
            Event::InputFailed(why) => {
                self.screen.fail(&self.app.say(&Status::CannotRead { why: &why }));
                Ok(Some(Ending::Failure))
            }
            Event::Terminal(Change::Resized) => Ok(None),
            Event::Terminal(Change::Resumed) => self.resume().map(|()| None),
            Event::Connected(Ok(stream)) => self.connected(stream),
            Event::Connected(Err(_)) => {
                if let Link::Connecting { since } = self.link {
                    self.schedule_attempt(since);
                }
                Ok(None)
            }
            Event::Message(message) => {
                let time = clock();
                let effects = self.app.incoming(context(&time), &message);
                self.carry_out(&effects)
            }
            Event::Closed(end) => self.closed(end),
        }
    }

    fn line(&mut self, line: Result<&str, LineError>) -> io::Result<Option<Ending>> {
        let time = clock();
        let effects = self.app.line(context(&time), line);
        if effects.quit {
            self.quit_deadline = self.quit_timeout.map(|timeout| Instant::now() + timeout);
        }
        self.carry_out(&effects)
    }

    fn keys(&mut self, keys: Vec<Key>) -> io::Result<Option<Ending>> {
        if self.suspended {
            self.resume()?;
        }
        for key in keys {
            let Some(editor) = &mut self.editor else { return Ok(None) };
            let ending = match editor.press(key, self.app.vocabulary()) {
                Pressed::Edited => None,
                Pressed::Entered(line) => self.line(Ok(&line))?,
                Pressed::TooLong => self.line(Err(LineError::TooLong))?,
                Pressed::Leave => self.line(Ok("/quit"))?,
                Pressed::Candidates(words) => {
                    self.screen.show(&[render::candidates(&words)])?;
                    None
                }
                Pressed::ClearScreen => self.screen.clear().map(|()| None)?,
                Pressed::Suspend => self.suspend().map(|()| None)?,
            };
            if ending.is_some() {
                return Ok(ending);
            }
        }
        Ok(None)
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.screen.finish()?;
        self.suspended = true;
        tty::suspend();
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        self.suspended = false;
        tty::resume()
    }

    fn connected(&mut self, stream: TcpStream) -> io::Result<Option<Ending>> {
        let Link::Connecting { since } = self.link else { return Ok(None) };
        let stream = Arc::new(stream);
        threads::serve(&stream, &self.outbox, self.sender.clone())?;
        self.link = Link::Up(stream);
        let effects = self.app.connected(since.elapsed().as_secs());
        let mut ending = self.carry_out(&effects)?;
        for event in std::mem::take(&mut self.waiting) {
            ending = ending.or(self.handle(event)?);
        }
        Ok(ending)
    }

    fn closed(&mut self, end: StreamEnd) -> io::Result<Option<Ending>> {
        let end = self.corrected(end);
        let served = self.app.is_served();
        match self.app.closed(&end, self.outbox.all_sent()) {
            AfterClose::Succeed(line) => {
                self.screen.show(line.as_slice())?;
                return Ok(Some(Ending::Success));
            }
            AfterClose::Fail(why) => {
                self.screen.fail(&why);
                return Ok(Some(Ending::Failure));
            }
            AfterClose::Reconnect(lines) => self.screen.show(&lines)?,
        }
        self.outbox.detach();
        if served {
            self.attempts = 0;
        }
        self.schedule_attempt(Instant::now());
        Ok(None)
    }

    fn schedule_attempt(&mut self, since: Instant) {
        let until = Instant::now() + backoff::delay(self.attempts, backoff::random());
        self.attempts = self.attempts.saturating_add(1);
        self.link = Link::Waiting { since, until };
    }

    /// A clean end says nothing about the other direction: after an error of the writer, or a reset
    /// after the end, the server did not receive everything.
    fn corrected(&self, end: StreamEnd) -> StreamEnd {
        let (StreamEnd::Clean, Link::Up(stream)) = (&end, &self.link) else { return end };
        let reset = || stream.take_error().ok().flatten().map(|error| IoErrorKind::from(&error));
        self.outbox.error().or_else(reset).map_or(end, StreamEnd::Lost)
    }

    fn carry_out(&mut self, effects: &Effects) -> io::Result<Option<Ending>> {
        self.screen.show(&effects.show)?;
        if let Some(text) = &effects.complain {
            self.screen.complain(text)?;
        }
        for command in &effects.send {
            // Does not happen: parsing has measured the text.
            if self.outbox.push(command).is_err() {
                let error = InputError::from(LineError::TooLong);
                self.screen.complain(&self.app.say(&error))?;
            }
        }
        if let Some(text) = &effects.fail {
            self.screen.fail(text);
            return Ok(Some(Ending::Failure));
        }
        if effects.quit {
            self.outbox.close();
            // Without a connection there is nothing to wait for.
            return Ok((!self.app.is_online()).then_some(Ending::Failure));
        }
        Ok(None)
    }

    /// The next event, or `None` when a deadline has passed. Output is written before waiting, and only
    /// then: many messages at once cost one write.
    fn next_event(&mut self) -> io::Result<Option<Event>> {
        match self.events.try_recv() {
            Ok(event) => return Ok(Some(event)),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => self.flush()?,
        }
        let until = match self.link {
            Link::Waiting { until, .. } => Some(until),
            Link::Up(_) | Link::Connecting { .. } => self.quit_deadline,
        };
        let received = match until {
            None => self.events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(until) => {
                self.events.recv_timeout(until.saturating_duration_since(Instant::now()))
            }
        };
        // This thread has a sender itself, so the queue is never disconnected.
        Ok(received.ok())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &self.editor {
            _ if self.suspended => Ok(()),
            Some(editor) => {
                let (text, cursor) = (editor.text(), editor.cursor());
                self.screen.flush_above(InputLine { prompt: &self.app.prompt(), text, cursor })
            }
            None => self.screen.flush(),
        }
    }

    fn time_is_up(&mut self) -> io::Result<Option<Ending>> {
        if let Link::Waiting { since, .. } = self.link {
            self.link = Link::Connecting { since };
            threads::spawn_connector(self.server.clone(), self.sender.clone())?;
            return Ok(None);
        }
        self.screen.fail(&self.app.say(&Status::NotClosed));
        Ok(Some(Ending::Failure))
    }
}

fn context(time: &str) -> Context<'_> {
    Context { time, columns: tty::size().0 }
}

/// The local time of day.
fn clock() -> String {
    jiff::Zoned::now().strftime("%H:%M").to_string()
}
