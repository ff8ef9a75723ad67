//! [`Line`]: the only text that reaches a terminal, and how it is cut into rows.

use std::fmt::Write as _;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

pub(crate) const FIRST_STRONG_ISOLATE: char = '\u{2068}';
pub(crate) const POP_ISOLATE: char = '\u{2069}';

/// The look of a part of a line, where there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Less prominent than the rest: times, echoed commands.
    Dim,
    Bold,
    /// Something went wrong.
    Alarm,
    /// One of the colours for names, below [`NAME_COLOURS`].
    Name(u8),
}

/// SGR codes that are legible on dark and on light backgrounds.
const NAME_CODES: [u8; 10] = [31, 32, 33, 35, 36, 91, 92, 94, 95, 96];

/// How many colours there are for names.
pub(crate) const NAME_COLOURS: u8 = NAME_CODES.len() as u8;

impl Style {
    /// The parameter of ECMA-48's "SGR".
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
/// Contains no control character, no line separator, and no bidi control except whole pairs of
/// [`FIRST_STRONG_ISOLATE`] and [`POP_ISOLATE`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line {
    text: String,
    /// Ranges of bytes, ascending and disjoint.
    styles: Vec<(Range<usize>, Style)>,
    /// Cells by which rows after the first are indented.
    indent: usize,
}

impl Line {
    /// Makes a line of a text; see [`Line::push_visible`].
    pub(crate) fn new(text: &str) -> Self {
        let mut line = Self::default();
        line.push_visible(text);
        line
    }

    /// Makes a line of a text in one style.
    pub(crate) fn styled(text: &str, style: Style) -> Self {
        let mut line = Self::default();
        line.with(style, |line| line.push_visible(text));
        line
    }

    /// Indents rows after the first by that many cells.
    pub(crate) fn indented(mut self, cells: usize) -> Self {
        self.indent = cells;
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Appends a text. Characters that must not reach a terminal appear as their number, `\u{1b}`.
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

    /// Appends a text like [`Line::push_visible`]. One that runs from right to left, or could, is kept
    /// from reordering its neighbours; others get no invisible characters.
    pub(crate) fn push_isolated(&mut self, text: &str) {
        if text.contains(is_right_to_left) {
            self.text.push(FIRST_STRONG_ISOLATE);
            self.push_visible(text);
            self.text.push(POP_ISOLATE);
        } else {
            self.push_visible(text);
        }
    }

    /// Shows whatever `push` appends in this style.
    pub(crate) fn with(&mut self, style: Style, push: impl FnOnce(&mut Self)) {
        let start = self.text.len();
        push(self);
        self.styles.push((start..self.text.len(), style));
    }

    /// Writes the line in rows of at most `width` cells, each ended by CR and LF. All but the first are
    /// indented, so that nobody's text can begin at the margin. A width of 0 is no limit.
    pub(crate) fn write_rows(&self, out: &mut String, width: usize, colours: bool) {
        for (i, row) in self.rows(width).into_iter().enumerate() {
            if i > 0 {
                out.extend(std::iter::repeat_n(' ', self.indent_within(width)));
            }
            // An isolate ends with its row, and begins again in the next one.
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

    /// Writes the line as it is, without an end of line.
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

/// The number of bytes that fit a row of `width` cells, up to a space if there is one in the second
/// half of the row. At least one character, even if it is wider than the row.
fn fitting(text: &str, width: usize) -> usize {
    let (mut used, mut after_space) = (0, None);
    for (at, c) in text.char_indices() {
        used += cells(c);
        if used > width && at > 0 {
            return after_space.unwrap_or(at);
        }
        // Long words, such as Chinese sentences, must not leave rows half empty.
        if c == ' ' && used >= width / 2 {
            after_space = Some(at + 1);
        }
    }
    text.len()
}

/// The most cells that a terminal may give a character. Terminals differ about some; a row that comes
/// out too short does no harm.
fn cells(c: char) -> usize {
    match c {
        // Widens the character before it.
        '\u{FE0F}' => 1,
        _ => c.width_cjk().unwrap_or(0),
    }
}

/// The most cells that a terminal may give a text.
pub(crate) fn cells_of(text: &str) -> usize {
    text.chars().map(cells).sum()
}

/// Makes a text visible as in [`Line::push_visible`], and cuts it to `width` cells, the last of them
/// `…`, if it is wider.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    let text = Line::new(text).text;
    if text.width() <= width {
        return text;
    }
    let mut used = "…".width();
    let fits = |cluster: &&str| {
        used += cluster.width();
        used <= width
    };
    let kept: usize = text.graphemes(true).take_while(fits).map(str::len).sum();
    format!("{}…", text[..kept].trim_end())
}

/// C0, DEL and C1 controls, line and paragraph separators, bidi embeddings, overrides and isolates.
pub(crate) fn must_be_shown_by_number(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character runs from right to left, including those of such blocks that are not assigned
/// yet (`DerivedBidiClass.txt`), or is a mark that counts as one.
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
