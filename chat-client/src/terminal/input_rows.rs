//! Lays out the prompt and the line being typed as rows of a terminal.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::terminal::line::{Line, cells_of};
use crate::terminal::visible::{Visible, is_attached, is_harmful};

/// A terminal with fewer columns is drawn as if it had this many.
const MIN_WIDTH: usize = 4;

/// The most characters of a cluster that are shown.
const MAX_CLUSTER: usize = 64;

/// A prompt.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub(crate) full: Line,
    /// The prompt for a terminal in which the full prompt would take more than half a row.
    pub(crate) short: Line,
}

/// The line being typed, and the prompt before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InputLine<'a> {
    pub(crate) prompt: &'a Prompt,
    pub(crate) text: &'a str,
    /// Bytes of the text before the cursor.
    pub(crate) cursor: usize,
}

/// Rows that leave the last column free, since terminals differ in what comes after it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct InputRows {
    rows: Vec<String>,
    /// The cells in each row.
    widths: Vec<usize>,
    /// The most cells that any terminal may use for the last row.
    most: usize,
    cursor_row: usize,
    cursor_column: usize,
}

impl InputRows {
    /// Lays out as many rows around the cursor as fit half the height. Examines only the surroundings of the cursor in
    /// a long text, since this runs for every key.
    pub(crate) fn new(input: InputLine<'_>, width: usize, height: usize, colours: bool) -> Self {
        let limit = width.max(MIN_WIDTH) - 1;
        let most = (height / 2).max(1);
        let mut rows = Self::laid_out(input, limit, most, colours);
        let first = (rows.cursor_row + 1).saturating_sub(most);
        rows.rows.drain(..first);
        rows.widths.drain(..first);
        rows.rows.truncate(most);
        rows.widths.truncate(most);
        rows.cursor_row -= first;
        rows
    }

    fn laid_out(input: InputLine<'_>, limit: usize, most: usize, colours: bool) -> Self {
        let mut rows = Self { rows: vec![String::new()], widths: vec![0], ..Self::default() };
        let start = start_of_layout(input, 4 * limit * most);
        if start == 0 {
            rows.push_prompt(input.prompt, limit, colours);
        }
        rows.mark_cursor();
        for (at, cluster) in input.text[start..].grapheme_indices(true) {
            let at = start + at;
            if at >= input.cursor && rows.rows.len() > rows.cursor_row + most {
                break;
            }
            match cluster {
                "\n" | "\r\n" => rows.push("⏎", limit),
                "\t" => rows.push("⇥", limit),
                _ => rows.push_visible(cluster, limit),
            }
            if at < input.cursor {
                rows.mark_cursor();
            }
        }
        rows
    }

    fn push_prompt(&mut self, prompt: &Prompt, limit: usize, colours: bool) {
        // In a narrow terminal, the space is for the line.
        let fits = |prompt: &&Line| cells_of(prompt.as_str()) <= limit / 2;
        match [&prompt.full, &prompt.short].into_iter().find(fits) {
            Some(prompt) => {
                prompt.write_flat(&mut self.rows[0], colours);
                self.widths[0] = prompt.as_str().width();
                self.most = cells_of(prompt.as_str());
            }
            None => self.push("> ", limit),
        }
    }

    /// Appends a cluster in visible form, like other texts: it may have been pasted, or completed from a name.
    fn push_visible(&mut self, cluster: &str, limit: usize) {
        if cluster.chars().all(|c| !is_harmful(c) && !is_attached(c)) {
            return self.push(cluster, limit);
        }
        // An endless run of marks is not worth the rows.
        let shown: String = cluster.chars().take(MAX_CLUSTER).collect();
        for part in Visible::text(&shown).as_str().graphemes(true) {
            self.push(part, limit);
        }
        if shown.len() < cluster.len() {
            self.push("…", limit);
        }
    }

    fn push(&mut self, cluster: &str, limit: usize) {
        let (cells, most) = (cluster.width(), cells_of(cluster));
        if self.most + most > limit {
            self.rows.push(String::new());
            self.widths.push(0);
            self.most = 0;
        }
        let last = self.rows.len() - 1;
        self.rows[last].push_str(cluster);
        self.widths[last] += cells;
        self.most += most;
    }

    /// Places the cursor after the last cluster.
    fn mark_cursor(&mut self) {
        self.cursor_row = self.rows.len() - 1;
        self.cursor_column = self.widths[self.cursor_row];
    }

    /// Writes the rows and places the terminal's cursor, which must be at the beginning of a free row.
    pub(crate) fn write(&self, out: &mut String) {
        out.push_str(&self.rows.join("\r\n"));
        move_up(out, self.rows.len() - 1 - self.cursor_row);
        out.push('\r');
        if self.cursor_column > 0 {
            out.push_str(&format!("\u{1b}[{}C", self.cursor_column));
        }
    }

    /// Erases the rows, and the rows of `above` cells each above them, on a terminal that is now `width` columns wide:
    /// most terminals wrap rows that have become too long.
    pub(crate) fn erase(&self, out: &mut String, width: usize, above: &[usize]) {
        let width = width.max(1);
        let above = above.iter().chain(&self.widths[..self.cursor_row]);
        let rows: usize = above.map(|cells| cells.div_ceil(width).max(1)).sum();
        move_up(out, rows + self.cursor_column / width);
        out.push_str("\r\u{1b}[J");
    }
}

/// Returns where the layout begins, with at least `window` bytes before the cursor. It stays the same while the cursor
/// moves by less than that, so that rows do not move.
fn start_of_layout(input: InputLine<'_>, window: usize) -> usize {
    let window = window.max(4_096);
    let start = (input.cursor / window).saturating_sub(1) * window;
    (start..=input.cursor).find(|at| input.text.is_char_boundary(*at)).unwrap_or(input.cursor)
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

    fn lay_out(text: &str, cursor: usize, width: usize, height: usize) -> InputRows {
        let prompt = Prompt { full: Line::new("> "), short: Line::new("> ") };
        InputRows::new(InputLine { prompt: &prompt, text, cursor }, width, height, true)
    }

    #[test]
    fn a_wide_character_moves_to_the_next_row_whole() {
        let rows = lay_out("ab가나다", 5, 8, 24);
        assert_eq!(rows.rows, ["> ab가", "나다"]);
        assert_eq!((rows.cursor_row, rows.cursor_column), (0, 6));
    }

    #[test]
    fn a_long_text_is_shown_around_the_cursor() {
        let text = "0123456789".repeat(10);
        let rows = lay_out(&text, 50, 11, 6);
        assert_eq!(rows.rows, ["8901234567", "8901234567", "8901234567"]);
        assert_eq!((rows.cursor_row, rows.cursor_column), (2, 2));
        assert_eq!(lay_out(&text, 0, 11, 6).rows[0], "> 01234567");
    }

    #[test]
    fn a_wide_prompt_gives_way_in_a_narrow_terminal() {
        let prompt =
            Prompt { full: Line::new("12 a room with a name> "), short: Line::new("12> ") };
        let input = InputLine { prompt: &prompt, text: "x", cursor: 1 };
        for (width, row) in [(80, "12 a room with a name> x"), (30, "12> x"), (8, "> x")] {
            assert_eq!(InputRows::new(input, width, 9, false).rows, [row]);
        }
    }

    /// However long the line is, a key costs no more than what is shown.
    #[test]
    fn v6_no_more_of_a_long_line_is_laid_out_than_is_shown() {
        for piece in ["x", "한", "e\u{300}", "\u{300}", "\u{200b}", "🇰", "👩\u{200d}", "א", "a\n"]
        {
            let text = piece.repeat(65_000 / piece.len());
            let middle = piece.len() * (32_000 / piece.len());
            for cursor in [0, middle, text.len()] {
                let prompt = Prompt { full: Line::new("> "), short: Line::new("> ") };
                let input = InputLine { prompt: &prompt, text: &text, cursor };
                let rows = InputRows::laid_out(input, 79, 12, true);
                let cells: usize = rows.rows.iter().map(|row| cells_of(row)).sum();
                assert!(cells < 30_000, "{piece:?} at {cursor}: {cells} cells");
                assert!(rows.cursor_row < rows.rows.len());
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_reaches_the_last_column_and_the_cursor_is_visible(
            text in "([a-z ]|[가-힣]|\\PC|\n|\t){0,200}",
            share in 0usize..=200,
            width in 4usize..40,
            height in 1usize..20,
        ) {
            let edges: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]).collect();
            let cursor = edges[share.min(edges.len() - 1)];
            let rows = lay_out(&text, cursor, width, height);
            prop_assert!(rows.rows.len() <= (height / 2).max(1));
            prop_assert!(rows.widths.iter().all(|cells| *cells < width));
            prop_assert!(rows.cursor_row < rows.rows.len() && rows.cursor_column < width);
            prop_assert!(rows.rows.iter().all(|row| !row.contains(char::is_control)));
        }
    }
}
