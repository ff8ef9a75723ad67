//! The rules that a value may break. The texts are in `texts`.

/// The rule that a value breaks.
///
/// The text, in English by `Display` and in any [`Lang`](crate::Lang) by
/// [`Localize`](crate::Localize), completes a sentence that begins with the kind of value: `a name` +
/// `needs at least 1 character`. It never contains the offending character itself, which might garble
/// a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueError {
    /// There are no characters.
    Empty,
    /// All characters are spaces.
    Blank,
    /// There are too many characters.
    TooLong {
        /// The most characters allowed (Unicode scalar values).
        max: usize,
    },
    /// This character is not allowed: a control, a line separator or a bidi control.
    Forbidden(char),
    /// The nickname profile (RFC 8266) does not allow this name.
    NotANickname,
    /// The name has too many characters after normalization (NFKC).
    TooLongNormalized {
        /// The most characters allowed after normalization.
        max: usize,
    },
    /// The number of a room is not an integer from 1 to 2⁶⁴ − 1.
    NotARoomId,
}

impl std::error::Error for ValueError {}
