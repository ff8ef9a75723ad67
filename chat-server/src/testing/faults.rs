//! Faults that tests plant in the server, to prove that they would be found.
//!
//! Server code asks with [`fault!`]: `fault!(LostWakeUp)` is true on a thread whose test runs [`with`] that fault;
//! `fault!(HubPanics, text)` is true, on any thread, for the chat that [triggers](Fault::trigger) it. Outside tests,
//! the macro is `false`, and none of this is compiled.

use std::cell::Cell;

/// A malfunction of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A worker does not wake the reactor.
    LostWakeUp,
    /// A connection that was not read to the end is not read again without an event.
    ForgottenRead,
    /// The part of a range that the kernel did not take is dropped.
    DroppedTail,
    /// A slot is freed before the hub has ended its session, and a key of the former occupant finds the next one.
    /// Without the early release, the missing check would never show: it is the second of two safeguards.
    NoGeneration,
    /// A mailbox is scheduled at each post, so that two workers may run it.
    TwoRunners,
    /// An answer overtakes the room's log, and a member that leaves loses what was pending there.
    Unsettled,
    /// A sender gets its own chat.
    OwnChat,
    /// A new member receives what the log still retains.
    EarlyCursor,
    /// The stop does not wait for the workers.
    HastyStop,
    /// A connection is closed without lingering.
    NoLinger,
    /// An evicted connection loses the rest of a partly written frame.
    CutInFrame,
    /// An evicted connection receives the end of what was pending, without what came before it.
    CutFront,
    /// A connection that has caught up still counts as slow (redis/redis#3893).
    BehindForEver,
    /// A connection paused for its command rate is never read again.
    NeverResumed,
    /// A parked member is not handed the log when its kernel takes bytes again.
    ForgottenWaiter,
    /// The memory of a connection is still counted after the connection is gone.
    HeldForEver,
    /// Buffered input is not counted.
    UncountedInput,
    /// A closing connection is not told the reason.
    NoFarewell,
    /// An expired timer is not set again for the next deadline.
    TimerForgotten,
    /// A session that another connection takes over is offered the same token again, which the hub refuses.
    TokenTwice,
    /// The number that a client says it has counts in the room where its session is, whichever room it is of.
    RoomOfAfter,
    /// What was given up of a history is not told.
    GapUntold,
    /// A chat is acknowledged, and nobody gets it.
    AckUnsaid,
    /// A session is said to be kept, and ends.
    KeptTold,
    /// The time of a session that is kept ends, and the session does not.
    Ghost,
    /// A chat is said without its id: it is not acknowledged, and said again when it is sent again.
    ForgottenId,
    /// What a session missed is not sent to it.
    NothingMissed,
    /// History is kept beyond the limit.
    EndlessHistory,
    /// The hub panics at a chat.
    HubPanics,
    /// The hub panics at a chat, and again when it ends the session because of that.
    HubPanicsAgain,
    /// The reactor panics where nothing catches it, at the broadcast of a chat.
    ReactorPanics,
}

impl Fault {
    /// The chat that triggers a fault which no thread-local can plant, since workers run on threads of their own.
    pub(crate) const fn trigger(self) -> &'static str {
        match self {
            Self::HubPanics => "panic!",
            Self::HubPanicsAgain => "panic!!",
            Self::ReactorPanics => "panic of the reactor!",
            _ => "",
        }
    }
}

/// Whether a test has planted a fault here: see [`faults`](self).
macro_rules! fault {
    ($fault:ident, once) => {
        crate::testing::faults::take(crate::testing::faults::Fault::$fault)
    };
    ($fault:ident) => {
        crate::testing::faults::is_planted(crate::testing::faults::Fault::$fault)
    };
    ($fault:ident, $text:expr) => {
        crate::testing::faults::is_triggered(crate::testing::faults::Fault::$fault, $text)
    };
}

thread_local! {
    static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// Whether this thread's server has the fault.
pub(crate) fn is_planted(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}

/// Whether this chat triggers the fault. If so, the fault is planted for the rest of its handling on this thread.
pub(crate) fn is_triggered(fault: Fault, text: &str) -> bool {
    let again = fault == Fault::HubPanics && text == Fault::HubPanicsAgain.trigger();
    if again {
        PLANTED.set(Some(Fault::HubPanicsAgain));
    }
    again || text == fault.trigger()
}

/// Removes a fault that happens once. Returns whether it was planted on this thread.
pub(crate) fn take(fault: Fault) -> bool {
    let is_planted = is_planted(fault);
    if is_planted {
        PLANTED.set(None);
    }
    is_planted
}

/// Runs `run` with the fault planted, and removes the fault even if `run` panics.
pub(crate) fn with<R>(fault: Fault, run: impl FnOnce() -> R) -> R {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            PLANTED.set(None);
        }
    }
    let _reset = Reset;
    PLANTED.set(Some(fault));
    run()
}
