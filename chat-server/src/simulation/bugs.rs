//! Bugs that can be planted, so that the simulation is known to find them.

use std::cell::Cell;

/// A bug somewhere in the server. The place asks [`planted`], under `cfg(test)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A worker does not wake the reactor.
    LostWakeUp,
    /// A connection that was not read to the end is not read again without an event.
    ForgottenRead,
    /// What the kernel did not take of a piece is dropped.
    DroppedTail,
    /// A slot is given free before the hub is done with its session, and a key of its former occupant
    /// finds the next one. By itself the missing check cannot be seen: it is the second of two nets.
    NoGeneration,
    /// A mailbox is scheduled at each post: two workers may run it.
    TwoRunners,
    /// An answer does not wait for what the room owes, which a leaver loses.
    Unsettled,
    /// A sender gets its own chat.
    OwnChat,
    /// Who enters a room gets what the log still holds.
    EarlyCursor,
    /// The stop does not wait for the workers.
    HastyStop,
    /// A connection is closed without lingering.
    NoLinger,
    /// Who is cut off loses the rest of the frame that it is in.
    CutInFrame,
    /// Who is cut off gets the end of what it is owed, and not what is before it.
    CutFront,
    /// Who was behind and has caught up counts as behind all the same (redis/redis#3893).
    BehindForEver,
    /// Who has sent too many commands is not read again.
    NeverResumed,
    /// A kernel that takes bytes again is given nothing of what the room keeps for the member.
    ForgottenWaiter,
    /// What was held for a connection still counts when it is gone.
    HeldForEver,
    /// Nobody is told why its connection ends.
    NoFarewell,
    /// A timer that was due is not set for what is due next.
    TimerForgotten,
}

thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Whether this thread's server has the bug.
pub(crate) fn planted(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// Runs `run` with the bug, whether it panics or not.
pub(super) fn with<R>(bug: Bug, run: impl FnOnce() -> R) -> R {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            PLANTED.set(None);
        }
    }
    let _reset = Reset;
    PLANTED.set(Some(bug));
    run()
}
