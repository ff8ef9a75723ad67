//! Lays out messages as lines, in either [`Format`].
//!
//! A line of a message begins with its speaker, and nothing that follows can begin another one:
//!
//! | line | speaker |
//! |---|---|
//! | `12:03 alice: text` | a member, in quotes unless the name is plain |
//! | `12:03 * text` | the server |
//! | `12:03 > text`, `> /command` | the person at this client |
//! | `12:03 ! not sent: text`, `! text`, `- text` | this client |
//!
//! Without the time, these are the lines for programs. For people, all rows of a line except the first are indented;
//! only the time, a mark or a digit stands at the margin, never text of anybody else.

use std::borrow::Cow;

use chat_proto::{Lang, RoomEntry};

use crate::app::options::Format;
use crate::terminal::line::{Line, NAME_COLOURS, Style};
use crate::terminal::visible::Visible;

/// The indent of all rows of a message except the first; wider than `12:03 `.
const INDENT: usize = 8;

/// Replaces a tab, since rows have no tab stops.
const TAB: &str = "    ";

/// The speaker of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker<'a> {
    Member(&'a str),
    Server,
    /// The person at this client.
    Own,
    /// The person at this client, whose text the server refused; with the wording for that.
    Refused(&'a str),
}

/// A message: the time for people, the speaker, the text.
pub(crate) fn said(format: Format, at: &str, speaker: Speaker<'_>, text: &str) -> Vec<Line> {
    let text = match format {
        Format::Plain => Cow::Owned(escaped(text)),
        Format::Pretty => Cow::Borrowed(text),
    };
    paragraphs(format, at, speaker, &text)
}

/// A notice of the server in the client's wording, in which names are already visible and quoted.
pub(crate) fn reworded(format: Format, at: &str, text: &str) -> Vec<Line> {
    paragraphs(format, at, Speaker::Server, text)
}

/// A text of the client's own: `- text`.
pub(crate) fn client(text: &str) -> Line {
    let mut line = Line::default().indented(2);
    line.push_mark("- ");
    line.push_text(text);
    line
}

/// A command as it was typed: `> /command`. Newlines in a pasted text are shown by number, to keep it on one line.
pub(crate) fn typed(line: &str) -> Line {
    let mut echo = Line::default().indented(2);
    echo.with(Style::Dim, |echo| {
        echo.push_mark("> ");
        echo.push_text(line);
    });
    echo
}

/// The words that could complete the line being typed.
pub(crate) fn candidates(words: &[String]) -> Line {
    let mut line = Line::default().indented(2);
    line.with(Style::Dim, |line| {
        line.push_mark("- ");
        for word in words {
            // Commands are the client's own words.
            line.push(&if word.starts_with('/') {
                Visible::text(word)
            } else {
                Visible::name(word)
            });
            line.push_mark("  ");
        }
    });
    line
}

/// A room for programs: `  3  title (2): alice, bob`, with ` and 48 more` if not all are listed.
pub(crate) fn room(room: &RoomEntry) -> Line {
    let mut line = Line::new(&format!("{:>3}  ", room.room_id)).indented(INDENT);
    line.push(&Visible::name(&room.title));
    line.push_text(&format!(" ({})", member_count(room)));
    if !room.members.is_empty() {
        line.push_mark(": ");
    }
    push_members(&mut line, room, |more| format!(" and {more} more"));
    line
}

/// The number of members. A server that does not count them leaves it 0.
pub(crate) fn member_count(room: &RoomEntry) -> usize {
    room.member_count.max(room.members.len())
}

/// Appends the names of a room's members and, if some are not listed, the number of those.
pub(crate) fn push_members(line: &mut Line, room: &RoomEntry, more: impl FnOnce(usize) -> String) {
    push_names(line, &room.members, member_count(room), more);
}

/// The members of the room that this client is in: `- here now (3): alice, bob and 1 more`.
pub(crate) fn members(head: &str, names: &[String], count: usize, lang: Lang) -> Line {
    let mut line = client(head);
    line.push_mark(": ");
    push_names(&mut line, names, count, |more| and_more(more, lang));
    line
}

/// The number of those who are not listed, after the names of the others.
pub(crate) fn and_more(more: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!(" and {more} more"),
        Lang::Ko => format!(" 외 {more}명"),
    }
}

fn push_names(line: &mut Line, names: &[String], count: usize, more: impl FnOnce(usize) -> String) {
    for (i, member) in names.iter().enumerate() {
        line.push_mark(if i == 0 { "" } else { ", " });
        // Several words with a number could pass for the client's own count after the names.
        let is_several = member.contains(char::is_numeric);
        let name = if is_several { Visible::word(member) } else { Visible::name(member) };
        line.with(Style::Name(colour(member)), |line| line.push(&name));
    }
    let listed = names.len();
    if listed > 0 && count > listed {
        line.push_text(&more(count - listed));
    }
}

fn start(format: Format, at: &str, speaker: Speaker<'_>) -> Line {
    let mut line = Line::default().indented(INDENT);
    if format == Format::Pretty {
        line.with(Style::Dim, |line| line.push_text(at));
        line.push_mark(" ");
    }
    match speaker {
        Speaker::Member(name) => {
            line.with(Style::Name(colour(name)), |line| line.push(&Visible::name(name)));
            line.push_mark(": ");
        }
        Speaker::Server => line.push_mark("* "),
        Speaker::Own => line.with(Style::Bold, |line| line.push_mark("> ")),
        Speaker::Refused(why) => line.with(Style::Alarm, |line| {
            line.push_mark("! ");
            line.push_text(why);
            line.push_mark(": ");
        }),
    }
    line
}

/// Appends the first line of `text` to the speaker, and indents the others. For people, a newline at the end does not
/// begin a line.
fn paragraphs(format: Format, at: &str, speaker: Speaker<'_>, text: &str) -> Vec<Line> {
    let is_struck = matches!(speaker, Speaker::Refused(_));
    let push = |line: &mut Line, part: &str| match is_struck {
        true => line.with(Style::Struck, |line| line.push_text(part)),
        false => line.push_text(part),
    };
    let untabbed = if format == Format::Pretty { text.replace('\t', TAB) } else { text.to_owned() };
    let mut parts = untabbed.trim_end_matches('\n').split('\n');
    let mut first = start(format, at, speaker);
    push(&mut first, parts.next().unwrap_or_default());
    let mut lines = vec![first];
    lines.extend(parts.map(|part| {
        let mut line = Line::default().indented(INDENT);
        line.push_spaces(INDENT);
        push(&mut line, part);
        line
    }));
    lines
}

/// Writes a backslash, newline and tab as `\\`, `\n` and `\t`.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('\n', r"\n").replace('\t', r"\t")
}

/// The colour of a name, the same everywhere, since FNV-1a does not change between versions.
fn colour(name: &str) -> u8 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    u8::try_from(hash % u64::from(NAME_COLOURS)).expect("it is below a u8")
}

#[cfg(test)]
mod tests;
