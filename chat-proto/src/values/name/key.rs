//! Which names are the same: those that people cannot tell apart.

use std::sync::Arc;

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_compatible;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_security::skeleton;

use crate::values::characters::is_mark;

/// A name as people read it: characters that look alike are one, and so are capitals and small letters.
///
/// Two names are the same if any of their [`NameKeys`] are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameKey(Arc<str>);

impl NameKey {
    /// The characters of the key. They are for comparison, not for display.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The letters and digits of the key, without signs, spaces and marks; none if that is all there is.
    pub fn letters(&self) -> Option<String> {
        let letters: String =
            self.0.nfd().filter(|c| !is_mark(*c) && c.is_alphanumeric()).nfc().collect();
        Some(letters).filter(|letters| !letters.is_empty())
    }

    /// Whether this is, or looks like, a [default name](super::Name::default_for), of whatever session.
    /// `user007` never is one, but people would take it for one.
    pub fn is_default(&self) -> bool {
        let digits = self.0.strip_prefix("user");
        // `0` looks like `o`, and `1` like `l`.
        let is_digit = |b| matches!(b, b'0'..=b'9' | b'o' | b'l');
        digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(is_digit))
    }
}

/// The keys of a name.
///
/// There are two ways to take a name, and the second matters for few: as read, in small letters and with the
/// digits of ASCII, and as drawn. `ΝΑ` in Greek is read `να`, which looks like `va`, but drawn like `NA`; an
/// Arabic `٥` is read `5`, and drawn like `o`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameKeys {
    read: NameKey,
    drawn: Option<NameKey>,
}

impl NameKeys {
    pub(super) fn of(name: &str) -> Self {
        if name.is_ascii() {
            return Self { read: NameKey(ascii_key(name).into()), drawn: None };
        }
        let read = stable(name.to_owned());
        let drawn = stable(draw(decompose(name).chars()));
        let drawn = (drawn != read).then(|| NameKey(drawn.into()));
        Self { read: NameKey(read.into()), drawn }
    }

    /// The keys, one or two.
    pub fn iter(&self) -> impl Iterator<Item = &NameKey> {
        [&self.read].into_iter().chain(&self.drawn)
    }
}

/// Folds and draws `key` until nothing changes. Each step makes it no less plain, so that few are needed.
fn stable(mut key: String) -> String {
    for _ in 0..8 {
        let folded = UniCase::unicode(decompose(&key)).to_folded_case();
        let next = draw(folded.chars().map(|c| digit(c).unwrap_or(c)));
        if next == key {
            break;
        }
        key = next;
    }
    key
}

/// Returns the same key as the tables do.
fn ascii_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for c in name.chars() {
        match c.to_ascii_lowercase() {
            '0' => key.push('o'),
            '1' | 'i' => key.push('l'),
            'm' => key.push_str("rn"),
            c => key.push(c),
        }
    }
    key
}

/// Writes out characters that stand for others (NFKD), but for Hangul: its syllables and letters are read as
/// one.
pub(super) fn decompose(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.nfc() {
        if is_hangul(c) {
            out.push(c);
        } else {
            decompose_compatible(c, |c| out.push(c));
        }
    }
    out
}

/// Small capitals and the letters that they look like. Unicode says that Cyrillic `т` looks like the first, and
/// that it looks like nothing else.
const SMALL_CAPITALS: [(char, char); 25] = [
    ('ᴀ', 'a'),
    ('ʙ', 'b'),
    ('ᴄ', 'c'),
    ('ᴅ', 'd'),
    ('ᴇ', 'e'),
    ('ꜰ', 'f'),
    ('ɢ', 'g'),
    ('ʜ', 'h'),
    ('ɪ', 'l'),
    ('ᴊ', 'j'),
    ('ᴋ', 'k'),
    ('ʟ', 'l'),
    ('ᴍ', 'm'),
    ('ʍ', 'm'),
    ('ɴ', 'n'),
    ('ᴏ', 'o'),
    ('ᴘ', 'p'),
    ('ʀ', 'r'),
    ('ꜱ', 's'),
    ('ᴛ', 't'),
    ('ᴜ', 'u'),
    ('ᴠ', 'v'),
    ('ᴡ', 'w'),
    ('ʏ', 'y'),
    ('ᴢ', 'z'),
];

/// Replaces each character by the one it looks like (UTS 39, section 4). `i` becomes `l`, because `I` looks
/// like `l` and is the same letter as `i`. Marks that nobody sees go (UTS 39, section 5.4): a second one of a
/// kind, and a dot above a letter that has one anyway.
fn draw(chars: impl Iterator<Item = char>) -> String {
    let mut out = String::new();
    for c in chars {
        let start = out.len();
        for prototype in skeleton(c.encode_utf8(&mut [0; 4])) {
            let small_capital = SMALL_CAPITALS.iter().find(|(capital, _)| *capital == prototype);
            match small_capital.map_or(prototype, |(_, letter)| *letter) {
                'i' => out.push('l'),
                '\u{307}' if out.ends_with(['l', 'j']) => {}
                mark if is_mark(mark) && out.ends_with(mark) => {}
                other => out.push(other),
            }
        }
        // UTS 39 would read 각 as 가 and ㄱ, and 아 as a circle and ㅏ.
        if is_syllable(c) || out[start..].contains(is_conjoining) {
            out.truncate(start);
            out.push(c);
        }
    }
    out.nfc().collect()
}

/// The ASCII digit of the same value as the decimal digit `c`. Digits come in runs from 0 to 9, and runs may
/// adjoin (UTC stability policy).
fn digit(c: char) -> Option<char> {
    let is_decimal = |code: u32| {
        let c = char::from_u32(code);
        c.is_some_and(|c| c.general_category() == GeneralCategory::DecimalNumber)
    };
    if !is_decimal(c.into()) {
        return None;
    }
    let before = (0..u32::from(c)).rev().take_while(|&code| is_decimal(code)).count();
    char::from_digit(before as u32 % 10, 10)
}

fn is_syllable(c: char) -> bool {
    matches!(c, '가'..='힣')
}

/// Whether `c` is a whole syllable, or a letter as a keyboard types it.
pub(super) fn is_hangul(c: char) -> bool {
    is_syllable(c) || matches!(c, 'ㄱ'..='ㆎ')
}

/// Whether `c` is a part of a syllable.
fn is_conjoining(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97F}' | '\u{D7B0}'..='\u{D7FF}')
}

#[cfg(test)]
mod tests;
