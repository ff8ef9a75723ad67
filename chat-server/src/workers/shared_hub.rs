//! The hub behind its lock, together with the queue of its outputs.
//!
//! One lock guards both, so the queue has the hub's order. Under the same lock, the reactor says that it is about to
//! wait, and a worker learns that it has to wake the reactor: no wake-up is lost, and none is sent to a reactor that
//! is awake.

use std::fmt;
use std::io::{self, Write};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;
use std::vec::Drain;

use chat_core::{
    Command, Hub, HubLimits, Input, Notice, OperatorText, Output, ReservedNames, Role, RoomId,
    SessionId, Snapshot,
};
use chat_proto::extended::{Hello, write_asked_rooms_page, write_members_page};
use chat_proto::{Framing, write_rooms_page};

use super::list::{AskedList, List};
use super::mailbox::{Mailbox, Request};
use super::recording::Recorder;
use super::sync::{AtomicU64, Mutex, MutexGuard};
use super::task::Finished;

pub(crate) struct SharedHub {
    state: Mutex<State>,
    wake: Box<dyn Fn() + Send + Sync>,
    /// The time, in ms since 1970, as of the reactor's last turn.
    now: AtomicU64,
}

struct State {
    hub: Hub,
    /// Writes down the inputs of the hub, if they are to be recorded.
    recorder: Option<Recorder>,
    /// Recordings that ended before the server.
    lost_recordings: u64,
    /// Outputs that the reactor has not taken yet.
    outputs: Vec<Output>,
    /// Results of jobs that the reactor has not taken yet.
    finished: Vec<Finished>,
    /// Requests carried out, or lost to a panic.
    done: u64,
    /// Panics of the hub.
    panics: u64,
    /// Whether something has been carried out, or a stop requested, since the reactor last took outputs.
    has_news: bool,
    /// Whether the reactor waits for events, or is about to.
    reactor_waits: bool,
    stop_requested: bool,
}

/// The hub's progress at the time its outputs were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HubProgress {
    /// Requests done since the hub began.
    pub(crate) done: u64,
    /// Panics of the hub since it began.
    pub(crate) panics: u64,
    /// Recordings that ended before the server.
    pub(crate) lost_recordings: u64,
    /// Whether there are results of jobs: see [`SharedHub::take_finished`].
    pub(crate) has_finished: bool,
    pub(crate) stop_requested: bool,
}

/// The state of a mailbox after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailboxState {
    /// It was empty, and is idle; whoever posts next schedules it.
    Idle,
    /// It may have more by now: it has to be run again.
    Scheduled,
}

impl SharedHub {
    /// The requests that a runner's scratch space keeps memory for.
    const KEPT_REQUESTS: usize = 256;

    /// A hub without sessions. `wake` must end the reactor's wait, or make its next wait end at once.
    pub(crate) fn new(limits: HubLimits, wake: impl Fn() + Send + Sync + 'static) -> Self {
        let state = State {
            hub: Hub::new(limits),
            recorder: None,
            lost_recordings: 0,
            outputs: Vec::new(),
            finished: Vec::new(),
            done: 0,
            panics: 0,
            has_news: false,
            reactor_waits: false,
            stop_requested: false,
        };
        Self { state: Mutex::new(state), wake: Box::new(wake), now: AtomicU64::new(0) }
    }

    /// Tells the hub the time, in ms since 1970.
    pub(crate) fn set_time(&self, now: u64) {
        self.now.store(now, Relaxed);
    }

    /// Writes every input from now on to `to`, on a thread of its own, and ends the recording before, if there is one.
    ///
    /// # Errors
    /// If the first line cannot be written, or the system is out of threads.
    pub(crate) fn record(&self, to: impl Write + Send + 'static) -> io::Result<()> {
        self.end_recording();
        let mut state = self.lock();
        state.recorder = Some(Recorder::start(to, &state.hub)?);
        Ok(())
    }

    /// Ends the recording, if there is one, once it is in its file.
    pub(crate) fn end_recording(&self) {
        let ended = self.lock().finish_recording();
        // Without the lock, since it may take a while.
        if let Some(recorder) = ended {
            recorder.end();
        }
    }

    /// Reserves these names instead of the previous ones.
    pub(crate) fn reserve_names(&self, reserved: ReservedNames) {
        let now = self.now.load(Relaxed);
        self.lock().apply_recorded(now, Input::ReserveNames { names: reserved });
    }

    /// Begins a session.
    pub(crate) fn connect(&self, role: Role) -> SessionId {
        let now = self.now.load(Relaxed);
        let mut state = self.lock();
        state.apply_recorded(now, Input::Connect { role });
        match state.outputs.pop() {
            Some(Output::Connected { session }) => session,
            other => panic!("a connection begins a session, and not {other:?}"),
        }
    }

    /// Appends the next frame of a list to `out`. Returns what is left of the list.
    pub(crate) fn write_page(
        &self,
        framing: Framing,
        list: &List,
        out: &mut Vec<u8>,
    ) -> Option<List> {
        let hub = &self.lock().hub;
        match list {
            List::Rooms { after } => {
                let after = write_rooms_page(framing, hub.rooms_after(*after), out)?;
                Some(List::Rooms { after: Some(after) })
            }
            List::Asked(list) => write_asked_page(hub, framing, list, out).map(List::Asked),
        }
    }

    /// Carries out the requests in `mailbox`, and wakes the reactor if it waits. `requests` is scratch space of the
    /// caller, empty before and after.
    pub(crate) fn run(&self, mailbox: &Mailbox, requests: &mut Vec<Request>) -> MailboxState {
        self.run_mailbox(mailbox, requests, || (self.wake)())
    }

    /// Like [`SharedHub::run`], for the reactor itself, which is awake.
    pub(crate) fn run_inline(
        &self,
        mailbox: &Mailbox,
        requests: &mut Vec<Request>,
    ) -> MailboxState {
        self.run_mailbox(mailbox, requests, || {})
    }

    fn run_mailbox(
        &self,
        mailbox: &Mailbox,
        requests: &mut Vec<Request>,
        wake: impl Fn(),
    ) -> MailboxState {
        if !mailbox.take(requests) {
            return MailboxState::Idle;
        }
        self.carry_out(mailbox.session(), requests, wake);
        // A mailbox that waited for long may have been large.
        requests.shrink_to(Self::KEPT_REQUESTS);
        MailboxState::Scheduled
    }

    fn carry_out(&self, session: SessionId, requests: &mut Vec<Request>, wake: impl Fn()) {
        let mut requests = requests.drain(..);
        while requests.len() > 0 {
            let wake_reactor = {
                let mut state = self.lock();
                state.carry_out(self.now.load(Relaxed), session, &mut requests);
                state.note_news()
            };
            if wake_reactor {
                wake();
            }
        }
    }

    /// Appends all outputs to `outputs`, in the hub's order. Called by the reactor, which then is not waiting.
    pub(crate) fn take(&self, outputs: &mut Vec<Output>) -> HubProgress {
        let mut state = self.lock();
        state.reactor_waits = false;
        state.has_news = false;
        if outputs.is_empty() {
            mem::swap(&mut state.outputs, outputs);
        } else {
            outputs.append(&mut state.outputs);
        }
        if state.recorder.is_some() {
            state.hand_over_recording();
        }
        let State { done, panics, lost_recordings, stop_requested, .. } = *state;
        let has_finished = !state.finished.is_empty();
        HubProgress { done, panics, lost_recordings, has_finished, stop_requested }
    }

    /// Takes the results of jobs.
    pub(crate) fn take_finished(&self) -> Vec<Finished> {
        mem::take(&mut self.lock().finished)
    }

    /// Notes the result of a job, and wakes the reactor if it waits.
    pub(crate) fn finish(&self, finished: Finished) {
        self.change(|state| state.finished.push(finished));
    }

    /// Wakes the reactor if it waits.
    #[cfg(feature = "store")]
    pub(crate) fn rouse(&self) {
        self.change(|_| {});
    }

    /// Everything that the hub knows.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.lock().hub.snapshot()
    }

    /// Goes on from a snapshot. Returns the sessions in it, and whether each can be resumed.
    ///
    /// # Errors
    /// If the snapshot is not possible; nothing has changed then.
    #[cfg(feature = "store")]
    pub(crate) fn restore(
        &self,
        limits: HubLimits,
        snapshot: Snapshot,
    ) -> Result<Vec<(SessionId, bool)>, chat_core::RestoreError> {
        let hub = Hub::restore(limits, snapshot)?;
        let sessions = hub.sessions().map(|session| (session, hub.is_resumable(session)));
        let sessions = sessions.collect();
        self.lock().hub = hub;
        Ok(sessions)
    }

    /// Closes rooms that have been empty since before `since`, the oldest first, at most `most`. Returns how many.
    pub(crate) fn close_empty_rooms(&self, since: u64, most: usize) -> usize {
        let now = self.now.load(Relaxed);
        self.change(|state| {
            let old = state.hub.empty_rooms().take_while(|(empty_since, _)| *empty_since < since);
            let old: Vec<_> = old.take(most).map(|(_, room)| room).collect();
            for &room in &old {
                state.apply_recorded(now, Input::CloseRoom { room });
            }
            old.len()
        })
    }

    /// Notes that the reactor is about to wait. Returns false if there is something to take first.
    #[must_use]
    pub(crate) fn may_wait(&self) -> bool {
        let mut state = self.lock();
        state.reactor_waits = !state.has_news;
        state.reactor_waits
    }

    /// Asks the reactor to stop the server.
    pub(crate) fn request_stop(&self) {
        self.change(|state| state.stop_requested = true);
    }

    /// Announces `text` to every session.
    pub(crate) fn announce_to_all(&self, text: OperatorText) {
        let now = self.now.load(Relaxed);
        self.change(|state| state.apply_recorded(now, Input::AnnounceToAll { text }));
    }

    /// Announces `text` to the members of a room. Returns whether the room exists.
    pub(crate) fn announce(&self, room: RoomId, text: OperatorText) -> bool {
        let now = self.now.load(Relaxed);
        self.change(|state| {
            let exists = state.hub.title(room).is_some();
            state.apply_recorded(now, Input::Announce { room, text });
            exists
        })
    }

    /// Makes the reactor tell a session why its connection is being removed, and close it. Returns whether the session
    /// exists.
    pub(crate) fn remove(&self, session: SessionId, reason: OperatorText) -> bool {
        self.change(|state| {
            let exists = state.hub.name(session).is_some();
            if exists {
                let notice = Notice::Removed { reason };
                state.outputs.push(Output::Reply { to: session, notice, room: None });
            }
            exists
        })
    }

    /// Changes the state from outside the mailboxes, and wakes the reactor if it waits.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let (changed, wake_reactor) = {
            let mut state = self.lock();
            let changed = change(&mut state);
            (changed, state.note_news())
        };
        if wake_reactor {
            (self.wake)();
        }
        changed
    }

    /// The second half of [`SharedHub::run`], for tests of a worker that is suspended between the two.
    #[cfg(test)]
    pub(crate) fn run_taken(&self, session: SessionId, requests: &mut Vec<Request>) {
        self.carry_out(session, requests, || (self.wake)());
    }

    #[cfg(test)]
    pub(crate) fn inspect<R>(&self, inspect: impl FnOnce(&Hub) -> R) -> R {
        inspect(&self.lock().hub)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic of the hub is caught under the lock: see `State::carry_out`.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Requests carried out before the lock is released.
    const BATCH: usize = 64;

    /// Notes that there is something to take. Returns whether the reactor must be woken for it.
    #[must_use]
    fn note_news(&mut self) -> bool {
        self.has_news = true;
        !fault!(LostWakeUp) && mem::take(&mut self.reactor_waits)
    }

    /// Carries out the next requests of a session. A panic costs only that session: it is caught here, under the lock,
    /// before anybody sees what it left unfinished. The panic hook has reported it.
    fn carry_out(&mut self, now: u64, session: SessionId, requests: &mut Drain<'_, Request>) {
        let batch = AssertUnwindSafe(|| {
            if self.recorder.is_some() {
                self.handle_all::<true>(now, session, requests);
            } else {
                self.handle_all::<false>(now, session, requests);
            }
        });
        if panic::catch_unwind(batch).is_err() {
            self.abandon(now, session, requests.by_ref().count());
        }
    }

    fn handle_all<const RECORD: bool>(
        &mut self,
        now: u64,
        session: SessionId,
        requests: &mut Drain<'_, Request>,
    ) {
        for request in requests.by_ref().take(Self::BATCH) {
            self.done += 1;
            self.handle::<RECORD>(now, session, request);
        }
    }

    fn handle<const RECORD: bool>(&mut self, now: u64, session: SessionId, request: Request) {
        if let Some(Command::Chat(text)) = request.command()
            && fault!(HubPanics, text.as_str())
        {
            panic!("planted");
        }
        match request {
            Request::Do(command) => self.apply::<RECORD>(now, Input::Command { session, command }),
            Request::Greet(hello, token) => {
                let Hello { features, resume, .. } = *hello;
                self.apply::<RECORD>(now, Input::Greet { session, features, token, resume });
            }
            Request::Ask(request) => self.apply::<RECORD>(now, Input::Request { session, request }),
            Request::Reject(rejection) => self.outputs.push(Output::Reply {
                to: session,
                notice: Notice::Rejected(rejection),
                room: None,
            }),
            Request::Detach => self.apply::<RECORD>(now, Input::Detach { session }),
            Request::Disconnect => self.apply::<RECORD>(now, Input::Disconnect { session }),
        }
    }

    /// Applies an input to the hub. Unless it is to be `RECORD`ed, this is nothing but a call.
    #[inline(always)]
    fn apply<const RECORD: bool>(&mut self, now: u64, input: Input) {
        if RECORD {
            self.apply_recorded(now, input);
        } else {
            self.hub.apply(now, input, &mut self.outputs);
        }
    }

    fn apply_recorded(&mut self, now: u64, input: Input) {
        if let Some(recorder) = &mut self.recorder {
            recorder.record(now, &input);
        }
        self.hub.apply(now, input, &mut self.outputs);
        if let Some(recorder) = &mut self.recorder {
            recorder.check(&self.hub);
        }
    }

    /// Hands over what has been recorded, and ends the recording if that is not possible.
    #[cold]
    fn hand_over_recording(&mut self) {
        if self.recorder.as_mut().is_some_and(|recorder| !recorder.hand_over()) {
            self.recorder = None;
            self.lost_recordings += 1;
        }
    }

    fn finish_recording(&mut self) -> Option<Recorder> {
        let mut recorder = self.recorder.take()?;
        recorder.finish(&self.hub);
        Some(recorder)
    }

    /// Ends a session whose request made the hub panic. The `lost` requests after it are dropped.
    fn abandon(&mut self, now: u64, session: SessionId, lost: usize) {
        self.panics += 1;
        self.done += lost as u64;
        self.outputs.push(Output::Reply { to: session, notice: Notice::Internal, room: None });
        let end = AssertUnwindSafe(|| {
            if fault!(HubPanicsAgain, once) {
                panic!("planted");
            }
            self.handle::<true>(now, session, Request::Disconnect);
        });
        if panic::catch_unwind(end).is_err() {
            // The hub cannot even do that. The connection ends nevertheless.
            self.panics += 1;
            self.outputs.push(Output::Disconnected { session });
        }
    }
}

/// As [`SharedHub::write_page`].
fn write_asked_page(
    hub: &Hub,
    framing: Framing,
    list: &AskedList,
    out: &mut Vec<u8>,
) -> Option<Box<AskedList>> {
    match list {
        AskedList::Rooms { re, after } => {
            let after = write_asked_rooms_page(framing, re, hub.rooms_after(*after), out)?;
            Some(Box::new(AskedList::Rooms { re: re.clone(), after: Some(after) }))
        }
        &AskedList::Members { ref re, room, from } => {
            let (count, mut last) = (hub.member_count(room), from);
            let members = hub.members_from(room, from).inspect(|(arrival, _)| last = *arrival);
            let names = members.map(|(_, name)| name);
            // The one that did not fit any more begins the next frame.
            write_members_page(framing, re.as_ref(), room, count, names, out)?;
            Some(Box::new(AskedList::Members { re: re.clone(), room, from: last }))
        }
    }
}

impl fmt::Debug for SharedHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedHub").finish_non_exhaustive()
    }
}
