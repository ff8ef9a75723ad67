//! What happens to a hub, as plain data: the one way in.

use chat_proto::extended::{Features, Request, Resume, ResumeToken};
use chat_proto::{Command, OperatorText, RoomId};
use serde::{Deserialize, Serialize};

use crate::reserved_names::ReservedNames;
use crate::session::Role;
use crate::session_id::SessionId;

/// What happens to a [`Hub`](crate::Hub), which changes by [`Hub::apply`](crate::Hub::apply) alone.
///
/// Inputs hold all that decides what a hub does: the same inputs at the same times lead to the same outputs and the same
/// [`hash`](crate::Hub::hash). So whoever writes them down (they can be serialized, and read back) can apply them again.
/// They hold secrets, and what people said.
///
/// An input for a session that has ended, or for a room that there is not, does nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Input {
    /// Begin a session, which has its default name and is in no room. Appends
    /// [`Output::Connected`](crate::Output::Connected).
    Connect {
        /// What the session may do.
        role: Role,
    },
    /// Carry out a command. Appends these outputs, in this order:
    ///
    /// | command | in no room | in a room |
    /// |---|---|---|
    /// | [`Rename`](Command::Rename) | `Reply` | `Broadcast` to all |
    /// | [`Rooms`](Command::Rooms) | `Rooms` | `Rooms` |
    /// | [`Create`](Command::Create) | `Entered`, `Reply` | refused |
    /// | [`Join`](Command::Join) | `Entered`, `Reply`, `Broadcast` to the others | refused |
    /// | [`Leave`](Command::Leave) | refused | `Left`, `Reply`, `Broadcast` to the others or `RoomClosed` |
    /// | [`Chat`](Command::Chat) | refused | `Broadcast` to the others |
    /// | [`Shutdown`](Command::Shutdown) | `ShutdownRequested`, or refused | the same |
    ///
    /// A refusal is one `Reply`, and changes nothing. If rooms [last](crate::HubLimits::lasting_rooms), the last member
    /// that leaves one may append a `Broadcast` to nobody, and `Create` a `RoomClosed` before all else.
    Command {
        /// The sender.
        session: SessionId,
        /// The command.
        command: Command,
    },
    /// Greet a session whose client said hello, and grant it features; its requests come by [`Input::Request`] from now
    /// on. Appends [`Output::Welcomed`](crate::Output::Welcomed). Does nothing if it has been greeted before.
    ///
    /// The secret by which it takes another session over stays valid beside the new one until the first
    /// [`Input::Request`] from it, or until the new one is used: the welcome may be lost.
    Greet {
        /// The session.
        session: SessionId,
        /// What it is granted.
        features: Features,
        /// The secret by which it can be taken over, needed if
        /// [`Feature::Resume`](chat_proto::extended::Feature::Resume) is granted: 128 bits, random and new.
        token: Option<ResumeToken>,
        /// The session that it wants to take over, if it wants one.
        resume: Option<Resume>,
    },
    /// Carry out a request of a session that has been greeted. Appends what [`Input::Command`] does for the command in it,
    /// with these differences:
    ///
    /// - [`Output::Answering`](crate::Output::Answering) comes right before the answer to a request that has an id.
    /// - A chat with an id is answered by [`Output::Acknowledged`](crate::Output::Acknowledged), if that is granted.
    ///   Sent again with the same id, it is not said again; the answer is the same.
    /// - A rename in a room, with an id, is broadcast to the others and answered by a `Reply`.
    /// - [`Ask::Join`](chat_proto::extended::Ask::Join) appends [`Output::History`](crate::Output::History) after the
    ///   answer.
    /// - [`Ask::Quit`](chat_proto::extended::Ask::Quit) does what [`Input::Disconnect`] does.
    ///
    /// A request for what is not granted is refused as unknown.
    Request {
        /// The sender.
        session: SessionId,
        /// The request.
        request: Box<Request>,
    },
    /// Note that the connection of a session has ended, and the session has not. Appends
    /// [`Output::Detached`](crate::Output::Detached).
    Detach {
        /// The session.
        session: SessionId,
    },
    /// End a session: it leaves its room and releases its name. If it was in a room, appends `Left`, and `Broadcast` to
    /// the others or `RoomClosed`; then `Disconnected`.
    Disconnect {
        /// The session.
        session: SessionId,
    },
    /// Announce something to every member of a room, at the request of the operator. Appends one `Broadcast`, numbered
    /// like any other.
    Announce {
        /// The room.
        room: RoomId,
        /// The words of the operator.
        text: OperatorText,
    },
    /// Announce something to every session, in a room or not. Appends one `NotifyAll`.
    AnnounceToAll {
        /// The words of the operator.
        text: OperatorText,
    },
    /// Reserve these names instead of those before. A session that holds one of them keeps it.
    ReserveNames {
        /// The names.
        names: ReservedNames,
    },
    /// Close a room that has no members. Appends `RoomClosed`. Does nothing if it has members.
    CloseRoom {
        /// The room.
        room: RoomId,
    },
}
