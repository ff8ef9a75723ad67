//! Every limit of the server, in one place.

use std::time::Duration;

use crate::bucket::Allowance;

/// What the server lets a peer, or all of them, have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most connections at a time. Default: 1,000,000. The program takes the descriptors that it
    /// may open, less 64, if those are fewer. One more is told `server-full` and closed. An idle
    /// connection costs some 500 bytes here, and some 2 KiB in the kernel.
    pub connections: usize,
    /// Further connections that may be told at the same time that there is no place for them. Default:
    /// 32; one more waits in the kernel until one of them is gone.
    pub refused_connections: usize,
    /// The most rooms at a time. Default: 100,000. One more is refused with `limit-reached`.
    pub rooms: usize,
    /// Connections accepted before those that are there have their turn. Default: 64.
    pub accepts_per_turn: usize,
    /// Bytes read from one connection before the others have their turn. Default: 64 KiB, which is
    /// also the size of the one read buffer that all connections share.
    pub read_per_turn: usize,
    /// Bytes written to one connection before the others have their turn, give or take a write.
    /// Default: 256 KiB.
    pub write_per_turn: usize,
    /// The most bytes that a connection may be owed here, beside what the kernel holds for it. Default:
    /// 1 MiB. One that is owed more is closed: it does not read, or not fast enough. What a room owes
    /// to many is held once.
    pub backlog: usize,
    /// Members of one room that are written to before the other rooms and connections have their
    /// turn. Default: 64, some 0.3 ms.
    pub writes_per_room_and_turn: usize,
    /// Frames without a valid message in them that a connection may send. Default: 20 at once, and 2
    /// a second from then on; the next one ends the connection.
    pub bad_frames: Allowance,
    /// How long a closing connection is given to take what it is owed and to end its side. Default:
    /// 5 s.
    pub linger: Duration,
    /// The kernel's send buffer of a connection, in bytes (`SO_SNDBUF`; Linux takes twice that).
    /// Default: 64 KiB. What a peer does not read fills it before anything waits here.
    pub kernel_send_buffer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_000_000,
            refused_connections: 32,
            rooms: 100_000,
            accepts_per_turn: 64,
            read_per_turn: 64 * 1024,
            write_per_turn: 256 * 1024,
            backlog: 1024 * 1024,
            writes_per_room_and_turn: 64,
            bad_frames: Allowance { burst: 20, per_second: 2 },
            linger: Duration::from_secs(5),
            kernel_send_buffer: 64 * 1024,
        }
    }
}
