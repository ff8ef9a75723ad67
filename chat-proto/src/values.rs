//! The values inside messages, checked once where they enter and right ever after.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest name, in characters (Unicode scalar values).
pub const MAX_NAME_CHARS: usize = 32;

/// The longest room title, in characters (Unicode scalar values).
pub const MAX_TITLE_CHARS: usize = 100;

/// The longest announcement or reason, in characters (Unicode scalar values). Even if each takes
/// four bytes and the text is sent twice in one message, it fits a frame.
pub const MAX_OPERATOR_TEXT_CHARS: usize = 1_000;

/// The name a person chats under: 1 to [`MAX_NAME_CHARS`] characters, not all of them blank, none a
/// control, line separator or bidi control.
///
/// Whether two names are the same, and whether one is free, is for the hub to say. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Name(Arc<str>);

impl Name {
    /// Checks a name.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn new(name: &str) -> Result<Self, ValueError> {
        check_label(name, MAX_NAME_CHARS)?;
        Ok(Self(name.into()))
    }

    /// The name of a connection that has not chosen one: `user17` for the 17th.
    pub fn of_connection(id: u64) -> Self {
        Self(format!("user{id}").into())
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A room's title: 1 to [`MAX_TITLE_CHARS`] characters, not all of them blank, none a control, line
/// separator or bidi control. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Title(Arc<str>);

impl Title {
    /// Checks a title.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn new(title: &str) -> Result<Self, ValueError> {
        check_label(title, MAX_TITLE_CHARS)?;
        Ok(Self(title.into()))
    }

    /// The title as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the operator of a server says to people, on one line: an announcement, or the reason for
/// removing a connection. 1 to [`MAX_OPERATOR_TEXT_CHARS`] characters, not all of them blank, none a
/// control, line separator or bidi control. Always fits a frame. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct OperatorText(Arc<str>);

impl OperatorText {
    /// Checks a text.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn new(text: &str) -> Result<Self, ValueError> {
        check_label(text, MAX_OPERATOR_TEXT_CHARS)?;
        Ok(Self(text.into()))
    }

    /// The text as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperatorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What somebody says: at least one character, no control characters but `\n` and `\t`.
///
/// How long it may be depends on the frame it ends in: see
/// [`chat_payload_len`](crate::chat_payload_len).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text {
    text: Box<str>,
    #[serde(skip)]
    escapes: u32,
}

impl Text {
    /// Checks a text.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, ValueError> {
        let text = text.into();
        if text.is_empty() {
            return Err(ValueError::Empty);
        }
        let (suspect, escapes) = scan_text(text.as_bytes());
        let is_control = |c: &char| c.is_control() && *c != '\n' && *c != '\t';
        if suspect && let Some(found) = text.chars().find(is_control) {
            return Err(ValueError::Forbidden(found));
        }
        Ok(Self { text, escapes })
    }

    /// The text that stands as it is between the quotes of a JSON string; `None` if it breaks a rule,
    /// or has to be looked at more closely: where there is a quote, a backslash or a control
    /// character, it may not end there, or not mean itself.
    pub(crate) fn plain(text: &str) -> Option<Self> {
        let is_plain = !text.is_empty() && scan_text(text.as_bytes()) == (false, 0);
        is_plain.then(|| Self { text: text.into(), escapes: 0 })
    }

    /// The text as it was said.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is anything in it that JSON escapes.
    pub(crate) fn needs_escapes(&self) -> bool {
        self.escapes > 0
    }

    /// Bytes of this text inside a JSON string, without the quotes. `"`, `\`, `\n` and `\t` are all
    /// that has to be escaped, each to two bytes.
    pub fn encoded_len(&self) -> usize {
        self.text.len() + self.escapes as usize
    }
}

/// Whether the bytes may hold a control character, and how many of them JSON escapes.
///
/// Without branches and with sums that fit a byte, so that the compiler uses vector instructions.
/// The controls U+0080 to U+009F are `C2 80` to `C2 9F` in UTF-8: any `C2` is suspect.
fn scan_text(bytes: &[u8]) -> (bool, u32) {
    let (mut suspect, mut escapes) = (false, 0);
    for block in bytes.chunks(128) {
        let (mut suspects, mut escaped) = (0_u8, 0_u8);
        for &b in block {
            let blank = (b == b'\n') | (b == b'\t');
            suspects |= u8::from(((b < 0x20) & !blank) | (b == 0x7f) | (b == 0xc2));
            escaped += u8::from(blank | (b == b'"') | (b == b'\\'));
        }
        suspect |= suspects != 0;
        escapes += u32::from(escaped);
    }
    (suspect, escapes)
}

/// The text as it was said: it may have several lines, and hold what changes the direction of a line.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A room's number: 1 for the first room of a server, rising by 1, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoomId(NonZeroU64);

impl RoomId {
    /// The first room of a server.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// The id with this number, unless it is 0.
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u64 {
        self.0.get()
    }

    /// The id after this one. At a million rooms a second the numbers last 580,000 years.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The rule that a name, title or text breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueError {
    /// It has no characters.
    Empty,
    /// It has nothing but spaces.
    Blank,
    /// It has more characters than `max`.
    TooLong {
        /// The most characters it may have.
        max: usize,
    },
    /// It holds a character that is not allowed there.
    Forbidden(char),
    /// The nickname profile (RFC 8266) does not allow it.
    NotANickname,
    /// It has more characters than `max` once those that stand for several are written out (NFKC).
    TooLongWrittenOut {
        /// The most characters it may then have.
        max: usize,
    },
}

impl std::error::Error for ValueError {}

/// The rules that names and titles share.
fn check_label(label: &str, max: usize) -> Result<(), ValueError> {
    if label.is_empty() {
        return Err(ValueError::Empty);
    }
    if label.chars().nth(max).is_some() {
        return Err(ValueError::TooLong { max });
    }
    if let Some(c) = label
        .chars()
        .find(|&c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_bidi_control(c))
    {
        return Err(ValueError::Forbidden(c));
    }
    if label.chars().all(char::is_whitespace) {
        return Err(ValueError::Blank);
    }
    Ok(())
}

/// Characters that change the direction of the text after them: embeddings, overrides, isolates
/// (UAX #9, section 2). The marks U+200E and U+200F have no such reach and are left to the nickname
/// profile.
pub(crate) fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_has_1_to_32_characters_of_any_width() {
        assert_eq!(Name::new(""), Err(ValueError::Empty));
        assert!(Name::new("김").is_ok());
        assert!(Name::new(&"한".repeat(32)).is_ok());
        assert_eq!(Name::new(&"한".repeat(33)), Err(ValueError::TooLong { max: 32 }));
        assert!(Name::new("Guido van Rossum").is_ok());
    }

    #[test]
    fn a_title_has_1_to_100_characters() {
        assert_eq!(Title::new(""), Err(ValueError::Empty));
        assert!(Title::new(&"글".repeat(100)).is_ok());
        assert_eq!(Title::new(&"글".repeat(101)), Err(ValueError::TooLong { max: 100 }));
    }

    #[test]
    fn s4_names_and_titles_hold_no_control_separator_or_direction_character() {
        for c in [
            '\0', '\n', '\t', '\r', '\x1b', '\x7f', '\u{80}', '\u{9b}', '\u{9f}', '\u{2028}',
            '\u{2029}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}',
        ] {
            let label = format!("a{c}b");
            assert_eq!(Name::new(&label), Err(ValueError::Forbidden(c)));
            assert_eq!(Title::new(&label), Err(ValueError::Forbidden(c)));
        }
    }

    #[test]
    fn s4_blank_names_and_titles_are_refused() {
        for blank in [" ", "   ", "\u{3000}", "\u{a0}\u{2003}"] {
            assert_eq!(Name::new(blank), Err(ValueError::Blank));
            assert_eq!(Title::new(blank), Err(ValueError::Blank));
        }
    }

    #[test]
    fn s5_a_text_holds_newline_and_tab_and_no_other_control() {
        assert_eq!(Text::new(""), Err(ValueError::Empty));
        assert!(Text::new("두 줄\n\t들여 쓴 줄, ² and ½ and \u{202e}").is_ok());
        for c in ['\0', '\r', '\x07', '\x1b', '\x7f', '\u{80}', '\u{9b}', '\u{9f}'] {
            assert_eq!(Text::new(format!("a{c}")), Err(ValueError::Forbidden(c)));
        }
    }

    #[test]
    fn an_error_never_shows_the_character() {
        let error = Name::new("\u{1b}[2J").expect_err("an escape is a control");
        assert_eq!(error.to_string(), "may not hold the control character U+001B");
    }

    proptest! {
        #[test]
        fn encoded_len_is_what_serde_json_writes(text in "(\\PC|[\n\t\"\\\\²]){1,80}") {
            if let Ok(text) = Text::new(text) {
                let json = serde_json::to_string(&text).expect("a string is JSON");
                prop_assert_eq!(text.encoded_len() + 2, json.len());
            }
        }

        #[test]
        fn a_text_is_accepted_exactly_when_it_holds_no_other_control(text in any::<String>()) {
            let bad = text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
            prop_assert_eq!(Text::new(text.as_str()).is_ok(), !bad && !text.is_empty());
        }
    }
}
