//! What a peer speaks, and how well it behaves: the judgement on each of its payloads.

use std::str::Utf8Error;

use chat_proto::extended::{self, Ask, Hello};
use chat_proto::{Command, Rejection};

use super::super::token_bucket::TokenBucket;
use super::limits::InboundLimits;
use crate::net::Instant;
use crate::workers::Request;

/// What a peer has turned out to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// It has sent no command yet.
    Unknown,
    /// What anyone may.
    Plain,
    /// What clients may that have said hello.
    Extended,
}

/// How well the peer has behaved so far.
pub(super) struct Standing<'a> {
    pub(super) bad_frames: &'a mut TokenBucket,
    pub(super) dialect: &'a mut Dialect,
}

/// What to do after accepting a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Continue: it costs no more than its length suggests.
    Chat,
    /// Stop accepting for this turn.
    Other,
    /// The peer has broken the protocol once too often.
    Violation,
}

impl Standing<'_> {
    /// Appends the request in a payload, if that is text.
    #[inline(always)]
    pub(super) fn accept(
        &mut self,
        now: Instant,
        limits: &InboundLimits,
        payload: Result<&str, Utf8Error>,
        requests: &mut Vec<Request>,
    ) -> Verdict {
        if *self.dialect != Dialect::Plain
            && let Some(verdict) = self.accept_asked(now, limits, payload, requests)
        {
            return verdict;
        }
        let parsed = payload.map_err(|_| Rejection::InvalidUtf8).and_then(Command::parse_str);
        let is_chat = match parsed {
            Ok(command) => {
                let is_chat = matches!(command, Command::Chat(_));
                requests.push(Request::Do(command));
                is_chat
            }
            Err(rejection) => {
                let is_bad = rejection.is_bad();
                let is_chat = matches!(rejection, Rejection::BadText(_));
                requests.push(Request::Reject(rejection));
                if is_bad {
                    return self.forgive(now, limits);
                }
                is_chat
            }
        };
        *self.dialect = Dialect::Plain;
        if is_chat { Verdict::Chat } else { Verdict::Other }
    }

    /// Appends the request in a payload of a client that says hello, or has; `None` if it is neither.
    #[cold]
    fn accept_asked(
        &mut self,
        now: Instant,
        limits: &InboundLimits,
        payload: Result<&str, Utf8Error>,
        requests: &mut Vec<Request>,
    ) -> Option<Verdict> {
        if *self.dialect == Dialect::Unknown {
            match Hello::parse(payload.ok()?)? {
                Ok(hello) => {
                    *self.dialect = Dialect::Extended;
                    let features = hello.features.and(limits.features);
                    requests.push(Request::Greet(Box::new(Hello { features, ..hello }), None));
                    return Some(Verdict::Other);
                }
                Err(rejection) => {
                    requests.push(Request::Reject(rejection));
                    return Some(Verdict::Violation);
                }
            }
        }
        let request = match payload {
            Ok(payload) => extended::Request::parse(payload),
            Err(_) => extended::Request::rejected(Rejection::InvalidUtf8),
        };
        let is_bad = matches!(&request.ask, Err(rejection) if rejection.is_bad());
        let is_chat =
            matches!(&request.ask, Ok(Ask::Command(Command::Chat(_))) | Err(Rejection::BadText(_)));
        // The hub answers it, whatever it is: the answer has its id.
        requests.push(Request::Ask(Box::new(request)));
        Some(match is_bad {
            true => self.forgive(now, limits),
            false if is_chat => Verdict::Chat,
            false => Verdict::Other,
        })
    }

    /// The verdict on a bad frame.
    fn forgive(&mut self, now: Instant, limits: &InboundLimits) -> Verdict {
        let is_proven = *self.dialect != Dialect::Unknown;
        let is_forgiven = is_proven && self.bad_frames.take(now, limits.bad_frames);
        if is_forgiven { Verdict::Chat } else { Verdict::Violation }
    }
}
