//! The limits by name, for whoever counts how often each was reached.

use std::fmt;

/// One of the [`Limits`](crate::Limits). `Display` is the name of its field there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitKind {
    /// A connection was refused: there were as many as there may be.
    Connections,
    /// A connection was refused: there were as many from its address as there may be.
    ConnectionsPerAddress,
    /// A connection was refused without waiting until it had read why.
    RefusedConnections,
    /// A room was not made: there were as many as there may be.
    Rooms,
    /// Accepting was put off to the next turn.
    AcceptsPerTurn,
    /// Reading a connection was put off to the next turn.
    ReadPerTurn,
    /// Writing to a connection was put off to the next turn.
    WritePerTurn,
    /// A turn put off flushing rooms to the next one.
    WritesPerRoomAndTurn,
    /// A turn read nothing, or not everybody, because the workers were behind.
    ReadAhead,
    /// Reading a connection was paused because it sent too many commands.
    Commands,
    /// A connection was ended because it sent too many bad frames.
    BadFrames,
    /// A connection was ended because of the time a frame took.
    FrameTimeout,
    /// A connection's kernel took no more; counted when it took bytes again.
    KernelSendBuffer,
    /// A connection was ended because of how much it was owed.
    Backlog,
    /// A connection began to be owed so much that it is waited for only so long.
    SlowBacklog,
    /// A connection was ended because it was owed much for too long.
    SlowBacklogTime,
    /// A connection was ended because all together held too much.
    TotalBacklog,
    /// A closing connection was not waited for any longer.
    Linger,
}

impl LimitKind {
    /// All there are, in the order of the fields of [`Limits`](crate::Limits).
    pub const ALL: [Self; 18] = [
        Self::Connections,
        Self::ConnectionsPerAddress,
        Self::RefusedConnections,
        Self::Rooms,
        Self::AcceptsPerTurn,
        Self::ReadPerTurn,
        Self::WritePerTurn,
        Self::WritesPerRoomAndTurn,
        Self::ReadAhead,
        Self::Commands,
        Self::BadFrames,
        Self::FrameTimeout,
        Self::KernelSendBuffer,
        Self::Backlog,
        Self::SlowBacklog,
        Self::SlowBacklogTime,
        Self::TotalBacklog,
        Self::Linger,
    ];
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connections => "connections",
            Self::ConnectionsPerAddress => "connections_per_address",
            Self::RefusedConnections => "refused_connections",
            Self::Rooms => "rooms",
            Self::AcceptsPerTurn => "accepts_per_turn",
            Self::ReadPerTurn => "read_per_turn",
            Self::WritePerTurn => "write_per_turn",
            Self::WritesPerRoomAndTurn => "writes_per_room_and_turn",
            Self::ReadAhead => "read_ahead",
            Self::Commands => "commands",
            Self::BadFrames => "bad_frames",
            Self::FrameTimeout => "frame_timeout",
            Self::KernelSendBuffer => "kernel_send_buffer",
            Self::Backlog => "backlog",
            Self::SlowBacklog => "slow_backlog",
            Self::SlowBacklogTime => "slow_backlog_time",
            Self::TotalBacklog => "total_backlog",
            Self::Linger => "linger",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn every_limit_has_the_name_of_its_field() {
        // The derived `Debug` names the fields, one a line, four blanks in.
        let debug = format!("{:#?}", Limits::default());
        let field =
            |line: &str| line.strip_prefix("    ")?.split_once(':').map(|(n, _)| n.to_owned());
        let fields: Vec<_> =
            debug.lines().filter_map(field).filter(|n| !n.starts_with(' ')).collect();
        assert_eq!(fields, LimitKind::ALL.map(|limit| limit.to_string()));
        assert!(LimitKind::ALL.iter().enumerate().all(|(i, &limit)| limit as usize == i));
    }
}
