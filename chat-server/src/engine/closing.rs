//! How connections end: one that the peer ends, one that fails, one that is closed, and all of them
//! when the server stops.
//!
//! A connection stays in the table until the hub has ended its session, so that nothing of the hub's
//! is ever for a connection that is not there.

use std::time::Instant;

use chat_core::Notice;
use chat_proto::ServerMessage;

use crate::connection::Phase;
use crate::connections::ConnKey;
use crate::engine::{Engine, Stopping, Workers};
#[cfg(test)]
use crate::simulation::bugs::{Bug, planted};
use crate::socket::Socket;

impl<S: Socket, W: Workers> Engine<S, W> {
    /// The socket is of no use any more. The others learn that the member has left.
    pub(crate) fn lose(&mut self, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.kill();
        match connection.phase {
            Phase::Open | Phase::Ending => {
                let mut requests = Vec::new();
                connection.end(&mut requests);
                self.post(key, &mut requests);
                #[cfg(test)]
                if planted(Bug::NoGeneration) {
                    self.connections.remove(key);
                }
            }
            Phase::Finishing { .. } | Phase::Lingering { .. } => self.connections.remove(key),
        }
    }

    /// The hub is done with the connection: what it is owed is still written.
    pub(crate) fn finish(&mut self, now: Instant, key: ConnKey) {
        let deadline = now + self.linger();
        let Some(connection) = self.connections.get_mut(key) else { return };
        if !connection.is_alive() {
            return self.connections.remove(key);
        }
        connection.phase = Phase::Finishing { deadline };
        connection.mailbox = None;
        self.connections.flush(key);
        self.close_if_done(key);
        if self.connections.get(key).is_some() {
            self.timers.add(deadline, key);
        }
    }

    /// Takes the next step of closing, if the one before is done.
    pub(crate) fn close_if_done(&mut self, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        match connection.phase {
            Phase::Finishing { deadline } if connection.send.is_empty() => {
                #[cfg(test)]
                if planted(Bug::NoLinger) {
                    return self.connections.remove(key);
                }
                if connection.peer_ended || connection.shutdown_write().is_err() {
                    return self.connections.remove(key);
                }
                connection.phase = Phase::Lingering { deadline };
                // The event for what it sent before may be gone already.
                self.plan_read(key);
            }
            Phase::Lingering { .. } if connection.peer_ended => self.connections.remove(key),
            _ => {}
        }
    }

    /// Closes what has been closing for too long.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some(key) = self.timers.pop_due(now) {
            let phase = self.connections.get(key).map(|connection| connection.phase);
            if let Some(Phase::Finishing { deadline } | Phase::Lingering { deadline }) = phase
                && deadline <= now
            {
                self.connections.remove(key);
            }
        }
    }

    /// Stops reading; when all requests are done, everything that was accepted has been carried out.
    /// Does nothing the second time.
    pub(crate) fn begin_stop(&mut self, now: Instant) {
        if self.stopping.is_none() {
            let deadline = now + self.linger();
            self.stopping = Some(Stopping::Draining { deadline });
        }
    }

    /// Tells everyone that this is the end, after everything they are owed.
    pub(crate) fn say_goodbye(&mut self, now: Instant) {
        self.stopping = Some(Stopping::Closing);
        for key in self.connections.keys() {
            self.fanout.leave(&mut self.connections, key);
            let Some(connection) = self.connections.get_mut(key) else { continue };
            if matches!(connection.phase, Phase::Open | Phase::Ending) {
                let notice = Notice::ServerStopping;
                connection.send.push_message(ServerMessage::System { notice: &notice, room: None });
                self.finish(now, key);
            }
        }
        self.sessions.clear();
    }
}
