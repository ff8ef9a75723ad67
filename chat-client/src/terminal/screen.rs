//! Standard output and standard error. At a terminal, the line being typed stays below everything else.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Stderr, Stdout, Write};

use unicode_width::UnicodeWidthStr as _;

use crate::terminal::input_rows::{InputLine, InputRows};
use crate::terminal::line::{Line, Style};
use crate::terminal::tty;

/// Begins every line on standard error.
const ERROR_PREFIX: &str = concat!(env!("CARGO_PKG_NAME"), ": ");

/// While this many bytes of rows wait to be painted, nothing more should be shown.
const MAX_WAITING: usize = 64 * 1024;

/// The most bytes of rows that are painted at once; the line being typed is painted after each part.
const MAX_PAINT: usize = 16 * 1024;

/// Keeps the terminal from wrapping rows that it considers too long (DECAWM of the VT100).
const WRAP_OFF: &str = "\u{1b}[?7l";
const WRAP_ON: &str = "\u{1b}[?7h";

/// The layout of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Lines without layout.
    Flat,
    /// Rows no wider than the terminal.
    Rows {
        /// Whether parts of a line have colours.
        colours: bool,
        /// Whether a line is being typed below. If so, rows are painted with [`Screen::paint`], complaints among them.
        typing: bool,
    },
}

/// Lines above the line being typed that can still be replaced, and their id.
#[derive(Debug, PartialEq, Eq)]
struct Open {
    id: u64,
    lines: Vec<Line>,
}

/// The output of the client.
#[derive(Debug)]
pub(crate) struct Screen<O: Write = Stdout, E: Write = Stderr> {
    output: BufWriter<O>,
    errors: E,
    layout: Layout,
    /// Rows to be shown above the line being typed, from `painted` on.
    rows: String,
    painted: usize,
    /// The lines shown after the rows, and repainted until something else is shown.
    open: VecDeque<Open>,
    open_changed: bool,
    /// The cells in the rows of those lines, as the terminal shows them.
    open_rows: Vec<usize>,
    /// The line being typed, as the terminal shows it.
    input: Option<InputRows>,
    /// Whether to clear the terminal first.
    clears: bool,
}

impl Screen {
    /// The screen of this process.
    pub(crate) fn standard(layout: Layout) -> Self {
        Self::new(io::stdout(), io::stderr(), layout)
    }
}

impl<O: Write, E: Write> Screen<O, E> {
    /// A screen on any two writers.
    pub(crate) fn new(output: O, errors: E, layout: Layout) -> Self {
        Self {
            output: BufWriter::new(output),
            errors,
            layout,
            rows: String::new(),
            painted: 0,
            open: VecDeque::new(),
            open_changed: false,
            open_rows: Vec::new(),
            input: None,
            clears: false,
        }
    }

    /// Shows lines: as output, held back until [`Screen::flush`], or as rows to be painted.
    pub(crate) fn show(&mut self, lines: &[Line]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        match self.layout {
            Layout::Flat => {
                for line in lines {
                    self.output.write_all(line.as_str().as_bytes())?;
                    self.output.write_all(b"\n")?;
                }
                Ok(())
            }
            Layout::Rows { typing: true, .. } => {
                while let Some(open) = self.open.pop_front() {
                    self.push_rows(&open.lines);
                    self.open_changed = true;
                }
                self.push_rows(lines);
                Ok(())
            }
            Layout::Rows { colours, .. } => {
                let (width, _) = tty::size();
                for line in lines {
                    line.write_rows(&mut self.rows, width, colours);
                }
                // The terminal is in its usual mode, and adds the carriage returns itself.
                let rows = std::mem::take(&mut self.rows).replace("\r\n", "\n");
                self.output.write_all(rows.as_bytes())
            }
        }
    }

    /// Shows lines that can be replaced until something else is shown, if there is space for that.
    pub(crate) fn show_open(&mut self, id: u64, lines: Vec<Line>) -> io::Result<()> {
        if !matches!(self.layout, Layout::Rows { typing: true, .. }) {
            return self.show(&lines);
        }
        self.open.push_back(Open { id, lines });
        self.open_changed = true;
        let (width, height) = tty::size();
        while self.open_cells(width).len() > height / 2 {
            let Some(open) = self.open.pop_front() else { break };
            self.push_rows(&open.lines);
        }
        Ok(())
    }

    /// Replaces lines that were shown under `id`. Returns whether they could still be replaced.
    pub(crate) fn replace_open(&mut self, id: u64, lines: &[Line]) -> bool {
        let Some(open) = self.open.iter_mut().find(|open| open.id == id) else { return false };
        open.lines = lines.to_vec();
        self.open_changed = true;
        true
    }

    fn push_rows(&mut self, lines: &[Line]) {
        let ((width, _), colours) = (tty::size(), self.has_colours());
        for line in lines {
            line.write_rows(&mut self.rows, width, colours);
        }
    }

    fn has_colours(&self) -> bool {
        matches!(self.layout, Layout::Rows { colours: true, .. })
    }

    /// Returns the cells in the rows of the open lines.
    fn open_cells(&self, width: usize) -> Vec<usize> {
        let mut rows = String::new();
        for line in self.open.iter().flat_map(|open| &open.lines) {
            line.write_rows(&mut rows, width, false);
        }
        rows.split_terminator("\r\n").map(str::width).collect()
    }

    /// Whether more should be shown, which it should not while much waits to be painted.
    pub(crate) fn has_space(&self) -> bool {
        self.rows.len() - self.painted < MAX_WAITING
    }

    /// Whether rows wait to be painted.
    pub(crate) fn is_behind(&self) -> bool {
        self.painted < self.rows.len()
    }

    /// Writes everything held back.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    /// Returns what to write to the terminal for a part of the waiting rows, followed by the line being typed, if any.
    /// Returns `None` if the terminal is up to date.
    pub(crate) fn paint(&mut self, input: Option<InputLine<'_>>) -> Option<String> {
        let (width, height) = tty::size();
        let input = input.map(|input| InputRows::new(input, width, height, self.has_colours()));
        if !self.is_behind() && self.input == input && !self.open_changed && !self.clears {
            return None;
        }
        let mut out = WRAP_OFF.to_owned();
        if std::mem::take(&mut self.clears) {
            out.push_str("\u{1b}[H\u{1b}[2J");
        } else if let Some(old) = self.input.take() {
            old.erase(&mut out, width, &self.open_rows);
        }
        self.take_rows(&mut out);
        self.open_rows.clear();
        if !self.is_behind() {
            self.open_changed = false;
            for line in self.open.iter().flat_map(|open| &open.lines) {
                line.write_rows(&mut out, width, self.has_colours());
            }
            self.open_rows = self.open_cells(width);
        }
        if let Some(input) = &input {
            input.write(&mut out);
        } else {
            self.open.clear();
        }
        self.input = input;
        out.push_str(WRAP_ON);
        Some(out)
    }

    /// Moves whole waiting rows to `out`, up to [`MAX_PAINT`] bytes, or a single longer one.
    fn take_rows(&mut self, out: &mut String) {
        let waiting = &self.rows[self.painted..];
        let is_end = |byte: &u8| *byte == b'\n';
        let end = match waiting.as_bytes().split_at_checked(MAX_PAINT) {
            None => waiting.len(),
            Some((first, rest)) => match first.iter().rposition(is_end) {
                Some(at) => at + 1,
                None => rest.iter().position(is_end).map_or(waiting.len(), |at| MAX_PAINT + at + 1),
            },
        };
        out.push_str(&waiting[..end]);
        self.painted += end;
        if !self.is_behind() || self.painted >= MAX_WAITING {
            self.rows.drain(..self.painted);
            self.rows.shrink_to(2 * MAX_WAITING);
            self.painted = 0;
        }
    }

    /// Clears the terminal, which leaves the line being typed at the top.
    pub(crate) fn clear(&mut self) {
        self.clears = true;
    }

    /// Reports that a line was not sent: as `! text` above the line being typed, if any, or else like
    /// [`Screen::fail`].
    pub(crate) fn complain(&mut self, text: &str) -> io::Result<()> {
        if matches!(self.layout, Layout::Rows { typing: true, .. }) {
            let mut line = Line::default().indented(2);
            line.with(Style::Alarm, |line| line.push_mark("! "));
            line.push_text(text);
            return self.show(&[line]);
        }
        self.fail(text);
        Ok(())
    }

    /// Writes an error after the output so far. If that fails, there is nowhere to report it.
    pub(crate) fn fail(&mut self, text: &str) {
        let _ = self.flush();
        // In one write, since several programs may share a terminal.
        let line = format!("{ERROR_PREFIX}{}\n", Line::new(text).as_str());
        let _ = self.errors.write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::input_rows::Prompt;

    fn flat() -> Screen<Vec<u8>, Vec<u8>> {
        Screen::new(Vec::new(), Vec::new(), Layout::Flat)
    }

    #[test]
    fn output_is_written_at_a_flush() {
        let mut screen = flat();
        screen.show(&[Line::new("one"), Line::new("two\n")]).expect("a Vec takes all");
        assert!(screen.output.get_ref().is_empty());
        screen.flush().expect("a Vec takes all");
        assert_eq!(screen.output.get_ref(), b"one\ntwo\\u{a}\n");
    }

    #[test]
    fn an_error_comes_after_the_output_before_it() {
        let mut screen = flat();
        screen.show(&[Line::new("before")]).expect("a Vec takes all");
        screen.complain("error\u{1b}").expect("a Vec takes all");
        assert_eq!(screen.output.get_ref(), b"before\n");
        assert_eq!(screen.errors, b"chat-client: error\\u{1b}\n");
    }

    fn typing() -> Screen<Vec<u8>, Vec<u8>> {
        Screen::new(Vec::new(), Vec::new(), Layout::Rows { colours: false, typing: true })
    }

    /// Whatever comes, however much, and at whatever pace it is painted: each turn paints a bounded part of it, with
    /// the line being typed below, and nothing is lost.
    #[test]
    fn v6_rows_are_painted_in_parts_and_none_is_lost() {
        let prompt = Prompt { full: Line::new("> "), short: Line::new("> ") };
        let typed = InputLine { prompt: &prompt, text: "half", cursor: 4 };
        let mut screen = typing();
        let (mut shown, mut painted, mut turns) = (0, String::new(), 0);
        while painted.matches("line").count() < 1_000 {
            while screen.has_space() && shown < 1_000 {
                let text = format!("line {shown}: {}", "e\u{300}".repeat(shown % 999));
                screen.show(&[Line::new(&text)]).expect("nothing is written");
                shown += 1;
            }
            assert!(screen.rows.len() < 3 * MAX_WAITING, "{} bytes wait", screen.rows.len());
            let part = screen.paint(Some(typed)).expect("there is more");
            assert!(part.len() < MAX_PAINT + 100 && part.contains("> half"), "{}", part.len());
            painted.push_str(&part);
            turns += 1;
        }
        assert!(turns > 50);
        assert_eq!(screen.paint(Some(typed)), None, "the terminal shows everything");
        let numbers = painted.split("line ").skip(1).map(|rest| rest.split(':').next());
        assert!(numbers.eq(
            (0..1_000).map(|n| n.to_string()).collect::<Vec<_>>().iter().map(|n| Some(n.as_str()))
        ));
    }
}
