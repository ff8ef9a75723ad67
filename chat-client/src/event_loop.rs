//! The event loop: takes events, and applies their effects to the screen, the server and the clock.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chat_proto::IncomingWelcome;

use crate::app::input_error::InputError;
use crate::app::render;
use crate::app::state::{AfterClose, App, Context, Effects};
use crate::app::status::Status;
use crate::clock;
use crate::display::Display;
use crate::inbox::{Event, Inbox, Wanted};
use crate::net::backoff;
use crate::net::connection::StreamEnd;
use crate::net::connector::{ConnectError, Connected, Connector};
use crate::net::outbox::{self, Outbox};
use crate::net::stream::Stream;
use crate::terminal::editor::{Editor, Pressed};
use crate::terminal::input_rows::InputLine;
use crate::terminal::keys::Key;
use crate::terminal::line_reader::LineError;
use crate::terminal::screen::Screen;
use crate::terminal::tty::{self, Change};
use crate::threads;

/// How long to wait after `/quit`, at a terminal, for the server to close. A script waits as long as necessary: the
/// server may still be busy with its commands.
const QUIT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a server may keep sending after `/quit` to somebody at a terminal who has sent everything.
const QUIT_GRACE: Duration = Duration::from_millis(250);

/// The source of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputSource {
    /// Lines from a pipe or a file.
    Pipe,
    /// Lines from a terminal in its usual mode.
    Lines,
    /// Keys from a terminal that the client has taken over.
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
    Up(Arc<Stream>),
    /// Lost at `since`; the next attempt is due at `until`.
    Waiting {
        since: Instant,
        until: Instant,
    },
    /// Lost at `since`; an attempt is in progress.
    Connecting {
        since: Instant,
    },
}

/// Everything that the event loop owns.
struct EventLoop {
    app: App,
    display: Display,
    outbox: Arc<Outbox>,
    connector: Connector,
    link: Link,
    inbox: Arc<Inbox>,
    editor: Option<Editor>,
    /// Whether the process is suspended, with the terminal restored.
    suspended: bool,
    /// Attempts since the server last accepted a connection.
    attempts: u32,
    /// Why the last attempt failed, if waiting would not help. It has already been shown.
    obstacle: Option<ConnectError>,
    quit_timeout: Option<Duration>,
    quit_at: Option<Instant>,
    /// The error that the client ends with, for standard error.
    error: Option<String>,
}

/// Runs until the connection has ended for good.
///
/// # Errors
/// If output cannot be written, or a thread cannot be started.
pub(crate) fn run(
    app: App,
    connected: Connected,
    connector: Connector,
    screen: Screen,
    source: InputSource,
) -> io::Result<Ending> {
    let (outbox, inbox) = (Arc::new(Outbox::default()), Arc::new(Inbox::default()));
    let Connected { stream, welcome, unread } = connected;
    let stream = Arc::new(stream);
    threads::serve(&stream, unread, welcome.is_some(), &outbox, &inbox)?;
    match source {
        InputSource::Keys => threads::spawn_keys(&inbox)?,
        InputSource::Lines | InputSource::Pipe => threads::spawn_lines(&outbox, &inbox)?,
    }
    let reads_keys = source == InputSource::Keys;
    let painter = reads_keys.then(|| threads::spawn_painter(&inbox)).transpose()?;
    EventLoop {
        app,
        display: Display::new(screen, painter),
        outbox,
        connector,
        link: Link::Up(stream),
        inbox,
        editor: reads_keys.then(Editor::default),
        suspended: false,
        attempts: 0,
        obstacle: None,
        quit_timeout: (source != InputSource::Pipe).then_some(QUIT_TIMEOUT),
        quit_at: None,
        error: None,
    }
    .run(welcome.as_deref())
}

impl EventLoop {
    fn run(mut self, welcome: Option<&IncomingWelcome>) -> io::Result<Ending> {
        let effects = self.app.connected(0, welcome, Instant::now());
        let mut ending = self.carry_out(effects)?;
        loop {
            if let Some(ending) = ending {
                let is_shown = self.display.finish(&self.inbox)?;
                if let Some(error) = self.error.filter(|_| is_shown) {
                    self.display.screen.fail(&error);
                }
                return Ok(ending);
            }
            ending = match self.next_event()? {
                Some(event) => {
                    self.display.change();
                    self.handle(event)?
                }
                None => self.time_is_up()?,
            };
        }
    }

    fn handle(&mut self, event: Event) -> io::Result<Option<Ending>> {
        match event {
            Event::Line(line) => self.line(line.as_deref().map_err(|error| *error)),
            Event::Keys(keys) => self.keys(keys),
            // The terminal is gone, and so is the person.
            Event::InputEnded if self.editor.is_some() => self.line(Ok("/quit")),
            Event::InputEnded => {
                let effects = self.app.input_ended(Instant::now());
                self.carry_out(effects)
            }
            Event::InputFailed(why) => {
                let error = self.app.say(&Status::CannotRead { why: &why });
                Ok(Some(self.fail(error)))
            }
            Event::Terminal(Change::Resized) => Ok(None),
            Event::Terminal(Change::Resumed) => self.resume().map(|()| None),
            Event::Connected(Ok(connected)) => self.connected(connected),
            Event::Connected(Err(error)) => self.not_connected(error).map(|()| None),
            Event::Message(_) if self.is_talked_at() => Ok(Some(self.fail_unclosed())),
            Event::Message(message) => {
                let time = clock::now();
                let effects = self.app.received(self.context(&time), &message);
                self.carry_out(effects)
            }
            Event::Closed(end) => self.closed(end),
            Event::Painted(written) => self.display.painted(written).map(|()| None),
        }
    }

    /// Whether the server keeps sending although the person at the terminal has left.
    fn is_talked_at(&self) -> bool {
        self.quit_timeout.is_some()
            && self.quit_at.is_some_and(|at| at.elapsed() > QUIT_GRACE)
            && self.outbox.all_sent()
    }

    fn fail(&mut self, error: String) -> Ending {
        self.error = Some(error);
        Ending::Failure
    }

    fn fail_unclosed(&mut self) -> Ending {
        let error = self.app.say(&Status::NotClosed);
        self.fail(error)
    }

    fn line(&mut self, line: Result<&str, LineError>) -> io::Result<Option<Ending>> {
        let time = clock::now();
        let effects = self.app.line(self.context(&time), line);
        if effects.quit {
            self.quit_at = Some(Instant::now());
        }
        self.carry_out(effects)
    }

    fn keys(&mut self, keys: Vec<Key>) -> io::Result<Option<Ending>> {
        if self.suspended {
            self.resume()?;
        }
        for key in keys {
            let Some(editor) = &mut self.editor else { return Ok(None) };
            let ending = match editor.press(key, self.app.vocabulary()) {
                // The second attempt to leave takes effect at once.
                Pressed::Leave if self.quit_at.is_some() => Some(self.fail_unclosed()),
                Pressed::Edited => None,
                Pressed::Entered(line) => self.line(Ok(&line))?,
                Pressed::TooLong => self.line(Err(LineError::TooLong))?,
                Pressed::Leave => self.line(Ok("/quit"))?,
                Pressed::Candidates(words) => {
                    self.display.screen.show(&[render::candidates(&words)])?;
                    None
                }
                Pressed::ClearScreen => {
                    self.display.screen.clear();
                    None
                }
                Pressed::Suspend => self.suspend().map(|()| None)?,
            };
            if ending.is_some() {
                return Ok(ending);
            }
        }
        Ok(None)
    }

    fn context<'a>(&self, time: &'a str) -> Context<'a> {
        // From other sources, lines wait for space instead.
        let is_full = || self.outbox.is_full() || self.app.waiting_bytes() >= outbox::FULL;
        Context {
            time,
            time_of: clock::time_of,
            now: Instant::now(),
            columns: tty::size().0,
            is_congested: self.editor.is_some() && is_full(),
        }
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.display.finish(&self.inbox)?;
        self.suspended = true;
        tty::suspend();
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        self.suspended = false;
        tty::resume()
    }

    fn connected(&mut self, connected: Connected) -> io::Result<Option<Ending>> {
        let Link::Connecting { since } = self.link else { return Ok(None) };
        let Connected { stream, welcome, unread } = connected;
        let stream = Arc::new(stream);
        threads::serve(&stream, unread, welcome.is_some(), &self.outbox, &self.inbox)?;
        self.link = Link::Up(stream);
        self.obstacle = None;
        let seconds = since.elapsed().as_secs();
        let effects = self.app.connected(seconds, welcome.as_deref(), Instant::now());
        self.carry_out(effects)
    }

    /// Schedules another attempt. Shows, once, an obstacle that only a person can remove.
    fn not_connected(&mut self, error: ConnectError) -> io::Result<()> {
        if error.is_lasting() && self.obstacle.as_ref() != Some(&error) {
            self.display.screen.show(&[render::client(&self.app.say(&error))])?;
            self.obstacle = Some(error);
        }
        if let Link::Connecting { since } = self.link {
            self.schedule_attempt(since);
        }
        Ok(())
    }

    fn closed(&mut self, end: StreamEnd) -> io::Result<Option<Ending>> {
        let end = self.corrected(end);
        let served = self.app.is_served();
        let all_sent = self.outbox.all_sent() || self.app.ends_session() && self.outbox.all_taken();
        match self.app.closed(&end, all_sent) {
            AfterClose::Succeed(line) => {
                self.complain_of_lost_chats()?;
                self.display.screen.show(line.as_slice())?;
                return Ok(Some(Ending::Success));
            }
            AfterClose::Fail(why) => {
                self.complain_of_lost_chats()?;
                return Ok(Some(self.fail(why)));
            }
            AfterClose::Reconnect(lines) => self.display.screen.show(&lines)?,
        }
        self.outbox.detach();
        if served {
            self.attempts = 0;
        }
        self.schedule_attempt(Instant::now());
        Ok(None)
    }

    fn complain_of_lost_chats(&mut self) -> io::Result<()> {
        let lost = self.app.lost_chats();
        lost.iter().try_for_each(|text| self.display.screen.complain(text))
    }

    fn schedule_attempt(&mut self, since: Instant) {
        let until = Instant::now() + backoff::delay(self.attempts, backoff::random());
        self.attempts = self.attempts.saturating_add(1);
        self.link = Link::Waiting { since, until };
    }

    /// An end between messages says nothing about the other direction: after an error of the writer, or a reset after
    /// the end, the server did not receive everything.
    fn corrected(&self, end: StreamEnd) -> StreamEnd {
        let (StreamEnd::Clean | StreamEnd::Unannounced, Link::Up(stream)) = (&end, &self.link)
        else {
            return end;
        };
        self.outbox.error().or_else(|| stream.take_error()).map_or(end, StreamEnd::Lost)
    }

    fn carry_out(&mut self, effects: Effects) -> io::Result<Option<Ending>> {
        if let Some((id, lines)) = &effects.refused
            && !self.display.screen.replace_open(*id, lines)
        {
            self.display.screen.show(lines)?;
        }
        self.display.screen.show(&effects.show)?;
        if let Some((id, lines)) = effects.own {
            self.display.screen.show_open(id, lines)?;
        }
        if let Some(text) = &effects.complain {
            self.display.screen.complain(text)?;
        }
        for text in &effects.lost {
            self.display.screen.complain(text)?;
        }
        for request in &effects.send {
            // This does not happen: parsing has measured the text.
            if self.outbox.push(request).is_err() {
                let error = InputError::from(LineError::TooLong);
                self.display.screen.complain(&self.app.say(&error))?;
            }
        }
        if let Some(text) = effects.fail {
            return Ok(Some(self.fail(text)));
        }
        if effects.quit {
            self.outbox.close();
            // Without a connection, there is nothing to wait for.
            return Ok((!self.app.is_online()).then_some(Ending::Failure));
        }
        Ok(None)
    }

    /// Returns the next event, or `None` when a deadline has passed. Writes output before waiting, so many messages at
    /// once cost one write. If the next event is always there already, output is written when it is due.
    fn next_event(&mut self) -> io::Result<Option<Event>> {
        let until = self.deadline();
        if until.is_some_and(|until| until <= Instant::now()) {
            return Ok(None);
        }
        let wanted = Wanted {
            // A line waits for the next connection; see [`Outbox::wait_for_space`].
            input: self.editor.is_some() || self.app.is_online() && !self.app.is_holding_back(),
            messages: self.display.screen.has_space(),
        };
        if !self.display.is_due()
            && let Some(event) = self.inbox.try_next(wanted)
        {
            return Ok(Some(event));
        }
        self.paint()?;
        Ok(self.inbox.next(wanted, until))
    }

    fn deadline(&self) -> Option<Instant> {
        match self.link {
            Link::Waiting { until, .. } => Some(until),
            Link::Up(_) | Link::Connecting { .. } => {
                self.quit_deadline().into_iter().chain(self.app.deadline()).min()
            }
        }
    }

    fn quit_deadline(&self) -> Option<Instant> {
        Some(self.quit_at? + self.quit_timeout?)
    }

    fn paint(&mut self) -> io::Result<()> {
        if self.suspended {
            return Ok(());
        }
        let prompt = self.app.prompt();
        let input = self.editor.as_ref().map(|editor| {
            let (text, cursor) = (editor.text(), editor.cursor());
            InputLine { prompt: &prompt, text, cursor }
        });
        self.display.paint(input)
    }

    fn time_is_up(&mut self) -> io::Result<Option<Ending>> {
        if let Link::Waiting { since, .. } = self.link {
            self.link = Link::Connecting { since };
            let hello = self.app.hello(since.elapsed());
            threads::spawn_connector(self.connector.clone(), hello, &self.inbox)?;
            return Ok(None);
        }
        let now = Instant::now();
        if self.quit_deadline().is_some_and(|until| until <= now) {
            return Ok(Some(self.fail_unclosed()));
        }
        let effects = self.app.time_passed(now);
        self.display.change();
        self.carry_out(effects)
    }
}
