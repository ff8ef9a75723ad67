//! Scenarios: what visitors do, each as a list of steps.

use std::time::Duration;

use chat_proto::Command;
use chat_testing::{Request, Rng};

use super::client::request;
use super::form::Speech;

/// The rooms that visitors may join.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    /// Rooms of talkers with short texts.
    pub(super) quiet: Vec<u64>,
    /// Rooms of talkers with long texts.
    pub(super) loud: Vec<u64>,
    /// Rooms of visitors, which may be gone.
    pub(super) passing: Vec<u64>,
}

/// A request whose answer is due, and the code of that answer unless the request implies it.
#[derive(Debug, Clone)]
pub(super) struct Due(pub(super) Request, pub(super) Option<&'static str>);

impl Due {
    pub(super) fn code(command: &Command, code: &'static str) -> Self {
        Self(request(command), Some(code))
    }

    pub(super) fn bad(code: &'static str) -> Self {
        Self(Request::Bad(code), None)
    }
}

/// A step of a scenario.
#[derive(Debug)]
pub(super) enum Step {
    /// Send bytes, and expect these answers.
    Send(Vec<u8>, Vec<Due>),
    /// Send a chat that is accepted, with this many bytes after its head.
    Chat(usize),
    /// Send bytes one by one, and expect these answers.
    Drip(Vec<u8>, Vec<Due>),
    /// Send a byte out of band.
    OutOfBand,
    /// Do nothing for a time.
    Wait(Duration),
    /// Wait for all answers.
    Answers,
    /// Change the way of reading from here on.
    Read(Reading),
    /// Leave.
    Leave(Leaving),
}

/// How a visitor reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Always,
    /// This many bytes per second.
    Slowly(u32),
    Never,
}

/// How a visit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    /// The visitor ends its side, and reads to the end.
    Finish,
    /// The visitor closes, whatever is unread.
    Drop,
    /// The visitor resets the connection.
    Reset,
    /// The server must end the connection, with this last message if there is one.
    Expelled(Option<&'static str>),
}

/// What one visitor does.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) kind: Kind,
    pub(super) steps: Vec<Step>,
    pub(super) speech: Speech,
    /// `SO_RCVBUF`, in bytes.
    pub(super) receive_buffer: Option<usize>,
    /// Whether the server may evict the visitor as a slow consumer.
    pub(super) may_be_cut: bool,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal $weight:literal,)*) => {
        /// A kind of scenario.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// All kinds, with their names and their shares in thousandths.
            pub(super) const ALL: [(Self, &str, usize); [$($weight),*].len()] =
                [$((Self::$kind, $name, $weight)),*];
        }
    };
}

kinds! {
    /// Joins a talkers' room, renames, talks, lists, leaves, and ends in any way.
    Guest "guests" 300,
    /// Makes a room of its own.
    Founder "founders" 150,
    /// Joins a room that may be gone.
    Late "late-comers" 70,
    /// Connects, and ends without a command.
    Blink "silent" 130,
    /// Sends bad frames between good ones, within the budget.
    Clumsy "bad-input" 80,
    /// Sends bad frames beyond the budget.
    Hopeless "over-budget" 30,
    /// Speaks another protocol.
    Stranger "other-protocols" 30,
    /// Asks for something by HTTP, or badly by TLS.
    Requester "requests" 20,
    /// Sends byte by byte.
    Dripper "byte-by-byte" 20,
    /// Ends in the middle of a frame.
    Cut "cut-in-frame" 70,
    /// Begins a frame and sends no more.
    HalfOpen "half-frames" 20,
    /// Reads nothing for a while, then everything.
    Pauser "pausing-readers" 15,
    /// Reads slower than its room talks.
    Slow "slow-readers" 15,
    /// Stops reading for good.
    Deaf "stopped-readers" 15,
    /// Sends more than the rate allows.
    Flood "floods" 15,
    /// Asks for the list of rooms again and again.
    Lister "listers" 20,
}

impl Kind {
    /// Picks a kind, each as often as its share says.
    pub(super) fn pick(rng: &mut Rng) -> Self {
        let mut at = rng.below(Self::ALL.iter().map(|(_, _, weight)| weight).sum());
        for (kind, _, weight) in Self::ALL {
            if at < weight {
                return kind;
            }
            at -= weight;
        }
        Self::Guest
    }
}
