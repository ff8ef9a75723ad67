//! How messages become lines, in the two forms there are.
//!
//! A character that could move the cursor, start an escape sequence or turn the direction of a text
//! is shown as its number, `\u{1b}`. In the form for people other characters are left as they are, a
//! backslash too: a peer may type those six characters as well, which does no harm.

use chat_proto::RoomEntry;

use crate::terminal::line::{Line, NAME_COLOURS, Style};

/// Indent of what belongs to a message but is not its first row: no message begins so, and nobody
/// can write a line that looks like somebody else's. (`12:03 ` is narrower.)
const INDENT: usize = 8;

/// There are no tab stops to count in rows of our own making.
const TAB: &str = "    ";

/// Who output is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Programs: one line for each message, from which the text can be read back.
    Plain,
    /// People at a terminal.
    Pretty,
}

/// What somebody said: `name: text`.
pub(crate) fn chat(form: Form, at: &str, member: &str, text: &str) -> Vec<Line> {
    let mut first = start(form, at);
    first.with(Style::Name(colour(member)), |line| push_name(line, form, member));
    first.push_visible(": ");
    paragraphs(form, first, text)
}

/// What the server says: `* text`.
pub(crate) fn system(form: Form, at: &str, text: &str) -> Vec<Line> {
    let mut first = start(form, at);
    first.push_visible("* ");
    paragraphs(form, first, text)
}

/// What was said here, for a person to see: `> text`.
pub(crate) fn own(at: &str, text: &str) -> Vec<Line> {
    let mut first = start(Form::Pretty, at);
    first.with(Style::Bold, |line| line.push_visible("> "));
    paragraphs(Form::Pretty, first, text)
}

/// What the client itself says: `- text`.
pub(crate) fn client(text: &str) -> Line {
    Line::new(&format!("- {text}")).indented(2)
}

/// What the client did not do: `! text`.
pub(crate) fn refusal(text: &str) -> Line {
    let mut line = Line::default().indented(2);
    line.with(Style::Alarm, |line| line.push_visible("! "));
    line.push_visible(text);
    line
}

/// A room for programs: `  3  title (2): alice, bob`, and how many more there are when not all are
/// listed.
pub(crate) fn room(room: &RoomEntry) -> Line {
    let mut line = Line::new(&format!("{:>3}  ", room.room_id));
    line.push_isolated(&escaped(&room.title));
    line.push_visible(&format!(" ({})", member_count(room)));
    if !room.members.is_empty() {
        line.push_visible(": ");
    }
    push_members(&mut line, Form::Plain, room, |more| format!(" and {more} more"));
    line
}

/// How many are in a room. A server that does not count leaves it 0.
pub(crate) fn member_count(room: &RoomEntry) -> usize {
    room.member_count.max(room.members.len())
}

/// The names of a room, and how many more there are when some are listed, but not all.
pub(crate) fn push_members(
    line: &mut Line,
    form: Form,
    room: &RoomEntry,
    more: impl FnOnce(usize) -> String,
) {
    for (i, member) in room.members.iter().enumerate() {
        line.push_visible(if i == 0 { "" } else { ", " });
        line.with(Style::Name(colour(member)), |line| push_name(line, form, member));
    }
    let listed = room.members.len();
    let count = member_count(room);
    if listed > 0 && count > listed {
        line.push_visible(&more(count - listed));
    }
}

/// For texts of others in the client's own lines, which begin with a small letter.
pub(crate) fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn start(form: Form, at: &str) -> Line {
    let mut line = Line::default().indented(INDENT);
    if form == Form::Pretty {
        line.with(Style::Dim, |line| line.push_visible(at));
        line.push_visible(" ");
    }
    line
}

/// The lines of `text`, the first of them behind `first`, the others indented. For programs it is
/// one line, in which newlines are escaped. A newline at the end begins no line for people.
fn paragraphs(form: Form, mut first: Line, text: &str) -> Vec<Line> {
    if form == Form::Plain {
        first.push_isolated(&escaped(text));
        return vec![first];
    }
    let untabbed = text.replace('\t', TAB);
    let mut parts = untabbed.trim_end_matches('\n').split('\n');
    first.push_isolated(parts.next().unwrap_or_default());
    let mut lines = vec![first];
    lines.extend(parts.map(|part| {
        let mut line = Line::new(&" ".repeat(INDENT)).indented(INDENT);
        line.push_isolated(part);
        line
    }));
    lines
}

/// `\\`, `\n` and `\t` for what they stand for in many languages.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('\n', r"\n").replace('\t', r"\t")
}

/// A name as it is, or in quotes when without them it could pass for something else: a name such
/// as `* bob left`, `bob: hello` or `bob, carol`. In quotes `\"` stands for `"`.
fn push_name(line: &mut Line, form: Form, name: &str) {
    let ambiguous = name.is_empty()
        || name.starts_with(['*', '!', '"', '>', '-'])
        || name.starts_with(char::is_whitespace)
        || name.contains(": ")
        || name.contains(", ");
    let name = if form == Form::Plain { escaped(name) } else { name.to_owned() };
    if ambiguous {
        line.push_visible("\"");
        line.push_isolated(&name.replace('"', "\\\""));
        line.push_visible("\"");
    } else {
        line.push_isolated(&name);
    }
}

/// The same for a name each time, everywhere: FNV-1a, which no version of anything will change.
fn colour(name: &str) -> u8 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    u8::try_from(hash % u64::from(NAME_COLOURS)).expect("it is below a u8")
}

#[cfg(test)]
mod tests;
