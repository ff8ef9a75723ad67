//! Sessions that say hello: what they are granted, and how another connection takes one over.
//!
//! A session that is taken over moves: its name, its place in its room and what it has said become those of the session
//! of the new connection, which has just begun. The old session ends without a word to anybody. So each connection keeps
//! the session that it began with, and what the old connection still sends is that of a session that has ended.
//!
//! A token is used once, but the welcome with the next one may be lost with the connection. So the used one stays valid
//! until the client proves that it has the welcome, by a request or by coming back with the next token.

use chat_proto::Name;
use chat_proto::extended::{Feature, Features, Resume, ResumeToken};

use super::Hub;
use crate::asking::{Acknowledgements, Asking};
use crate::output::{Output, Resumption, Welcomed};
use crate::room::Membership;
use crate::session_id::SessionId;
use crate::shrink;

impl Hub {
    /// Carries out [`Input::Greet`](crate::Input::Greet).
    pub(super) fn greet(
        &mut self,
        session: SessionId,
        features: Features,
        token: Option<ResumeToken>,
        resume: Option<Resume>,
        outputs: &mut Vec<Output>,
    ) {
        if self.name(session).is_none() || self.asking.contains_key(&session) {
            return;
        }
        let token = token.filter(|_| features.has(Feature::Resume));
        let number = session.number();
        let acknowledgements = Acknowledgements::default();
        let asking = Asking { features, token: None, previous: None, number, acknowledgements };
        self.asking.insert(session, asking);
        let resumption = resume.map(|resume| self.resume(session, &resume));
        // A secret opens one session.
        let token = token.filter(|token| !self.tokens.contains_key(token));
        if let Some(token) = token {
            self.tokens.insert(token, session);
        } else {
            self.forget_previous_token(session);
        }
        if let Some(asking) = self.asking.get_mut(&session) {
            asking.token = token;
        }
        let number = self.number(session);
        let name = self.name(session).expect("it has not ended").clone();
        let welcomed = Welcomed { session, number, name, features, token, resumption };
        outputs.push(Output::Welcomed(Box::new(welcomed)));
    }

    /// Carries out [`Input::Detach`](crate::Input::Detach).
    pub(super) fn detach(&self, session: SessionId, outputs: &mut Vec<Output>) {
        if self.name(session).is_some() {
            outputs.push(Output::Detached { session });
        }
    }

    /// Takes another session over, if its token is right.
    fn resume(&mut self, session: SessionId, resume: &Resume) -> Resumption {
        let is_new = self.sessions.get(&session).is_some_and(|new| new.membership.is_none());
        let Some(token) = resume.token.filter(|_| is_new) else { return Resumption::Refused };
        let Some(&from) = self.tokens.get(&token) else { return Resumption::Refused };
        // The hello of a connection that its client gave up may come late, after that of the next one.
        let is_previous = self.asking.get(&from).is_some_and(|old| old.previous == Some(token));
        if is_previous && session < from {
            return Resumption::Refused;
        }
        let membership = self.sessions.get(&from).and_then(|session| session.membership);
        let room = membership.map(|Membership { room, arrival }| (room, arrival));
        self.take_over(from, session, token);
        let after = match (resume.room, room) {
            // The client was not told of its last move: of this room it has nothing.
            (Some(other), Some((room, arrival))) if other != room => Some(arrival),
            _ => resume.after,
        };
        Resumption::Resumed { from, room, after }
    }

    /// Moves the session `from` to `to`, which has just begun, by this token.
    fn take_over(&mut self, from: SessionId, to: SessionId, token: ResumeToken) {
        let old = shrink::remove(&mut self.sessions, &from).expect("a token is that of a session");
        let asking = shrink::remove(&mut self.asking, &from).expect("it said hello");
        self.forget_tokens(asking.tokens());
        self.tokens.insert(token, to);
        if let Some(new) = self.asking.get_mut(&to) {
            new.previous = Some(token);
            new.number = asking.number;
            new.acknowledgements = asking.acknowledgements;
        }
        if let Some(claim) = &old.claim {
            self.names.hand_over(claim, to);
        }
        if let Some(membership @ Membership { room, .. }) = old.membership {
            super::room_mut(&mut self.rooms, room).replace(membership, to);
        }
        let new = super::session_mut(&mut self.sessions, to);
        // What a session may do depends on where its connection comes from.
        let role = new.role;
        if let Some(claim) = std::mem::replace(new, old).claim {
            self.names.release(&claim, None);
        }
        super::session_mut(&mut self.sessions, to).role = role;
    }

    /// Makes tokens worthless.
    pub(super) fn forget_tokens(&mut self, tokens: impl IntoIterator<Item = ResumeToken>) {
        for token in tokens {
            shrink::remove(&mut self.tokens, &token);
        }
    }

    /// Makes the token by which a session was taken over worthless.
    pub(super) fn forget_previous_token(&mut self, session: SessionId) {
        let asking = self.asking.get_mut(&session);
        let previous = asking.and_then(|asking| asking.previous.take());
        self.forget_tokens(previous);
    }

    /// The number that a session began with, which its default name has.
    pub(super) fn number(&self, session: SessionId) -> u64 {
        self.asking.get(&session).map_or(session.number(), |asking| asking.number)
    }

    /// The default name of a session.
    pub(super) fn default_name(&self, session: SessionId) -> Name {
        Name::default_for(self.number(session))
    }
}
