//! Everything that a hub knows, as data that can be stored.

use std::error::Error;
use std::fmt;

use chat_proto::{Name, RoomId, Title};
use serde::{Deserialize, Serialize};

use crate::asking::Asking;
use crate::reserved_names::ReservedNames;
use crate::room::{Membership, SavedRoom};
use crate::session::Role;
use crate::session_id::SessionId;

/// The version of the form, and of the rules that it relies on.
pub(crate) const VERSION: u32 = 1;

/// Everything that a [`Hub`](crate::Hub) knows, from [`Hub::snapshot`](crate::Hub::snapshot), to go on from there with
/// [`Hub::restore`](crate::Hub::restore): sessions, rooms, reserved names, and the ids to come.
///
/// It can be serialized, in the same form for the same hub, and read back. It holds the secrets of sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    pub(crate) version: u32,
    pub(crate) next_session: SessionId,
    pub(crate) next_room: RoomId,
    pub(crate) reserved_names: ReservedNames,
    /// In order of their ids, like the sessions.
    pub(crate) rooms: Vec<SavedRoom>,
    pub(crate) sessions: Vec<SavedSession>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedSession {
    pub(crate) id: SessionId,
    pub(crate) name: Name,
    pub(crate) role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) membership: Option<Membership>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asking: Option<Asking>,
}

/// A room without members, as a server stores it outside of a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmptyRoom {
    /// Its id.
    pub id: RoomId,
    /// Its title.
    pub title: Title,
    /// The number of its last broadcast.
    pub seq: u64,
    /// When the last member left, in ms since 1970.
    pub empty_since: u64,
}

impl Snapshot {
    /// A hub with these rooms, in which people have talked, and without sessions. It reserves the names of
    /// [`ReservedNames::default`]. The next room gets the id `next_room`, or a higher one that no room had.
    pub fn of_rooms(rooms: impl IntoIterator<Item = EmptyRoom>, next_room: RoomId) -> Self {
        let saved = |EmptyRoom { id, title, seq, empty_since }| SavedRoom {
            id,
            title,
            seq,
            was_talked_in: true,
            empty_since: Some(empty_since),
        };
        let mut rooms: Vec<_> = rooms.into_iter().map(saved).collect();
        rooms.sort_by_key(|room| room.id);
        let next_room = rooms.last().map_or(next_room, |last| next_room.max(last.id.next()));
        Self {
            version: VERSION,
            next_session: SessionId(1),
            next_room,
            reserved_names: ReservedNames::default(),
            rooms,
            sessions: Vec::new(),
        }
    }
}

/// The reason why a hub cannot be restored from a [`Snapshot`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreError {
    /// The snapshot is of another version of the rules.
    Version(u32),
    /// The numbers of the next session and room are not possible.
    NextIds,
    /// What is said of this room is not possible.
    Room(RoomId),
    /// What is said of this session is not possible.
    Session(SessionId),
    /// There are members in more rooms than are allowed.
    TooManyRooms {
        /// The most rooms allowed.
        limit: usize,
    },
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => {
                write!(f, "the snapshot has version {version}, and this program reads {VERSION}")
            }
            Self::NextIds => f.write_str("the next ids in the snapshot are not possible"),
            Self::Room(room) => write!(f, "the snapshot contradicts itself about room {room}"),
            Self::Session(id) => write!(f, "the snapshot contradicts itself about session {id}"),
            Self::TooManyRooms { limit } => {
                write!(f, "the snapshot has members in more than {limit} rooms, the limit")
            }
        }
    }
}

impl Error for RestoreError {}
