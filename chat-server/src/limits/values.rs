//! The limits: the meaning, unit, default and cost of each.

use std::time::Duration;

use super::rate_limit::RateLimit;

/// Limits on what the server does for one peer, or for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at a time. Default: 1,000,000; the program lowers it to the descriptors it may open, less 64. A
    /// connection beyond the limit is told `server-full` and closed. An idle connection costs some 500 bytes here, and
    /// some 2 KiB in the kernel.
    pub connections: usize,
    /// Connections at a time from one address, or from one /64 network of IPv6. Default: 64; 0 for no limit. A
    /// connection beyond the limit is told `too-many-from-address` and closed. Loopback addresses count only if this
    /// or the next limit is changed from its default. Costs some 100 bytes for each connection that counts.
    pub connections_per_address: usize,
    /// New connections from one address. Default: 64 at once, then 20 a second. A connection beyond the limit is
    /// accepted, and not read until its time has come: some seconds at most.
    pub new_connections: RateLimit,
    /// Refused connections that are kept until they have read the reason. Default: 32. A refused connection beyond the
    /// limit is told and closed at once.
    pub refused_connections: usize,
    /// Rooms at a time. Default: 100,000, some 300 bytes each. Creating one more is refused with
    /// `limit-reached`.
    pub rooms: usize,

    /// Connections accepted in one turn of the event loop. Default: 8.
    pub accepts_per_turn: usize,
    /// Bytes read from one connection in one turn. Default: 64 KiB. All connections share one read
    /// buffer of this size.
    pub read_per_turn: usize,
    /// Bytes written to one connection in one turn, plus at most one write. Default: 256 KiB.
    pub write_per_turn: usize,
    /// Members of one room written to in one turn. Default: 40, some 0.2 ms.
    pub writes_per_room_and_turn: usize,
    /// Bytes read from all connections whose commands have not all been carried out, plus at most one read. Default:
    /// 4 MiB; as commands, they take up to five times that. Beyond the limit, reading waits for the workers.
    pub read_ahead: usize,

    /// Frames from one connection. Default: 400 at once, then 200 a second. Frames beyond the limit are delayed, never
    /// dropped: until their time comes, the connection is not read, and input already read from it is kept, at most
    /// [`Limits::read_per_turn`] and a frame.
    pub commands: RateLimit,
    /// Bytes of frames from one connection. Default: 4 MiB at once, then 1 MiB a second. Frames beyond the limit are
    /// delayed, as with [`Limits::commands`].
    pub input: RateLimit,
    /// Bytes of answers to one connection: everything sent to it alone. Default: 16 MiB at once, then 4 MiB a second.
    /// Beyond the limit, the connection is not read until the rate allows it.
    pub answers: RateLimit,
    /// Frames from one connection that contain no valid message. Default: 20 at once, then 2 a second. The next one
    /// closes the connection.
    pub bad_frames: RateLimit,
    /// Time for a frame, from its first byte to its last. Default: 30 s. After that, the connection is told
    /// `frame-timeout` and closed. An incomplete frame costs its bytes.
    pub frame_timeout: Duration,
    /// Time for a peer's kernel to confirm what was sent, or to answer keep-alive probes; the first probe is sent
    /// after half this time. Default: 60 s; whole seconds, at least 2. After that, the peer counts as vanished, and
    /// the connection is closed. The kernel of a peer that merely does not read still answers. Costs 40 bytes a
    /// connection while anything is on its way. On systems other than Linux, only silent peers are found.
    pub peer_timeout: Duration,

    /// The kernel's send buffer of one connection, in bytes (`SO_SNDBUF`; Linux doubles it). Default:
    /// 64 KiB. It fills up before anything is kept here for a peer that does not read.
    pub kernel_send_buffer: usize,
    /// Bytes pending here for one connection, beyond the kernel's buffer. Default: 1 MiB. Beyond the limit, the
    /// connection is told `slow-consumer` and closed. What a room has pending for many members is stored once. A list
    /// of rooms counts as at most some kilobytes until its turn comes, then one frame at a time: for a peer that reads
    /// as fast as it can, it may be tens of megabytes long.
    pub backlog: usize,
    /// Bytes that may be pending for one connection for longer than [`Limits::slow_backlog_time`]. Default: 256 KiB.
    /// Beyond the limit, the connection is not read, and if that lasts, it is told `slow-consumer` and closed. The
    /// members of a room are not read either while the room still has that much to hand out, or for 100 ms after that
    /// much has become pending for a member, which may be about to read.
    pub slow_backlog: usize,
    /// How long more than [`Limits::slow_backlog`] may be pending. Default: 10 s.
    pub slow_backlog_time: Duration,
    /// Bytes that the members of a room may say while a member is slow but reading. Default: 64 KiB at once, then
    /// 128 KiB a second. Beyond the limit, members are not read, and nobody is admitted, until the rate allows it. A
    /// member that reads at least this fast is never closed for being slow, whatever the others say.
    pub room_pace: RateLimit,
    /// Memory held for all connections together, in bytes, by capacity: what is pending for them, with each part of a
    /// room's log counted once, and their unprocessed input. Default: 256 MiB. Beyond the limit, the connections that
    /// have gone longest without reading, or without completing a frame, are told `slow-consumer` and closed, steady
    /// readers last. Among connections that have been idle equally long, the largest goes first; a connection that
    /// holds no more than its share of the limit stays. Before anyone is closed, history makes room: see
    /// [`Limits::total_history`].
    pub total_backlog: usize,
    /// Memory for what was said in one room, in bytes: what those read who come back, or are new. Default: 64 KiB. 0:
    /// nothing is kept, in any room, and no session outlives its connection.
    pub history: usize,
    /// Memory for what was said in all rooms together, in bytes. Default: 64 MiB. Beyond the limit, the oldest is
    /// given up first; it is also given up while connections hold more than [`Limits::total_backlog`].
    pub total_history: usize,
    /// How long a session outlives its connection, if its client has asked for that. Default: 60 s. 0: not at all.
    /// Together with the connections, no more than [`Limits::connections`] are kept; the oldest is given up first. No
    /// more than [`Limits::connections_per_address`] are kept for one address.
    pub resume_time: Duration,
    /// How long what was said is kept in the data directory. Default: 0, as long as there is room. What is older is
    /// deleted in small steps.
    pub history_age: Duration,
    /// Bytes of the database in the data directory. Default: 1 GiB. 0: no limit. Beyond the limit, the oldest is deleted
    /// in small steps.
    pub history_size: usize,
    /// How long a room without members is kept, with a data directory. Default: 30 days.
    pub room_age: Duration,
    /// Memory for everything, in bytes. Default: no limit; the program takes half of what its container or its machine
    /// has. Only [`Limits::fit_memory`] acts on it: within the limits that it leaves, the server takes no more than
    /// this, whatever its peers do.
    pub max_memory: usize,
    /// Time for a closing connection to read what is pending and to end its side. Default: 5 s.
    pub linger: Duration,
}

impl Limits {
    /// Lifts the limits on what a connection may send or ask for per second: [`Limits::commands`], [`Limits::input`]
    /// and [`Limits::answers`].
    pub fn lift_rates(&mut self) {
        let free = RateLimit::per_second(0);
        (self.commands, self.input, self.answers) = (free, free, free);
    }

    /// Whether anything of what was said is kept.
    pub(crate) fn keeps_history(&self) -> bool {
        self.history > 0 && self.total_history > 0
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_000_000,
            connections_per_address: 64,
            new_connections: RateLimit { burst: 64, per_second: 20 },
            refused_connections: 32,
            rooms: 100_000,
            accepts_per_turn: 8,
            read_per_turn: 64 * 1024,
            write_per_turn: 256 * 1024,
            writes_per_room_and_turn: 40,
            read_ahead: 4 * 1024 * 1024,
            commands: RateLimit { burst: 400, per_second: 200 },
            input: RateLimit { burst: 4 << 20, per_second: 1 << 20 },
            answers: RateLimit { burst: 16 << 20, per_second: 4 << 20 },
            bad_frames: RateLimit { burst: 20, per_second: 2 },
            frame_timeout: Duration::from_secs(30),
            peer_timeout: Duration::from_secs(60),
            kernel_send_buffer: 64 * 1024,
            backlog: 1024 * 1024,
            slow_backlog: 256 * 1024,
            slow_backlog_time: Duration::from_secs(10),
            room_pace: RateLimit { burst: 64 << 10, per_second: 128 << 10 },
            total_backlog: 256 * 1024 * 1024,
            history: 64 * 1024,
            total_history: 64 * 1024 * 1024,
            resume_time: Duration::from_secs(60),
            history_age: Duration::ZERO,
            history_size: 1 << 30,
            room_age: Duration::from_secs(30 * 24 * 3600),
            max_memory: 1 << 42,
            linger: Duration::from_secs(5),
        }
    }
}
