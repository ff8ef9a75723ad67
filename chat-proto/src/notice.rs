//! Everything a server says to people, each with a code for programs. The words are in `texts`.

use crate::command::Rejection;
use crate::values::{Name, OperatorText, RoomId, Title};

/// What an `SCSystemMessage` says. [`Notice::text`] is for people at a terminal client with its
/// `/commands`; other programs match on the variants and find words of their own. [`Notice::code`]
/// never changes its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Somebody has another name now: told to the one, and to the room.
    Renamed {
        /// The name before.
        from: Name,
        /// The name now.
        to: Name,
    },
    /// To the one who made a room, and is in it.
    RoomCreated {
        /// The new room.
        room: RoomId,
        /// Its title.
        title: Title,
    },
    /// To the one who entered a room.
    RoomEntered {
        /// The room.
        room: RoomId,
        /// Its title.
        title: Title,
    },
    /// To the one who left a room.
    RoomLeft {
        /// The room.
        room: RoomId,
        /// Its title.
        title: Title,
    },
    /// To the others: somebody entered.
    MemberEntered {
        /// Who.
        name: Name,
    },
    /// To the others: somebody left.
    MemberLeft {
        /// Who.
        name: Name,
    },

    /// The operator announces something to a room or to everyone.
    Announcement {
        /// The operator's words.
        text: OperatorText,
    },

    /// The payload was no command, or a value in it breaks a rule.
    Rejected(Rejection),
    /// Somebody else has that name, or it is a default name.
    NameTaken,
    /// The command needs a room, and the sender is in none.
    NotInRoom,
    /// The sender is in a room already.
    AlreadyInRoom {
        /// The room it is in.
        room: RoomId,
    },
    /// There is no such room.
    NoSuchRoom {
        /// The id asked for.
        room: RoomId,
    },
    /// There are as many rooms as there may be.
    TooManyRooms {
        /// The most rooms there may be.
        limit: usize,
    },
    /// The text does not fit a frame together with the sender's name.
    TextTooLong {
        /// Bytes of JSON by which it is too long.
        excess: usize,
    },
    /// The sender may not stop the server.
    ShutdownRefused,

    /// The operator removed the connection. Its last message.
    Removed {
        /// The operator's words.
        reason: OperatorText,
    },
    /// The server stops. The last message of every connection.
    ServerStopping,
    /// The server has as many connections as it takes. The only message of such a connection.
    ServerFull {
        /// The most connections there may be.
        limit: usize,
    },
    /// That address has as many connections as one may have. The only message of such a connection.
    TooManyFromAddress {
        /// The most connections there may be from one address.
        limit: usize,
    },
    /// A frame was begun and not finished in time. The last message of the connection.
    FrameTimeout,
    /// The receiver did not read what it was owed. The last message of the connection, if it ever
    /// gets there.
    SlowConsumer,
    /// The command failed through no fault of the sender's.
    Internal,
}

impl Notice {
    /// The stable kebab-case word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Renamed { .. } => "renamed",
            Self::RoomCreated { .. } => "room-created",
            Self::RoomEntered { .. } => "room-entered",
            Self::RoomLeft { .. } => "room-left",
            Self::MemberEntered { .. } => "member-entered",
            Self::MemberLeft { .. } => "member-left",
            Self::Announcement { .. } => "announcement",
            Self::Rejected(rejection) => rejection.code(),
            Self::NameTaken => "name-taken",
            Self::NotInRoom => "not-in-room",
            Self::AlreadyInRoom { .. } => "already-in-room",
            Self::NoSuchRoom { .. } => "no-such-room",
            Self::TooManyRooms { .. } => "limit-reached",
            Self::TextTooLong { .. } => "text-too-long",
            Self::ShutdownRefused => "shutdown-refused",
            Self::Removed { .. } => "removed",
            Self::ServerStopping => "server-stopping",
            Self::ServerFull { .. } => "server-full",
            Self::TooManyFromAddress { .. } => "too-many-from-address",
            Self::FrameTimeout => "frame-timeout",
            Self::SlowConsumer => "slow-consumer",
            Self::Internal => "internal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_connection_was_closed_is_said_in_words_and_in_code() {
        for (notice, code, said) in [
            (Notice::TooManyFromAddress { limit: 8 }, "too-many-from-address", "8 connections"),
            (Notice::FrameTimeout, "frame-timeout", "2-byte big-endian length"),
            (Notice::SlowConsumer, "slow-consumer", "did not read"),
        ] {
            assert_eq!(notice.code(), code);
            assert!(notice.to_string().contains(said), "{notice}");
        }
    }
}
