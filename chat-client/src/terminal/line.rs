//! [`Line`]: the only text that reaches a terminal, and its division into rows.

use std::fmt::Write as _;
use std::ops::Range;

use unicode_width::UnicodeWidthChar as _;

use crate::terminal::visible::{Visible, is_attached};

pub(crate) const FIRST_STRONG_ISOLATE: char = '\u{2068}';
pub(crate) const POP_ISOLATE: char = '\u{2069}';

/// The style of a part of a line, if there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Less prominent than the rest, for times and echoed commands.
    Dim,
    Bold,
    /// For errors.
    Alarm,
    /// For a text that was refused after all.
    Struck,
    /// One of the colours for names, below [`NAME_COLOURS`].
    Name(u8),
}

/// SGR codes that are legible on dark and light backgrounds.
const NAME_CODES: [u8; 10] = [31, 32, 33, 35, 36, 91, 92, 94, 95, 96];

/// How many colours there are for names.
pub(crate) const NAME_COLOURS: u8 = NAME_CODES.len() as u8;

impl Style {
    /// The parameter of ECMA-48's "SGR".
    fn code(self) -> u8 {
        match self {
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Struck => 9,
            Self::Alarm => 31,
            Self::Name(colour) => NAME_CODES[usize::from(colour % NAME_COLOURS)],
        }
    }
}

/// One line of output, without its newline, made of the client's own constants and of [`Visible`] text.
///
/// Its only bidi controls are marks, and whole pairs of [`FIRST_STRONG_ISOLATE`] and [`POP_ISOLATE`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line {
    text: String,
    /// Ranges of bytes, ascending and disjoint.
    styles: Vec<(Range<usize>, Style)>,
    /// Cells by which all rows but the first are indented.
    indent: usize,
}

impl Line {
    /// Makes a line of a text.
    pub(crate) fn new(text: &str) -> Self {
        let mut line = Self::default();
        line.push_text(text);
        line
    }

    /// Indents all rows but the first by this many cells.
    pub(crate) fn indented(mut self, cells: usize) -> Self {
        self.indent = cells;
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Appends words, marks or spaces of the client's own.
    pub(crate) fn push_mark(&mut self, mark: &'static str) {
        self.text.push_str(mark);
    }

    pub(crate) fn push_spaces(&mut self, cells: usize) {
        self.text.extend(std::iter::repeat_n(' ', cells));
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        self.push(&Visible::text(text));
    }

    /// Appends a text. Isolates a text that runs, or could run, from right to left, so that it cannot reorder its
    /// neighbours; adds no invisible characters to others.
    pub(crate) fn push(&mut self, text: &Visible) {
        let text = text.as_str();
        if text.contains(is_right_to_left) {
            self.text.extend([FIRST_STRONG_ISOLATE.encode_utf8(&mut [0; 4]), text]);
            self.text.push(POP_ISOLATE);
        } else {
            self.text.push_str(text);
        }
    }

    /// Applies this style to everything that `push` appends.
    pub(crate) fn with(&mut self, style: Style, push: impl FnOnce(&mut Self)) {
        let start = self.text.len();
        push(self);
        self.styles.push((start..self.text.len(), style));
    }

    /// Writes the line in rows of at most `width` cells, each ended by CR and LF. Indents all but the first, so that
    /// no text from others begins at the margin. A width of 0 means no limit. Examines each character and each style a
    /// bounded number of times.
    pub(crate) fn write_rows(&self, out: &mut String, width: usize, colours: bool) {
        let mut styles = if colours { self.styles.as_slice() } else { &[] };
        let indent = self.indent_within(width);
        let (mut end, mut is_isolated) = (0, false);
        loop {
            let start = end;
            let space = if start == 0 { width } else { width - indent };
            end += if width == 0 { self.text.len() } else { fitting(&self.text[start..], space) };
            if start > 0 {
                out.extend(std::iter::repeat_n(' ', indent));
            }
            // An isolate ends with its row, and begins again in the next.
            if is_isolated {
                out.push(FIRST_STRONG_ISOLATE);
            }
            let row = &self.text[start..end];
            let last = row.rfind([FIRST_STRONG_ISOLATE, POP_ISOLATE]);
            is_isolated =
                last.map_or(is_isolated, |at| row[at..].starts_with(FIRST_STRONG_ISOLATE));
            self.write_part(out, start..end, &mut styles);
            if is_isolated {
                out.push(POP_ISOLATE);
            }
            out.push_str("\r\n");
            if end == self.text.len() {
                return;
            }
        }
    }

    /// Writes the line as a whole, without a line end.
    pub(crate) fn write_flat(&self, out: &mut String, colours: bool) {
        let mut styles = if colours { self.styles.as_slice() } else { &[] };
        self.write_part(out, 0..self.text.len(), &mut styles);
    }

    /// Limits the indent, so that at least half of the width is left for the text.
    fn indent_within(&self, width: usize) -> usize {
        self.indent.clamp(1, (width / 2).max(1))
    }

    /// Writes a part of the line, and removes the styles that end in it from `styles`.
    fn write_part(
        &self,
        out: &mut String,
        part: Range<usize>,
        styles: &mut &[(Range<usize>, Style)],
    ) {
        let mut written = part.start;
        while let Some(((range, style), others)) = styles.split_first() {
            let (start, end) = (range.start.max(written), range.end.min(part.end));
            if start < end {
                out.push_str(&self.text[written..start]);
                write!(out, "\u{1b}[{}m{}\u{1b}[m", style.code(), &self.text[start..end])
                    .expect("a String takes all that is written to it");
                written = end;
            }
            if range.end > part.end {
                break;
            }
            *styles = others;
        }
        out.push_str(&self.text[written..part.end]);
    }
}

/// Returns the number of bytes that fit a row of `width` cells, up to a space if there is one in the second half of
/// the row. At least one character, even if it is wider than the row. A character is not cut from its marks unless the
/// marks alone are wider than a row.
fn fitting(text: &str, width: usize) -> usize {
    let (mut used, mut after_space, mut base) = (0, None, 0);
    for (at, c) in text.char_indices() {
        #[cfg(test)]
        tests::EXAMINED.with(|examined| examined.set(examined.get() + 1));
        used += cells(c);
        if !is_attached(c) {
            base = at;
        }
        if used > width && at > 0 {
            return after_space.unwrap_or(if base > 0 { base } else { at });
        }
        // Long words, such as Chinese sentences, must not leave rows half empty.
        if c == ' ' && used >= width / 2 {
            after_space = Some(at + 1);
        }
    }
    text.len()
}

/// The most cells that any terminal may use for a character. Terminals differ about some; a row that turns out too
/// short does no harm.
fn cells(c: char) -> usize {
    match c.width_cjk().unwrap_or(0) {
        // U+FE0F widens the character before it; some terminals do not join the vowels of conjoining Hangul.
        0 if c == '\u{FE0F}' || matches!(c, '\u{1160}'..='\u{11FF}' | '\u{D7B0}'..='\u{D7FF}') => 1,
        cells => cells,
    }
}

/// The most cells that any terminal may use for a text.
pub(crate) fn cells_of(text: &str) -> usize {
    text.chars().map(cells).sum()
}

/// Whether a character runs from right to left, including unassigned ones in such blocks (`DerivedBidiClass.txt`) and
/// marks that count as such.
fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{0590}'..='\u{08FF}'
        | '\u{200E}'..='\u{200F}'
        | '\u{FB1D}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFE}'
        | '\u{10800}'..='\u{10FFF}'
        | '\u{1E800}'..='\u{1EFFF}')
}

#[cfg(test)]
mod tests;
