//! Standard output and standard error. At a terminal the line being typed stays below everything else.

use std::io::{self, BufWriter, Stderr, Stdout, Write};

use crate::terminal::input_rows::{InputLine, InputRows};
use crate::terminal::line::{Line, Style};
use crate::terminal::tty;

/// Begins every line on standard error.
const ERROR_PREFIX: &str = concat!(env!("CARGO_PKG_NAME"), ": ");

/// The layout of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Lines as they are.
    Flat,
    /// Rows no wider than the terminal.
    Rows {
        /// Whether parts of a line have colours.
        colours: bool,
        /// Whether a line is being typed below. Complaints are shown above it then.
        typing: bool,
    },
}

/// Where lines go. Output is held until [`Screen::flush`] or the next error.
#[derive(Debug)]
pub(crate) struct Screen<O: Write = Stdout, E: Write = Stderr> {
    output: BufWriter<O>,
    errors: E,
    layout: Layout,
    /// Rows to be shown above the line being typed.
    rows: String,
    /// The line being typed, as the terminal shows it.
    input: Option<InputRows>,
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
        Self { output: BufWriter::new(output), errors, layout, rows: String::new(), input: None }
    }

    /// Writes lines as output.
    pub(crate) fn show(&mut self, lines: &[Line]) -> io::Result<()> {
        match self.layout {
            Layout::Flat => {
                for line in lines {
                    self.output.write_all(line.as_str().as_bytes())?;
                    self.output.write_all(b"\n")?;
                }
                Ok(())
            }
            Layout::Rows { colours, typing } => {
                let (width, _) = tty::size();
                for line in lines {
                    line.write_rows(&mut self.rows, width, colours);
                }
                if typing {
                    return Ok(());
                }
                // The terminal is in its own mode, and makes its own line ends.
                let rows = std::mem::take(&mut self.rows).replace("\r\n", "\n");
                self.output.write_all(rows.as_bytes())
            }
        }
    }

    /// Writes whatever is held.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    /// Writes whatever is held above the line being typed, in one write.
    pub(crate) fn flush_above(&mut self, input: InputLine<'_>) -> io::Result<()> {
        let Layout::Rows { colours, .. } = self.layout else { return self.flush() };
        let (width, height) = tty::size();
        let input = InputRows::new(input, width, height, colours);
        if self.rows.is_empty() && self.input.as_ref() == Some(&input) {
            return Ok(());
        }
        let mut out = self.erased(width);
        input.write(&mut out);
        self.input = Some(input);
        self.output.write_all(out.as_bytes())?;
        self.output.flush()
    }

    /// Clears the terminal, which leaves the line being typed at the top.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.input = None;
        self.output.write_all(b"\x1b[H\x1b[2J")
    }

    /// Writes whatever is held and erases the line being typed.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let (width, _) = tty::size();
        let out = self.erased(width);
        self.output.write_all(out.as_bytes())?;
        self.output.flush()
    }

    /// Erases the line being typed and writes the held rows.
    fn erased(&mut self, width: usize) -> String {
        let mut out = String::new();
        if let Some(old) = self.input.take() {
            old.erase(&mut out, width);
        }
        out.push_str(&std::mem::take(&mut self.rows));
        out
    }

    /// Reports that a line was not sent: as `! text` above the line being typed if there is one, else
    /// like [`Screen::fail`].
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

    /// Writes an error after the output so far. A failure to do so cannot be reported anywhere.
    pub(crate) fn fail(&mut self, text: &str) {
        let _ = self.finish();
        // In one write: lines of several programs may share a terminal.
        let line = format!("{ERROR_PREFIX}{}\n", Line::new(text).as_str());
        let _ = self.errors.write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
