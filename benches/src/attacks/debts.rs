//! An attack on a room by connections that join it with a backlog.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use chat_proto::Command;

use super::crowd::Crowd;
use super::lists::long_title;
use super::{Attack, Pace, Prepared, Scene, WAIT};
use crate::words::{frame, join};

/// How often a connection creates and leaves a room with a long title, which is in both answers. Slightly fewer times
/// than the server allows at once, and than would stop it from reading the connection.
const ROOMS: usize = 190;

/// Time between two connections that join.
const INTERVAL: Duration = Duration::from_millis(60);

/// Time from asking to joining, and from joining to the reset.
const STAY: Duration = Duration::from_millis(60);

/// Connections accumulate answers that they do not read, join someone else's room, and reset.
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
    /// The connections that have asked, and those that have joined, each with the time of its next step.
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

/// Takes the next connection whose time has come, if any.
fn pop_due(queue: &mut VecDeque<(usize, Instant)>, now: Instant) -> Option<usize> {
    queue
        .front()
        .is_some_and(|&(_, until)| until <= now)
        .then(|| queue.pop_front())?
        .map(|(who, _)| who)
}
