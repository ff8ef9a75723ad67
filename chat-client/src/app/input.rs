//! What a person types: a line becomes a command, or a mistake that can be told at once.

use chat_proto::{Command, MAX_PAYLOAD, Name, RoomId, Text, Title, ValueError, chat_payload_len};

/// All commands, in the order in which `/help` and suggestions have them.
pub(crate) const COMMANDS: [&str; 8] =
    ["help", "name", "rooms", "create", "join", "leave", "shutdown", "quit"];

/// Of a command that does not exist, as much is said back.
const MAX_ECHOED_CHARS: usize = 32;

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// Nothing: the line is blank.
    Blank,
    Help,
    Quit,
    /// Something for the server to do.
    Command(Command),
}

/// Reads one line, which holds no newline.
pub(crate) fn read(line: &str) -> Result<Typed, Mistake> {
    if line.trim().is_empty() {
        return Ok(Typed::Blank);
    }
    let Some(rest) = line.strip_prefix('/') else {
        return chat(line);
    };
    if rest.starts_with('/') {
        return chat(rest);
    }
    let (name, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let words: Vec<&str> = arguments.split_whitespace().collect();
    let nothing_more = |command, typed| match words.as_slice() {
        [] => Ok(typed),
        _ => Err(Mistake::TakesNothing(command)),
    };
    match name {
        "help" => Ok(Typed::Help),
        "quit" => nothing_more("quit", Typed::Quit),
        "rooms" => nothing_more("rooms", Typed::Command(Command::Rooms)),
        "leave" => nothing_more("leave", Typed::Command(Command::Leave)),
        "shutdown" => nothing_more("shutdown", Typed::Command(Command::Shutdown)),
        "name" if words.is_empty() => Err(Mistake::NoName),
        "name" => Name::new(&words.join(" "))
            .map(|name| Typed::Command(Command::Rename(name)))
            .map_err(Mistake::BadName),
        "create" if words.is_empty() => Err(Mistake::NoTitle),
        "create" => Title::new(&words.join(" "))
            .map(|title| Typed::Command(Command::Create(title)))
            .map_err(Mistake::BadTitle),
        "join" => join(&words),
        _ => Err(Mistake::unknown(name)),
    }
}

fn chat(text: &str) -> Result<Typed, Mistake> {
    let text = Text::new(text).map_err(Mistake::BadText)?;
    match excess(&text) {
        0 => Ok(Typed::Command(Command::Chat(text))),
        excess => Err(Mistake::TextTooLong { excess }),
    }
}

/// Bytes by which a text does not fit the smallest `SCChat` it could come in. The client knows
/// neither its name nor its room's counter; for texts a few bytes shorter the server has the word.
fn excess(text: &Text) -> usize {
    let shortest = Name::new("x").expect("a letter is a name");
    chat_payload_len(&shortest, text, RoomId::FIRST, 1).saturating_sub(MAX_PAYLOAD)
}

fn join(words: &[&str]) -> Result<Typed, Mistake> {
    let [word] = words else {
        return Err(Mistake::BadRoomId);
    };
    room_id(word).map(|room| Typed::Command(Command::Join(room))).ok_or(Mistake::BadRoomId)
}

/// Reads a room's number: digits, and above 0.
pub(crate) fn room_id(word: &str) -> Option<RoomId> {
    word.parse().ok()
}

/// Why a line was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// It is longer than any text or command can be.
    LineTooLong,
    NotUtf8,
    UnknownCommand {
        /// Its first characters, as typed.
        word: String,
        /// The command that is one edit away.
        near: Option<&'static str>,
    },
    /// The command has words after it that mean nothing there.
    TakesNothing(&'static str),
    NoName,
    NoTitle,
    BadRoomId,
    BadName(ValueError),
    BadTitle(ValueError),
    BadText(ValueError),
    TextTooLong {
        /// Bytes of JSON by which it is too long.
        excess: usize,
    },
}

impl Mistake {
    fn unknown(word: &str) -> Self {
        let near = COMMANDS.into_iter().find(|command| within_one_edit(word, command));
        Self::UnknownCommand { word: word.chars().take(MAX_ECHOED_CHARS).collect(), near }
    }
}

/// Whether the words differ, but for case, by one letter too few, too many, wrong, or by two
/// neighbours swapped.
fn within_one_edit(word: &str, command: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let (mut a, mut b) = (word.as_bytes(), command.as_bytes());
    while let ([x, a_rest @ ..], [y, b_rest @ ..]) = (a, b)
        && x == y
    {
        (a, b) = (a_rest, b_rest);
    }
    while let ([a_rest @ .., x], [b_rest @ .., y]) = (a, b)
        && x == y
    {
        (a, b) = (a_rest, b_rest);
    }
    match (a, b) {
        ([x, y], [v, w]) => x == w && y == v,
        _ => a.len() <= 1 && b.len() <= 1,
    }
}

#[cfg(test)]
mod tests;
