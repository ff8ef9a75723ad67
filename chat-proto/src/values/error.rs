//! The rules that a value may break. The texts are in `texts`.

/// The rule that a value breaks.
///
/// The text, in English by `Display` and in any [`Lang`](crate::Lang) by
/// [`Localize`](crate::Localize), completes a sentence that begins with the kind of value: `a name` +
/// `needs at least 1 character`. It never contains the offending character itself, which might garble
/// a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ValueError {
    /// There are no characters.
    Empty,
    /// Nothing in it is visible.
    Blank,
    /// There are too many characters.
    TooLong {
        /// The most characters allowed (Unicode scalar values).
        max: usize,
    },
    /// This character is not allowed.
    Forbidden(char),
    /// This character is allowed, but not where it stands.
    Misplaced(char),
    /// A letter carries too many combining marks.
    TooManyMarks {
        /// The most marks allowed on a letter.
        max: usize,
    },
    /// This letter is of another script than those before it.
    MixedScripts(char),
    /// The name reads like a notice of the server.
    LikeNotice,
    /// The name has too many characters once those that stand for several are written out (NFKC).
    TooLongNormalized {
        /// The most characters allowed then.
        max: usize,
    },
    /// The number of a room is not an integer from 1 to 2⁶⁴ − 1.
    NotARoomId,
}

impl std::error::Error for ValueError {}
