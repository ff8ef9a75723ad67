//! Turns messages into lines, in either [`Format`].
//!
//! A character that could move the cursor, start an escape sequence or change the direction of a text
//! appears as its number, `\u{1b}`. In the format for people a backslash stays as it is: somebody may
//! also type those six characters, which does no harm.

use chat_proto::RoomEntry;

use crate::app::options::Format;
use crate::terminal::line::{Line, NAME_COLOURS, Style};

/// The indent of all rows of a message but the first, wider than `12:03 `: no message begins like
/// that, so nobody can write a line that looks like somebody else's.
const INDENT: usize = 8;

/// In place of a tab: rows have no tab stops.
const TAB: &str = "    ";

/// A chat: `name: text`.
pub(crate) fn chat(format: Format, at: &str, member: &str, text: &str) -> Vec<Line> {
    let mut first = start(format, at);
    first.with(Style::Name(colour(member)), |line| push_name(line, format, member));
    first.push_visible(": ");
    paragraphs(format, first, text)
}

/// A notice of the server: `* text`.
pub(crate) fn system(format: Format, at: &str, text: &str) -> Vec<Line> {
    let mut first = start(format, at);
    first.push_visible("* ");
    paragraphs(format, first, text)
}

/// A chat of this client's own person: `> text`.
pub(crate) fn own(at: &str, text: &str) -> Vec<Line> {
    let mut first = start(Format::Pretty, at);
    first.with(Style::Bold, |line| line.push_visible("> "));
    paragraphs(Format::Pretty, first, text)
}

/// A text of the client's own: `- text`.
pub(crate) fn client(text: &str) -> Line {
    let mut line = Line::new("- ").indented(2);
    line.push_isolated(text);
    line
}

/// A room for programs: `  3  title (2): alice, bob`, with ` and 48 more` if not all are listed.
pub(crate) fn room(room: &RoomEntry) -> Line {
    let mut line = Line::new(&format!("{:>3}  ", room.room_id));
    line.push_isolated(&escaped(&room.title));
    line.push_visible(&format!(" ({})", member_count(room)));
    if !room.members.is_empty() {
        line.push_visible(": ");
    }
    push_members(&mut line, Format::Plain, room, |more| format!(" and {more} more"));
    line
}

/// The number of members. A server that does not count them leaves it 0.
pub(crate) fn member_count(room: &RoomEntry) -> usize {
    room.member_count.max(room.members.len())
}

/// Appends the names of a room's members, and the number of those not listed if some are.
pub(crate) fn push_members(
    line: &mut Line,
    format: Format,
    room: &RoomEntry,
    more: impl FnOnce(usize) -> String,
) {
    for (i, member) in room.members.iter().enumerate() {
        line.push_visible(if i == 0 { "" } else { ", " });
        line.with(Style::Name(colour(member)), |line| push_name(line, format, member));
    }
    let listed = room.members.len();
    let count = member_count(room);
    if listed > 0 && count > listed {
        line.push_visible(&more(count - listed));
    }
}

fn start(format: Format, at: &str) -> Line {
    let mut line = Line::default().indented(INDENT);
    if format == Format::Pretty {
        line.with(Style::Dim, |line| line.push_visible(at));
        line.push_visible(" ");
    }
    line
}

/// Appends the first line of `text` to `first`, and indents the others. For programs it is one line, with
/// newlines escaped. For people a newline at the end begins no line.
fn paragraphs(format: Format, mut first: Line, text: &str) -> Vec<Line> {
    if format == Format::Plain {
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

/// Writes a backslash, newline and tab as `\\`, `\n` and `\t`.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('\n', r"\n").replace('\t', r"\t")
}

/// Appends a name, in quotes if it could pass for something else, such as `* bob left`, `bob: hello` or
/// `bob, carol`. Inside quotes `\"` stands for `"`.
fn push_name(line: &mut Line, format: Format, name: &str) {
    let ambiguous = name.is_empty()
        || name.starts_with(['*', '!', '"', '>', '-'])
        || name.starts_with(char::is_whitespace)
        || name.contains(": ")
        || name.contains(", ");
    let name = if format == Format::Plain { escaped(name) } else { name.to_owned() };
    if ambiguous {
        line.push_visible("\"");
        line.push_isolated(&name.replace('"', "\\\""));
        line.push_visible("\"");
    } else {
        line.push_isolated(&name);
    }
}

/// The colour of a name, the same everywhere: FNV-1a does not change between versions.
fn colour(name: &str) -> u8 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    u8::try_from(hash % u64::from(NAME_COLOURS)).expect("it is below a u8")
}

#[cfg(test)]
mod tests;
