//! The line being typed, and the lines typed before.

use std::collections::VecDeque;

use unicode_segmentation::{GraphemeCursor, GraphemeIncomplete, UnicodeSegmentation as _};

use crate::terminal::completion::{self, Vocabulary};
use crate::terminal::keys::Key;
use crate::terminal::line_reader::MAX_LINE;
use crate::terminal::visible::is_attached;

/// The most lines remembered, in memory only and never in a file.
const HISTORY_LEN: usize = 500;
const HISTORY_BYTES: usize = 1024 * 1024;

/// The effect of a key, apart from changing the line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// No other effect.
    Edited,
    /// A line is complete.
    Entered(String),
    /// The line became too long, and was dropped as a whole, since a part of it might mean something else.
    TooLong,
    /// The possible words, for Tab.
    Candidates(Vec<String>),
    ClearScreen,
    /// The person wants to leave.
    Leave,
    Suspend,
}

/// A line editor. The cursor is always at the edge of a grapheme cluster.
#[derive(Debug, Default)]
pub(crate) struct Editor {
    text: String,
    cursor: usize,
    history: VecDeque<String>,
    /// The remembered line being shown, counted back from the last, and the text that had been typed when it was
    /// recalled.
    recalled: Option<(usize, String)>,
    /// The text cut out last.
    cut: String,
}

impl Editor {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Bytes of the text before the cursor.
    pub(crate) fn cursor(&self) -> usize {
        self.cursor
    }

    pub(crate) fn press(&mut self, key: Key, vocabulary: &Vocabulary) -> Pressed {
        match key {
            Key::Char(c) => self.write(c),
            Key::Paste(text) => return self.paste(&pasted(&text)),
            Key::PasteTooLong => return self.refuse(),
            Key::Enter => return self.enter(),
            Key::Tab => return self.complete(vocabulary),
            Key::Left => self.cursor = self.before(),
            Key::Right => self.cursor = self.after(),
            Key::WordLeft => self.cursor = self.word_before(),
            Key::WordRight => self.cursor = self.word_after(),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = self.text.len(),
            Key::Up => self.recall(1),
            Key::Down => self.recall(-1),
            Key::Backspace => self.remove(self.before(), self.cursor),
            Key::Delete => self.remove(self.cursor, self.after()),
            Key::EndOfInput if self.text.is_empty() => return Pressed::Leave,
            Key::EndOfInput => self.remove(self.cursor, self.after()),
            Key::Interrupt if self.text.is_empty() => return Pressed::Leave,
            Key::Interrupt => self.clear(),
            Key::KillToEnd => self.kill(self.cursor, self.text.len()),
            Key::KillToStart => self.kill(0, self.cursor),
            Key::KillWordLeft => self.kill(self.word_before(), self.cursor),
            Key::KillWordRight => self.kill(self.cursor, self.word_after()),
            Key::Yank => return self.paste(&self.cut.clone()),
            Key::ClearScreen => return Pressed::ClearScreen,
            Key::Suspend => return Pressed::Suspend,
        }
        Pressed::Edited
    }

    fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor = self.edge_at_or_after(self.cursor + text.len());
    }

    /// Inserts a typed character. A line that is one character too long grows no further, and is refused when it is
    /// entered: the rest of a text pasted without marks must not become a separate line.
    fn write(&mut self, c: char) {
        if !self.is_too_long() {
            self.insert(c.encode_utf8(&mut [0; 4]));
        }
    }

    fn paste(&mut self, text: &str) -> Pressed {
        if self.text.len() + text.len() > MAX_LINE {
            return self.refuse();
        }
        self.insert(text);
        Pressed::Edited
    }

    /// Drops the line. If it was short enough before the last key, it can be recalled.
    fn refuse(&mut self) -> Pressed {
        let line = self.take();
        if line.len() <= MAX_LINE {
            self.remember(&line);
        }
        Pressed::TooLong
    }

    fn is_too_long(&self) -> bool {
        self.text.len() > MAX_LINE
    }

    fn enter(&mut self) -> Pressed {
        if self.is_too_long() {
            return self.refuse();
        }
        let line = self.take();
        self.remember(&line);
        Pressed::Entered(line)
    }

    fn take(&mut self) -> String {
        let line = std::mem::take(&mut self.text);
        self.clear();
        line
    }

    fn remember(&mut self, line: &str) {
        if line.trim().is_empty() || self.history.back().is_some_and(|last| last == line) {
            return;
        }
        self.history.push_back(line.to_owned());
        let mut bytes: usize = self.history.iter().map(String::len).sum();
        while self.history.len() > HISTORY_LEN || bytes > HISTORY_BYTES {
            bytes -= self.history.pop_front().map_or(0, |oldest| oldest.len());
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.cursor = 0;
        self.recalled = None;
    }

    /// Recalls the line this many steps further back. After the last one comes the line being typed.
    fn recall(&mut self, steps: isize) {
        let now = self.recalled.as_ref().map_or(0, |(back, _)| *back);
        let Some(back) = now.checked_add_signed(steps).filter(|back| *back <= self.history.len())
        else {
            return;
        };
        let typed = match self.recalled.take() {
            Some((_, typed)) => typed,
            None => self.text.clone(),
        };
        if back == 0 {
            self.text = typed;
        } else {
            self.text.clone_from(&self.history[self.history.len() - back]);
            self.recalled = Some((back, typed));
        }
        self.cursor = self.text.len();
    }

    fn complete(&mut self, vocabulary: &Vocabulary) -> Pressed {
        let completion = completion::complete(&self.text[..self.cursor], vocabulary);
        let kept = self.text.len() - (self.cursor - completion.start);
        if kept + completion.text.len() > MAX_LINE {
            return Pressed::Edited;
        }
        self.remove(completion.start, self.cursor);
        self.insert(&completion.text);
        match completion.candidates {
            candidates if candidates.is_empty() => Pressed::Edited,
            candidates => Pressed::Candidates(candidates),
        }
    }

    fn kill(&mut self, start: usize, end: usize) {
        if start < end {
            self.cut = self.text[start..end].to_owned();
            self.remove(start, end);
        }
    }

    fn remove(&mut self, start: usize, end: usize) {
        self.text.replace_range(start..end, "");
        // Two clusters may have become one.
        self.cursor = self.edge_at_or_after(start);
    }

    fn edge_at_or_after(&self, at: usize) -> usize {
        self.edge(at, GraphemeCursor::next_boundary)
    }

    /// Returns `at`, the edge of a character, if it is also the edge of a cluster; otherwise the edge that `find`
    /// finds. Examines only the surroundings, since this runs for every key, and a text pasted without marks is
    /// thousands of keys.
    fn edge(
        &self,
        at: usize,
        find: fn(&mut GraphemeCursor, &str, usize) -> Result<Option<usize>, GraphemeIncomplete>,
    ) -> usize {
        let mut cursor = GraphemeCursor::new(at, self.text.len(), true);
        // Neither call fails: the text is passed as a whole, and its ends are edges.
        if cursor.is_boundary(&self.text, 0).unwrap_or(true) {
            return at;
        }
        find(&mut cursor, &self.text, 0).ok().flatten().unwrap_or(at)
    }

    fn before(&self) -> usize {
        let last = self.text[..self.cursor].graphemes(true).next_back();
        self.cursor - last.map_or(0, str::len)
    }

    fn after(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }

    // Words are runs of letters and digits. Unicode's word boundaries would take quadratic time on some lines.
    // to the square of some lines.
    fn word_before(&self) -> usize {
        let before = self.text[..self.cursor].trim_end_matches(|c| !is_of_word(c));
        let start = before.trim_end_matches(is_of_word).len();
        self.edge(start, GraphemeCursor::prev_boundary)
    }

    fn word_after(&self) -> usize {
        let after = self.text[self.cursor..].trim_start_matches(|c| !is_of_word(c));
        let rest = after.trim_start_matches(is_of_word).len();
        self.edge_at_or_after(self.text.len() - rest)
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || is_attached(c)
}

/// Removes control characters other than newline and tab, and newlines at the end.
fn pasted(text: &str) -> String {
    let text = text.trim_end_matches('\n');
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests;
