//! What visitors do: each kind of visit as a list of steps.

use std::time::Duration;

use chat_proto::{Command, Name, RoomId, Text, Title};

use super::bad::{Bad, STRANGERS};
use super::dialogue::{Expect, ROOMS};
use super::rng::Rng;

/// The rooms there are.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    /// Of the steady talkers, with little in them.
    pub(super) quiet: Vec<u64>,
    /// Of the steady talkers, with long texts.
    pub(super) loud: Vec<u64>,
    /// Of visitors; they may be gone.
    pub(super) passing: Vec<u64>,
}

/// A step of a visit.
#[derive(Debug)]
pub(super) enum Step {
    /// Sends bytes, which are answered so.
    Send(Vec<u8>, Vec<Expect>),
    /// Sends a chat that is accepted.
    Say(Vec<u8>),
    /// Sends bytes one by one, which are answered so.
    Drip(Vec<u8>, Vec<Expect>),
    OutOfBand,
    Wait(Duration),
    /// Waits for all answers.
    Answers,
    Read(Reading),
    Leave(Leaving),
}

/// How a visitor reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Always,
    /// So many bytes a second.
    Slowly(u32),
    Never,
}

/// How a visit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    /// It ends its side, and reads to the end.
    Finish,
    /// It closes, whatever is unread.
    Drop,
    Reset,
    /// The server is to end it, with this as the last word if there is one.
    Expelled(Option<&'static str>),
}

/// A visit.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) kind: Kind,
    pub(super) steps: Vec<Step>,
    /// `SO_RCVBUF`, in bytes.
    pub(super) receive_buffer: Option<usize>,
    /// Whether the server may cut it off as a slow consumer.
    pub(super) may_be_cut: bool,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal $weight:literal,)*) => {
        /// A kind of visit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// All, with their names and how often they come, in thousandths.
            pub(super) const ALL: [(Self, &str, usize); [$($weight),*].len()] =
                [$((Self::$kind, $name, $weight)),*];
        }
    };
}

kinds! {
    /// Joins a steady room, renames, talks, lists, leaves, and ends in any way.
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
    Stranger "other-protocols" 50,
    /// Sends byte by byte.
    Dripper "byte-by-byte" 20,
    /// Ends in the middle of a frame.
    Cut "cut-in-frame" 70,
    /// Begins a frame and says no more.
    HalfOpen "half-frames" 20,
    /// Reads nothing for a while, then everything.
    Pauser "pausing-readers" 15,
    /// Reads slower than its room talks.
    Slow "slow-readers" 15,
    /// Stops reading for good.
    Deaf "stopped-readers" 15,
    /// Says more than it may.
    Flood "floods" 15,
    /// Asks for the list of rooms, again and again.
    Lister "listers" 20,
}

impl Kind {
    fn pick(rng: &mut Rng) -> Self {
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

/// Makes up the next visit. `number` is different for each.
pub(super) fn next(rng: &mut Rng, rooms: &Rooms, bad: &Bad, number: u64) -> Visit {
    let kind = Kind::pick(rng);
    let mut planner =
        Planner { rng, rooms, bad, number, steps: Vec::new(), has_been_urgent: false };
    planner.plan(kind);
    let steps = planner.steps;
    let is_slow = matches!(kind, Kind::Slow | Kind::Deaf);
    Visit {
        kind,
        steps,
        receive_buffer: is_slow.then_some(8 * 1024),
        may_be_cut: is_slow || kind == Kind::Lister,
    }
}

/// A visit of a connection that ends without a word.
pub(super) fn blink(rng: &mut Rng) -> Visit {
    let wait = Duration::from_millis(rng.below(1_500) as u64);
    let leaving = match rng.below(3) {
        0 => Leaving::Finish,
        1 => Leaving::Drop,
        _ => Leaving::Reset,
    };
    Visit {
        kind: Kind::Blink,
        steps: vec![Step::Wait(wait), Step::Leave(leaving)],
        receive_buffer: None,
        may_be_cut: false,
    }
}

struct Planner<'a> {
    rng: &'a mut Rng,
    rooms: &'a Rooms,
    bad: &'a Bad,
    number: u64,
    steps: Vec<Step>,
    /// One byte was sent out of band. Of two that the server has not read in between, the kernel
    /// makes the first part of the stream.
    has_been_urgent: bool,
}

impl Planner<'_> {
    fn plan(&mut self, kind: Kind) {
        match kind {
            Kind::Guest => self.guest(),
            Kind::Founder => self.founder(),
            Kind::Late => self.late(),
            Kind::Blink => self.steps = blink(self.rng).steps,
            Kind::Clumsy => self.clumsy(),
            Kind::Hopeless => self.hopeless(),
            Kind::Stranger => self.stranger(),
            Kind::Dripper => self.dripper(),
            Kind::Cut => self.cut(),
            Kind::HalfOpen => self.half_open(),
            Kind::Pauser => self.pauser(),
            Kind::Slow => self.slow(),
            Kind::Deaf => self.deaf(),
            Kind::Flood => self.flood(),
            Kind::Lister => self.lister(),
        }
    }

    fn guest(&mut self) {
        if self.rng.chance(60) {
            self.rename();
        }
        for _ in 0..=self.rng.below(3) {
            self.join_quiet();
            for _ in 0..self.rng.below(6) {
                self.say(20);
                self.wait(300);
            }
            if self.rng.chance(30) {
                self.rename();
            }
            if self.rng.chance(30) {
                self.list();
            }
            self.wait(2_000);
            if self.rng.chance(70) {
                self.ask(&Command::Leave, "room-left");
            } else {
                break;
            }
        }
        self.leave_somehow();
    }

    fn founder(&mut self) {
        let title = Title::new(&format!("of visitor {}", self.number));
        self.ask(&Command::Create(title.expect("it is short and plain")), "room-created");
        self.refused_create();
        for _ in 0..self.rng.below(4) {
            self.say(30);
            self.wait(500);
        }
        self.wait(4_000);
        if self.rng.chance(50) {
            self.ask(&Command::Leave, "room-left");
            self.ask(&Command::Leave, "not-in-room");
        }
        self.leave_somehow();
    }

    /// In one write: whether the room is still there is decided in between.
    fn late(&mut self) {
        let room = self.rng.pick(&self.rooms.passing).unwrap_or(u64::MAX);
        let bytes = [
            frame(&Command::Join(room_id(room))),
            frame(&Command::Leave),
            frame(&Command::Leave),
            frame(&Command::Join(RoomId::new(u64::MAX).expect("it is not 0"))),
        ];
        let answers = vec![
            Expect::either("room-entered", "no-such-room"),
            Expect::either("room-left", "not-in-room"),
            Expect::code("not-in-room"),
            Expect::code("no-such-room"),
        ];
        self.steps.push(Step::Send(bytes.concat(), answers));
        self.leave_somehow();
    }

    fn clumsy(&mut self) {
        self.list();
        let joins = self.rng.chance(50);
        if joins {
            self.join_quiet();
        }
        for _ in 0..1 + self.rng.below(8) {
            let (frame, code) = self.bad.pick(self.rng);
            self.steps.push(Step::Send(frame, vec![Expect::code(code)]));
            if joins && self.rng.chance(50) {
                self.say(20);
            }
            self.wait(100);
        }
        self.list();
        self.leave_somehow();
    }

    fn hopeless(&mut self) {
        const TOO_MANY: usize = 60;
        let good = self.rng.chance(70);
        if good {
            self.list();
            self.steps.push(Step::Answers);
        }
        // Short ones: all are to be there long before the budget has grown by as many.
        let (frame, code) = loop {
            let (frame, code) = self.bad.pick(self.rng);
            if frame.len() < 1_000 {
                break (frame, code);
            }
        };
        let answers = if good { Expect::many(code) } else { Expect::code(code) };
        self.steps.push(Step::Send(frame.repeat(TOO_MANY), vec![answers]));
        self.steps.push(Step::Leave(Leaving::Expelled(None)));
    }

    fn stranger(&mut self) {
        let bytes = self.rng.pick(&STRANGERS).unwrap_or_default().to_vec();
        self.steps.push(Step::Send(bytes, vec![Expect::code("bad-request")]));
        self.steps.push(Step::Leave(Leaving::Expelled(None)));
    }

    fn dripper(&mut self) {
        let room = self.quiet();
        let bytes = [frame(&Command::Join(room)), frame(&Command::Leave), frame(&Command::Rooms)];
        let answers = ["room-entered", "room-left", ROOMS].map(Expect::code).to_vec();
        self.steps.push(Step::Drip(bytes.concat(), answers));
        self.steps.push(Step::Leave(Leaving::Finish));
    }

    fn cut(&mut self) {
        if self.rng.chance(60) {
            self.join_quiet();
            self.wait(500);
        } else {
            self.list();
        }
        let mut half = frame(&Command::Chat(text("never whole", 100)));
        half.truncate(1 + self.rng.below(half.len() - 1));
        self.steps.push(Step::Send(half, Vec::new()));
        self.wait(200);
        self.leave_somehow();
    }

    fn half_open(&mut self) {
        if self.rng.chance(50) {
            self.join_quiet();
        } else {
            self.list();
        }
        self.steps.push(Step::Send(b"\0\x64{\"type\":".to_vec(), Vec::new()));
        self.steps.push(Step::Leave(Leaving::Expelled(Some("frame-timeout"))));
    }

    fn pauser(&mut self) {
        self.join_loud();
        self.steps.push(Step::Answers);
        for _ in 0..3 {
            self.steps.push(Step::Read(Reading::Never));
            self.steps.push(Step::Wait(Duration::from_secs(2)));
            self.steps.push(Step::Read(Reading::Always));
            self.steps.push(Step::Wait(Duration::from_secs(1)));
        }
        self.steps.push(Step::Leave(Leaving::Finish));
    }

    fn slow(&mut self) {
        self.join_loud();
        self.steps.push(Step::Answers);
        self.steps.push(Step::Read(Reading::Slowly(30_000)));
        self.steps.push(Step::Leave(Leaving::Expelled(None)));
    }

    fn deaf(&mut self) {
        self.join_loud();
        self.steps.push(Step::Answers);
        self.steps.push(Step::Read(Reading::Never));
        self.steps.push(Step::Wait(Duration::from_secs(5 + self.rng.below(20) as u64)));
        if self.rng.chance(50) {
            self.steps.push(Step::Leave(Leaving::Reset));
        } else {
            // It gets what there is, cut off or not, and leaves.
            self.steps.push(Step::Read(Reading::Always));
            self.steps.push(Step::Leave(Leaving::Finish));
        }
    }

    fn flood(&mut self) {
        let count = 400 + self.rng.below(1_200);
        self.join_quiet();
        let chat = frame(&Command::Chat(text(&format!("flood {}", self.number), 40)));
        self.steps.extend((0..count).map(|_| Step::Say(chat.clone())));
        self.list();
        self.leave_somehow();
    }

    fn lister(&mut self) {
        if self.rng.chance(30) {
            self.steps.push(Step::Read(Reading::Never));
        }
        let count = 1 + self.rng.below(300);
        let answers = vec![Expect::code(ROOMS); count];
        self.steps.push(Step::Send(frame(&Command::Rooms).repeat(count), answers));
        self.wait(4_000);
        self.steps.push(Step::Read(Reading::Always));
        self.leave_somehow();
    }

    /// Somebody else's name, or a new one.
    fn rename(&mut self) {
        if self.rng.chance(10) {
            self.ask(&Command::Rename(name("Steady 0")), "name-taken");
            return;
        }
        let wanted = format!("visitor {} {}", self.number, self.steps.len());
        let answer = Expect::renamed(wanted.clone());
        self.steps.push(Step::Send(frame(&Command::Rename(name(&wanted))), vec![answer]));
    }

    fn refused_create(&mut self) {
        let title = Title::new("another").expect("it is short and plain");
        self.ask(&Command::Create(title), "already-in-room");
    }

    fn join_quiet(&mut self) {
        let room = self.quiet();
        self.ask(&Command::Join(room), "room-entered");
    }

    fn join_loud(&mut self) {
        let room = self.rng.pick(&self.rooms.loud).unwrap_or(u64::MAX);
        self.ask(&Command::Join(room_id(room)), "room-entered");
    }

    fn quiet(&mut self) -> RoomId {
        room_id(self.rng.pick(&self.rooms.quiet).unwrap_or(u64::MAX))
    }

    fn list(&mut self) {
        self.ask(&Command::Rooms, ROOMS);
    }

    fn ask(&mut self, command: &Command, code: &'static str) {
        self.steps.push(Step::Send(frame(command), vec![Expect::code(code)]));
        if !self.has_been_urgent && self.rng.chance(5) {
            self.has_been_urgent = true;
            self.steps.push(Step::OutOfBand);
        }
        if self.rng.chance(30) {
            self.steps.push(Step::Answers);
        }
    }

    fn say(&mut self, most: usize) {
        let text = text(&format!("visitor {}", self.number), 1 + self.rng.below(most));
        self.steps.push(Step::Say(frame(&Command::Chat(text))));
    }

    fn wait(&mut self, most_ms: usize) {
        self.steps.push(Step::Wait(Duration::from_millis(self.rng.below(most_ms) as u64)));
    }

    fn leave_somehow(&mut self) {
        let leaving = match self.rng.below(10) {
            0..=4 => Leaving::Finish,
            5..=7 => Leaving::Drop,
            _ => Leaving::Reset,
        };
        self.steps.push(Step::Leave(leaving));
    }
}

/// A command as a frame.
pub(super) fn frame(command: &Command) -> Vec<u8> {
    let mut out = Vec::new();
    command.write(&mut out).expect("every text here is far shorter than a frame");
    out
}

pub(super) fn name(name: &str) -> Name {
    Name::new(name).expect("every name here is short and plain")
}

pub(super) fn room_id(id: u64) -> RoomId {
    RoomId::new(id).expect("the server numbers rooms from 1")
}

fn text(head: &str, more: usize) -> Text {
    Text::new(&format!("{head} {}", "é\"".repeat(more))).expect("it has no control character")
}
