//! Attacks with commands, as many as the server allows, from many connections.

use std::io;

use chat_proto::{Command, MAX_NAME_CHARS};

use super::crowd::Crowd;
use super::{Attack, COMMAND_INTERVAL, Pace, Prepared, Scene, WAIT};
use crate::words::{create, frame};

const CONNECTIONS: usize = 100;

/// Everybody creates a room and leaves it again, which closes it.
pub(super) fn rooms(scene: &Scene) -> Prepared {
    prepare(scene, vec![frame(&create("for a moment")), frame(&Command::Leave)])
}

/// Everybody takes names that are expensive to compare, and asks for some that are refused.
pub(super) fn names(scene: &Scene) -> Prepared {
    let jamo = "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}".repeat(5);
    let all = ["Ί", "\u{fdfa}", "ﬃ"].map(|c| c.repeat(MAX_NAME_CHARS));
    let payload = |name: &String| format!(r#"{{"type":"CSName","name":"{name}"}}"#);
    prepare(scene, all.iter().chain([&jamo]).map(payload).map(chat_testing::frame).collect())
}

/// Everybody asks the server to stop. The server must be configured to refuse that.
pub(super) fn shutdowns(scene: &Scene) -> Prepared {
    prepare(scene, vec![frame(&Command::Shutdown)])
}

fn prepare(scene: &Scene, commands: Vec<Vec<u8>>) -> Prepared {
    let mut crowd = Crowd::new(scene)?;
    let all = crowd.admit(scene.scaled(CONNECTIONS), &Command::Leave)?;
    Ok(Box::new(Commands { crowd, all, commands, next: 0, pace: Pace::new(COMMAND_INTERVAL) }))
}

struct Commands {
    crowd: Crowd,
    all: Vec<usize>,
    commands: Vec<Vec<u8>>,
    next: usize,
    pace: Pace,
}

impl Attack for Commands {
    fn turn(&mut self) -> io::Result<()> {
        if self.pace.is_due() {
            for &who in &self.all {
                self.crowd.send(who, &self.commands[self.next]);
            }
            self.next = (self.next + 1) % self.commands.len();
        }
        self.crowd.turn(WAIT)
    }
}
