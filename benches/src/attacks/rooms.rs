//! Attacks by the members of a large or busy room.

use std::io;
use std::time::Duration;

use super::crowd::Crowd;
use super::{Attack, COMMAND_INTERVAL, Pace, Prepared, Scene, WAIT};
use crate::words::{chat, create, frame, join, rename};

/// The number of members of the large room.
const LARGE: usize = 6_000;

/// How many of them do something.
const ACTIVE: usize = 20;

/// The busy room: its members, how many of them stop reading, and how many talk.
const BUSY: usize = 300;
const STOPPED: usize = 250;
const TALKERS: usize = 10;

/// Some members of a large room change their names as often as allowed.
pub(super) fn renames(scene: &Scene) -> Prepared {
    let mut crowd = Crowd::new(scene)?;
    let (members, _) = crowd.settle("a large room", scene.scaled(LARGE))?;
    let acts = |who, number| frame(&rename(&format!("renamed {who} {number}")));
    Ok(Box::new(Room::new(crowd, members, acts)))
}

/// Visitors join and leave a large room as often as allowed.
pub(super) fn visits(scene: &Scene) -> Prepared {
    let mut crowd = Crowd::new(scene)?;
    let (_, room) = crowd.settle("a large room", scene.scaled(LARGE))?;
    let visitors = crowd.admit(ACTIVE, &create("for a moment"))?;
    let leave = frame(&chat_proto::Command::Leave);
    let acts = move |_, number| {
        if number % 2 == 0 { leave.clone() } else { frame(&join(room)) }
    };
    Ok(Box::new(Room::new(crowd, visitors, acts)))
}

/// A large room whose first [`ACTIVE`] members do the same thing over and over.
struct Room<A> {
    crowd: Crowd,
    active: Vec<usize>,
    acts: A,
    number: usize,
    pace: Pace,
}

impl<A: Fn(usize, usize) -> Vec<u8>> Room<A> {
    fn new(crowd: Crowd, mut active: Vec<usize>, acts: A) -> Self {
        active.truncate(ACTIVE);
        Self { crowd, active, acts, number: 0, pace: Pace::new(COMMAND_INTERVAL) }
    }
}

impl<A: Fn(usize, usize) -> Vec<u8>> Attack for Room<A> {
    fn turn(&mut self) -> io::Result<()> {
        if self.pace.is_due() {
            for &who in &self.active {
                self.crowd.send(who, &(self.acts)(who, self.number));
            }
            self.number += 1;
        }
        self.crowd.turn(WAIT)
    }
}

/// In a room that talks without a pause, most members stop reading. Others replace them each second.
pub(super) fn stopped_readers(scene: &Scene) -> Prepared {
    let mut crowd = Crowd::new(scene)?;
    let (members, room) = crowd.settle("a busy room", BUSY - STOPPED)?;
    let text = frame(&chat(&"x".repeat(1_000)));
    Ok(Box::new(StoppedReaders {
        crowd,
        talkers: members[..TALKERS.min(members.len())].to_vec(),
        room,
        text,
        stopped: Vec::new(),
        talk: Pace::new(COMMAND_INTERVAL),
        change: Pace::new(Duration::from_secs(1)),
    }))
}

struct StoppedReaders {
    crowd: Crowd,
    talkers: Vec<usize>,
    room: u64,
    text: Vec<u8>,
    stopped: Vec<usize>,
    talk: Pace,
    change: Pace,
}

impl Attack for StoppedReaders {
    fn turn(&mut self) -> io::Result<()> {
        if self.change.is_due() {
            for who in self.stopped.drain(..) {
                self.crowd.close(who);
            }
            self.stopped = self.crowd.admit(STOPPED, &join(self.room))?;
            for &who in &self.stopped {
                self.crowd.deafen(who)?;
            }
        }
        if self.talk.is_due() {
            for &who in &self.talkers {
                self.crowd.send(who, &self.text);
            }
        }
        self.crowd.turn(WAIT)
    }
}
