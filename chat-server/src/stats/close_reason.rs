//! Why connections end.

use std::fmt;

/// Why a connection has ended. `Display` is a kebab-case word that never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The peer ended its stream between two frames.
    PeerEnded,
    /// The peer ended its stream in a frame.
    PeerEndedInFrame,
    /// The peer reset the connection, or the network lost it.
    Lost,
    /// It sent what is no command: as its first frame, or more often than it may.
    BadInput,
    /// A frame took longer than it may.
    FrameTimeout,
    /// It was owed more than a connection may be owed.
    Backlog,
    /// It was owed much for too long.
    SlowBacklog,
    /// All together held too much, and it held the most.
    TotalBacklog,
    /// There were as many connections as there may be.
    ServerFull,
    /// There were as many connections from its address as there may be.
    TooManyFromAddress,
    /// Its command made the server fail.
    Internal,
    /// The server was stopped.
    Stopped,
}

impl CloseReason {
    /// All there are.
    pub const ALL: [Self; 12] = [
        Self::PeerEnded,
        Self::PeerEndedInFrame,
        Self::Lost,
        Self::BadInput,
        Self::FrameTimeout,
        Self::Backlog,
        Self::SlowBacklog,
        Self::TotalBacklog,
        Self::ServerFull,
        Self::TooManyFromAddress,
        Self::Internal,
        Self::Stopped,
    ];
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerEnded => "peer-ended",
            Self::PeerEndedInFrame => "peer-ended-in-frame",
            Self::Lost => "lost",
            Self::BadInput => "bad-input",
            Self::FrameTimeout => "frame-timeout",
            Self::Backlog => "backlog",
            Self::SlowBacklog => "slow-backlog",
            Self::TotalBacklog => "total-backlog",
            Self::ServerFull => "server-full",
            Self::TooManyFromAddress => "too-many-from-address",
            Self::Internal => "internal",
            Self::Stopped => "stopped",
        })
    }
}
