//! Attacks with requests for long lists of rooms.

use std::io;

use chat_proto::Command;

use super::crowd::Crowd;
use super::{Attack, COMMAND_INTERVAL, Pace, Prepared, Scene, WAIT};
use crate::words::{create, frame};

const ROOMS: usize = 3_000;
const ASKERS: usize = 300;

/// Many connections request a long list as often as allowed, and read at full speed.
pub(super) fn many_askers(scene: &Scene) -> Prepared {
    prepare(scene, scene.scaled(ASKERS))
}

/// One connection requests a long list as often as allowed, and reads at full speed.
pub(super) fn one_asker(scene: &Scene) -> Prepared {
    prepare(scene, 1)
}

fn prepare(scene: &Scene, askers: usize) -> Prepared {
    let mut crowd = Crowd::new(scene)?;
    crowd.admit(scene.scaled(ROOMS), &long_title())?;
    let askers = crowd.admit(askers, &Command::Leave)?;
    let pace = Pace::new(COMMAND_INTERVAL);
    Ok(Box::new(Lists { crowd, askers, question: frame(&Command::Rooms), pace }))
}

/// Creates a room with the longest title, in bytes.
pub(super) fn long_title() -> Command {
    create(&"🂡".repeat(chat_proto::MAX_TITLE_CHARS))
}

struct Lists {
    crowd: Crowd,
    askers: Vec<usize>,
    question: Vec<u8>,
    pace: Pace,
}

impl Attack for Lists {
    fn turn(&mut self) -> io::Result<()> {
        if self.pace.is_due() {
            for &who in &self.askers {
                self.crowd.send(who, &self.question);
            }
        }
        self.crowd.turn(WAIT)
    }
}
