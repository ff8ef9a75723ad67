//! Standard output and standard error: lines out, errors handed back, never a panic. At a terminal
//! the line being typed stays below everything else.

use std::io::{self, BufWriter, Stderr, Stdout, Write};

use crate::terminal::line::Line;
use crate::terminal::painting::{Painted, Typing};
use crate::terminal::tty;

/// What output looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Lines as they are.
    Flat,
    /// Rows within the width of a terminal.
    Rows {
        /// Whether parts of a line have colours.
        colours: bool,
        /// Whether errors go there too: a line is being typed below.
        typing: bool,
    },
}

/// Where lines go. Output is held until [`Screen::flush`] or the next complaint.
#[derive(Debug)]
pub(crate) struct Screen<O: Write = Stdout, E: Write = Stderr> {
    output: BufWriter<O>,
    errors: E,
    look: Look,
    /// Rows that are to come above the line being typed.
    rows: String,
    /// The line being typed, as the terminal shows it.
    painted: Option<Painted>,
}

impl Screen {
    /// The screen of this process.
    pub(crate) fn standard(look: Look) -> Self {
        Self::new(io::stdout(), io::stderr(), look)
    }
}

impl<O: Write, E: Write> Screen<O, E> {
    /// A screen on any two writers.
    pub(crate) fn new(output: O, errors: E, look: Look) -> Self {
        Self { output: BufWriter::new(output), errors, look, rows: String::new(), painted: None }
    }

    /// Writes lines as output.
    pub(crate) fn show(&mut self, lines: &[Line]) -> io::Result<()> {
        match self.look {
            Look::Flat => {
                for line in lines {
                    self.output.write_all(line.as_str().as_bytes())?;
                    self.output.write_all(b"\n")?;
                }
                Ok(())
            }
            Look::Rows { colours, typing } => {
                let (width, _) = tty::size();
                for line in lines {
                    line.write_rows(&mut self.rows, width, colours);
                }
                if typing {
                    return Ok(());
                }
                // Keys are not ours: the terminal makes its own line ends.
                let rows = std::mem::take(&mut self.rows).replace("\r\n", "\n");
                self.output.write_all(rows.as_bytes())
            }
        }
    }

    /// Brings out what is held.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    /// Brings out what is held, above the line being typed, in one write.
    pub(crate) fn flush_above(&mut self, typing: Typing<'_>) -> io::Result<()> {
        let Look::Rows { colours, .. } = self.look else { return self.flush() };
        let (width, height) = tty::size();
        let painted = Painted::new(typing, width, height, colours);
        if self.rows.is_empty() && self.painted.as_ref() == Some(&painted) {
            return Ok(());
        }
        let mut out = self.erased(width);
        painted.write(&mut out);
        self.painted = Some(painted);
        self.output.write_all(out.as_bytes())?;
        self.output.flush()
    }

    /// Clears the terminal; the line being typed goes to the top.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.painted = None;
        self.output.write_all(b"\x1b[H\x1b[2J")
    }

    /// Brings out what is held and takes the line being typed away.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let (width, _) = tty::size();
        let out = self.erased(width);
        self.output.write_all(out.as_bytes())?;
        self.output.flush()
    }

    /// What takes the line being typed away and brings the held rows out.
    fn erased(&mut self, width: usize) -> String {
        let mut out = String::new();
        if let Some(old) = self.painted.take() {
            old.erase(&mut out, width);
        }
        out.push_str(&std::mem::take(&mut self.rows));
        out
    }

    /// Tells of a mistake: above the line being typed if there is one, else as [`Screen::fail`].
    pub(crate) fn complain(&mut self, line: &Line) -> io::Result<()> {
        if matches!(self.look, Look::Rows { typing: true, .. }) {
            return self.show(std::slice::from_ref(line));
        }
        self.fail(line);
        Ok(())
    }

    /// Writes a line as an error, behind the output so far. There is nowhere to tell that an error
    /// could not be told.
    pub(crate) fn fail(&mut self, line: &Line) {
        let _ = self.finish();
        // In one write: lines of several programs may share a terminal.
        let _ = self.errors.write_all(format!("{}\n", line.as_str()).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat() -> Screen<Vec<u8>, Vec<u8>> {
        Screen::new(Vec::new(), Vec::new(), Look::Flat)
    }

    #[test]
    fn output_comes_out_at_a_flush() {
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
        screen.complain(&Line::new("error")).expect("a Vec takes all");
        assert_eq!(screen.output.get_ref(), b"before\n");
        assert_eq!(screen.errors, b"error\n");
    }
}
