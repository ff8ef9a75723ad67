//! The log of connections: closes, limits reached, failures to accept. It never contains what people say, and has at
//! most one line of each kind per second, unless the level is debug.
//!
//! With logging off, a closed connection costs a load and a branch.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustc_hash::FxHashMap;
use tracing::{Level, debug, enabled, error, info, warn};

use crate::net::ConnKey;
use crate::net::Instant;
use crate::stats::{CloseReason, ReliefStep};

/// The time for which a line suppresses further ones of its kind.
const PERIOD: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct ConnectionLog {
    now: Instant,
    /// When to log the number of suppressed lines.
    due: Option<Instant>,
    closed: [Gate; CloseReason::ALL.len()],
    paused: Gate,
    accept_failed: Gate,
    relieved: [Gate; ReliefStep::ALL.len()],
    /// The client addresses named by proxies.
    proxied: FxHashMap<ConnKey, SocketAddr>,
}

/// Lets one event through in each [`PERIOD`], and counts the others.
#[derive(Debug, Clone, Copy, Default)]
struct Gate {
    opens: Option<Instant>,
    held: u64,
}

impl ConnectionLog {
    pub(crate) fn new() -> Self {
        Self {
            now: Instant::START,
            due: None,
            closed: [Gate::default(); CloseReason::ALL.len()],
            paused: Gate::default(),
            accept_failed: Gate::default(),
            relieved: [Gate::default(); ReliefStep::ALL.len()],
            proxied: FxHashMap::default(),
        }
    }

    /// Records the client that a proxy has connected for, which the socket does not know.
    pub(crate) fn remember(&mut self, key: ConnKey, peer: SocketAddr) {
        self.proxied.insert(key, peer);
    }

    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.proxied.shrink_to_fit();
    }

    /// Forgets a connection that has closed.
    pub(crate) fn forget(&mut self, key: ConnKey) {
        self.proxied.remove(&key);
    }

    /// The address to show: the one that a proxy named, or else that of the socket.
    fn peer(&self, key: ConnKey, socket: impl FnOnce() -> Option<SocketAddr>) -> Peer {
        Peer(self.proxied.get(&key).copied().or_else(socket))
    }

    /// Sets the time, and logs the numbers of suppressed lines that are due.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.now = now;
        if self.due.is_some_and(|due| due <= now) {
            self.release(now);
            let gates = self.closed.iter().chain(&self.relieved);
            let gates = gates.chain([&self.paused, &self.accept_failed]);
            self.due = gates.filter(|gate| gate.held > 0).filter_map(|gate| gate.opens).min();
        }
    }

    fn release(&mut self, now: Instant) {
        for reason in CloseReason::ALL {
            if let Some(more) = self.closed[reason as usize].release(now) {
                match severity(reason) {
                    Level::ERROR => error!(%reason, more, "more connections closed"),
                    Level::WARN => warn!(%reason, more, "more connections closed"),
                    _ => info!(%reason, more, "more connections closed"),
                }
            }
        }
        if let Some(more) = self.paused.release(now) {
            info!(more, "more connections exceeded their budgets");
        }
        for step in ReliefStep::ALL {
            if let Some(more) = self.relieved[step as usize].release(now) {
                warn!(%step, more, "still short of memory");
            }
        }
        if let Some(more) = self.accept_failed.release(now) {
            warn!(more, "still cannot accept connections; retrying");
        }
    }

    /// When to call [`ConnectionLog::tick`] without any event.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.due
    }

    pub(crate) fn accepted(&self, key: ConnKey, peer: impl FnOnce() -> Option<SocketAddr>) {
        if enabled!(Level::DEBUG) {
            debug!(id = key.number(), peer = %self.peer(key, peer), "connection accepted");
        }
    }

    /// Logs that a connection ends.
    pub(crate) fn closed(
        &mut self,
        key: ConnKey,
        reason: CloseReason,
        peer: impl FnOnce() -> Option<SocketAddr>,
    ) {
        let (id, gate) = (key.number(), &mut self.closed[reason as usize]);
        match severity(reason) {
            Level::ERROR if enabled!(Level::ERROR) && gate.passes(self.now, &mut self.due) => {
                error!(id, peer = %self.peer(key, peer), %reason, "connection closed");
            }
            Level::WARN if enabled!(Level::WARN) && gate.passes(self.now, &mut self.due) => {
                warn!(id, peer = %self.peer(key, peer), %reason, "connection closed");
            }
            Level::INFO if enabled!(Level::INFO) && gate.passes(self.now, &mut self.due) => {
                info!(id, peer = %self.peer(key, peer), %reason, "connection closed");
            }
            Level::DEBUG if enabled!(Level::DEBUG) => {
                debug!(id, peer = %self.peer(key, peer), %reason, "connection closed");
            }
            _ => {}
        }
    }

    /// Logs that a connection sends, or asks for, more than its budget allows.
    pub(crate) fn paused(&mut self, key: ConnKey, peer: impl FnOnce() -> Option<SocketAddr>) {
        if enabled!(Level::INFO) && self.paused.passes(self.now, &mut self.due) {
            let id = key.number();
            info!(id, peer = %self.peer(key, peer), "connection exceeds its budget; reading paused");
        }
    }

    /// Logs a step taken because more memory was `held` than the `limit` allows.
    pub(crate) fn relieved(&mut self, step: ReliefStep, held: usize, limit: usize) {
        let gate = &mut self.relieved[step as usize];
        if enabled!(Level::WARN) && gate.passes(self.now, &mut self.due) {
            warn!(%step, held, limit, "short of memory");
        }
    }

    /// Logs that the system had no descriptor or memory for a connection.
    pub(crate) fn accept_failed(&mut self, error: &io::Error) {
        if enabled!(Level::WARN) && self.accept_failed.passes(self.now, &mut self.due) {
            warn!(%error, "cannot accept connections; retrying");
        }
    }
}

impl Gate {
    /// Whether to log an event now. If not, sets `due` to the time to log the number of suppressed events.
    fn passes(&mut self, now: Instant, due: &mut Option<Instant>) -> bool {
        if enabled!(Level::DEBUG) {
            return true;
        }
        let passes = self.held == 0 && self.opens.is_none_or(|opens| opens <= now);
        if passes {
            self.opens = Some(now + PERIOD);
        } else {
            self.held += 1;
            *due = due.iter().copied().chain(self.opens).min();
        }
        passes
    }

    /// Returns the number of suppressed events, once it is time to log that.
    fn release(&mut self, now: Instant) -> Option<u64> {
        if self.held == 0 || self.opens.is_some_and(|opens| now < opens) {
            return None;
        }
        self.opens = Some(now + PERIOD);
        Some(std::mem::take(&mut self.held))
    }
}

/// The level at which the close of a connection is logged.
fn severity(reason: CloseReason) -> Level {
    match reason {
        CloseReason::PeerEnded
        | CloseReason::PeerEndedInFrame
        | CloseReason::Lost
        | CloseReason::Http
        | CloseReason::ResumedElsewhere
        | CloseReason::Stopped => Level::DEBUG,
        CloseReason::BadInput
        | CloseReason::FrameTimeout
        | CloseReason::Backlog
        | CloseReason::SlowBacklog
        | CloseReason::TooManyFromAddress
        | CloseReason::TlsRequired
        | CloseReason::TlsFailed
        | CloseReason::Removed => Level::INFO,
        CloseReason::TotalBacklog | CloseReason::ServerFull | CloseReason::BadProxyHeader => {
            Level::WARN
        }
        CloseReason::Internal => Level::ERROR,
    }
}

/// An address, if it is still known.
struct Peer(Option<SocketAddr>);

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(peer) => peer.fmt(f),
            None => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_passes_each_second_and_the_others_are_counted() {
        let (start, mut gate, mut due) = (Instant::START, Gate::default(), None);
        let at = |ms| start + Duration::from_millis(ms);
        let mut told = 0;
        for ms in 0..10_000 {
            told += gate.release(at(ms)).unwrap_or(0) + u64::from(gate.passes(at(ms), &mut due));
        }
        assert!((9_000..10_000).contains(&told), "all but the last second's: {told}");
        assert_eq!(told + gate.release(at(11_000)).expect("the last second's"), 10_000);
        assert_eq!(gate.release(at(99_000)), None, "they are told once");
        due = None;
        assert!(gate.passes(at(99_000), &mut due) && due.is_none());
        assert!(!gate.passes(at(99_999), &mut due) && due == Some(at(100_000)));
    }

    #[test]
    fn without_a_log_nothing_is_waited_for() {
        let mut log = ConnectionLog::new();
        for _ in 0..3 {
            log.closed(ConnKey::for_test(1), CloseReason::Backlog, || unreachable!());
        }
        assert_eq!(log.next_deadline(), None);
    }
}
