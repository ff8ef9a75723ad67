//! Everything a server tells people, each with a code for programs. The texts are in `texts`.

use crate::command::Rejection;
use crate::values::{Name, OperatorText, RoomId, Title};

/// The content of an `SCSystemMessage`.
///
/// The text, in English by `Display` and in any [`Lang`](crate::Lang) by
/// [`Localize`](crate::Localize), addresses people who use a terminal client with `/commands`. Programs match on the
/// variants, or on [`code`](Notice::code), and may use wording of their own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notice {
    /// Somebody has a new name. Sent to that session, and to the members of its room.
    Renamed {
        /// The previous name.
        from: Name,
        /// The new name.
        to: Name,
    },
    /// The receiver has created a room, and is in it.
    RoomCreated {
        /// The new room.
        room: RoomId,
        /// Its title.
        title: Title,
    },
    /// The receiver has entered a room.
    RoomEntered {
        /// The room.
        room: RoomId,
        /// Its title.
        title: Title,
    },
    /// The receiver has left a room.
    RoomLeft {
        /// The room.
        room: RoomId,
        /// Its title.
        title: Title,
    },
    /// Somebody has entered the room of the receiver.
    MemberEntered {
        /// The new member.
        name: Name,
    },
    /// Somebody has left the room of the receiver.
    MemberLeft {
        /// The former member.
        name: Name,
    },
    /// The operator announces something, in a room or to everyone.
    Announcement {
        /// The words of the operator.
        text: OperatorText,
    },

    /// The payload is not a command, or a value in it breaks a rule.
    Rejected(Rejection),
    /// Another session has that name or one that looks like it, or it is a default name.
    NameTaken,
    /// Nobody may have that name: people would take it for the server's or its operator's.
    NameReserved,
    /// The command needs a room, and the sender is in none.
    NotInRoom,
    /// The sender is in a room already.
    AlreadyInRoom {
        /// The room it is in.
        room: RoomId,
    },
    /// There is no such room.
    NoSuchRoom {
        /// The id in the command.
        room: RoomId,
    },
    /// There are as many rooms as allowed.
    TooManyRooms {
        /// The most rooms allowed.
        limit: usize,
    },
    /// The text, together with the name of the sender, does not fit a frame.
    TextTooLong {
        /// Bytes of JSON by which it is too long.
        excess: usize,
    },
    /// The sender may not stop the server.
    ShutdownRefused,

    /// The operator removed the connection. Its last message.
    Removed {
        /// The words of the operator.
        reason: OperatorText,
    },
    /// Another connection has taken the session over. The last message of this one.
    ResumedElsewhere,
    /// The server stops. The last message of every connection.
    ServerStopping,
    /// The server has as many connections as allowed. The only message of the connection.
    ServerFull {
        /// The most connections allowed.
        limit: usize,
    },
    /// The address has as many connections as allowed. The only message of the connection.
    TooManyFromAddress {
        /// The most connections allowed per address.
        limit: usize,
    },
    /// The peer is one of the server's proxies, whose connections have to begin with a PROXY header, and this one
    /// did not. The only message of the connection.
    ProxyHeaderExpected,
    /// The server takes encrypted connections only, and this one is not. The only message of the connection.
    TlsRequired,
    /// A frame began and did not end in time. The last message of the connection.
    FrameTimeout,
    /// The receiver did not read, or too slowly. The last message of the connection, if it arrives.
    SlowConsumer,
    /// The server failed to carry out the command, through no fault of the sender.
    Internal,
}

impl Notice {
    /// The stable kebab-case code for programs. A code never changes its meaning.
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
            Self::NameTaken | Self::NameReserved => "name-taken",
            Self::NotInRoom => "not-in-room",
            Self::AlreadyInRoom { .. } => "already-in-room",
            Self::NoSuchRoom { .. } => "no-such-room",
            Self::TooManyRooms { .. } => "limit-reached",
            Self::TextTooLong { .. } => "text-too-long",
            Self::ShutdownRefused => "shutdown-refused",
            Self::Removed { .. } => "removed",
            Self::ResumedElsewhere => "resumed-elsewhere",
            Self::ServerStopping => "server-stopping",
            Self::ServerFull { .. } => "server-full",
            Self::TooManyFromAddress { .. } => "too-many-from-address",
            Self::ProxyHeaderExpected => "proxy-header-expected",
            Self::TlsRequired => "tls-required",
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
    fn every_reason_for_closing_has_a_text_and_a_code() {
        for (notice, code, phrase) in [
            (Notice::TooManyFromAddress { limit: 8 }, "too-many-from-address", "8 connections"),
            (Notice::FrameTimeout, "frame-timeout", "2-byte big-endian length"),
            (Notice::SlowConsumer, "slow-consumer", "did not read"),
        ] {
            assert_eq!(notice.code(), code);
            assert!(notice.to_string().contains(phrase), "{notice}");
        }
    }
}
