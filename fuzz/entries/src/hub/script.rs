//! Scripts of steps, which people can write. Any bytes form a script.

use std::str;

use chat_core::{Command, Name, Role, RoomId, Text, Title};

/// One step. A session is known by its number, counted from the first.
#[derive(Debug)]
pub(super) enum Step {
    Connect(Role),
    Disconnect(usize),
    Command(usize, Command),
}

/// Reads steps, each a person, a verb and what the verb needs:
///
/// | verb | step |
/// |---|---|
/// | `+` `*` | connect a guest, an operator: the next person |
/// | `-` | disconnect |
/// | `N` `C` `T` | rename, create, chat, with a value |
/// | `J` | join a room, `1` for the first |
/// | `L` `R` `S` | leave, list rooms, shut down |
///
/// `a` is the first person. A value is `0`, `1`, … from a list, or `=` and everything up to the end of the line. Any
/// other byte stands for one of these; blanks between steps are ignored.
#[derive(Debug)]
pub(super) struct Script<'a> {
    rest: &'a [u8],
    left: usize,
}

const VERBS: &[u8] = b"+-NCTJLRS*";

/// Names that count as the same and names that do not, default names, and a reserved one.
const NAMES: [&str; 10] = [
    "Ann",
    "\u{ff21}nn",
    " ann ",
    "김철수",
    "\u{1100}\u{1175}\u{11b7}철수",
    "user1",
    "user2",
    "USER3",
    "Admin",
    "ΝΑ", // with two keys
];

const TITLES: [&str; 3] = ["games", "방 \"2\"", "x"];

/// Lengths of texts in bytes: short, and around the most that fits a frame with a name.
const TEXTS: [usize; 6] = [1, 1000, 65_300, 65_450, 65_460, 65_470];

impl<'a> Script<'a> {
    /// The most steps of a script, which bounds its running time.
    const MOST: usize = 2_000;

    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { rest: data, left: Self::MOST }
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn value<'v>(&mut self, listed: &[&'v str]) -> Option<&'v str>
    where
        'a: 'v,
    {
        let byte = self.byte()?;
        if byte != b'=' {
            return Some(listed[usize::from(byte.wrapping_sub(b'0')) % listed.len()]);
        }
        let mut parts = self.rest.splitn(2, |&b| b == b'\n');
        let line = parts.next()?;
        self.rest = parts.next().unwrap_or_default();
        str::from_utf8(line).ok()
    }

    fn text(&mut self) -> Option<Text> {
        match self.rest.first()? {
            b'=' => Text::new(self.value(&[""])?).ok(),
            _ => {
                let listed = usize::from(self.byte()?.wrapping_sub(b'0')) % TEXTS.len();
                Text::new(&"x".repeat(TEXTS[listed])).ok()
            }
        }
    }

    /// Reads one step. The inner `None` stands for a step whose value no command accepts.
    fn step(&mut self) -> Option<Option<Step>> {
        while self.rest.first()?.is_ascii_whitespace() {
            self.byte();
        }
        let who = usize::from(self.byte()?.wrapping_sub(b'a'));
        let verb = self.byte()?;
        let verb =
            if VERBS.contains(&verb) { verb } else { VERBS[usize::from(verb) % VERBS.len()] };
        let command = match verb {
            b'+' => return Some(Some(Step::Connect(Role::Guest))),
            b'*' => return Some(Some(Step::Connect(Role::Operator))),
            b'-' => return Some(Some(Step::Disconnect(who))),
            b'N' => self.value(&NAMES).and_then(|name| Name::new(name).ok()).map(Command::Rename),
            b'C' => {
                self.value(&TITLES).and_then(|title| Title::new(title).ok()).map(Command::Create)
            }
            b'T' => self.text().map(Command::Chat),
            b'J' => RoomId::new(self.byte()?.wrapping_sub(b'0').into()).ok().map(Command::Join),
            b'L' => Some(Command::Leave),
            b'R' => Some(Command::Rooms),
            _ => Some(Command::Shutdown),
        };
        Some(command.map(|command| Step::Command(who, command)))
    }
}

impl Iterator for Script<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        loop {
            self.left = self.left.checked_sub(1)?;
            if let Some(step) = self.step()? {
                return Some(step);
            }
        }
    }
}
