//! Clients that said hello: the words by which they recognise answers, and which of their sessions outlive connections.

use chat_core::SessionId;
use chat_proto::extended::RequestId;
use rustc_hash::FxHashMap;

use crate::workers::Request;

/// What is known of sessions whose clients said hello, as long as they have connections.
#[derive(Debug, Default)]
pub(crate) struct Askers(FxHashMap<SessionId, Asker>);

#[derive(Debug, Default)]
struct Asker {
    /// The id of the request that is answered next.
    re: Option<RequestId>,
    /// A request to join a room that does not admit anyone now.
    join: Option<Request>,
    /// Whether the session outlives its connection.
    is_lasting: bool,
}

impl Askers {
    pub(crate) fn add(&mut self, session: SessionId, is_lasting: bool) {
        self.0.insert(session, Asker { is_lasting, ..Asker::default() });
    }

    pub(crate) fn remove(&mut self, session: SessionId) {
        if !self.0.is_empty() {
            self.0.remove(&session);
            if self.0.is_empty() {
                self.0.shrink_to_fit();
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn clear(&mut self) {
        self.0 = FxHashMap::default();
    }

    /// Notes that a session ends with its connection, whatever was granted.
    pub(crate) fn end_with_connection(&mut self, session: SessionId) {
        if let Some(asker) = self.0.get_mut(&session) {
            asker.is_lasting = false;
        }
    }

    /// Whether the client of a session has said hello.
    pub(crate) fn contains(&self, session: SessionId) -> bool {
        self.0.contains_key(&session)
    }

    /// Whether a session outlives its connection.
    pub(crate) fn is_lasting(&self, session: SessionId) -> bool {
        !self.0.is_empty() && self.0.get(&session).is_some_and(|asker| asker.is_lasting)
    }

    /// Notes the request that is answered next.
    pub(crate) fn set_re(&mut self, session: SessionId, re: RequestId) {
        if let Some(asker) = self.0.get_mut(&session) {
            asker.re = Some(re);
        }
    }

    /// Takes the id of the request that is being answered, if it has one.
    pub(crate) fn take_re(&mut self, session: SessionId) -> Option<RequestId> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get_mut(&session)?.re.take()
    }

    /// Keeps a request to join a room for later.
    pub(crate) fn keep_join(&mut self, session: Option<SessionId>, join: Request) {
        let asker = session.and_then(|session| self.0.get_mut(&session));
        if let (Some(asker), Request::Ask(_)) = (asker, &join) {
            asker.join = Some(join);
        }
    }

    /// Takes the request that was kept.
    pub(crate) fn take_join(&mut self, session: Option<SessionId>) -> Option<Request> {
        self.0.get_mut(&session?)?.join.take()
    }
}
