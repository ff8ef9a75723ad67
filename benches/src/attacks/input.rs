//! Attacks with input, whole or in parts, outside of rooms.

use std::io;
use std::time::Duration;

use chat_proto::{Command, MAX_PAYLOAD};

use super::crowd::Crowd;
use super::{Attack, Prepared, Scene};
use crate::words::{chat, frame};

/// The most connections that send before the crowd reads again.
const SENDS: usize = 256;

/// Connections replaced per turn.
const RENEWED: usize = 20;

/// Thousands of connections send a frame byte by byte.
pub(super) fn fragments(scene: &Scene) -> Prepared {
    let bytes = frame(&chat("in fragments")).chunks(1).map(<[u8]>::to_vec).collect();
    Senders::prepare(scene, scene.scaled(4_000), bytes)
}

/// Many connections send invalid frames, and come back when they are disconnected.
pub(super) fn invalid_frames(scene: &Scene) -> Prepared {
    let payloads: [&[u8]; 4] = [
        b"{\"type\":\"CSChat\",\"text\":\"\xff\"}",
        b"{\"type\":\"CSChat\",\"text\":\"\\ud800\"}",
        b"[[[[[[[[",
        b"",
    ];
    Senders::prepare(scene, scene.scaled(200), payloads.map(chat_testing::frame).to_vec())
}

/// Many connections send the longest possible frames.
pub(super) fn big_frames(scene: &Scene) -> Prepared {
    let text = "\\n".repeat((MAX_PAYLOAD - 40) / 2);
    let payload = format!(r#"{{"type": "CSChat", "text": "{text}"}}"#);
    Senders::prepare(scene, scene.scaled(100), vec![chat_testing::frame(payload)])
}

/// Connections that send the same parts in turn.
struct Senders {
    crowd: Crowd,
    want: usize,
    parts: Vec<Vec<u8>>,
    /// The next connection to send, and the part that all are sending.
    who: usize,
    part: usize,
}

impl Senders {
    fn prepare(scene: &Scene, want: usize, parts: Vec<Vec<u8>>) -> Prepared {
        let mut crowd = Crowd::new(scene)?;
        crowd.admit(want, &Command::Leave)?;
        Ok(Box::new(Self { crowd, want, parts, who: 0, part: 0 }))
    }
}

impl Attack for Senders {
    fn turn(&mut self) -> io::Result<()> {
        for _ in 0..SENDS {
            self.crowd.send(self.who, &self.parts[self.part]);
            self.who += 1;
            if self.who == self.want {
                self.who = 0;
                self.part = (self.part + 1) % self.parts.len();
            }
        }
        refill(&mut self.crowd, self.want)?;
        self.crowd.turn(Duration::ZERO)
    }
}

/// Replaces the connections that were disconnected.
fn refill(crowd: &mut Crowd, want: usize) -> io::Result<()> {
    for _ in crowd.len()..want.min(crowd.len() + RENEWED) {
        let who = crowd.open(None)?;
        crowd.send(who, &frame(&Command::Leave));
    }
    Ok(())
}

/// Many connections send urgent bytes.
pub(super) fn urgent_bytes(scene: &Scene) -> Prepared {
    let want = scene.scaled(100);
    let mut crowd = Crowd::new(scene)?;
    crowd.admit(want, &Command::Leave)?;
    Ok(Box::new(Urgent { crowd, want }))
}

struct Urgent {
    crowd: Crowd,
    want: usize,
}

impl Attack for Urgent {
    fn turn(&mut self) -> io::Result<()> {
        for who in 0..self.want {
            self.crowd.send_urgent(who);
        }
        refill(&mut self.crowd, self.want)?;
        self.crowd.turn(Duration::ZERO)
    }
}

/// Thousands of connections begin a frame and send no more. Some leave, and others come.
pub(super) fn half_frames(scene: &Scene) -> Prepared {
    HalfFrames::prepare(scene, b"{\"type\":\"CSChat\"")
}

/// The same with all but the end of the longest possible frame.
pub(super) fn long_half_frames(scene: &Scene) -> Prepared {
    HalfFrames::prepare(scene, &vec![b' '; MAX_PAYLOAD - 1])
}

struct HalfFrames {
    crowd: Crowd,
    want: usize,
    half: Vec<u8>,
    oldest: usize,
}

impl HalfFrames {
    fn prepare(scene: &Scene, beginning: &[u8]) -> Prepared {
        let want = scene.scaled(5_000);
        let mut crowd = Crowd::new(scene)?;
        crowd.admit(want, &Command::Leave)?;
        let half = [b"\xff\xff", beginning].concat();
        Ok(Box::new(Self { crowd, want, half, oldest: 0 }))
    }
}

impl Attack for HalfFrames {
    fn turn(&mut self) -> io::Result<()> {
        for _ in 0..RENEWED {
            self.crowd.close(self.oldest);
            let who = self.crowd.open(None)?;
            self.crowd.send(who, &frame(&Command::Leave));
            self.crowd.send(who, &self.half);
            self.oldest = (self.oldest + 1) % self.want;
        }
        self.crowd.turn(Duration::ZERO)
    }
}
