//! Sessions that outlive their connections: they are kept for a while, and handed over to the connections that come
//! back for them.

use chat_core::{Resumption, RoomId, SessionId, Welcomed};
use chat_proto::extended::{MAX_HISTORY, ResumeToken, Since};

use super::Engine;
use super::state::{Kept, Workers};
use crate::net::{ConnKey, Instant, Socket};
use crate::stats::{CloseReason, LimitKind};
use crate::workers::Request;

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Makes the last request of a connection, to end its session, one to keep it, if it is to outlive the connection.
    #[inline]
    pub(super) fn keep_session(&mut self, key: ConnKey, requests: &mut [Request]) {
        if let Some(last @ Request::Disconnect) = requests.last_mut()
            && self.try_to_keep(key)
        {
            if fault!(KeptTold) {
                return;
            }
            *last = Request::Detach;
        }
    }

    /// Keeps the session of a connection that begins to close. Returns whether it is to be kept.
    fn try_to_keep(&mut self, key: ConnKey) -> bool {
        let Some(connection) = self.connections.get(key) else { return false };
        let lifecycle = &connection.lifecycle;
        let (Some(mailbox), Some(reason)) = (lifecycle.mailbox(), lifecycle.reason()) else {
            return false;
        };
        let is_lasting = self.stop.is_none() && self.askers.is_lasting(mailbox.session());
        if !is_lasting || !is_accident(reason) {
            return false;
        }
        let limited = self.admission.limited_address(key);
        if limited.is_some_and(|(address, most)| self.kept.of(address) >= most) {
            return false;
        }
        let mailbox = mailbox.clone();
        let (seen, address) = (self.seen(key, reason), limited.map(|(address, _)| address));
        self.kept.add(Kept { mailbox, seen, address });
        true
    }

    /// The room that a client is in, and the last broadcast there, if the client is known to have received all.
    fn seen(&mut self, key: ConnKey, reason: CloseReason) -> Option<(RoomId, u64)> {
        let connection = self.connections.get(key)?;
        let subscription = connection.subscription?;
        // A kernel that ends a stream in order has handed over all that it received.
        let has_all = reason == CloseReason::PeerEnded
            && connection.outbound.send.is_empty()
            && self.fanout.is_handed_out(subscription.room)
            && connection.delivery(&mut self.sock_diag).is_some_and(|d| !d.in_flight);
        let histories = self.fanout.histories().filter(|_| has_all)?;
        Some((subscription.room, histories.last(subscription.room)))
    }

    /// Ends the sessions whose clients have not come back.
    pub(super) fn end_kept_sessions(&mut self, now: Instant) {
        if self.kept.len() == 0 {
            return;
        }
        self.kept.tick(now + self.limits.resume_time);
        let most = self.limits.connections.saturating_sub(self.connections.len());
        while let Some(Kept { mailbox, .. }) = self.kept.pop(now, most) {
            let mut requests = self.dispatcher.scratch();
            requests.push(Request::Disconnect);
            self.counters.reach(LimitKind::ResumeTime);
            if fault!(Ghost) {
                requests.clear();
            }
            self.dispatcher.post(&mailbox, &mut requests);
            self.dispatcher.give_back(requests);
        }
        self.counters.kept_sessions.set(self.kept.len() as u64);
    }

    /// A new secret to come back with; `None` if the system has no randomness.
    pub(super) fn new_token(&self) -> Option<ResumeToken> {
        let mut bits = [0; 16];
        getrandom::getrandom(&mut bits).ok()?;
        Some(ResumeToken::new(bits))
    }

    /// Welcomes a client, and hands it the session that it came back for.
    pub(super) fn welcome(&mut self, now: Instant, welcomed: &Welcomed) {
        let session = welcomed.session;
        let (resumed, missed) = match welcomed.resumption {
            None => (None, None),
            Some(Resumption::Refused) => (Some(false), None),
            Some(Resumption::Resumed { from, room, after }) => {
                self.counters.resumed.add(1);
                let seen = self.let_go(now, from);
                // What the client has: it says so itself, or it is known, or all that came before its entry.
                let missed = room.map(|(room, entered)| {
                    let seen = seen.filter(|(seen_in, _)| *seen_in == room).map(|(_, seq)| seq);
                    (room, after.or(seen).unwrap_or(entered))
                });
                (Some(true), missed)
            }
        };
        self.send_welcome(now, welcomed, resumed, missed.map(|(room, _)| room));
        if let (Some((room, after)), Some(&key)) = (missed, self.sessions.get(&session)) {
            let after = if fault!(NothingMissed) { u64::MAX } else { after };
            self.send_history(now, session, room, Since::After(after), MAX_HISTORY, None);
            self.fanout.join(&mut self.connections, key, room);
        }
    }

    /// Parts a session from what is left of its last connection. Returns the room that its client was in, and the last
    /// broadcast there, if the client is known to have received all.
    fn let_go(&mut self, now: Instant, session: SessionId) -> Option<(RoomId, u64)> {
        let seen = self.kept.remove(session).and_then(|kept| kept.seen);
        if let Some(&key) = self.sessions.get(&session) {
            self.begin_close(key, CloseReason::ResumedElsewhere);
            if let Some(connection) = self.connections.get_mut(key) {
                connection.lifecycle.override_reason(CloseReason::ResumedElsewhere);
            }
            self.detach(key);
            if let Some(observer) = &mut self.observer {
                observer.goes_on(session);
            }
            self.drain(now, key, CloseReason::ResumedElsewhere);
        }
        seen
    }
}

/// Whether a session is kept whose connection ends for this reason.
fn is_accident(reason: CloseReason) -> bool {
    match reason {
        CloseReason::PeerEnded
        | CloseReason::PeerEndedInFrame
        | CloseReason::Lost
        | CloseReason::FrameTimeout
        | CloseReason::Backlog
        | CloseReason::SlowBacklog
        | CloseReason::TotalBacklog => true,
        CloseReason::Http
        | CloseReason::BadInput
        | CloseReason::ServerFull
        | CloseReason::TooManyFromAddress
        | CloseReason::BadProxyHeader
        | CloseReason::TlsRequired
        | CloseReason::TlsFailed
        | CloseReason::ResumedElsewhere
        | CloseReason::Removed
        | CloseReason::Internal
        | CloseReason::Stopped => false,
    }
}
