//! An attack on one room by those who join it with a backlog.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use chat_proto::Command;

use super::crowd::Crowd;
use super::lists::long_title;
use super::{Attack, Pace, Prepared, Scene, WAIT};
use crate::words::{frame, join};

/// Rooms with long titles, for long lists: of some 90 KB.
const ROOMS: usize = 200;

/// Lists that a connection asks for and does not read: somewhat less than its backlog may be.
const LISTS: usize = 10;

/// Between two that join.
const INTERVAL: Duration = Duration::from_millis(60);

/// From asking to joining, and from then to the reset.
const STAY: Duration = Duration::from_millis(60);

/// Strangers pile up answers that they do not read, join the room of somebody else, and reset.
pub(super) fn debts(scene: &Scene) -> Prepared {
    let mut crowd = Crowd::new(scene.server)?;
    crowd.admit(scene.scaled(ROOMS), &long_title())?;
    Ok(Box::new(Debts {
        crowd,
        questions: frame(&Command::Rooms).repeat(LISTS),
        join: frame(&join(scene.room)),
        asked: VecDeque::new(),
        joined: VecDeque::new(),
        pace: Pace::new(INTERVAL),
    }))
}

struct Debts {
    crowd: Crowd,
    questions: Vec<u8>,
    join: Vec<u8>,
    /// Who has asked or joined, and until when they stay.
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
            self.crowd.send(who, &self.questions);
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
