//! The end of a run: everybody leaves, and the server has to be as it was.

use std::time::{Duration, Instant};

use chat_proto::Command;

use super::counters::Counters;
use super::dialogue::{Dialogue, Expect, ROOMS};
use super::peer::{End, Peer};
use super::run::{PATIENCE, Soak};
use super::visits::frame;
use super::watch::MAX_KEPT_PER_CONNECTION;
use crate::error::Error;

/// How long a stop may take in which nobody has to be waited for: as long as the server lingers, and
/// as much again for a busy machine.
const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// Between two looks at what takes its time.
const LOOK: Duration = Duration::from_millis(5);

impl Soak {
    /// Visitors vanish, steady talkers get what they are owed and leave in order.
    pub(super) fn everybody_out(&mut self) -> Result<(), Error> {
        self.visitors.clear();
        self.turns_until(|soak| soak.steady.missing() == 0)?;
        let missing = self.steady.missing();
        if missing > 0 {
            self.faults
                .push(format!("{missing} deliveries and answers to steady talkers are lost"));
        }
        self.steady.leave();
        self.turns_until(|soak| soak.steady.are_gone())?;
        if !self.steady.are_gone() {
            self.faults.push("not all steady talkers were let go".to_owned());
        }
        self.steady.close();
        Ok(())
    }

    fn turns_until(&mut self, done: impl Fn(&Self) -> bool) -> Result<(), Error> {
        let deadline = self.now + PATIENCE;
        while !done(self) && !self.is_given_up && self.now < deadline {
            self.turn(false)?;
        }
        Ok(())
    }

    /// That the rooms, the counters and the descriptors are those of before. Returns how many descriptors there are.
    pub(super) fn check_rest(&mut self, files: u64, rooms: usize) -> Result<u64, Error> {
        // One that flooded is read at its rate, so that the server comes to the end of it later.
        let deadline = Instant::now() + PATIENCE;
        let mut left = self.count_rooms();
        while left.as_ref().is_ok_and(|&left| left != rooms) && Instant::now() < deadline {
            std::thread::sleep(20 * LOOK);
            left = self.count_rooms();
        }
        match left {
            Ok(left) if left == rooms => {}
            Ok(left) => self.faults.push(format!("{left} rooms are left of {rooms} before")),
            Err(fault) => self.faults.push(format!("a list of rooms at the end: {fault}")),
        }
        self.check_counters();
        let process = self.server.process;
        until(PATIENCE, || process.open_files().is_ok_and(|now| now == files));
        let now = process.open_files()?;
        if now != files {
            self.faults.push(format!("{now} files are open, {files} were before"));
        }
        Ok(now)
    }

    /// That the server, if it is ours, knows of nobody.
    fn check_counters(&mut self) {
        let Some(addr) = self.server.metrics else { return };
        let mut faults = Vec::new();
        until(PATIENCE, || {
            faults = Counters::read(addr).map_or_else(
                |error| vec![format!("the counters at the end: {error}")],
                |counters| counters.faults(),
            );
            faults.is_empty()
        });
        self.faults.append(&mut faults);
    }

    /// How many rooms there are, asked on a connection of its own.
    pub(super) fn count_rooms(&mut self) -> Result<usize, String> {
        self.ask_for_rooms().map(|(_, dialogue)| dialogue.listed)
    }

    fn ask_for_rooms(&mut self) -> Result<(Peer, Dialogue), String> {
        let mut peer =
            Peer::open(self.server.addr, None, None).map_err(|error| error.to_string())?;
        let mut dialogue = Dialogue::default();
        dialogue.expect(Expect::code(ROOMS));
        peer.send(&frame(&Command::Rooms));
        self.read_until(&mut peer, &mut dialogue, Dialogue::is_answered)?;
        Ok((peer, dialogue))
    }

    /// Reads on until it is `done`, the stream ends, or the time is up.
    fn read_until(
        &mut self,
        peer: &mut Peer,
        dialogue: &mut Dialogue,
        done: impl Fn(&Dialogue) -> bool,
    ) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while !done(dialogue) && peer.end().is_none() {
            if Instant::now() > deadline {
                return Err(dialogue.missing());
            }
            std::thread::sleep(LOOK);
            peer.flush();
            peer.wake();
            dialogue.read(peer, &mut self.buffer, usize::MAX, &mut |_| Ok(()))?;
        }
        if done(dialogue) { Ok(()) } else { Err(format!("it ended: {:?}", peer.end())) }
    }

    /// Stops the server, if it is ours: whoever is there is told, and the status is 0. Returns how many
    /// seconds it took.
    pub(super) fn stop(&mut self) -> Option<f64> {
        if !self.server.is_ours() {
            return None;
        }
        match self.try_stop() {
            Ok(seconds) => Some(seconds),
            Err(fault) => {
                self.faults.push(format!("the stop: {fault}"));
                None
            }
        }
    }

    fn try_stop(&mut self) -> Result<f64, String> {
        let (mut peer, mut dialogue) = self.ask_for_rooms()?;
        let began = Instant::now();
        self.server.terminate().map_err(|error| error.to_string())?;
        self.read_until(&mut peer, &mut dialogue, |dialogue| dialogue.last_word().is_some())?;
        while peer.end().is_none() && began.elapsed() < PATIENCE {
            std::thread::sleep(LOOK);
            peer.wake();
            dialogue.read(&mut peer, &mut self.buffer, usize::MAX, &mut |_| Ok(()))?;
        }
        let (end, word) = (peer.end(), dialogue.last_word());
        if (end, word) != (Some(End::Whole), Some("server-stopping")) {
            return Err(format!("the stream ended ({end:?}) with last word {word:?}"));
        }
        drop(peer);
        match self.server.wait(STOP_DEADLINE) {
            Some(status) if status.success() => Ok(began.elapsed().as_secs_f64()),
            Some(status) => Err(format!("the server ended with {status}")),
            None => Err(format!("the server runs on after {} s", STOP_DEADLINE.as_secs())),
        }
    }

    /// That memory did not grow, if that can be told.
    pub(super) fn check_memory(&mut self) {
        let Some(trend) = self.watch.trend().filter(|trend| trend.is_long_enough) else { return };
        if trend.per_connection > MAX_KEPT_PER_CONNECTION {
            self.faults.push(format!(
                "memory grows by {:.0} bytes a second, {:.1} for each connection; \
                 {MAX_KEPT_PER_CONNECTION} are allowed",
                trend.slope, trend.per_connection
            ));
        }
    }
}

fn until(most: Duration, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + most;
    while !done() && Instant::now() < deadline {
        std::thread::sleep(LOOK);
    }
}
