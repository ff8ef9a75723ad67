//! Everything a server says to people: one list of texts, each with a code for programs.

use std::fmt;

use crate::command::Rejection;
use crate::values::{Name, RoomId, Title};

/// What an `SCSystemMessage` says. `Display` is its text, for people at a terminal client with its
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
            Self::Rejected(rejection) => rejection.code(),
            Self::NameTaken => "name-taken",
            Self::NotInRoom => "not-in-room",
            Self::AlreadyInRoom { .. } => "already-in-room",
            Self::NoSuchRoom { .. } => "no-such-room",
            Self::TooManyRooms { .. } => "limit-reached",
            Self::TextTooLong { .. } => "text-too-long",
            Self::ShutdownRefused => "shutdown-refused",
            Self::ServerStopping => "server-stopping",
            Self::ServerFull { .. } => "server-full",
            Self::TooManyFromAddress { .. } => "too-many-from-address",
            Self::FrameTimeout => "frame-timeout",
            Self::SlowConsumer => "slow-consumer",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Renamed { from, to } => write!(f, "{from} is now called {to}."),
            Self::RoomCreated { room, title } => {
                write!(f, "You made room {room}, \"{title}\", and are in it.")
            }
            Self::RoomEntered { room, title } => {
                write!(f, "You are in room {room}, \"{title}\", now.")
            }
            Self::RoomLeft { room, title } => write!(f, "You left room {room}, \"{title}\"."),
            Self::MemberEntered { name } => write!(f, "{name} came in."),
            Self::MemberLeft { name } => write!(f, "{name} left."),
            Self::Rejected(rejection) if rejection.is_bad() => {
                write!(f, "Not understood: {rejection}.")
            }
            Self::Rejected(rejection) => write!(f, "Refused: {rejection}."),
            Self::NameTaken => f.write_str("That name is taken. Choose another one."),
            Self::NotInRoom => {
                f.write_str("You are in no room. /rooms lists them; /join or /create one first.")
            }
            Self::AlreadyInRoom { room } => {
                write!(f, "You are in room {room} already. /leave it first.")
            }
            Self::NoSuchRoom { room } => {
                write!(f, "There is no room {room}. /rooms lists those there are.")
            }
            Self::TooManyRooms { limit } => {
                write!(f, "There are {limit} rooms, and no more are allowed. Join one of them.")
            }
            Self::TextTooLong { excess } => {
                let bytes = if *excess == 1 { "byte" } else { "bytes" };
                write!(f, "That text is too long by {excess} {bytes}. Send it in parts.")
            }
            Self::ShutdownRefused => {
                f.write_str("You may not stop this server from where you are.")
            }
            Self::ServerStopping => f.write_str("The server is stopping. Goodbye."),
            Self::ServerFull { limit } => {
                write!(f, "The server is full: it has {limit} connections. Try again later.")
            }
            Self::TooManyFromAddress { limit } => write!(
                f,
                "There are {limit} connections from your address, and no more are allowed. Close \
                 one of them first."
            ),
            Self::FrameTimeout => f.write_str(
                "A message was begun and not finished in time: after a 2-byte big-endian length, \
                 that many bytes of JSON have to follow. Goodbye.",
            ),
            Self::SlowConsumer => f.write_str(
                "You did not read what was said to you, and too much of it was waiting. Goodbye.",
            ),
            Self::Internal => f.write_str("The server failed at that command. It was not done."),
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
