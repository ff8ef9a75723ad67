//! [`Display`]: decides when the [`Screen`] is written, and by which thread.
//!
//! While keys are read, a separate thread paints, and the event loop continues meanwhile. Otherwise the event loop
//! writes, and waits for the reader of the output.

use std::io;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use crate::inbox::{Event, Inbox, Wanted};
use crate::terminal::input_rows::InputLine;
use crate::terminal::screen::Screen;

/// The longest delay before something is painted, while there is more to do.
const FRAME: Duration = Duration::from_millis(25);

/// How long a terminal may take for what remains to be painted at the end.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

/// The screen, and the thread that paints it, if there is one.
pub(crate) struct Display {
    pub(crate) screen: Screen,
    painter: Option<SyncSender<String>>,
    /// Whether the painter is busy.
    is_painting: bool,
    /// Since when something may have to be painted.
    changed: Option<Instant>,
}

impl Display {
    pub(crate) fn new(screen: Screen, painter: Option<SyncSender<String>>) -> Self {
        Self { screen, painter, is_painting: false, changed: None }
    }

    /// Records that something may have to be painted.
    pub(crate) fn change(&mut self) {
        self.changed.get_or_insert_with(Instant::now);
    }

    /// Whether to paint now, rather than wait for more events.
    pub(crate) fn is_due(&self) -> bool {
        self.changed.is_some_and(|since| since.elapsed() >= FRAME)
    }

    /// Handles the end of a painting. If there is more to paint, it does not wait any longer.
    pub(crate) fn painted(&mut self, written: io::Result<()>) -> io::Result<()> {
        self.is_painting = false;
        self.changed = Instant::now().checked_sub(FRAME);
        written
    }

    /// Paints what is waiting, or a part of it, with the line being typed, unless a painting is in progress. Without a
    /// painter, writes everything.
    pub(crate) fn paint(&mut self, input: Option<InputLine<'_>>) -> io::Result<()> {
        if self.is_painting {
            return Ok(());
        }
        self.changed = None;
        let Some(painter) = &self.painter else { return self.screen.flush() };
        if let Some(text) = self.screen.paint(input) {
            // The painter lives as long as the process.
            self.is_painting = painter.send(text).is_ok();
        }
        Ok(())
    }

    /// Paints everything that is waiting, and erases the line being typed. Returns false if the terminal takes longer
    /// than [`LEAVE_TIMEOUT`].
    pub(crate) fn finish(&mut self, inbox: &Inbox) -> io::Result<bool> {
        let until = Instant::now() + LEAVE_TIMEOUT;
        let nothing = Wanted { input: false, messages: false };
        let mut others = Vec::new();
        let is_finished = loop {
            self.paint(None)?;
            if !self.is_painting {
                break true;
            }
            match inbox.next(nothing, Some(until)) {
                Some(Event::Painted(written)) => self.painted(written)?,
                Some(other) => others.push(other),
                None => break false,
            }
        };
        others.into_iter().for_each(|event| inbox.put(event));
        Ok(is_finished)
    }
}
