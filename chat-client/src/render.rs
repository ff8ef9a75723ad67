//! What may reach the terminal: [`Line`], and the way a server's message becomes lines.
//!
//! A character that could move the cursor, start an escape sequence or turn the direction of a text
//! is shown as its number, `\u{1b}`. Other characters are left as they are, a backslash too: a peer
//! may type those six characters as well, which does no harm.

use std::fmt::Write as _;

use chat_proto::RoomEntry;

/// Before each line of a chat but the first: no other line begins so, and nobody can write a line
/// that looks like somebody else's.
const CONTINUATION: &str = "    ";

/// There are no tab stops to count in a terminal of unknown width.
const TAB: &str = "    ";

const FIRST_STRONG_ISOLATE: char = '\u{2068}';
const POP_ISOLATE: char = '\u{2069}';

/// One line of output, without its newline.
///
/// It holds no control character, no line separator, and no bidi control but whole pairs of
/// [`FIRST_STRONG_ISOLATE`] and [`POP_ISOLATE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line(String);

impl Line {
    /// A line of the client's own. Characters that do not belong in a line are shown by number.
    pub(crate) fn new(text: &str) -> Self {
        let mut line = String::with_capacity(text.len());
        push_visible(&mut line, text);
        Self(line)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// `name: text`, and an indented line for each further line of the text.
pub(crate) fn chat(member: &str, text: &str) -> Vec<Line> {
    let mut first = String::new();
    push_name(&mut first, member);
    first.push_str(": ");
    paragraphs(first, text)
}

/// `* text`, and an indented line for each further line of the text.
pub(crate) fn system(text: &str) -> Vec<Line> {
    paragraphs("* ".to_owned(), text)
}

/// `  3  title (2): alice, bob`, and how many more there are when not all are listed.
pub(crate) fn room(room: &RoomEntry) -> Line {
    let listed = room.members.len();
    // A server that does not count leaves it 0.
    let count = room.member_count.max(listed);
    let mut line = format!("{:>3}  ", room.room_id);
    push_isolated(&mut line, &room.title, push_visible);
    push(&mut line, format_args!(" ({count})"));
    for (i, member) in room.members.iter().enumerate() {
        line.push_str(if i == 0 { ": " } else { ", " });
        push_name(&mut line, member);
    }
    if listed > 0 && count > listed {
        push(&mut line, format_args!(" and {} more", count - listed));
    }
    Line(line)
}

/// For texts of others in the client's own lines, which begin with a small letter.
pub(crate) fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// The lines of `text`, the first of them behind `first`. A newline at the end begins no line.
fn paragraphs(mut first: String, text: &str) -> Vec<Line> {
    let mut parts = text.trim_end_matches('\n').split('\n');
    push_isolated(&mut first, parts.next().unwrap_or_default(), push_tabbed);
    let mut lines = vec![Line(first)];
    lines.extend(parts.map(|part| {
        let mut line = CONTINUATION.to_owned();
        push_isolated(&mut line, part, push_tabbed);
        Line(line)
    }));
    lines
}

/// A name as it is, or in quotes when without them it could pass for something else: a name such
/// as `* bob left`, `bob: hello` or `bob, carol`.
fn push_name(line: &mut String, name: &str) {
    let ambiguous = name.is_empty()
        || name.starts_with(['*', '!', '"'])
        || name.starts_with(char::is_whitespace)
        || name.contains(": ")
        || name.contains(", ");
    let quote = if ambiguous { "\"" } else { "" };
    line.push_str(quote);
    push_isolated(line, name, push_visible);
    line.push_str(quote);
}

/// Keeps a text that runs from right to left, or holds a mark that could make it so, from
/// reordering what stands beside it. Other texts are left free of invisible characters.
fn push_isolated(line: &mut String, text: &str, push: fn(&mut String, &str)) {
    if text.contains(is_right_to_left) {
        line.push(FIRST_STRONG_ISOLATE);
        push(line, text);
        line.push(POP_ISOLATE);
    } else {
        push(line, text);
    }
}

fn push_tabbed(line: &mut String, text: &str) {
    for (i, part) in text.split('\t').enumerate() {
        line.push_str(if i == 0 { "" } else { TAB });
        push_visible(line, part);
    }
}

fn push_visible(line: &mut String, text: &str) {
    for c in text.chars() {
        if must_be_shown_by_number(c) {
            push(line, format_args!("{}", c.escape_unicode()));
        } else {
            line.push(c);
        }
    }
}

fn push(line: &mut String, args: std::fmt::Arguments<'_>) {
    line.write_fmt(args).expect("a String takes all that is written to it");
}

/// C0, DEL and C1 controls, line and paragraph separators, bidi embeddings, overrides and isolates.
fn must_be_shown_by_number(c: char) -> bool {
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
#[path = "render_tests.rs"]
mod tests;
