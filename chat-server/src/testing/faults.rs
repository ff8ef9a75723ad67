//! Faults that tests plant in the server, to know that they would be found.
//!
//! Server code asks with [`fault!`]: `fault!(LostWakeUp)` is true on a thread whose test runs [`with`]
//! that fault; `fault!(HubPanics, text)` is true, on any thread, for the chat that [triggers](Fault::trigger)
//! it. Outside tests the macro is `false`, and nothing of this is built.

use std::cell::Cell;

/// Something that goes wrong in the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
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
    /// The hub panics at a chat.
    HubPanics,
    /// The hub panics at a chat, and again when it ends the session for that.
    HubPanicsAgain,
    /// The reactor panics, outside of what is caught, at the broadcast of a chat.
    ReactorPanics,
}

impl Fault {
    /// The chat that makes a fault happen which no thread-local can plant: workers run on threads of
    /// their own.
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

/// Whether this chat triggers the fault. What follows from that on the same thread is planted along.
pub(crate) fn is_triggered(fault: Fault, text: &str) -> bool {
    let again = fault == Fault::HubPanics && text == Fault::HubPanicsAgain.trigger();
    if again {
        PLANTED.set(Some(Fault::HubPanicsAgain));
    }
    again || text == fault.trigger()
}

/// Takes a fault away that was planted on this thread, and happens once.
pub(crate) fn take(fault: Fault) -> bool {
    let is_planted = is_planted(fault);
    if is_planted {
        PLANTED.set(None);
    }
    is_planted
}

/// Runs `run` with the fault, whether it panics or not.
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
