//! The limits themselves: what each is, its unit, its default and what it costs.

use std::time::Duration;

use super::rate_limit::RateLimit;

/// What the server allows one peer, or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at a time. Default: 1,000,000; the program lowers it to the descriptors it may open,
    /// less 64. A connection beyond it is told `server-full` and closed. An idle connection costs some 500
    /// bytes here, and some 2 KiB in the kernel.
    pub connections: usize,
    /// Connections at a time from one address, or from one /64 network of IPv6. Default: 64; 0 for no limit. A
    /// connection beyond it is told `too-many-from-address` and closed. Loopback addresses count only if this,
    /// or the next limit, is not the default. Costs some 100 bytes a connection that counts.
    pub connections_per_address: usize,
    /// New connections from one address. Default: 64 at once, then 20 a second. A connection beyond it is
    /// accepted, and not read until its time has come: some seconds at most.
    pub new_connections: RateLimit,
    /// Refused connections that are waited for until they have read why. Default: 32. A refused
    /// connection beyond it is told and closed without waiting.
    pub refused_connections: usize,
    /// Rooms at a time. Default: 100,000, some 300 bytes each. Creating one more is refused with
    /// `limit-reached`.
    pub rooms: usize,

    /// Connections accepted in one turn of the event loop. Default: 8.
    pub accepts_per_turn: usize,
    /// Bytes read from one connection in one turn. Default: 64 KiB. All connections share one read
    /// buffer of this size.
    pub read_per_turn: usize,
    /// Bytes written to one connection in one turn, give or take a write. Default: 256 KiB.
    pub write_per_turn: usize,
    /// Members of one room written to in one turn. Default: 40, some 0.2 ms.
    pub writes_per_room_and_turn: usize,
    /// Bytes read from all connections whose commands have not all been carried out. Default: 4 MiB,
    /// give or take a read; as commands they take up to five times that. Beyond it, reading waits for the
    /// workers.
    pub read_ahead: usize,

    /// Frames from one connection. Default: 400 at once, then 200 a second. Frames beyond it are delayed,
    /// never dropped: until their time comes the connection is not read, and what has been read of it is
    /// kept, at most [`Limits::read_per_turn`] and a frame.
    pub commands: RateLimit,
    /// Bytes of frames from one connection. Default: 4 MiB at once, then 1 MiB a second. Beyond it, as with
    /// [`Limits::commands`].
    pub input: RateLimit,
    /// Bytes of answers to one connection: all that it alone is sent. Default: 16 MiB at once, then 4 MiB a
    /// second. Beyond it the connection is not read until the rate allows it.
    pub answers: RateLimit,
    /// Frames from one connection that hold no valid message. Default: 20 at once, then 2 a second. The
    /// next one closes the connection.
    pub bad_frames: RateLimit,
    /// Time for a frame, from its first byte to its last. Default: 30 s. Beyond it the connection is told
    /// `frame-timeout` and closed. An incomplete frame costs its bytes.
    pub frame_timeout: Duration,
    /// Time for a peer's kernel to confirm what was sent, or to answer keep-alive probes; the first of them is
    /// sent after half this time. Default: 60 s; whole seconds, at least 2. Beyond it the peer counts as vanished,
    /// and the connection is closed. The kernel of a peer that merely does not read still answers. Costs 40 bytes
    /// a connection while anything is on its way. On systems other than Linux, only silent peers are found.
    pub peer_timeout: Duration,

    /// The kernel's send buffer of one connection, in bytes (`SO_SNDBUF`; Linux doubles it). Default:
    /// 64 KiB. It fills up before anything is kept here for a peer that does not read.
    pub kernel_send_buffer: usize,
    /// Bytes pending here for one connection, beyond the kernel's buffer. Default: 1 MiB. Beyond it the
    /// connection is told `slow-consumer` and closed. What a room has pending for many is held once. A list
    /// of rooms counts as at most some kilobytes until its turn comes, then one frame at a time: for a
    /// peer that reads as fast as it can, it may be tens of megabytes.
    pub backlog: usize,
    /// Bytes that may be pending for one connection for longer than [`Limits::slow_backlog_time`].
    /// Default: 256 KiB. Beyond it the connection is not read, and if that lasts, it is told
    /// `slow-consumer` and closed. Nor are the members of a room read while the room still has that much
    /// to hand out, or for 100 ms after a member has come to have that much pending: it may be about
    /// to read.
    pub slow_backlog: usize,
    /// How long more than [`Limits::slow_backlog`] may be pending. Default: 10 s.
    pub slow_backlog_time: Duration,
    /// Bytes that the members of a room may say while one of them is slow and reads. Default: 64 KiB at once,
    /// then 128 KiB a second. Beyond it they are not read, nor is anyone let in, until the rate allows it. A
    /// member that reads at least as fast as this is never closed for being slow, whatever the others say.
    pub room_pace: RateLimit,
    /// Memory held for all connections together, in bytes, by capacity: what is pending for them, each part of
    /// a room's log once, and what has come of their frames. Default: 256 MiB. Beyond it the connections that
    /// have gone longest without reading, or without completing a frame, are told `slow-consumer` and closed;
    /// those that read steadily are the last. Of connections that have been idle for as long, the largest is
    /// first; one that holds no more than its share of the limit is left.
    pub total_backlog: usize,
    /// Memory for all of it, in bytes. Default: no limit; the program takes half of what its
    /// container or its machine has.
    /// Nothing but [`Limits::fit_memory`] acts on it: within the limits that it leaves, the program takes no
    /// more, whatever its peers do.
    pub max_memory: usize,
    /// Time for a closing connection to read what is pending and to end its side. Default: 5 s.
    pub linger: Duration,
}

impl Limits {
    /// Lifts the limits on what a connection may send, or ask for, in a second: [`Limits::commands`],
    /// [`Limits::input`] and [`Limits::answers`].
    pub fn lift_rates(&mut self) {
        let free = RateLimit::per_second(0);
        (self.commands, self.input, self.answers) = (free, free, free);
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
            max_memory: 1 << 42,
            linger: Duration::from_secs(5),
        }
    }
}
