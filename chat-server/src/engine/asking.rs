//! Clients that said hello: what only they are sent.

use chat_core::{Name, Output, SessionId};
use chat_proto::MAX_PAYLOAD;
use chat_proto::extended::{Answer, Features, Limits, MAX_HISTORY, Welcome};

use super::Engine;
use super::state::Workers;
use crate::net::{ConnKey, Instant, Socket};
use crate::workers::{AskedList, List, Request};

/// The name and version of the server.
const SERVER: &str = concat!("chat-server/", env!("CARGO_PKG_VERSION"));

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Welcomes a client that says hello, and dates the requests of those that have.
    #[cold]
    pub(super) fn prepare_asked(&mut self, now: Instant, key: ConnKey, requests: &mut [Request]) {
        for request in requests {
            match request {
                Request::Grant(features) => self.welcome(now, key, *features),
                Request::Ask(_, at) => *at = self.askers.time(),
                Request::Do(_) | Request::Reject(_) | Request::Disconnect => {}
            }
        }
    }

    fn welcome(&mut self, now: Instant, key: ConnKey, features: Features) {
        let connection = self.connections.get(key);
        let Some(session) = connection.and_then(|connection| connection.lifecycle.session()) else {
            return;
        };
        self.askers.add(session);
        // It is its first message: it has no other name yet.
        let name = Name::default_for(session.number());
        let welcome = Welcome {
            server: SERVER,
            epoch: &self.epoch,
            session: session.number(),
            name: &name,
            features,
            limits: Limits {
                payload: MAX_PAYLOAD,
                unacknowledged: chat_core::MAX_UNACKNOWLEDGED,
                history: MAX_HISTORY,
            },
            time: self.askers.time(),
            resume: None,
            resume_time: None,
            resumed: None,
            room_id: None,
        };
        let welcome = Answer::Welcome(&welcome);
        let mut bytes = Vec::new();
        let Some(connection) = self.connections.get_mut(key) else { return };
        welcome.write_framed(connection.outbound.framing(), &mut bytes);
        connection.outbound.send.push_bytes(&bytes);
        connection.outbound.charge_answer(now, self.egress.answers, bytes.len());
        self.enqueue_flush(key);
    }

    /// Applies an output that only such clients cause.
    #[cold]
    pub(super) fn apply_asked(&mut self, now: Instant, output: Output) {
        match output {
            Output::Answering { to, re } => self.askers.set_re(to, re),
            Output::Acknowledged { to, re, room, seq, at } => {
                self.push_extended(now, to, &Answer::Ack { re: &re, room, seq, at });
            }
            Output::Pong { to, room } => {
                let (re, time) = (self.askers.take_re(to), self.askers.time());
                self.push_extended(now, to, &Answer::Pong { re: re.as_ref(), time, room });
            }
            Output::Members { to, room } => {
                let re = self.askers.take_re(to);
                let list = AskedList::Members { re, room, arrivals: 0 };
                self.push_list(now, to, List::Asked(Box::new(list)));
            }
            // `Output` may grow: what is not known here has to be added here.
            other => debug_assert!(false, "not applied: {other:?}"),
        }
    }

    fn push_extended(&mut self, now: Instant, to: SessionId, answer: &Answer<'_>) {
        self.answer(now, to, |connection| {
            let framing = connection.outbound.framing();
            connection.outbound.send.push_extended(framing, answer);
        });
    }

    /// Adds a list, which the connection may have waited for.
    pub(super) fn push_list(&mut self, now: Instant, to: SessionId, list: List) {
        self.answer(now, to, |connection| {
            connection.inbound.list_has_begun();
            connection.outbound.send.push_list(list);
        });
    }
}
