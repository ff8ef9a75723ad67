//! The plan of a run, which the seed decides in advance: limits, the number of clients, and the end.

use std::time::Duration;

use chat_testing::Rng;

use crate::limits::Limits;
use crate::limits::RateLimit;

/// How a run ends, once all faults have stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finale {
    /// Everybody leaves its room, then disconnects.
    Leave,
    /// Everybody ends its side, wherever it is.
    Finish,
    /// A signal stops the server, before all is quiet.
    Signal,
    /// A client stops it, before all is quiet.
    Command,
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) limits: Limits,
    pub(super) inline_requests: usize,
    pub(super) workers: usize,
    /// Connections at a time, besides the witnesses.
    pub(super) clients: usize,
    /// Addresses they connect from.
    pub(super) addresses: usize,
    /// Steps with faults.
    pub(super) steps: usize,
    /// Bytes of the server's receive and send buffers in the kernel.
    pub(super) kernel_buffers: (usize, usize),
    pub(super) finale: Finale,
}

impl Plan {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let clients = rng.within(3..9);
        Self {
            limits: limits(rng, clients),
            inline_requests: rng.pick(&[0, 0, 2, 8, 4_096]),
            workers: rng.within(1..5),
            clients,
            addresses: rng.within(1..4),
            steps: rng.within(600..1_600),
            kernel_buffers: (rng.pick(&[64, 500, 4_096]), rng.pick(&[64, 500, 4_096])),
            finale: rng.pick(&[Finale::Leave, Finale::Finish, Finale::Signal, Finale::Command]),
        }
    }
}

impl Plan {
    /// Whether every session is kept for its whole time.
    pub(super) fn keeps_all(&self) -> bool {
        self.limits.connections_per_address == 0 && self.limits.connections > 100
    }

    /// Whether a chat waits for a few turns only, and not for workers, a rate, or a room held up by a slow member.
    pub(super) fn is_swift(&self) -> bool {
        let rate = self.limits.commands.per_second;
        self.inline_requests >= 4_096
            && self.limits.read_per_turn >= 1_000
            && self.limits.slow_backlog >= 50_000
            && (rate == 0 || rate >= 200)
    }
}

/// Limits that a few hundred steps can reach. They relate to each other as [`Limits::check`] demands, except that a
/// frame need not fit into a backlog.
fn limits(rng: &mut Rng, clients: usize) -> Limits {
    // A client that reads at once must not become slow only because its turn was over.
    let (write_per_turn, backlog) =
        rng.pick(&[(50, 1_000_000), (1_000, 1_000_000), (100_000, 2_000), (100_000, 20_000)]);
    let read_per_turn = rng.pick(&[16, 100, 1_000, 4_096, 65_536]);
    let millis = |rng: &mut Rng, choices| Duration::from_millis(rng.pick(choices));
    Limits {
        connections: clients + 3 + rng.pick(&[0, 1, 100]) - 1,
        connections_per_address: rng.pick(&[0, 0, 1, 2, 4]),
        new_connections: RateLimit::per_second(0),
        refused_connections: rng.within(0..3),
        rooms: rng.pick(&[3, 4, 100]),
        accepts_per_turn: rng.within(1..4),
        read_per_turn,
        read_ahead: rng.pick(&[read_per_turn, 2 * read_per_turn, 1 << 22]),
        write_per_turn,
        backlog,
        slow_backlog: backlog / rng.pick(&[1, 4, 20]),
        slow_backlog_time: millis(rng, &[50, 1_000, 10_000]),
        // More than the logs of the witnesses' rooms, plus a list of rooms for every client.
        total_backlog: backlog.max(rng.pick(&[120_000, 150_000, 1 << 28])),
        writes_per_room_and_turn: rng.within(1..5),
        commands: rng.pick(&[
            RateLimit { burst: 1, per_second: 0 },
            RateLimit { burst: 400, per_second: 200 },
            RateLimit { burst: 3, per_second: 20 },
            RateLimit { burst: 1, per_second: 7 },
        ]),
        bad_frames: RateLimit { burst: rng.within(2..6) as u32, per_second: 2 },
        frame_timeout: millis(rng, &[200, 3_000, 30_000]),
        linger: millis(rng, &[500, 5_000]),
        history: rng.pick(&[0, 600, 2_000, 8_000, 1 << 16]),
        total_history: rng.pick(&[4_000, 16_000, 1 << 20]),
        resume_time: millis(rng, &[0, 20, 1_000, 10_000, 60_000]),
        ..Limits::default()
    }
}
