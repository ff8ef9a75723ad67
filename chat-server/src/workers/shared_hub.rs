//! The hub behind its lock, and the one queue of what it answered.
//!
//! Both are behind the same lock, so that the queue has the hub's order. The reactor says under that
//! lock that it is going to wait, and a worker learns under it that it has to wake the reactor: no
//! wake-up is lost, and none is sent to a reactor that is busy.

use std::fmt;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::PoisonError;
use std::vec::Drain;

use chat_core::{Command, Hub, HubLimits, Notice, Output, Role, SessionId};

use super::mailbox::{Mailbox, Request};
use super::sync::{Mutex, MutexGuard};

pub(crate) struct SharedHub {
    state: Mutex<State>,
    wake: Box<dyn Fn() + Send + Sync>,
}

struct State {
    hub: Hub,
    /// What the reactor has not taken yet.
    outputs: Vec<Output>,
    /// How many requests have been carried out, or lost to a panic.
    done: u64,
    /// How often the hub has panicked.
    panics: u64,
    /// Something has been carried out, or the stop asked for, since the reactor last took.
    news: bool,
    /// The reactor waits for events, or is about to.
    reactor_waits: bool,
    stop_requested: bool,
}

/// What the reactor takes besides the outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Requests done since the hub began.
    pub(crate) done: u64,
    /// Panics of the hub since it began.
    pub(crate) panics: u64,
    pub(crate) stop_requested: bool,
}

/// Whether a mailbox has been emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ran {
    /// It is idle; whoever posts next schedules it.
    Idle,
    /// More has come in meanwhile: it has to be run again.
    More,
}

impl SharedHub {
    /// `wake` has to end the reactor's waiting, now or when it begins to wait.
    pub(crate) fn new(limits: HubLimits, wake: impl Fn() + Send + Sync + 'static) -> Self {
        let state = State {
            hub: Hub::new(limits),
            outputs: Vec::new(),
            done: 0,
            panics: 0,
            news: false,
            reactor_waits: false,
            stop_requested: false,
        };
        Self { state: Mutex::new(state), wake: Box::new(wake) }
    }

    pub(crate) fn connect(&self, role: Role) -> SessionId {
        self.lock().hub.connect(role)
    }

    /// Carries out what is in `mailbox`, and wakes the reactor if it waits. `requests` is the
    /// caller's scratch space, empty before and after.
    pub(crate) fn run(&self, mailbox: &Mailbox, requests: &mut Vec<Request>) -> Ran {
        self.carry_out(mailbox, requests, || (self.wake)())
    }

    /// As [`SharedHub::run`], for the reactor itself: it is awake.
    pub(crate) fn run_here(&self, mailbox: &Mailbox, requests: &mut Vec<Request>) -> Ran {
        self.carry_out(mailbox, requests, || {})
    }

    fn carry_out(&self, mailbox: &Mailbox, requests: &mut Vec<Request>, wake: impl Fn()) -> Ran {
        if !mailbox.take(requests) {
            return Ran::Idle;
        }
        self.carry_out_taken(mailbox.session(), requests, wake);
        Ran::More
    }

    fn carry_out_taken(&self, session: SessionId, requests: &mut Vec<Request>, wake: impl Fn()) {
        let mut requests = requests.drain(..);
        while requests.len() > 0 {
            let wake_reactor = {
                let mut state = self.lock();
                state.carry_out(session, &mut requests);
                state.announce()
            };
            if wake_reactor {
                wake();
            }
        }
    }

    /// Moves all outputs to the end of `outputs`, in the hub's order. The reactor is not waiting.
    pub(crate) fn take(&self, outputs: &mut Vec<Output>) -> Taken {
        let mut state = self.lock();
        state.reactor_waits = false;
        state.news = false;
        if outputs.is_empty() {
            mem::swap(&mut state.outputs, outputs);
        } else {
            outputs.append(&mut state.outputs);
        }
        Taken { done: state.done, panics: state.panics, stop_requested: state.stop_requested }
    }

    /// Says that the reactor is going to wait. Returns false when there is something to take first.
    #[must_use]
    pub(crate) fn may_wait(&self) -> bool {
        let mut state = self.lock();
        state.reactor_waits = !state.news;
        state.reactor_waits
    }

    /// Asks the reactor to stop.
    pub(crate) fn request_stop(&self) {
        let wake_reactor = {
            let mut state = self.lock();
            state.stop_requested = true;
            state.announce()
        };
        if wake_reactor {
            (self.wake)();
        }
    }

    /// The second half of [`SharedHub::run`], for a worker that is held up between the two.
    #[cfg(test)]
    pub(crate) fn run_taken(&self, session: SessionId, requests: &mut Vec<Request>) {
        self.carry_out_taken(session, requests, || (self.wake)());
    }

    #[cfg(test)]
    pub(crate) fn look_at_hub<R>(&self, look: impl FnOnce(&Hub) -> R) -> R {
        look(&self.lock().hub)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic of the hub is caught under the lock: see `State::carry_out`.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Requests carried out before the lock is given to somebody else.
    const BATCH: usize = 64;

    /// Notes that there is something to take. Returns whether the reactor has to be woken for it.
    #[must_use]
    fn announce(&mut self) -> bool {
        self.news = true;
        if fault!(LostWakeUp) {
            return false;
        }
        mem::take(&mut self.reactor_waits)
    }

    /// Carries out the next requests of a session. A panic costs the session, and nobody else
    /// anything: it is caught here, under the lock, before anybody sees what it left half done. Its
    /// hook has told of it.
    fn carry_out(&mut self, session: SessionId, requests: &mut Drain<'_, Request>) {
        let batch = AssertUnwindSafe(|| {
            for request in requests.by_ref().take(Self::BATCH) {
                self.done += 1;
                self.handle(session, request);
            }
        });
        if panic::catch_unwind(batch).is_err() {
            self.give_up(session, requests.by_ref().count());
        }
    }

    fn handle(&mut self, session: SessionId, request: Request) {
        if let Request::Do(Command::Chat(text)) = &request {
            let text = text.as_str();
            if fault!(HubPanics, text) {
                panic!("planted");
            }
        }
        match request {
            Request::Do(command) => self.hub.handle(session, command, &mut self.outputs),
            Request::Reject(rejection) => self.outputs.push(Output::Reply {
                to: session,
                notice: Notice::Rejected(rejection),
                room: None,
            }),
            Request::Disconnect => self.hub.disconnect(session, &mut self.outputs),
        }
    }

    /// Ends a session whose request made the hub panic; `lost` requests that were behind it are gone.
    fn give_up(&mut self, session: SessionId, lost: usize) {
        self.panics += 1;
        self.done += lost as u64;
        self.outputs.push(Output::Reply { to: session, notice: Notice::Internal, room: None });
        let end = AssertUnwindSafe(|| {
            if fault!(HubPanicsAgain, once) {
                panic!("planted");
            }
            self.handle(session, Request::Disconnect);
        });
        if panic::catch_unwind(end).is_err() {
            // The hub cannot even do that. The connection ends all the same.
            self.panics += 1;
            self.outputs.push(Output::Disconnected { session });
        }
    }
}

impl fmt::Debug for SharedHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedHub").finish_non_exhaustive()
    }
}
