//! The text of a chat message.

use std::hash::{Hash, Hasher};

use serde::Serialize;

use super::{ValueError, impl_str_conversions};

/// The text of a chat message: at least one character, no control characters except `\n` and `\t`. It may have
/// several lines, and contain bidi controls. A line ending of `\r\n` is accepted as `\n`.
///
/// How long it may be depends on the frame that carries it:
/// [`chat_payload_len`](crate::chat_payload_len). `TryFrom<String>` converts without a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text {
    text: Box<str>,
    /// How many bytes JSON escapes.
    #[serde(skip)]
    escapes: u32,
}

impl Text {
    /// Checks `value` and copies it.
    ///
    /// # Errors
    /// [`ValueError::Empty`] or [`ValueError::Forbidden`].
    pub fn new(value: &str) -> Result<Self, ValueError> {
        if value.contains("\r\n") {
            return Self::try_from(value.to_owned());
        }
        let escapes = check(value)?;
        Ok(Self { text: value.into(), escapes })
    }

    /// Returns the text between the quotes of a JSON string, if it needs no unescaping. `None` if it
    /// breaks a rule, or contains a quote, a backslash or a control character: the string might end there,
    /// or contain an escape.
    pub(crate) fn from_unescaped(json: &str) -> Option<Self> {
        let is_plain = !json.is_empty() && scan(json.as_bytes()) == (false, 0);
        is_plain.then(|| Self { text: json.into(), escapes: 0 })
    }

    /// The characters as they are.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether JSON escapes anything in the text.
    pub(crate) fn needs_escapes(&self) -> bool {
        self.escapes > 0
    }

    /// The length of the text inside a JSON string, in bytes, without the quotes. JSON escapes only `"`,
    /// `\`, `\n` and `\t` in it, each as two bytes.
    pub fn escaped_len(&self) -> usize {
        self.text.len() + self.escapes as usize
    }
}

impl_str_conversions!(Text);

impl TryFrom<String> for Text {
    type Error = ValueError;

    fn try_from(mut value: String) -> Result<Self, ValueError> {
        if value.contains("\r\n") {
            value = value.replace("\r\n", "\n");
        }
        let escapes = check(&value)?;
        Ok(Self { text: value.into(), escapes })
    }
}

/// Hashes like `str`, since a `Text` may be borrowed as one.
impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// Returns how many bytes of `text` JSON escapes.
fn check(text: &str) -> Result<u32, ValueError> {
    if text.is_empty() {
        return Err(ValueError::Empty);
    }
    let (suspect, escapes) = scan(text.as_bytes());
    let is_control = |c: &char| c.is_control() && *c != '\n' && *c != '\t';
    if suspect && let Some(found) = text.chars().find(is_control) {
        return Err(ValueError::Forbidden(found));
    }
    Ok(escapes)
}

/// Returns whether the bytes may hold a forbidden control character, and how many of them JSON
/// escapes.
///
/// Free of branches, with sums that fit a byte, so that the compiler uses vector instructions. In
/// UTF-8 the controls U+0080 to U+009F are `C2 80` to `C2 9F`, hence any `C2` is suspect.
fn scan(bytes: &[u8]) -> (bool, u32) {
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
