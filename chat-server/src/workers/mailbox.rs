//! A connection's requests on their way to the hub, in the order they came in.
//!
//! A mailbox is *idle* or *scheduled*. Whoever posts to an idle one schedules it; whoever runs a
//! scheduled one is its only runner until it finds it empty and makes it idle again. So the order of
//! a connection's commands needs no number and no sorting, however many workers there are.

use std::mem;
use std::sync::PoisonError;

use chat_core::{Command, SessionId};
use chat_proto::Rejection;

use super::sync::{Mutex, MutexGuard};

/// Something that one connection wants of the hub.
#[derive(Debug)]
pub(crate) enum Request {
    /// Carry this out.
    Do(Command),
    /// Answer what was no command.
    Reject(Rejection),
    /// End the session.
    Disconnect,
}

#[derive(Debug)]
pub(crate) struct Mailbox {
    session: SessionId,
    /// `Some` from the post that found the mailbox idle to the take that finds it empty: it is
    /// scheduled. An idle connection owns no buffer.
    requests: Mutex<Option<Vec<Request>>>,
}

impl Mailbox {
    pub(crate) fn new(session: SessionId) -> Self {
        Self { session, requests: Mutex::default() }
    }

    pub(crate) fn session(&self) -> SessionId {
        self.session
    }

    /// Moves `requests` in. Returns whether the mailbox was idle: the caller has to see to it that
    /// it is run.
    #[must_use]
    pub(crate) fn post(&self, requests: &mut Vec<Request>) -> bool {
        let mut waiting = self.lock();
        let scheduled = waiting.is_some();
        let waiting = waiting.get_or_insert_default();
        if waiting.is_empty() {
            mem::swap(waiting, requests);
        } else {
            waiting.append(requests);
        }
        if fault!(TwoRunners) {
            return true;
        }
        !scheduled
    }

    /// Takes everything in it, into the empty `requests`. Returns false when there was nothing: the
    /// mailbox is idle then, and no longer the caller's.
    #[must_use]
    pub(crate) fn take(&self, requests: &mut Vec<Request>) -> bool {
        debug_assert!(requests.is_empty());
        let mut waiting = self.lock();
        match &mut *waiting {
            Some(waiting) if !waiting.is_empty() => mem::swap(waiting, requests),
            _ => {
                *waiting = None;
                return false;
            }
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Request>>> {
        // Nothing that can panic runs under this lock.
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
