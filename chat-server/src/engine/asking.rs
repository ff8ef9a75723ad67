//! Clients that said hello: what only they are sent.

use chat_core::{Command, Output, RoomId, SessionId, Welcomed};
use chat_proto::MAX_PAYLOAD;
use chat_proto::extended::{
    Answer, Ask, Feature, HistoryHead, Limits, MAX_HISTORY, RequestId, Since, Welcome,
};

use super::Engine;
use super::state::{Owed, Workers};
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::CloseReason;
use crate::workers::{AskedList, List, Request};

/// The name and version of the server.
const SERVER: &str = concat!("chat-server/", env!("CARGO_PKG_VERSION"));

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Prepares the requests of a client that says hello, or has.
    #[cold]
    pub(super) fn prepare_asked(&mut self, key: ConnKey, requests: &mut Vec<Request>) {
        let session = self.connections.get(key).and_then(|c| c.lifecycle.session());
        if let (Some(Request::Greet(hello, token)), Some(session)) = (requests.first_mut(), session)
        {
            *token = hello.features.has(Feature::Resume).then(|| self.new_token()).flatten();
            if fault!(TokenTwice)
                && let Some(resume) = &hello.resume
            {
                *token = resume.token;
            }
            if fault!(RoomOfAfter)
                && let Some(resume) = &mut hello.resume
            {
                resume.room = None;
            }
            // From now on: the client may have the token, however soon its connection ends.
            self.askers.add(session, token.is_some());
        }
        if fault!(ForgottenId) {
            for request in requests.iter_mut() {
                if let Request::Ask(asked) = request
                    && matches!(asked.ask, Ok(Ask::Command(Command::Chat(_))))
                {
                    asked.id = None;
                }
            }
        }
        let quits = |request: &Request| matches!(request, Request::Ask(asked) if asked.ask == Ok(Ask::Quit));
        if let Some(index) = requests.iter().position(quits)
            && let Some(connection) = self.connections.get_mut(key)
        {
            // What follows is too late.
            self.counters.receive(&requests[index..=index]);
            requests.truncate(index);
            if connection.lifecycle.is_open() {
                connection.begin_close(CloseReason::PeerEnded, requests);
            } else {
                requests.push(Request::Disconnect);
            }
            if let Some(session) = session {
                self.askers.end_with_connection(session);
            }
        }
    }

    /// Tells a client who it is.
    pub(super) fn send_welcome(
        &mut self,
        now: Instant,
        welcomed: &Welcomed,
        resumed: Option<bool>,
        room_id: Option<RoomId>,
    ) {
        let &Welcomed { session, number, ref name, features, token, .. } = welcomed;
        let epoch = self.epoch.clone();
        let welcome = Welcome {
            server: SERVER,
            epoch: &epoch,
            session: number,
            name,
            features,
            limits: Limits {
                payload: MAX_PAYLOAD,
                unacknowledged: chat_core::MAX_UNACKNOWLEDGED,
                history: MAX_HISTORY,
            },
            time: self.clock.now(),
            resume: token,
            resume_time: token.map(|_| self.limits.resume_time.as_secs()),
            resumed,
            room_id,
        };
        self.push_extended(now, session, &Answer::Welcome(&welcome));
    }

    /// Sends a part of a room's history.
    pub(super) fn send_history(
        &mut self,
        now: Instant,
        to: SessionId,
        room: RoomId,
        since: Since,
        limit: usize,
        re: Option<&RequestId>,
    ) {
        let Some(&key) = self.sessions.get(&to) else { return };
        let Some(connection) = self.connections.get(key) else { return };
        let Some(histories) = self.fanout.histories() else { return };
        let framing = connection.outbound.framing();
        let part = histories.part(room, since, limit);
        if let Some(backfill) = histories.backfill(room, since, limit, &part) {
            return self.start_backfill(now, to, framing, backfill, re);
        }
        let (from, more, gap) = (part.from(), part.more, part.gap && !fault!(GapUntold));
        let mut frame = Vec::new();
        HistoryHead { re, room, from, more, gap }.write(framing, part.events(), &mut frame);
        self.answer(now, to, |connection| connection.outbound.send.push_bytes(&frame));
    }

    /// Shows a newcomer that did not say hello the last chats of its room.
    #[cold]
    pub(super) fn replay(&mut self, now: Instant, to: SessionId, room: RoomId) {
        let Some(connection) = self.sessions.get(&to).and_then(|key| self.connections.get(*key))
        else {
            return;
        };
        let framing = connection.outbound.framing();
        let Some(histories) = self.fanout.histories().filter(|_| !self.askers.contains(to)) else {
            return;
        };
        let mut frames = Vec::new();
        for chat in histories.last_chats(room, self.replay) {
            // The longest chats have no room for one more field.
            let _ = chat.write_past(framing, &mut frames);
        }
        if !frames.is_empty() {
            self.answer(now, to, |connection| connection.outbound.send.push_bytes(&frames));
        }
    }

    /// Applies an output that only such clients cause.
    #[cold]
    pub(super) fn apply_asked(&mut self, now: Instant, output: Output) {
        match output {
            Output::Answering { to, re } => self.askers.set_re(to, re),
            Output::Acknowledged { to, re, room, seq, at } => {
                self.acknowledge(now, Owed { to, re, room, seq, at });
            }
            Output::Pong { to, room } => {
                let (re, time) = (self.askers.take_re(to), self.clock.now());
                self.push_extended(now, to, &Answer::Pong { re: re.as_ref(), time, room });
            }
            Output::Members { to, room } => {
                let re = self.askers.take_re(to);
                let list = AskedList::Members { re, room, from: 0 };
                self.push_list(now, to, List::Asked(Box::new(list)));
            }
            Output::History { to, room, since, limit } => {
                let re = self.askers.take_re(to);
                self.send_history(now, to, room, since, limit, re.as_ref());
            }
            Output::Welcomed(welcomed) => self.welcome(now, &welcomed),
            // `Output` may grow: what is not known here has to be added here.
            other => debug_assert!(false, "not applied: {other:?}"),
        }
    }

    pub(super) fn push_extended(&mut self, now: Instant, to: SessionId, answer: &Answer<'_>) {
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
