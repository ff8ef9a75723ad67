//! Why a payload is not a command.

use serde::{Deserialize, Serialize};

use crate::values::ValueError;

/// A field of a message from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Field {
    /// `type`, a string.
    Type,
    /// `name`, a string.
    Name,
    /// `title`, a string.
    Title,
    /// `roomId`, an integer above 0 or a string of decimal digits.
    RoomId,
    /// `text`, a string.
    Text,
    /// `id`, a string of 1 to 64 characters.
    Id,
    /// `client`, a string of 1 to 64 characters.
    Client,
    /// `features`, a list of strings.
    Features,
    /// `resume`, a string.
    Resume,
    /// `after`, an integer.
    After,
    /// `before`, an integer.
    Before,
    /// `history`, an integer.
    History,
    /// `limit`, an integer.
    Limit,
}

impl Field {
    /// The key on the wire.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Name => "name",
            Self::Title => "title",
            Self::RoomId => "roomId",
            Self::Text => "text",
            Self::Id => "id",
            Self::Client => "client",
            Self::Features => "features",
            Self::Resume => "resume",
            Self::After => "after",
            Self::Before => "before",
            Self::History => "history",
            Self::Limit => "limit",
        }
    }
}

/// The reason why a payload is not a [`Command`](super::Command).
///
/// The text, in English by `Display` and in any [`Lang`](crate::Lang) by
/// [`Localize`](crate::Localize), is a sentence without its full stop. It echoes nothing of the payload.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Rejection {
    /// The payload is empty.
    EmptyFrame,
    /// The payload is not UTF-8.
    InvalidUtf8,
    /// The payload is not one JSON value, or has a known key twice.
    NotJson {
        /// The error of the parser, with line and column, in English.
        detail: Box<str>,
    },
    /// The payload is not a JSON object.
    NotAnObject,
    /// The `type` is not one of the seven commands.
    UnknownType,
    /// A field that the type requires is missing.
    Missing(Field),
    /// The field is of the wrong kind.
    WrongKind(Field),
    /// The name breaks a rule.
    BadName(ValueError),
    /// The title breaks a rule.
    BadTitle(ValueError),
    /// The text breaks a rule.
    BadText(ValueError),
}

impl Rejection {
    /// Whether the payload is malformed, which counts against an error budget. False if the payload is well-formed and
    /// only its name, title or text breaks a rule.
    pub const fn is_bad(&self) -> bool {
        !matches!(self, Self::BadName(_) | Self::BadTitle(_) | Self::BadText(_))
    }

    /// The stable kebab-case code for programs. A code never changes its meaning.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EmptyFrame => "empty-frame",
            Self::InvalidUtf8 => "invalid-utf8",
            Self::UnknownType => "unknown-type",
            Self::NotJson { .. } | Self::NotAnObject | Self::Missing(_) | Self::WrongKind(_) => {
                "bad-request"
            }
            Self::BadName(_) => "bad-name",
            Self::BadTitle(_) => "bad-title",
            Self::BadText(_) => "bad-text",
        }
    }
}

impl std::error::Error for Rejection {}
