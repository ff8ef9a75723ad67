//! What a seed decides beforehand: limits, how many there are, and how it ends.

use std::time::Duration;

use crate::bucket::Allowance;
use crate::limits::Limits;
use crate::simulation::rng::Rng;

/// How a run ends, once all faults have stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finale {
    /// Everyone leaves its room, then the chat.
    Leave,
    /// Everyone ends its side, wherever it is.
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
    /// Steps with faults.
    pub(super) steps: usize,
    /// Bytes that the server's kernel keeps for it, and takes from it.
    pub(super) kernel_buffers: (usize, usize),
    pub(super) finale: Finale,
}

impl Plan {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let clients = rng.within(3..9);
        // One that reads at once must not be owed much only because its turn was over.
        let (write_per_turn, backlog) =
            rng.pick(&[(50, 1_000_000), (1_000, 1_000_000), (100_000, 2_000), (100_000, 20_000)]);
        let limits = Limits {
            connections: clients + 3 + rng.pick(&[0, 1, 100]) - 1,
            refused_connections: rng.within(1..3),
            rooms: rng.pick(&[3, 4, 100]),
            accepts_per_turn: rng.within(1..4),
            read_per_turn: rng.pick(&[16, 100, 1_000, 4_096, 65_536]),
            write_per_turn,
            backlog,
            slow_backlog: backlog,
            writes_per_room_and_turn: rng.within(1..5),
            bad_frames: Allowance { burst: rng.within(2..6) as u32, per_second: 2 },
            linger: Duration::from_secs(5),
            ..Limits::default()
        };
        Self {
            limits,
            inline_requests: rng.pick(&[0, 0, 2, 8, 4_096]),
            workers: rng.within(1..5),
            clients,
            steps: rng.within(600..1_600),
            kernel_buffers: (rng.pick(&[64, 500, 4_096]), rng.pick(&[64, 500, 4_096])),
            finale: rng.pick(&[Finale::Leave, Finale::Finish, Finale::Signal, Finale::Command]),
        }
    }
}
