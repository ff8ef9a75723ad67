//! The deciding thread: events in; to the screen, the server and the clock what they lead to.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use crate::app::input::Mistake;
use crate::app::state::{After, App, Closed, Ending, Outcome};
use crate::app::texts::Text;
use crate::io_error::Fault;
use crate::net::backoff;
use crate::net::destination::Destination;
use crate::net::outbox::Outbox;
use crate::terminal::editor::{Editor, Pressed};
use crate::terminal::keys::Key;
use crate::terminal::line::{Line, Style};
use crate::terminal::painting::Typing;
use crate::terminal::screen::Screen;
use crate::terminal::tty::{self, Change};
use crate::threads::{self, Event, QUEUE_LEN};

/// How long a person who typed `/quit` waits for a server that does not close the connection. A
/// script has all the time it takes: the server may still be busy with what it sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who gives the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typist {
    /// A program, or a person through one: lines.
    Program,
    /// A person whose terminal makes lines of what is typed.
    Lines,
    /// A person whose keys come here.
    Keys,
}

/// What there is of a connection.
enum Link {
    Up(Arc<TcpStream>),
    /// The next attempt is to be made then.
    Waiting {
        until: Instant,
        outage: Outage,
    },
    Trying(Outage),
}

/// A time without a connection.
#[derive(Clone, Copy)]
struct Outage {
    since: Instant,
    /// Attempts to end it.
    attempts: u32,
}

/// What the deciding thread has.
struct Chat {
    app: App,
    screen: Screen,
    outbox: Arc<Outbox>,
    server: Destination,
    link: Link,
    events: Receiver<Event>,
    sender: SyncSender<Event>,
    editor: Option<Editor>,
    /// The terminal was given back while the process is stopped.
    suspended: bool,
    /// Input that came while there was no connection, as much as the queue had; see
    /// [`Outbox::wait_for_room`].
    waiting: Vec<Event>,
    /// Attempts since the server last took a connection.
    attempts: u32,
    patience: Option<Duration>,
    /// When patience is over.
    deadline: Option<Instant>,
}

/// Runs until the connection has ended for good.
///
/// # Errors
/// When output cannot be written, or there are no threads to be had.
pub(crate) fn run(
    app: App,
    stream: TcpStream,
    server: Destination,
    screen: Screen,
    typist: Typist,
) -> io::Result<Ending> {
    let outbox = Arc::new(Outbox::default());
    let (sender, events) = sync_channel(QUEUE_LEN);
    let stream = Arc::new(stream);
    threads::serve(&stream, &outbox, sender.clone())?;
    match typist {
        Typist::Keys => threads::spawn_keys(sender.clone())?,
        Typist::Lines | Typist::Program => threads::spawn_lines(&outbox, sender.clone())?,
    }
    let mut chat = Chat {
        app,
        screen,
        outbox,
        server,
        link: Link::Up(stream),
        events,
        sender,
        editor: (typist == Typist::Keys).then(Editor::default),
        suspended: false,
        waiting: Vec::new(),
        attempts: 0,
        patience: (typist != Typist::Program).then_some(PATIENCE),
        deadline: None,
    };
    chat.run()
}

impl Chat {
    fn run(&mut self) -> io::Result<Ending> {
        let outcome = self.app.connected(0);
        let mut ending = self.carry_out(&outcome)?;
        while ending.is_none() {
            ending = match self.next_event()? {
                Some(event) => self.handle(event)?,
                None => self.time_is_up()?,
            };
        }
        self.screen.finish()?;
        Ok(ending.expect("the loop has ended"))
    }

    fn handle(&mut self, event: Event) -> io::Result<Option<Ending>> {
        match event {
            Event::Line(_) | Event::InputEnded
                if self.editor.is_none() && !self.app.is_online() =>
            {
                self.waiting.push(event);
                Ok(None)
            }
            Event::Line(line) => self.line(line),
            Event::Keys(keys) => self.keys(keys),
            // The terminal has gone; so has whoever sat there.
            Event::InputEnded if self.editor.is_some() => self.line(Ok("/quit".to_owned())),
            Event::InputEnded => {
                let outcome = self.app.input_ended();
                self.carry_out(&outcome)
            }
            Event::InputFailed(why) => {
                let line = self.app.say(Text::CannotRead { why: &why });
                self.screen.fail(&Line::new(&line));
                Ok(Some(Ending::Bad))
            }
            Event::Terminal(Change::Resized) => Ok(None),
            Event::Terminal(Change::Resumed) => self.resume().map(|()| None),
            Event::Connected(Ok(stream)) => self.connected(stream),
            Event::Connected(Err(_)) => {
                self.wait_for_the_next_attempt();
                Ok(None)
            }
            Event::Message(message) => {
                let outcome = self.app.incoming(&clock(), &message);
                self.carry_out(&outcome)
            }
            Event::Closed(closed) => self.closed(&closed),
        }
    }

    fn line(&mut self, line: Result<String, Mistake>) -> io::Result<Option<Ending>> {
        let outcome = match line {
            Ok(line) => self.app.line(&clock(), &line),
            Err(mistake) => self.app.mistake(&mistake),
        };
        if outcome.quit {
            self.deadline = self.patience.map(|patience| Instant::now() + patience);
        }
        self.carry_out(&outcome)
    }

    fn keys(&mut self, keys: Vec<Key>) -> io::Result<Option<Ending>> {
        if self.suspended {
            self.resume()?;
        }
        for key in keys {
            let Some(editor) = &mut self.editor else { return Ok(None) };
            let ending = match editor.press(key, self.app.vocabulary()) {
                Pressed::Edited => None,
                Pressed::Entered(line) => self.line(Ok(line))?,
                Pressed::TooLong => self.line(Err(Mistake::LineTooLong))?,
                Pressed::Leave => self.line(Ok("/quit".to_owned()))?,
                Pressed::Candidates(words) => {
                    let words = Line::styled(&words.join("  "), Style::Dim).indented(2);
                    self.screen.show(&[words])?;
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
        let Link::Trying(outage) = self.link else { return Ok(None) };
        let stream = Arc::new(stream);
        threads::serve(&stream, &self.outbox, self.sender.clone())?;
        self.link = Link::Up(stream);
        let outcome = self.app.connected(outage.since.elapsed().as_secs());
        let mut ending = self.carry_out(&outcome)?;
        for event in std::mem::take(&mut self.waiting) {
            ending = ending.or(self.handle(event)?);
        }
        Ok(ending)
    }

    fn closed(&mut self, closed: &Closed) -> io::Result<Option<Ending>> {
        let closed = self.really(closed);
        let served = self.app.is_served();
        let (ending, lines) = match self.app.closed(&closed, self.outbox.all_sent()) {
            After::Over(Ending::Bad, line) => {
                if let Some(line) = line {
                    self.screen.fail(&line);
                }
                (Some(Ending::Bad), Vec::new())
            }
            After::Over(Ending::Good, line) => (Some(Ending::Good), Vec::from_iter(line)),
            After::Again(lines) => (None, lines),
        };
        self.screen.show(&lines)?;
        if ending.is_none() {
            self.outbox.detach();
            self.attempts = if served { 0 } else { self.attempts };
            self.link = Link::Trying(Outage { since: Instant::now(), attempts: self.attempts });
            self.wait_for_the_next_attempt();
        }
        Ok(ending)
    }

    fn wait_for_the_next_attempt(&mut self) {
        let Link::Trying(mut outage) = self.link else { return };
        let until = Instant::now() + backoff::delay(outage.attempts, backoff::random());
        outage.attempts = outage.attempts.saturating_add(1);
        self.attempts = outage.attempts;
        self.link = Link::Waiting { until, outage };
    }

    /// A clean end says nothing about the other direction: an error of the writer, or a reset that
    /// came after the end, tells that the server did not take everything.
    fn really(&self, closed: &Closed) -> Closed {
        let (Closed::Clean, Link::Up(stream)) = (closed, &self.link) else {
            return closed.clone();
        };
        let reset = || stream.take_error().ok().flatten().map(|error| Fault::from(&error));
        self.outbox.failure().or_else(reset).map_or(Closed::Clean, Closed::Lost)
    }

    fn carry_out(&mut self, outcome: &Outcome) -> io::Result<Option<Ending>> {
        self.screen.show(&outcome.show)?;
        if let Some(line) = &outcome.refuse {
            self.screen.complain(line)?;
        }
        for command in &outcome.send {
            if self.outbox.push(command).is_err() {
                // What is typed was measured before; this is for a rule that has changed.
                let mistake = self.app.mistake(&Mistake::LineTooLong);
                self.screen.complain(&mistake.refuse.unwrap_or_default())?;
            }
        }
        if let Some(line) = &outcome.fail {
            self.screen.fail(line);
            return Ok(Some(Ending::Bad));
        }
        if outcome.quit {
            self.outbox.close();
            // There is nobody to wait for.
            return Ok((!self.app.is_online()).then_some(Ending::Bad));
        }
        Ok(None)
    }

    /// The next event, or `None` when it is time for something else. What was shown is brought out
    /// before waiting, and only then: many messages at once cost one write.
    fn next_event(&mut self) -> io::Result<Option<Event>> {
        match self.events.try_recv() {
            Ok(event) => return Ok(Some(event)),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => self.bring_out()?,
        }
        let until = match self.link {
            Link::Waiting { until, .. } => Some(until),
            Link::Up(_) | Link::Trying(_) => self.deadline,
        };
        let received = match until {
            None => self.events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(until) => {
                self.events.recv_timeout(until.saturating_duration_since(Instant::now()))
            }
        };
        // This thread has a sender itself, so the queue never ends.
        Ok(received.ok())
    }

    fn bring_out(&mut self) -> io::Result<()> {
        match &self.editor {
            _ if self.suspended => Ok(()),
            Some(editor) => {
                let (text, cursor) = (editor.text(), editor.cursor());
                self.screen.flush_above(Typing { prompt: &self.app.prompt(), text, cursor })
            }
            None => self.screen.flush(),
        }
    }

    fn time_is_up(&mut self) -> io::Result<Option<Ending>> {
        if let Link::Waiting { outage, .. } = self.link {
            self.link = Link::Trying(outage);
            threads::spawn_connector(self.server.clone(), self.sender.clone())?;
            return Ok(None);
        }
        self.screen.fail(&Line::new(&self.app.say(Text::NotClosed)));
        Ok(Some(Ending::Bad))
    }
}

/// The local time, for people.
fn clock() -> String {
    jiff::Zoned::now().strftime("%H:%M").to_string()
}
