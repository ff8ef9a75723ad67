//! Violations by a peer, and the status code that each is closed with.

use std::fmt;

/// A breach of RFC 6455, after which the stream is meaningless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit is set, and no extension was agreed on.
    ReservedBits,
    /// The opcode is reserved.
    UnknownOpcode,
    /// A client's frame is not masked.
    Unmasked,
    /// A server's frame is masked.
    Masked,
    /// A close, ping or pong is fragmented.
    FragmentedControl,
    /// A close, ping or pong is longer than 125 bytes.
    LongControl,
    /// A continuation has no message to continue.
    NothingToContinue,
    /// A message begins before the one before it has ended.
    Interrupted,
    /// A length takes more bytes than it needs.
    NonMinimalLength,
    /// The highest bit of a length of 8 bytes is set.
    InvalidLength,
    /// A message is longer than the decoder allows.
    TooLong,
    /// A text, or the reason of a close, is not UTF-8.
    InvalidUtf8,
    /// The status code of a close is incomplete, or must not be sent.
    InvalidClose,
}

impl Violation {
    /// The status code with which to close the connection: 1002, 1007 or 1009.
    pub const fn close_code(self) -> u16 {
        match self {
            Self::InvalidUtf8 => 1007,
            Self::TooLong => 1009,
            _ => 1002,
        }
    }
}

impl fmt::Display for Violation {
    /// At most 123 bytes: it fits the reason of a close.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReservedBits => "a reserved bit is set without an extension",
            Self::UnknownOpcode => "the opcode is unknown",
            Self::Unmasked => "a frame of a client is not masked",
            Self::Masked => "a frame of a server is masked",
            Self::FragmentedControl => "a control frame is fragmented",
            Self::LongControl => "a control frame is longer than 125 bytes",
            Self::NothingToContinue => "there is no message to continue",
            Self::Interrupted => "a message begins before the previous one has ended",
            Self::NonMinimalLength => "a length takes more bytes than it needs",
            Self::InvalidLength => "a length has its highest bit set",
            Self::TooLong => "the message is too long",
            Self::InvalidUtf8 => "the text is not UTF-8",
            Self::InvalidClose => "the code of the close is invalid",
        })
    }
}

impl std::error::Error for Violation {}
