//! The labels of counts: close reasons, limits, kinds of messages.

use std::fmt;

use chat_proto::Command;
use chat_proto::extended::Ask;

use crate::workers::Request;

/// Declares an enum whose variants each have a label: variant, label and documentation are in one line of one list.
macro_rules! kinds {
    (
        $(#[$attr:meta])*
        pub enum $Kind:ident { $($(#[$doc:meta])+ $Variant:ident = $word:literal,)+ }
    ) => {
        $(#[$attr])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $Kind { $($(#[$doc])+ $Variant,)+ }

        impl $Kind {
            /// All variants, in the order of their declaration.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$Variant),+];

            /// The variant's label, which never changes its meaning.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$Variant => $word,)+ }
            }
        }

        impl fmt::Display for $Kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

kinds! {
    /// The reason why a connection closed. `Display` writes a kebab-case word.
    pub enum CloseReason {
        /// The peer ended its stream between two frames.
        PeerEnded = "peer-ended",
        /// The peer ended its stream within a frame.
        PeerEndedInFrame = "peer-ended-in-frame",
        /// The peer reset the connection, or the network lost it.
        Lost = "lost",
        /// The peer asked by HTTP for a page, or for something else that it could not have, and was answered.
        Http = "http",
        /// The peer sent something other than a command: as its first frame, or more often than allowed.
        BadInput = "bad-input",
        /// A frame took too long to arrive.
        FrameTimeout = "frame-timeout",
        /// The backlog of the connection exceeded [`Limits::backlog`](crate::Limits::backlog).
        Backlog = "backlog",
        /// The backlog of the connection exceeded [`Limits::slow_backlog`](crate::Limits::slow_backlog) for too
        /// long.
        SlowBacklog = "slow-backlog",
        /// All connections together retained too much memory, and this one had gone longest without reading.
        TotalBacklog = "total-backlog",
        /// The server had as many connections as it may.
        ServerFull = "server-full",
        /// The peer's address had as many connections as it may.
        TooManyFromAddress = "too-many-from-address",
        /// A proxy that had to send a PROXY header sent something else.
        BadProxyHeader = "bad-proxy-header",
        /// The peer sent plain text to a server that takes encrypted connections only.
        TlsRequired = "tls-required",
        /// The handshake or the encryption of the connection failed; perhaps the peer does not trust the
        /// certificate.
        TlsFailed = "tls-failed",
        /// Another connection took its session over.
        ResumedElsewhere = "resumed-elsewhere",
        /// The program around the server removed it: see [`Controller::remove`](crate::Controller::remove).
        Removed = "removed",
        /// The server failed to handle one of the connection's commands.
        Internal = "internal",
        /// The server stopped.
        Stopped = "stopped",
    }
}

kinds! {
    /// The kind of message in a frame. `Display` writes its `type`.
    pub enum MessageKind {
        /// A chat.
        Chat = "CSChat",
        /// A new name.
        Rename = "CSName",
        /// A request for the list of rooms.
        Rooms = "CSRooms",
        /// A request to create a room.
        Create = "CSCreateRoom",
        /// A request to join a room.
        Join = "CSJoinRoom",
        /// A request to leave the room.
        Leave = "CSLeaveRoom",
        /// A request to stop the server.
        Shutdown = "CSShutdown",
        /// A hello.
        Hello = "CSHello",
        /// A request for a part of a room's history.
        History = "CSHistory",
        /// A request for the list of a room's members.
        Members = "CSMembers",
        /// A request for the time.
        Ping = "CSPing",
        /// A request to end the session.
        Quit = "CSQuit",
        /// No command, or one with a value that breaks a rule.
        Rejected = "rejected",
    }
}

impl MessageKind {
    /// `None` for a request that no frame caused.
    pub(super) fn of(request: &Request) -> Option<Self> {
        Some(match request {
            Request::Do(command) => Self::of_command(command),
            Request::Greet(..) => Self::Hello,
            Request::Ask(request) => match &request.ask {
                Ok(Ask::Command(command)) => Self::of_command(command),
                Ok(Ask::Join { .. }) => Self::Join,
                Ok(Ask::History { .. }) => Self::History,
                Ok(Ask::Members(_)) => Self::Members,
                Ok(Ask::Ping) => Self::Ping,
                Ok(Ask::Quit) => Self::Quit,
                Err(_) => Self::Rejected,
            },
            Request::Reject(_) => Self::Rejected,
            Request::Detach | Request::Disconnect => return None,
        })
    }

    const fn of_command(command: &Command) -> Self {
        match command {
            Command::Chat(_) => Self::Chat,
            Command::Rename(_) => Self::Rename,
            Command::Rooms => Self::Rooms,
            Command::Create(_) => Self::Create,
            Command::Join(_) => Self::Join,
            Command::Leave => Self::Leave,
            Command::Shutdown => Self::Shutdown,
        }
    }
}

kinds! {
    /// A step taken when all connections together hold more memory than they may. `Display` writes a word.
    pub enum ReliefStep {
        /// Memory kept for later was freed.
        Spare = "spare",
        /// The oldest of what was said in the rooms was given up.
        History = "history",
        /// The connection that had gone longest without reading, or without completing a frame, was evicted.
        Evicted = "evicted",
        /// A connection was refused.
        Refused = "refused",
    }
}

kinds! {
    /// One of the [`Limits`](crate::Limits), with the event that counts as reaching it. `Display` is the
    /// name of its field there; the order is that of the fields.
    pub enum LimitKind {
        /// A connection was refused: the server had as many as it may.
        Connections = "connections",
        /// A connection was refused: its address had as many as it may.
        ConnectionsPerAddress = "connections_per_address",
        /// A connection is read later, because its address has opened too many lately.
        NewConnections = "new_connections",
        /// A connection was refused and closed before it had read why.
        RefusedConnections = "refused_connections",
        /// A room was not created: there were as many as there may be.
        Rooms = "rooms",
        /// Accepting was put off to the next turn.
        AcceptsPerTurn = "accepts_per_turn",
        /// Reading a connection was put off to the next turn.
        ReadPerTurn = "read_per_turn",
        /// Writing to a connection was put off to the next turn.
        WritePerTurn = "write_per_turn",
        /// Flushing rooms was put off to the next turn.
        WritesPerRoomAndTurn = "writes_per_room_and_turn",
        /// A turn left connections unread because the workers were behind.
        ReadAhead = "read_ahead",
        /// Reading a connection was paused because it sent too many commands.
        Commands = "commands",
        /// Reading a connection was paused because it sent too many bytes.
        Input = "input",
        /// Reading a connection was paused because its answers were too many bytes.
        Answers = "answers",
        /// A connection was closed because it sent too many bad frames.
        BadFrames = "bad_frames",
        /// A connection was closed because a frame took too long to arrive.
        FrameTimeout = "frame_timeout",
        /// A connection was closed because its peer had vanished while bytes were on their way to it.
        PeerTimeout = "peer_timeout",
        /// A connection took bytes again after its kernel buffer had been full.
        KernelSendBuffer = "kernel_send_buffer",
        /// A connection was closed because its backlog was too large.
        Backlog = "backlog",
        /// A connection's backlog grew so large that it may last only for a limited time.
        SlowBacklog = "slow_backlog",
        /// A connection was closed because its backlog was large for too long.
        SlowBacklogTime = "slow_backlog_time",
        /// A connection waited for a room in which a slow member reads.
        RoomPace = "room_pace",
        /// A connection was closed because all together retained too much memory.
        TotalBacklog = "total_backlog",
        /// A room gave up the oldest of what was said in it.
        History = "history",
        /// The oldest of what was said in all rooms was given up.
        TotalHistory = "total_history",
        /// A session ended because its client did not come back.
        ResumeTime = "resume_time",
        /// What was said long ago was deleted from the data directory.
        HistoryAge = "history_age",
        /// The oldest of what was said was deleted from the data directory, which had become too large.
        HistorySize = "history_size",
        /// A room was closed because it had been empty for too long.
        RoomAge = "room_age",
        /// A turn left connections unread, because evicting others had not freed enough memory.
        MaxMemory = "max_memory",
        /// A closing connection was dropped because its peer took too long to read the rest.
        Linger = "linger",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn every_limit_has_the_name_of_its_field() {
        // The derived `Debug` names the fields, one a line, indented by four spaces.
        let debug = format!("{:#?}", Limits::default());
        let field =
            |line: &str| line.strip_prefix("    ")?.split_once(':').map(|(n, _)| n.to_owned());
        let fields: Vec<_> =
            debug.lines().filter_map(field).filter(|n| !n.starts_with(' ')).collect();
        assert_eq!(fields, LimitKind::ALL.map(|limit| limit.to_string()));
        assert!(LimitKind::ALL.iter().enumerate().all(|(i, &limit)| limit as usize == i));
    }
}
