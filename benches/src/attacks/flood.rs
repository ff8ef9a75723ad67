//! An attack on a room by a member that says more than another can read.

use std::io;
use std::time::Instant;

use super::crowd::Crowd;
use super::{Attack, Prepared, Scene, WAIT};
use crate::words::{chat, frame};

/// Bytes of a text, nearly a full frame.
const TEXT: usize = 65_000;

/// The rate at which the other member reads: 2 Mbit/s, in bytes per second.
const READ_RATE: f64 = 250_000.0;

/// One connection floods a room, and another one reads steadily.
pub(super) fn flood(scene: &Scene) -> Prepared {
    let mut crowd = Crowd::new(scene)?;
    let (members, _) = crowd.settle("a flooded room", 2)?;
    let &[flooder, reader] = &members[..] else {
        return Err(io::Error::other("the flooded room has not two members"));
    };
    crowd.deafen(reader)?;
    let text = frame(&chat(&"x".repeat(TEXT)));
    Ok(Box::new(Flood { crowd, flooder, reader, text, read_to: Instant::now() }))
}

struct Flood {
    crowd: Crowd,
    flooder: usize,
    reader: usize,
    text: Vec<u8>,
    /// The time up to which the reader has read its share.
    read_to: Instant,
}

impl Attack for Flood {
    fn turn(&mut self) -> io::Result<()> {
        self.crowd.send(self.flooder, &self.text);
        let due = (self.read_to.elapsed().as_secs_f64() * READ_RATE) as usize;
        if due >= 1_000 {
            self.read_to = Instant::now();
            self.crowd.sip(self.reader, due);
        }
        self.crowd.turn(WAIT)
    }

    fn harm(&self) -> Option<&'static str> {
        (!self.crowd.contains(self.reader)).then_some("the slow reader was cut off")
    }
}
