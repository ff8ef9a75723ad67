//! Clients that said hello, and the words by which they recognise answers.

use std::time::{SystemTime, UNIX_EPOCH};

use chat_core::SessionId;
use chat_proto::extended::RequestId;
use rustc_hash::FxHashMap;

use crate::workers::Request;

/// What is known of sessions whose clients said hello.
#[derive(Debug)]
pub(crate) struct Askers {
    sessions: FxHashMap<SessionId, Asker>,
    /// The time, in ms since 1970.
    clock: fn() -> u64,
}

#[derive(Debug, Default)]
struct Asker {
    /// The id of the request that is answered next.
    re: Option<RequestId>,
    /// A request to join a room that does not admit anyone now.
    join: Option<Request>,
}

impl Askers {
    pub(crate) fn new() -> Self {
        Self { sessions: FxHashMap::default(), clock: unix_time }
    }

    /// The time, in ms since 1970.
    pub(crate) fn time(&self) -> u64 {
        (self.clock)()
    }

    pub(crate) fn add(&mut self, session: SessionId) {
        self.sessions.insert(session, Asker::default());
    }

    pub(crate) fn remove(&mut self, session: SessionId) {
        if !self.sessions.is_empty() {
            self.sessions.remove(&session);
            if self.sessions.is_empty() {
                self.sessions.shrink_to_fit();
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.sessions = FxHashMap::default();
    }

    /// Notes the request that is answered next.
    pub(crate) fn set_re(&mut self, session: SessionId, re: RequestId) {
        if let Some(asker) = self.sessions.get_mut(&session) {
            asker.re = Some(re);
        }
    }

    /// Takes the id of the request that is being answered, if it has one.
    pub(crate) fn take_re(&mut self, session: SessionId) -> Option<RequestId> {
        if self.sessions.is_empty() {
            return None;
        }
        self.sessions.get_mut(&session)?.re.take()
    }

    /// Keeps a request to join a room for later.
    pub(crate) fn keep_join(&mut self, session: Option<SessionId>, join: Request) {
        let asker = session.and_then(|session| self.sessions.get_mut(&session));
        if let (Some(asker), Request::Ask(..)) = (asker, &join) {
            asker.join = Some(join);
        }
    }

    /// Takes the request that was kept.
    pub(crate) fn take_join(&mut self, session: Option<SessionId>) -> Option<Request> {
        self.sessions.get_mut(&session?)?.join.take()
    }
}

/// The time of the system, in ms since 1970.
fn unix_time() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
