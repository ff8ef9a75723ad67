//! Parses the lines that a person types.

use chat_proto::{Command, MAX_PAYLOAD, Name, RoomId, Text, Title, chat_payload_len};

use crate::app::input_error::InputError;
use crate::app::keyboard;

/// All commands, in the order of `/help`.
pub(crate) const COMMANDS: [&str; 9] =
    ["help", "name", "rooms", "create", "join", "who", "leave", "shutdown", "quit"];

/// The characters that begin a command: the slash, and its full-width form.
const SLASHES: [char; 2] = ['/', '／'];

/// A parsed line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Nothing: the line is blank.
    Blank,
    Help,
    Quit,
    /// The members of the room.
    Who,
    /// The rooms whose titles contain this.
    FindRooms(String),
    /// Something for the server to do.
    Command(Command),
}

/// The line as a keyboard switched to Latin would have typed it, if that makes it a command. The rest of the line
/// stays as it is.
pub(crate) fn in_latin(line: &str) -> Option<String> {
    let line = line.trim_start_matches(is_space);
    let rest = line.strip_prefix(SLASHES)?;
    let word = &rest[..rest.find(is_space).unwrap_or(rest.len())];
    let keys = keyboard::keys_of(word);
    let is_otherwise = !word.is_ascii() || !line.starts_with('/');
    let is_command = COMMANDS.contains(&keys.as_str());
    (is_otherwise && is_command).then(|| format!("/{keys}{}", &rest[word.len()..]))
}

/// Whether the original client considers `c` a space (Python's `str.isspace`).
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1C}'..='\u{1F}').contains(&c)
}

/// Parses one line. Spaces before a command do not matter.
///
/// # Errors
/// If it is not a command, or breaks a rule that can be checked without a server.
pub(crate) fn parse(line: &str) -> Result<Input, InputError> {
    let stripped = line.trim_matches(is_space);
    if stripped.is_empty() {
        return Ok(Input::Blank);
    }
    let Some(rest) = stripped.strip_prefix(SLASHES) else {
        return chat(line);
    };
    if rest.starts_with(SLASHES) {
        return chat(rest);
    }
    let (name, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let words: Vec<&str> = arguments.split_whitespace().collect();
    let takes_nothing = |command, input| match words.as_slice() {
        [] => Ok(input),
        _ => Err(InputError::TakesNothing(command)),
    };
    match name {
        "help" => Ok(Input::Help),
        "quit" => takes_nothing("quit", Input::Quit),
        "who" => takes_nothing("who", Input::Who),
        "rooms" if words.is_empty() => Ok(Input::Command(Command::Rooms)),
        "rooms" => Ok(Input::FindRooms(words.join(" "))),
        "leave" => takes_nothing("leave", Input::Command(Command::Leave)),
        "shutdown" => takes_nothing("shutdown", Input::Command(Command::Shutdown)),
        "name" if words.is_empty() => Err(InputError::NoName),
        "name" => Name::new(&words.join(" "))
            .map(|name| Input::Command(Command::Rename(name)))
            .map_err(InputError::BadName),
        "create" if words.is_empty() => Err(InputError::NoTitle),
        "create" => Title::new(&words.join(" "))
            .map(|title| Input::Command(Command::Create(title)))
            .map_err(InputError::BadTitle),
        "join" => join(&words),
        _ => Err(InputError::unknown_command(name, nearest_command(name))),
    }
}

fn chat(text: &str) -> Result<Input, InputError> {
    let text = Text::new(text).map_err(InputError::BadText)?;
    match excess(&text) {
        0 => Ok(Input::Command(Command::Chat(text))),
        excess => Err(InputError::TextTooLong { excess }),
    }
}

/// The bytes by which a text exceeds the smallest `SCChat` that could carry it. The client may know neither its own
/// name nor its room's counter, so texts that exceed the limit by a few bytes are left to the server.
fn excess(text: &Text) -> usize {
    let shortest = Name::new("x").expect("a letter is a name");
    chat_payload_len(&shortest, text, RoomId::FIRST, 1).saturating_sub(MAX_PAYLOAD)
}

fn join(words: &[&str]) -> Result<Input, InputError> {
    let [word] = words else {
        return Err(InputError::BadRoomId);
    };
    let room = word.parse().map_err(|_| InputError::BadRoomId)?;
    Ok(Input::Command(Command::Join(room)))
}

fn nearest_command(word: &str) -> Option<&'static str> {
    COMMANDS.into_iter().find(|command| within_one_edit(word, command))
}

/// Whether the words, ignoring case, are at most one edit apart: a letter missing, added or replaced, or two
/// neighbours swapped.
fn within_one_edit(word: &str, command: &str) -> bool {
    let word = keyboard::keys_of(word);
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
