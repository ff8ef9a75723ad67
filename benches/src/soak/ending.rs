//! The end of a run: everybody leaves, and the server must be as it was before.

use std::time::{Duration, Instant};

use chat_proto::Command;

use super::client::{Client, Route};
use super::form::Speech;
use super::resources::MAX_KEPT_PER_CONNECTION;
use super::rest;
use super::run::{PATIENCE, Soak};
use super::socket::End;
use crate::error::Error;
use crate::measure::metrics::Metrics;

/// How long a stop may take without anybody to wait for: as long as the server lingers, and as long again for a busy
/// machine.
const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// Time between two polls of something that takes a while.
const POLL: Duration = Duration::from_millis(5);

impl Soak {
    /// Attackers stop and visitors vanish; talkers receive everything that is owed to them, and leave in order.
    pub(super) fn everybody_out(&mut self) -> Result<(), Error> {
        self.faults.extend(self.attackers.finish().err());
        for visitor in self.visitors.drain() {
            self.checker.remove(visitor.client.id());
        }
        self.turns_until(|soak| soak.talkers.missing(&soak.checker) == 0)?;
        let missing = self.talkers.missing(&self.checker);
        if missing > 0 {
            self.faults
                .push(format!("{missing} deliveries and answers to steady talkers are lost"));
        }
        self.talkers.leave();
        self.turns_until(|soak| soak.talkers.are_gone())?;
        if !self.talkers.are_gone() {
            self.faults.push("not all steady talkers were let go".to_owned());
        }
        self.talkers.close();
        Ok(())
    }

    fn turns_until(&mut self, done: impl Fn(&Self) -> bool) -> Result<(), Error> {
        let deadline = self.now + PATIENCE;
        while !done(self) && !self.is_given_up && self.now < deadline {
            self.turn(false)?;
        }
        Ok(())
    }

    /// Checks that rooms, metrics and descriptors are what they were before. Returns the number of descriptors.
    pub(super) fn check_rest(&mut self, files: u64, rooms: usize) -> Result<u64, Error> {
        // A flood is read at the permitted rate, so the server may still be busy with one.
        let deadline = Instant::now() + PATIENCE;
        let mut left = self.count_rooms();
        while left.as_ref().is_ok_and(|&left| left != rooms) && Instant::now() < deadline {
            std::thread::sleep(20 * POLL);
            left = self.count_rooms();
        }
        match left {
            Ok(left) if left == rooms => {}
            Ok(left) => self.faults.push(format!("{left} rooms are left of {rooms} before")),
            Err(fault) => self.faults.push(format!("a list of rooms at the end: {fault}")),
        }
        self.check_metrics();
        let process = self.server.process;
        until(PATIENCE, || process.open_files().is_ok_and(|now| now == files));
        let now = process.open_files()?;
        if now != files {
            self.faults.push(format!("{now} files are open, {files} were before"));
        }
        Ok(now)
    }

    /// Checks that nobody is left on the server.
    fn check_metrics(&mut self) {
        let mut faults = Vec::new();
        until(PATIENCE, || {
            faults = Metrics::read(self.server.metrics).map_or_else(
                |error| vec![format!("the metrics at the end: {error}")],
                |metrics| rest::faults(&metrics),
            );
            faults.is_empty()
        });
        self.faults.append(&mut faults);
    }

    /// Returns the number of rooms, asking on a new connection.
    pub(super) fn count_rooms(&mut self) -> Result<usize, String> {
        let client = self.ask_for_rooms()?;
        self.checker.remove(client.id());
        Ok(client.conversation.listed())
    }

    fn ask_for_rooms(&mut self) -> Result<Client, String> {
        let speech = Speech::Frames;
        let route = Route { to: self.server.addr, from: None, receive_buffer: None, speech };
        let client = Client::open(self.take_id(), route, &mut self.checker);
        let mut client = client.map_err(|error| error.to_string())?;
        client.ask(&Command::Rooms, "rooms");
        self.read_until(&mut client, |client| client.conversation.is_answered())?;
        Ok(client)
    }

    /// Reads until `done`, the end of the stream, or the end of patience.
    fn read_until(
        &mut self,
        client: &mut Client,
        done: impl Fn(&Client) -> bool,
    ) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while !done(client) && client.socket.end().is_none() {
            if Instant::now() > deadline {
                return Err(client.missing());
            }
            std::thread::sleep(POLL);
            client.socket.flush();
            client.socket.wake();
            client.read(&mut self.checker, &mut self.buffer, usize::MAX, &mut |_| {})?;
        }
        if done(client) { Ok(()) } else { Err(format!("it ended: {:?}", client.socket.end())) }
    }

    /// Stops the server: everybody present must be told, and the status must be 0. Returns how many seconds it took.
    pub(super) fn stop(&mut self) -> Option<f64> {
        self.try_stop().map_err(|fault| self.faults.push(format!("the stop: {fault}"))).ok()
    }

    fn try_stop(&mut self) -> Result<f64, String> {
        let mut client = self.ask_for_rooms()?;
        let began = Instant::now();
        self.server.terminate().map_err(|error| error.to_string())?;
        self.read_until(&mut client, |client| client.socket.end().is_some())?;
        let (end, word) = (client.socket.end(), client.conversation.farewell());
        if (end, word) != (Some(End::Whole), Some("server-stopping")) {
            return Err(format!("the stream ended ({end:?}) with last word {word:?}"));
        }
        drop(client);
        match self.server.wait(STOP_DEADLINE) {
            Some(status) if status.success() => Ok(began.elapsed().as_secs_f64()),
            Some(status) => Err(format!("the server ended with {status}")),
            None => Err(format!("the server runs on after {} s", STOP_DEADLINE.as_secs())),
        }
    }

    /// Checks that memory did not grow, if the run was long enough to tell.
    pub(super) fn check_memory(&mut self) {
        let Some(trend) = self.resources.trend().filter(|trend| trend.is_long_enough) else {
            return;
        };
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
        std::thread::sleep(POLL);
    }
}
