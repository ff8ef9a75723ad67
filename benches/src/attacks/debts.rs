//! An attack on one room by those who join it with a backlog.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use chat_proto::Command;

use super::crowd::Crowd;
use super::lists::long_title;
use super::{Attack, Pace, Prepared, Scene, WAIT};
use crate::words::{frame, join};

/// How often a connection makes and leaves a room, whose long title is in both answers: somewhat less often than
/// the server allows at once, and less than what stops it reading from the connection.
const ROOMS: usize = 190;

/// Between two that join.
const INTERVAL: Duration = Duration::from_millis(60);

/// From asking to joining, and from then to the reset.
const STAY: Duration = Duration::from_millis(60);

/// Connections pile up answers that they do not read, join the room of somebody else, and reset.
pub(super) fn debts(scene: &Scene) -> Prepared {
    Ok(Box::new(Debts {
        crowd: Crowd::new(scene)?,
        commands: [frame(&long_title()), frame(&Command::Leave)].concat().repeat(ROOMS),
        join: frame(&join(scene.room)),
        asked: VecDeque::new(),
        joined: VecDeque::new(),
        pace: Pace::new(INTERVAL),
    }))
}

struct Debts {
    crowd: Crowd,
    commands: Vec<u8>,
    join: Vec<u8>,
    /// The connections that have asked, and those that have joined, each with the time at which it goes on.
    asked: VecDeque<(usize, Instant)>,
    joined: VecDeque<(usize, Instant)>,
    pace: Pace,
}

impl Attack for Debts {
    fn turn(&mut self) -> io::Result<()> {
        let now = Instant::now();
        while let Some(who) = pop_due(&mut self.joined, now) {
            self.crowd.reset(who);
        }
        while let Some(who) = pop_due(&mut self.asked, now) {
            self.crowd.send(who, &self.join);
            self.joined.push_back((who, now + STAY));
        }
        if self.pace.is_due() {
            let who = self.crowd.open(Some(4 * 1024))?;
            self.crowd.deafen(who)?;
            self.crowd.send(who, &self.commands);
            self.asked.push_back((who, now + STAY));
        }
        self.crowd.turn(WAIT)
    }
}

/// The next whose time is over, if any.
fn pop_due(queue: &mut VecDeque<(usize, Instant)>, now: Instant) -> Option<usize> {
    queue
        .front()
        .is_some_and(|&(_, until)| until <= now)
        .then(|| queue.pop_front())?
        .map(|(who, _)| who)
}
