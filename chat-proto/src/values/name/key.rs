//! Keys of names: names that people cannot tell apart share one.

use std::sync::Arc;

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, decompose_compatible};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_security::skeleton;

use crate::values::characters::is_mark;

/// A name as people read it: characters that look alike, and upper and lower case, become the same.
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
        let mut letters = String::with_capacity(self.0.len());
        for c in self.0.chars() {
            if c.is_ascii_alphanumeric() || is_hangul(c) {
                letters.push(c);
            } else if !c.is_ascii() {
                decompose_canonical(c, |c| {
                    if c.is_alphanumeric() && !is_mark(c) {
                        letters.push(c);
                    }
                });
            }
        }
        Some(letters).filter(|letters| !letters.is_empty())
    }

    /// Whether this is, or looks like, the [default name](super::Name::default_for) of any session. `user007` is never
    /// given to a session, but people would take it for a default name.
    pub fn is_default(&self) -> bool {
        let digits = self.0.strip_prefix("user");
        // `0` looks like `o`, and `1` like `l`.
        let is_digit = |b| matches!(b, b'0'..=b'9' | b'o' | b'l');
        digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(is_digit))
    }
}

/// The keys of a name.
///
/// Every name has a key as it is read: in lower case, with ASCII digits. A few have another as they are drawn: Greek
/// `ΝΑ` is read `να`, which looks like `va`, but is drawn like `NA`; Arabic `٥` is read `5`, but is drawn like `o`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameKeys {
    read: NameKey,
    drawn: Option<NameKey>,
}

impl NameKeys {
    pub(super) fn of(name: &str) -> Self {
        if is_plain(name) {
            return Self { read: NameKey(plain_key(name).into()), drawn: None };
        }
        let written = decompose(name);
        let folded = UniCase::unicode(&written).to_folded_case();
        let digits = folded.chars().map(ascii_digit);
        let is_as_written = digits.clone().eq(written.chars());
        let read = settle(draw(digits));
        let drawn = (!is_as_written).then(|| settle(draw(written.chars())));
        let drawn = drawn.filter(|drawn| *drawn != read).map(|drawn| NameKey(drawn.into()));
        Self { read: NameKey(read.into()), drawn }
    }

    /// The first key, which all names have.
    pub(super) fn read(&self) -> &NameKey {
        &self.read
    }

    /// The keys, one or two.
    pub fn iter(&self) -> impl Iterator<Item = &NameKey> {
        [&self.read].into_iter().chain(&self.drawn)
    }
}

/// Whether the name consists of ASCII and whole Hangul syllables only.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii() || is_syllable(c))
}

/// Repeats folding and drawing until the key is stable, since the result of drawing may have a case of its own: `β` is
/// drawn like `ß`, which folds to `ss`.
fn settle(mut key: String) -> String {
    for _ in 0..4 {
        if is_plain(&key) {
            return plain_key(&key);
        }
        let folded = UniCase::unicode(&key).to_folded_case();
        if folded == key {
            break;
        }
        key = draw(decompose(&folded).chars());
    }
    key
}

/// Returns the key that the tables would give, for ASCII and whole Hangul syllables.
fn plain_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for c in name.chars() {
        push_plain(c, &mut key);
    }
    key
}

fn push_plain(c: char, key: &mut String) {
    match c.to_ascii_lowercase() {
        '0' => key.push('o'),
        // Because `I` looks like `l`, and is the same letter as `i`.
        '1' | 'i' => key.push('l'),
        'm' => key.push_str("rn"),
        c => key.push(c),
    }
}

/// Decomposes characters that stand for others (NFKD), except Hangul: its syllables and letters stay whole.
pub(super) fn decompose(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.nfc() {
        if c.is_ascii() || is_hangul(c) {
            out.push(c);
        } else {
            decompose_compatible(c, |c| out.push(c));
        }
    }
    out
}

/// Small capitals and the letters that they look like. Unicode's tables lack these pairs: by them, Cyrillic `т` looks
/// like small capital `ᴛ`, and `ᴛ` like nothing else.
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

/// Replaces each character by the one it looks like (UTS 39, section 4), in lower case. Drops the marks that nobody
/// sees (UTS 39, section 5.4): a mark repeated on the same letter, and a dot above a letter that has one anyway.
fn draw(chars: impl Iterator<Item = char>) -> String {
    let (mut out, mut others) = (String::new(), String::new());
    for c in chars {
        if is_hangul(c) {
            draw_others(&mut others, &mut out);
            draw_hangul(c, &mut out);
        } else {
            others.push(c);
        }
    }
    draw_others(&mut others, &mut out);
    out.nfc().collect()
}

/// Keeps a syllable as it is, and any letter that would be drawn as a part of one: UTS 39 would split 각 into 가 and ㄱ,
/// and 아 into a circle and ㅏ.
fn draw_hangul(c: char, out: &mut String) {
    if !is_syllable(c) {
        let start = out.len();
        out.extend(skeleton(c.encode_utf8(&mut [0; 4])));
        if !out[start..].contains(is_conjoining) {
            return;
        }
        out.truncate(start);
    }
    out.push(c);
}

fn draw_others(others: &mut String, out: &mut String) {
    for prototype in skeleton(others) {
        match capital_of(prototype) {
            '\u{307}' if out.ends_with(['l', 'j']) => {}
            mark if out.ends_with(mark) && is_mark(mark) => {}
            plain if plain.is_ascii() => push_plain(plain, out),
            other => out.push(other),
        }
    }
    others.clear();
}

/// The letter that a small capital looks like; any other character as it is.
fn capital_of(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    SMALL_CAPITALS.iter().find(|(small, _)| *small == c).map_or(c, |(_, letter)| *letter)
}

/// The ASCII digit of the same value as a decimal digit; any other character as it is. Digits come in runs from 0
/// to 9, and runs may adjoin (UTC stability policy).
fn ascii_digit(c: char) -> char {
    let is_decimal = |code: u32| {
        let c = char::from_u32(code);
        c.is_some_and(|c| c.general_category() == GeneralCategory::DecimalNumber)
    };
    if c.is_ascii() || !c.is_numeric() || !is_decimal(c.into()) {
        return c;
    }
    let before = (0..u32::from(c)).rev().take_while(|&code| is_decimal(code)).count();
    char::from_digit(before as u32 % 10, 10).expect("below 10")
}

fn is_syllable(c: char) -> bool {
    matches!(c, '가'..='힣')
}

/// Whether `c` is a whole syllable, or a letter as a keyboard types it.
pub(super) fn is_hangul(c: char) -> bool {
    is_syllable(c) || (matches!(c, 'ㄱ'..='ㆎ') && c != '\u{3164}')
}

/// Whether `c` is a part of a syllable.
fn is_conjoining(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97F}' | '\u{D7B0}'..='\u{D7FF}')
}

#[cfg(test)]
mod tests;
