//! The planner: invents what visitors do, each kind of scenario as a list of steps.

use std::time::Duration;

use chat_proto::{Command, Text};
use chat_testing::{Request, Rng};

use super::bad_input::{BadPayloads, REQUESTS, STRANGERS};
use super::client::request;
use super::form::Speech;
use super::scenario::{Due, Kind, Leaving, Reading, Rooms, Scenario, Step};
use crate::words::{create, frame, join, rename};

/// Invents the next scenario. `number` must be unique.
pub(super) fn next(rng: &mut Rng, rooms: &Rooms, bad: &BadPayloads, number: usize) -> Scenario {
    let kind = Kind::pick(rng);
    let mut planner =
        Planner { rng, rooms, bad, number, steps: Vec::new(), has_been_urgent: false };
    let speech = planner.plan(kind);
    let steps = planner.steps;
    let is_slow = matches!(kind, Kind::Slow | Kind::Deaf);
    Scenario {
        kind,
        steps,
        speech,
        receive_buffer: is_slow.then_some(8 * 1024),
        may_be_cut: is_slow || kind == Kind::Lister,
    }
}

/// A connection that ends without saying anything.
pub(super) fn blink(rng: &mut Rng) -> Scenario {
    let wait = Duration::from_millis(rng.below(1_500) as u64);
    let leaving = match rng.below(3) {
        0 => Leaving::Finish,
        1 => Leaving::Drop,
        _ => Leaving::Reset,
    };
    Scenario {
        kind: Kind::Blink,
        steps: vec![Step::Wait(wait), Step::Leave(leaving)],
        speech: frames_or_websocket(rng),
        receive_buffer: None,
        may_be_cut: false,
    }
}

struct Planner<'a> {
    rng: &'a mut Rng,
    rooms: &'a Rooms,
    bad: &'a BadPayloads,
    number: usize,
    steps: Vec<Step>,
    /// Whether a byte was sent out of band. If a second one comes before the server has read, the kernel makes the
    /// first part of the stream.
    has_been_urgent: bool,
}

impl Planner<'_> {
    /// Plans the steps. Returns the protocol to speak.
    fn plan(&mut self, kind: Kind) -> Speech {
        match kind {
            Kind::Guest => self.guest(),
            Kind::Founder => self.founder(),
            Kind::Late => self.late(),
            Kind::Blink => self.steps = blink(self.rng).steps,
            Kind::Clumsy => self.clumsy(),
            Kind::Hopeless => self.hopeless(),
            Kind::Stranger => self.stranger(),
            Kind::Requester => return self.request(),
            Kind::Dripper => self.dripper(),
            Kind::Cut => self.cut(),
            Kind::HalfOpen => self.half_open(),
            Kind::Pauser => self.pauser(),
            Kind::Slow => self.slow(),
            Kind::Deaf => self.deaf(),
            Kind::Flood => self.flood(),
            Kind::Lister => self.lister(),
        }
        match kind {
            // Invalid UTF-8 and invalid frames mean something else to a WebSocket.
            Kind::Clumsy | Kind::Hopeless | Kind::Stranger => Speech::Frames,
            _ => frames_or_websocket(self.rng),
        }
    }

    fn guest(&mut self) {
        if self.rng.chance(60, 100) {
            self.rename();
        }
        for _ in 0..=self.rng.below(3) {
            self.join_quiet();
            for _ in 0..self.rng.below(6) {
                self.chat(20);
                self.wait(300);
            }
            if self.rng.chance(30, 100) {
                self.rename();
            }
            if self.rng.chance(30, 100) {
                self.list();
            }
            self.wait(2_000);
            if self.rng.chance(70, 100) {
                self.ask(&Command::Leave, "room-left");
            } else {
                break;
            }
        }
        self.leave_somehow();
    }

    fn founder(&mut self) {
        let title = format!("of visitor {}", self.number);
        self.ask(&create(&title), "room-created");
        self.refused_create();
        for _ in 0..self.rng.below(4) {
            self.chat(30);
            self.wait(500);
        }
        self.wait(4_000);
        if self.rng.chance(50, 100) {
            self.ask(&Command::Leave, "room-left");
            self.ask(&Command::Leave, "not-in-room");
        }
        self.leave_somehow();
    }

    /// Sends everything at once, although it is decided in between whether the room still exists.
    fn late(&mut self) {
        let room = join(any_of(self.rng, &self.rooms.passing));
        let nowhere = join(u64::MAX);
        let commands = [&room, &Command::Leave, &Command::Leave, &nowhere];
        let dues = vec![
            Due(request(&room), None),
            Due(Request::Leave, None),
            Due::code(&Command::Leave, "not-in-room"),
            Due::code(&nowhere, "no-such-room"),
        ];
        self.steps.push(Step::Send(commands.map(frame).concat(), dues));
        self.leave_somehow();
    }

    fn clumsy(&mut self) {
        self.list();
        let joins = self.rng.chance(50, 100);
        if joins {
            self.join_quiet();
        }
        for _ in 0..1 + self.rng.below(8) {
            let (frame, code) = self.bad.pick(self.rng);
            self.steps.push(Step::Send(frame, vec![Due::bad(code)]));
            if joins && self.rng.chance(50, 100) {
                self.chat(20);
            }
            self.wait(100);
        }
        self.list();
        self.leave_somehow();
    }

    fn hopeless(&mut self) {
        const TOO_MANY: usize = 60;
        let good = self.rng.chance(70, 100);
        if good {
            self.list();
            self.steps.push(Step::Answers);
        }
        // Short ones, so that all arrive long before the budget has grown by as many.
        let (frame, code) = self.bad.pick_short(self.rng);
        self.steps.push(Step::Send(frame.repeat(TOO_MANY), vec![Due::bad(code); TOO_MANY]));
        self.steps.push(Step::Leave(Leaving::Expelled(None)));
    }

    fn stranger(&mut self) {
        let bytes = self.rng.pick(&STRANGERS).to_vec();
        self.steps.push(Step::Send(bytes, vec![Due::bad("bad-request")]));
        self.steps.push(Step::Leave(Leaving::Expelled(None)));
    }

    fn request(&mut self) -> Speech {
        let (request, answer) = self.rng.pick(&REQUESTS);
        self.steps.push(Step::Send(request.to_vec(), Vec::new()));
        self.steps.push(Step::Leave(Leaving::Expelled(None)));
        Speech::Other(answer)
    }

    fn dripper(&mut self) {
        let commands = [join(self.quiet()), Command::Leave, Command::Rooms];
        let codes = ["room-entered", "room-left", "rooms"];
        let dues = commands.iter().zip(codes).map(|(command, code)| Due::code(command, code));
        let bytes = commands.iter().map(frame).collect::<Vec<_>>().concat();
        self.steps.push(Step::Drip(bytes, dues.collect()));
        self.steps.push(Step::Leave(Leaving::Finish));
    }

    fn cut(&mut self) {
        if self.rng.chance(60, 100) {
            self.join_quiet();
            self.wait(500);
        } else {
            self.list();
        }
        let text = Text::new(&"never whole ".repeat(20)).expect("no control character");
        let mut half = frame(&Command::Chat(text));
        half.truncate(1 + self.rng.below(half.len() - 1));
        self.steps.push(Step::Send(half, Vec::new()));
        self.wait(200);
        self.leave_somehow();
    }

    fn half_open(&mut self) {
        if self.rng.chance(50, 100) {
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
        if self.rng.chance(50, 100) {
            self.steps.push(Step::Leave(Leaving::Reset));
        } else {
            // It receives what there is, evicted or not, and leaves.
            self.steps.push(Step::Read(Reading::Always));
            self.steps.push(Step::Leave(Leaving::Finish));
        }
    }

    fn flood(&mut self) {
        let count = 400 + self.rng.below(1_200);
        self.join_quiet();
        self.steps.extend((0..count).map(|_| Step::Chat(40)));
        self.list();
        self.leave_somehow();
    }

    fn lister(&mut self) {
        if self.rng.chance(30, 100) {
            self.steps.push(Step::Read(Reading::Never));
        }
        let count = 1 + self.rng.below(300);
        let dues = vec![Due(Request::Rooms, None); count];
        self.steps.push(Step::Send(frame(&Command::Rooms).repeat(count), dues));
        self.wait(4_000);
        self.steps.push(Step::Read(Reading::Always));
        self.leave_somehow();
    }

    /// Requests a name that a talker has, or a new one.
    fn rename(&mut self) {
        if self.rng.chance(10, 100) {
            return self.ask(&rename("Steady 0"), "name-taken");
        }
        let wanted = rename(&format!("visitor {} {}", self.number, self.steps.len()));
        self.steps.push(Step::Send(frame(&wanted), vec![Due::code(&wanted, "renamed")]));
    }

    fn refused_create(&mut self) {
        self.ask(&create("another"), "already-in-room");
    }

    fn join_quiet(&mut self) {
        let room = self.quiet();
        self.ask(&join(room), "room-entered");
    }

    fn join_loud(&mut self) {
        let room = any_of(self.rng, &self.rooms.loud);
        self.ask(&join(room), "room-entered");
    }

    fn quiet(&mut self) -> u64 {
        any_of(self.rng, &self.rooms.quiet)
    }

    fn list(&mut self) {
        self.ask(&Command::Rooms, "rooms");
    }

    fn ask(&mut self, command: &Command, code: &'static str) {
        self.steps.push(Step::Send(frame(command), vec![Due::code(command, code)]));
        if !self.has_been_urgent && self.rng.chance(5, 100) {
            self.has_been_urgent = true;
            self.steps.push(Step::OutOfBand);
        }
        if self.rng.chance(30, 100) {
            self.steps.push(Step::Answers);
        }
    }

    fn chat(&mut self, most: usize) {
        self.steps.push(Step::Chat(1 + self.rng.below(most)));
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

/// Two of five visitors are browsers.
fn frames_or_websocket(rng: &mut Rng) -> Speech {
    if rng.chance(40, 100) { Speech::WebSocket } else { Speech::Frames }
}

/// Picks one of these rooms, or, if there are none, one that does not exist.
fn any_of(rng: &mut Rng, rooms: &[u64]) -> u64 {
    if rooms.is_empty() { u64::MAX } else { rng.pick(rooms) }
}
