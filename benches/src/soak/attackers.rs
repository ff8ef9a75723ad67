//! The attackers: one [attack](crate::attacks) after another, beside talkers and visitors.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::attacks::{Kind, Running, Scene};

/// How long an attack lasts, including its preparation.
const TIME: Duration = Duration::from_secs(6);

/// The attacks so far, and the current one.
#[derive(Debug)]
pub(super) struct Attackers {
    server: SocketAddr,
    percent: usize,
    current: Option<(Kind, Running)>,
    /// When the next attack begins.
    next: Instant,
    begun: usize,
    connections: Arc<AtomicU64>,
}

impl Attackers {
    /// Returns attackers whose attacks use this share of their connections, in percent; 0 for no attacks. The first
    /// attack depends on `seed`.
    pub(super) fn new(server: SocketAddr, percent: usize, seed: u64) -> Self {
        let begun = (seed % Kind::ALL.len() as u64) as usize;
        let connections = Arc::default();
        Self { server, percent, current: None, next: Instant::now(), begun, connections }
    }

    /// Connections made so far.
    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Begins the next attack, on people in `room`, once the previous one has had its time.
    ///
    /// # Errors
    /// The harm that the previous attack did.
    pub(super) fn turn(&mut self, now: Instant, room: u64) -> Result<(), String> {
        if self.percent == 0 || now < self.next {
            return Ok(());
        }
        let result = match self.current.take() {
            Some((kind, running)) if !running.has_ended() => {
                running.stop();
                self.current = Some((kind, running));
                return Ok(());
            }
            Some((kind, running)) => result_of(kind, running),
            None => Ok(()),
        };
        let kind = Kind::ALL[self.begun % Kind::ALL.len()];
        let (server, percent) = (self.server, self.percent);
        let scene = Scene { server, room, percent, connections: self.connections.clone() };
        self.current = Some((kind, Running::start(kind, scene)));
        self.begun += 1;
        self.next = now + TIME;
        result
    }

    /// Ends the last attack.
    ///
    /// # Errors
    /// The harm that it did.
    pub(super) fn finish(&mut self) -> Result<(), String> {
        self.current.take().map_or(Ok(()), |(kind, running)| result_of(kind, running))
    }
}

fn result_of(kind: Kind, running: Running) -> Result<(), String> {
    match running.finish() {
        Ok(None) => Ok(()),
        Ok(Some(harm)) => Err(format!("{}: {harm}", kind.name)),
        Err(error) => Err(format!("{}: {error}", kind.name)),
    }
}
