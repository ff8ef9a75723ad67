//! Standard output and standard error: lines out, errors handed back, never a panic.

use std::io::{self, BufWriter, Stderr, Stdout, Write};

use crate::render::Line;

/// Where lines go. Output is held until [`Screen::flush`] or the next complaint.
#[derive(Debug)]
pub(crate) struct Screen<O: Write = Stdout, E: Write = Stderr> {
    output: BufWriter<O>,
    errors: E,
}

impl Screen {
    /// The screen of this process.
    pub(crate) fn standard() -> Self {
        Self::new(io::stdout(), io::stderr())
    }
}

impl<O: Write, E: Write> Screen<O, E> {
    /// A screen on any two writers.
    pub(crate) fn new(output: O, errors: E) -> Self {
        Self { output: BufWriter::new(output), errors }
    }

    /// Writes lines as output.
    pub(crate) fn show(&mut self, lines: &[Line]) -> io::Result<()> {
        for line in lines {
            self.output.write_all(line.as_str().as_bytes())?;
            self.output.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Brings out what is held.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    /// Writes a line as an error, behind the output so far. There is nowhere to tell that an error
    /// could not be told.
    pub(crate) fn complain(&mut self, line: &Line) {
        let _ = self.output.flush();
        // In one write: lines of several programs may share a terminal.
        let _ = self.errors.write_all(format!("{}\n", line.as_str()).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_comes_out_at_a_flush() {
        let mut screen = Screen::new(Vec::new(), Vec::new());
        screen.show(&[Line::new("one"), Line::new("two\n")]).expect("a Vec takes all");
        assert!(screen.output.get_ref().is_empty());
        screen.flush().expect("a Vec takes all");
        assert_eq!(screen.output.get_ref(), b"one\ntwo\\u{a}\n");
    }

    #[test]
    fn an_error_comes_after_the_output_before_it() {
        let mut screen = Screen::new(Vec::new(), Vec::new());
        screen.show(&[Line::new("before")]).expect("a Vec takes all");
        screen.complain(&Line::new("error"));
        assert_eq!(screen.output.get_ref(), b"before\n");
        assert_eq!(screen.errors, b"error\n");
    }
}
