//! The line being typed as rows on a terminal, behind its prompt.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::terminal::line::{Line, cells_of};

/// Fewer columns than these are drawn as if they were there.
const MIN_WIDTH: usize = 4;

/// What is typed, where, and behind what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Typing<'a> {
    pub(crate) prompt: &'a Line,
    pub(crate) text: &'a str,
    /// Bytes of the text before the cursor.
    pub(crate) cursor: usize,
}

/// Rows of which none reaches the last column, where terminals differ about what comes next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Painted {
    rows: Vec<String>,
    /// Cells of each row.
    widths: Vec<usize>,
    cursor_row: usize,
    cursor_column: usize,
}

impl Painted {
    /// Lays out as much as half of the height has room for, around the cursor.
    pub(crate) fn new(typing: Typing<'_>, width: usize, height: usize, colours: bool) -> Self {
        let limit = width.max(MIN_WIDTH) - 1;
        let mut painted = Self::laid_out(typing, limit, colours);
        let most = (height / 2).max(1);
        let first = (painted.cursor_row + 1).saturating_sub(most);
        painted.rows.drain(..first);
        painted.widths.drain(..first);
        painted.rows.truncate(most);
        painted.widths.truncate(most);
        painted.cursor_row -= first;
        painted
    }

    fn laid_out(typing: Typing<'_>, limit: usize, colours: bool) -> Self {
        let mut painted = Self { rows: vec![String::new()], widths: vec![0], ..Self::default() };
        let prompt_cells = cells_of(typing.prompt.as_str());
        // In a narrow terminal the room is for what is typed.
        if prompt_cells <= limit / 2 {
            typing.prompt.write_flat(&mut painted.rows[0], colours);
            painted.widths[0] = prompt_cells;
        } else {
            painted.push("> ", limit);
        }
        painted.mark_cursor();
        for (at, cluster) in typing.text.grapheme_indices(true) {
            match cluster {
                "\n" | "\r\n" => painted.push("⏎", limit),
                "\t" => painted.push("⇥", limit),
                _ => painted.push(cluster, limit),
            }
            if at < typing.cursor {
                painted.mark_cursor();
            }
        }
        painted
    }

    fn push(&mut self, cluster: &str, limit: usize) {
        let cells = cluster.width();
        let last = self.rows.len() - 1;
        if self.widths[last] + cells > limit {
            self.rows.push(cluster.to_owned());
            self.widths.push(cells);
        } else {
            self.rows[last].push_str(cluster);
            self.widths[last] += cells;
        }
    }

    /// The cursor is behind what was pushed last.
    fn mark_cursor(&mut self) {
        self.cursor_row = self.rows.len() - 1;
        self.cursor_column = self.widths[self.cursor_row];
    }

    /// Writes the rows, and puts the cursor where it belongs. The terminal's cursor is expected at
    /// the beginning of a free row.
    pub(crate) fn write(&self, out: &mut String) {
        out.push_str(&self.rows.join("\r\n"));
        move_up(out, self.rows.len() - 1 - self.cursor_row);
        out.push('\r');
        if self.cursor_column > 0 {
            out.push_str(&format!("\u{1b}[{}C", self.cursor_column));
        }
    }

    /// Erases the rows, on a terminal that is `width` wide now: most terminals have wrapped rows
    /// that have become too long for them.
    pub(crate) fn erase(&self, out: &mut String, width: usize) {
        let width = width.max(1);
        let above = self.widths[..self.cursor_row].iter().map(|cells| cells.div_ceil(width).max(1));
        move_up(out, above.sum::<usize>() + self.cursor_column / width);
        out.push_str("\r\u{1b}[J");
    }
}

fn move_up(out: &mut String, rows: usize) {
    if rows > 0 {
        out.push_str(&format!("\u{1b}[{rows}A"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paint(text: &str, cursor: usize, width: usize, height: usize) -> Painted {
        let prompt = Line::new("> ");
        Painted::new(Typing { prompt: &prompt, text, cursor }, width, height, true)
    }

    #[test]
    fn wide_characters_go_to_the_next_row_as_a_whole() {
        let painted = paint("ab가나다", 5, 8, 24);
        assert_eq!(painted.rows, ["> ab가", "나다"]);
        assert_eq!((painted.cursor_row, painted.cursor_column), (0, 6));
    }

    #[test]
    fn a_long_text_is_seen_around_the_cursor() {
        let text = "0123456789".repeat(10);
        let painted = paint(&text, 50, 11, 6);
        assert_eq!(painted.rows, ["8901234567", "8901234567", "8901234567"]);
        assert_eq!((painted.cursor_row, painted.cursor_column), (2, 2));
        assert_eq!(paint(&text, 0, 11, 6).rows[0], "> 01234567");
    }

    #[test]
    fn a_wide_prompt_gives_way_in_a_narrow_terminal() {
        let prompt = Line::new("12 a room with a name> ");
        let rows = |width| {
            Painted::new(Typing { prompt: &prompt, text: "x", cursor: 1 }, width, 9, false).rows
        };
        assert_eq!(rows(80), ["12 a room with a name> x"]);
        assert_eq!(rows(40), ["> x"]);
    }

    proptest! {
        #[test]
        fn nothing_reaches_the_last_column_and_the_cursor_is_in_sight(
            text in "([a-z ]|[가-힣]|\\PC|\n|\t){0,200}",
            share in 0usize..=200,
            width in 4usize..40,
            height in 1usize..20,
        ) {
            let edges: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]).collect();
            let cursor = edges[share.min(edges.len() - 1)];
            let painted = paint(&text, cursor, width, height);
            prop_assert!(painted.rows.len() <= (height / 2).max(1));
            prop_assert!(painted.widths.iter().all(|cells| *cells < width));
            prop_assert!(painted.cursor_row < painted.rows.len() && painted.cursor_column < width);
            prop_assert!(painted.rows.iter().all(|row| !row.contains(char::is_control)));
        }
    }
}
