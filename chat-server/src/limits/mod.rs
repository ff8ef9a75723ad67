//! Every limit of the server, in one place.

mod error;
pub(crate) mod quantity;
mod rate_limit;
mod table;

use std::time::Duration;

use chat_proto::{HEADER_LEN, MAX_PAYLOAD};

use error::{Floor, Wrong};

pub use error::LimitError;
pub use rate_limit::RateLimit;
pub use table::Limit;

/// What the server lets a peer, or all of them, have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most connections at a time. Default: 1,000,000. The program takes the descriptors that it
    /// may open, less 64, if those are fewer. One more is told `server-full` and closed. An idle
    /// connection costs some 500 bytes here, and some 2 KiB in the kernel.
    pub connections: usize,
    /// The most connections from one address at a time; of IPv6, from one network of 64 bits. Default:
    /// 0, no limit. One more is told `too-many-from-address` and closed. Costs some 100 bytes a
    /// connection when it is set.
    pub connections_per_address: usize,
    /// Connections that are told that there is no place for them and waited for until they have
    /// read it. Default: 32; beyond that one is told and closed without waiting.
    pub refused_connections: usize,
    /// The most rooms at a time. Default: 100,000, some 300 bytes each. One more is refused with
    /// `limit-reached`.
    pub rooms: usize,

    /// Connections accepted before those that are there have their turn. Default: 64.
    pub accepts_per_turn: usize,
    /// Bytes read from one connection before the others have their turn. Default: 64 KiB, which is
    /// also the size of the one read buffer that all connections share.
    pub read_per_turn: usize,
    /// Bytes written to one connection before the others have their turn, give or take a write.
    /// Default: 256 KiB.
    pub write_per_turn: usize,
    /// Members of one room that are written to before the other rooms and connections have their
    /// turn. Default: 64, some 0.3 ms.
    pub writes_per_room_and_turn: usize,
    /// Bytes read from all connections of which some command has not been carried out. Default:
    /// 4 MiB, give or take a read; commands in memory take up to five times that. Reading waits for
    /// the workers beyond it.
    pub read_ahead: usize,

    /// Frames that a connection may send. Default: 400 at once, and 200 a second from then on. Those
    /// beyond are taken when their time has come: nothing is dropped. Until then the connection is not
    /// read, and what has been read of it is kept: at most [`Limits::read_per_turn`] and a frame.
    pub commands: RateLimit,
    /// Frames without a valid message in them that a connection may send. Default: 20 at once, and 2
    /// a second from then on; the next one ends the connection.
    pub bad_frames: RateLimit,
    /// How long a frame may take from its first byte to its last. Default: 30 s; then the connection
    /// is told `frame-timeout` and closed. A frame that has begun costs its bytes.
    pub frame_timeout: Duration,

    /// The kernel's send buffer of a connection, in bytes (`SO_SNDBUF`; Linux takes twice that).
    /// Default: 64 KiB. What a peer does not read fills it before anything waits here.
    pub kernel_send_buffer: usize,
    /// The most bytes that a connection may be owed here, beside what the kernel holds for it. Default:
    /// 1 MiB. One that is owed more is told `slow-consumer` and closed. What a room owes to many is
    /// held once. A list of rooms counts as some kilobytes at most until its turn comes, then a frame at
    /// a time: it may be tens of megabytes for one that reads as fast as it can.
    pub backlog: usize,
    /// Bytes that a connection may be owed for longer than [`Limits::slow_backlog_time`]. Default:
    /// 256 KiB. It is not read while it is owed more; if that lasts, it is told `slow-consumer` and
    /// closed. Nor are the members of a room read while it still has to hand out so much, or for 100 ms after
    /// a member has come to be owed that: it may be about to read.
    pub slow_backlog: usize,
    /// How long a connection may be owed more than [`Limits::slow_backlog`]. Default: 10 s.
    pub slow_backlog_time: Duration,
    /// The most bytes held for all connections together: what they are owed, each part of a room's
    /// log once; the lists of rooms that are still to be sent, each as if its rooms were kept for it
    /// alone; and the beginnings of frames. Default: 256 MiB. Beyond it those that keep most are told
    /// `slow-consumer` and closed, the greatest first.
    ///
    /// A room of a list is some 300 bytes, or 3.3 KiB with 50 members: of 100,000 small rooms eight lists
    /// may wait at a time.
    pub total_backlog: usize,
    /// How long a closing connection is given to take what it is owed and to end its side. Default:
    /// 5 s.
    pub linger: Duration,
}

impl Limits {
    /// Bytes of the longest frame.
    const FRAME: usize = HEADER_LEN + MAX_PAYLOAD;

    /// Everything about the limits that no server can run with, by the names of [`Limit`].
    pub(crate) fn errors(&self) -> Vec<LimitError> {
        let mut errors: Vec<_> = Limit::ALL.iter().filter_map(|l| l.error(self)).collect();
        let in_order = [
            (Floor::LongestFrame, Self::FRAME, "slow-backlog", self.slow_backlog),
            (Floor::Limit("slow-backlog"), self.slow_backlog, "backlog", self.backlog),
            (Floor::Limit("backlog"), self.backlog, "total-backlog", self.total_backlog),
            (Floor::Limit("read-per-turn"), self.read_per_turn, "read-ahead", self.read_ahead),
        ];
        for (floor, least, name, bytes) in in_order {
            if bytes < least {
                let (bytes, least) = (bytes as u64, least as u64);
                errors.push(LimitError::new(Wrong::TooSmall { name, bytes, floor, least }));
            }
        }
        errors
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_000_000,
            connections_per_address: 0,
            refused_connections: 32,
            rooms: 100_000,
            accepts_per_turn: 64,
            read_per_turn: 64 * 1024,
            write_per_turn: 256 * 1024,
            writes_per_room_and_turn: 64,
            read_ahead: 4 * 1024 * 1024,
            commands: RateLimit { burst: 400, per_second: 200 },
            bad_frames: RateLimit { burst: 20, per_second: 2 },
            frame_timeout: Duration::from_secs(30),
            kernel_send_buffer: 64 * 1024,
            backlog: 1024 * 1024,
            slow_backlog: 256 * 1024,
            slow_backlog_time: Duration::from_secs(10),
            total_backlog: 256 * 1024 * 1024,
            linger: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(change: fn(&mut Limits)) -> Vec<String> {
        let mut limits = Limits::default();
        change(&mut limits);
        limits.errors().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn values_that_no_server_can_run_with_are_named() {
        assert_eq!(Limits::default().errors(), []);
        assert_eq!(
            problems(|l| l.accepts_per_turn = 0),
            ["accepts-per-turn is 0: must be from 1 to 1000000000"]
        );
        let [problem] = &problems(|l| l.linger = Duration::MAX)[..] else { panic!("there is one") };
        assert!(problem.starts_with("linger is ") && problem.ends_with(" to 24h"), "{problem}");
    }

    #[test]
    fn a2_limits_that_contradict_each_other_are_named() {
        assert_eq!(
            problems(|l| l.slow_backlog = 2 * l.backlog),
            ["backlog is 1MiB: must be at least 2MiB, the value of slow-backlog"]
        );
        assert_eq!(
            problems(|l| l.slow_backlog = 1_000),
            ["slow-backlog is 1000B: must be at least 65537B, the longest frame"]
        );
        assert_eq!(
            problems(|l| l.total_backlog = 1024),
            ["total-backlog is 1KiB: must be at least 1MiB, the value of backlog"]
        );
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let problems = problems(|l| {
            l.connections = 0;
            l.read_per_turn = usize::MAX;
        });
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].starts_with("connections is 0"), "{problems:?}");
        assert!(problems[1].ends_with("from 1B to 64MiB"), "{problems:?}");
        assert!(problems[2].starts_with("read-ahead is 4MiB"), "{problems:?}");
    }
}
