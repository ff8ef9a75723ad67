//! [`Line`]: all that may reach a terminal, and how it is cut into rows.

use std::fmt::Write as _;
use std::ops::Range;

use unicode_width::UnicodeWidthChar as _;

pub(crate) const FIRST_STRONG_ISOLATE: char = '\u{2068}';
pub(crate) const POP_ISOLATE: char = '\u{2069}';

/// How a part of a line looks where there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Of less weight than the rest: times, echoed commands.
    Dim,
    Bold,
    /// What went wrong.
    Alarm,
    /// One of the colours for names, below [`NAME_COLOURS`].
    Name(u8),
}

/// SGR codes that can be read on dark and on light ground.
const NAME_CODES: [u8; 10] = [31, 32, 33, 35, 36, 91, 92, 94, 95, 96];

/// How many colours there are for names.
pub(crate) const NAME_COLOURS: u8 = NAME_CODES.len() as u8;

impl Style {
    /// The number that ECMA-48 has for it ("SGR").
    fn code(self) -> u8 {
        match self {
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Alarm => 31,
            Self::Name(colour) => NAME_CODES[usize::from(colour % NAME_COLOURS)],
        }
    }
}

/// One line of output, without its newline.
///
/// It holds no control character, no line separator, and no bidi control but whole pairs of
/// [`FIRST_STRONG_ISOLATE`] and [`POP_ISOLATE`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line {
    text: String,
    /// Ranges of bytes, in rising order and apart from each other.
    styles: Vec<(Range<usize>, Style)>,
    /// Cells by which its further rows are indented.
    indent: usize,
}

impl Line {
    /// A line of the client's own. Characters that do not belong in a line are shown by number.
    pub(crate) fn new(text: &str) -> Self {
        let mut line = Self::default();
        line.push_visible(text);
        line
    }

    /// The whole line in one style.
    pub(crate) fn styled(text: &str, style: Style) -> Self {
        let mut line = Self::default();
        line.with(style, |line| line.push_visible(text));
        line
    }

    /// Indents the rows behind the first by so many cells.
    pub(crate) fn indented(mut self, cells: usize) -> Self {
        self.indent = cells;
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Appends a text; characters that do not belong in a line are shown by number.
    pub(crate) fn push_visible(&mut self, text: &str) {
        for c in text.chars() {
            if must_be_shown_by_number(c) {
                write!(self.text, "{}", c.escape_unicode())
                    .expect("a String takes all that is written to it");
            } else {
                self.text.push(c);
            }
        }
    }

    /// Appends a text kept from reordering what stands beside it when it runs from right to left,
    /// or holds a mark that could make it so. Other texts are left free of invisible characters.
    pub(crate) fn push_isolated(&mut self, text: &str) {
        if text.contains(is_right_to_left) {
            self.text.push(FIRST_STRONG_ISOLATE);
            self.push_visible(text);
            self.text.push(POP_ISOLATE);
        } else {
            self.push_visible(text);
        }
    }

    /// What `push` appends is shown in this style.
    pub(crate) fn with(&mut self, style: Style, push: impl FnOnce(&mut Self)) {
        let start = self.text.len();
        push(self);
        self.styles.push((start..self.text.len(), style));
    }

    /// Writes the line in rows of at most `width` cells, each ended by CR and LF; all but the first
    /// are indented, so that nobody's text comes to stand at the margin. A width of 0 is no limit.
    pub(crate) fn write_rows(&self, out: &mut String, width: usize, colours: bool) {
        for (i, row) in self.rows(width).into_iter().enumerate() {
            if i > 0 {
                out.extend(std::iter::repeat_n(' ', self.indent_within(width)));
            }
            // An isolate ends with its row; one that was cut begins again in the next.
            if self.is_inside_isolate(row.start) {
                out.push(FIRST_STRONG_ISOLATE);
            }
            let cut = self.is_inside_isolate(row.end);
            self.write_part(out, row, colours);
            if cut {
                out.push(POP_ISOLATE);
            }
            out.push_str("\r\n");
        }
    }

    /// Writes the line without an end.
    pub(crate) fn write_flat(&self, out: &mut String, colours: bool) {
        self.write_part(out, 0..self.text.len(), colours);
    }

    /// An indent leaves at least half of the width to the text.
    fn indent_within(&self, width: usize) -> usize {
        self.indent.clamp(1, (width / 2).max(1))
    }

    fn is_inside_isolate(&self, at: usize) -> bool {
        let before = &self.text[..at];
        before.rfind(FIRST_STRONG_ISOLATE) > before.rfind(POP_ISOLATE)
    }

    /// The byte ranges of the rows.
    fn rows(&self, width: usize) -> Vec<Range<usize>> {
        let mut end = if width == 0 { self.text.len() } else { fitting(&self.text, width) };
        let mut rows = Vec::from([Range { start: 0, end }]);
        while end < self.text.len() {
            let start = end;
            end += fitting(&self.text[start..], width - self.indent_within(width));
            rows.push(start..end);
        }
        rows
    }

    fn write_part(&self, out: &mut String, part: Range<usize>, colours: bool) {
        let mut written = part.start;
        let shown = self.styles.iter().filter(|_| colours);
        for (range, style) in shown {
            let (start, end) = (range.start.max(written), range.end.min(part.end));
            if start < end {
                out.push_str(&self.text[written..start]);
                write!(out, "\u{1b}[{}m{}\u{1b}[m", style.code(), &self.text[start..end])
                    .expect("a String takes all that is written to it");
                written = end;
            }
        }
        out.push_str(&self.text[written..part.end]);
    }
}

/// Bytes of the text that go into a row of so many cells. It ends behind a space where one is
/// near its end. A character wider than the row goes into it nevertheless.
fn fitting(text: &str, width: usize) -> usize {
    let (mut used, mut after_space) = (0, None);
    for (at, c) in text.char_indices() {
        used += cells(c);
        if used > width && at > 0 {
            return after_space.unwrap_or(at);
        }
        // Long words, such as Chinese sentences are, do not leave rows half empty.
        if c == ' ' && used >= width / 2 {
            after_space = Some(at + 1);
        }
    }
    text.len()
}

/// The most cells that a terminal gives to a character: terminals differ about some, and a row that
/// comes out too short does no harm.
fn cells(c: char) -> usize {
    match c {
        // Makes the character before it wide.
        '\u{FE0F}' => 1,
        _ => c.width_cjk().unwrap_or(0),
    }
}

/// The most cells that a terminal gives to a text.
pub(crate) fn cells_of(text: &str) -> usize {
    text.chars().map(cells).sum()
}

/// C0, DEL and C1 controls, line and paragraph separators, bidi embeddings, overrides and isolates.
pub(crate) fn must_be_shown_by_number(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The blocks whose characters run from right to left, those yet to be assigned included
/// (`DerivedBidiClass.txt`), and the marks that weigh as such characters.
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
