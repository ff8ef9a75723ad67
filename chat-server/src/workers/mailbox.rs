//! A connection's requests on their way to the hub, in order.
//!
//! A mailbox is *idle* or *scheduled*. Posting to an idle mailbox schedules it; whoever runs a scheduled
//! mailbox is its only runner until it finds it empty, which makes it idle again. So the order of a
//! connection's commands needs no numbers and no sorting, however many workers there are.

use std::mem;
use std::sync::PoisonError;

use chat_core::{Command, RoomId, SessionId};
use chat_proto::Rejection;
use chat_proto::extended::{self, Ask, Hello, ResumeToken};

use super::sync::{Mutex, MutexGuard};

/// A request of one connection to the hub.
#[derive(Debug)]
pub(crate) enum Request {
    /// Carry out a command.
    Do(Command),
    /// Greet a client that has said hello, and give it this secret to come back with. The features are those to grant.
    Greet(Box<Hello>, Option<ResumeToken>),
    /// Carry out the request of such a client.
    Ask(Box<extended::Request>),
    /// Answer a frame without a command.
    Reject(Rejection),
    /// Let the connection go, but not the session.
    Detach,
    /// End the session.
    Disconnect,
}

impl Request {
    /// The command to be carried out, if it is one.
    pub(crate) fn command(&self) -> Option<&Command> {
        match self {
            Self::Do(command) => Some(command),
            Self::Ask(request) => match &request.ask {
                Ok(Ask::Command(command)) => Some(command),
                _ => None,
            },
            Self::Greet(..) | Self::Reject(_) | Self::Detach | Self::Disconnect => None,
        }
    }

    /// The room that it is to join, if that is what it is for.
    pub(crate) fn joins(&self) -> Option<RoomId> {
        if let Self::Ask(request) = self
            && let Ok(Ask::Join { room, .. }) = request.ask
        {
            return Some(room);
        }
        match self.command()? {
            Command::Join(room) => Some(*room),
            _ => None,
        }
    }

    /// Whether only a client that says hello, or has, makes it.
    pub(crate) fn is_asked(&self) -> bool {
        matches!(self, Self::Greet(..) | Self::Ask(_))
    }

    /// Whether it is for a list of rooms.
    pub(crate) fn lists_rooms(&self) -> bool {
        matches!(self.command(), Some(Command::Rooms))
    }
}

#[derive(Debug)]
pub(crate) struct Mailbox {
    session: SessionId,
    /// `Some` while the mailbox is scheduled. An idle connection owns no buffer.
    requests: Mutex<Option<Vec<Request>>>,
}

impl Mailbox {
    pub(crate) fn new(session: SessionId) -> Self {
        Self { session, requests: Mutex::default() }
    }

    pub(crate) fn session(&self) -> SessionId {
        self.session
    }

    /// Appends `requests`. Returns whether the mailbox was idle; the caller then has to have it run.
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
        !scheduled || fault!(TwoRunners)
    }

    /// Moves all requests into `requests`, which is empty. Returns false if there were none; then the mailbox is idle,
    /// and no longer the caller's to run.
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
