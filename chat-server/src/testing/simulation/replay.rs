//! One client's record against the rules: each request its answer, each broadcast its place.

use std::collections::{BTreeMap, VecDeque};

use chat_proto::Incoming;

use crate::testing::simulation::judge::farewell;
use crate::testing::simulation::trace::{End, Entry, Request, Trace};

/// A broadcast, told from all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Heard {
    /// The chat of a client, by its number.
    Chat { sender: usize, number: u64 },
    /// A notice, by its code and text.
    Notice(String, String),
}

/// The time that a client was in a room.
#[derive(Debug)]
pub(super) struct Stay {
    pub(super) client: usize,
    pub(super) room: u64,
    /// The number of its entry: all that it gets have higher ones.
    pub(super) entered: u64,
    /// The number of its leaving, if it was told.
    pub(super) left: Option<u64>,
    /// What it got, by number.
    pub(super) got: BTreeMap<u64, Heard>,
    /// What it said there, in order.
    pub(super) said: Vec<u64>,
    /// Its last name there.
    pub(super) name: String,
    pub(super) fate: Fate,
}

/// How a stay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It left, or was there to the end: everything is owed to it.
    Complete,
    /// It ended its side, or was sent away: everything is owed up to the notice that it left.
    UntilGone,
    /// It lost its stream: what it got is a prefix.
    Cut,
}

/// What a record comes to.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) stays: Vec<Stay>,
    /// It got the last message of a server that stops.
    pub(super) told_of_stop: bool,
    /// It lost its stream: it may have said more, and been in more rooms, than it knows.
    pub(super) cut: bool,
}

/// Notices that a server ends a connection with.
const FAREWELLS: [&str; 5] =
    ["server-stopping", "server-full", "slow-consumer", "frame-timeout", "too-many-from-address"];

struct Replay<'a> {
    id: usize,
    name: String,
    /// Asked for and not answered, with the end of the request in the stream.
    pending: VecDeque<(&'a Request, u64)>,
    in_room: bool,
    stays: Vec<Stay>,
    /// The highest number of each sender's chats.
    last_of: BTreeMap<(u64, usize), u64>,
    finished: bool,
    /// It was told that a frame was bad, and has been told nothing since.
    last_was_bad: bool,
    farewell: Option<String>,
    /// Pages of a list came, and more are to come.
    paging: bool,
}

/// Replays the record of client `id`.
pub(super) fn replay(id: usize, trace: &Trace) -> Story {
    let mut replay = Replay {
        id,
        name: format!("user{}", trace.session.unwrap_or(0)),
        pending: VecDeque::new(),
        in_room: false,
        stays: Vec::new(),
        last_of: BTreeMap::new(),
        finished: false,
        last_was_bad: false,
        farewell: None,
        paging: false,
    };
    for entry in &trace.entries {
        match entry {
            Entry::Sent { request, end } => replay.pending.push_back((request, *end)),
            Entry::Finished => replay.finished = true,
            Entry::Received(message) => replay.receive(message),
            Entry::Ended(_) => {}
        }
    }
    replay.conclude(trace)
}

impl<'a> Replay<'a> {
    fn receive(&mut self, message: &'a Incoming) {
        let id = self.id;
        assert_eq!(self.farewell, None, "I14: client {id} got {message:?} after the last message");
        let code = message.code.as_deref().unwrap_or_default();
        match message.kind.as_str() {
            "SCChat" => self.hear(message, chat_of(message)),
            "SCRoomsResult" => self.answered(message, "rooms"),
            _ if FAREWELLS.contains(&code) => self.farewell = Some(code.to_owned()),
            _ if matches!(code, "member-entered" | "member-left" | "renamed")
                && message.seq.is_some() =>
            {
                self.hear(message, Heard::Notice(code.to_owned(), message.text.clone()));
                if code == "renamed" && message.text.starts_with(&format!("{} is now", self.name)) {
                    self.answered(message, code);
                }
            }
            _ => self.answered(message, code),
        }
    }

    fn hear(&mut self, message: &Incoming, heard: Heard) {
        let id = self.id;
        let room = message.room_id.expect("I2: every broadcast names its room");
        let seq = message.seq.expect("I2: every broadcast is numbered");
        assert!(self.in_room, "I3: client {id} is in no room and got {message:?}");
        let stay = self.stays.last_mut().expect("it is in a room");
        assert_eq!(room, stay.room, "I7: client {id} is in another room and got {message:?}");
        assert!(seq > stay.entered, "I3: client {id} got what came before it: {message:?}");
        if let Some((last, _)) = stay.got.last_key_value() {
            assert!(seq > *last, "I2: client {id} got {seq} after {last}");
        }
        if let Heard::Chat { sender, number } = heard {
            assert_ne!(sender, id, "I4: client {id} got its own chat {number}");
            let last = self.last_of.insert((room, sender), number);
            assert!(last < Some(number), "I1: client {id} got {sender}:{number} after {last:?}");
        }
        stay.got.insert(seq, heard);
    }

    /// Takes chats off that have no answer: the next answer is that of the request behind them.
    fn skip_chats(&mut self) {
        while self.in_room
            && let Some((Request::Chat { number }, _)) = self.pending.front()
        {
            self.stays.last_mut().expect("it is in a room").said.push(*number);
            self.pending.pop_front();
        }
    }

    fn answered(&mut self, message: &Incoming, code: &str) {
        let id = self.id;
        self.skip_chats();
        let Some((request, _)) = self.pending.front().copied() else {
            panic!("I11: client {id} has asked for nothing and got {message:?}");
        };
        let fits = self.fits(request, code, message);
        assert!(fits, "I11: client {id} asked for {request:?} and got {message:?}");
        if message.more {
            self.paging = true;
            return;
        }
        self.paging = false;
        self.last_was_bad = matches!(request, Request::Bad(_));
        self.pending.pop_front();
        self.follow(request, code, message);
    }

    /// Whether this is an answer to that, from where the client is.
    fn fits(&self, request: &Request, code: &str, message: &Incoming) -> bool {
        let place = if self.in_room { "already-in-room" } else { "not-in-room" };
        let has = |part: &str| message.text.contains(part);
        match request {
            Request::Rename(name) => match code {
                "name-taken" => true,
                "renamed" => {
                    message.seq.is_some() == self.in_room
                        && message.text == format!("{} is now called {name}.", self.name)
                }
                _ => false,
            },
            Request::Rooms => code == "rooms" && self.is_true_list(message),
            Request::Create(_) | Request::Join(_) if self.in_room => code == place,
            Request::Create(title) => {
                code == "limit-reached" || (code == "room-created" && has(&format!("\"{title}\"")))
            }
            Request::Join(room) => {
                (code == "room-entered" && message.room_id == Some(*room))
                    || (code == "no-such-room" && has(&format!(" {room}.")))
            }
            Request::Leave if self.in_room => {
                code == "room-left" && message.room_id == self.stays.last().map(|stay| stay.room)
            }
            Request::LongChat if self.in_room => code == "text-too-long",
            Request::Leave | Request::LongChat | Request::Chat { .. } => code == place,
            Request::Shutdown => code == "shutdown-refused",
            Request::Refused(expected) | Request::Bad(expected) => code == *expected,
        }
    }

    /// Whether a list has the room that the client is in, each room once and no room empty.
    fn is_true_list(&self, message: &Incoming) -> bool {
        let rooms = &message.rooms;
        let own = self.stays.last().filter(|_| self.in_room).map(|stay| stay.room);
        let lists_own = own.is_none_or(|own| {
            rooms.iter().any(|room| room.room_id == own && room.members.contains(&self.name))
        });
        rooms.is_sorted_by(|a, b| a.room_id < b.room_id)
            && rooms.iter().all(|r| r.member_count > 0 && r.members.len() == r.member_count.min(50))
            && (lists_own || message.more || self.paging)
    }

    fn follow(&mut self, request: &Request, code: &str, message: &Incoming) {
        match (request, code) {
            (Request::Rename(name), "renamed") => {
                self.name.clone_from(name);
                if let Some(stay) = self.stays.last_mut().filter(|_| self.in_room) {
                    stay.name.clone_from(name);
                }
            }
            (_, "room-created" | "room-entered") => {
                self.in_room = true;
                self.stays.push(Stay {
                    client: self.id,
                    room: message.room_id.expect("I11: the answer names the room"),
                    entered: message.seq.expect("I11: the answer has a number"),
                    left: None,
                    got: BTreeMap::new(),
                    said: Vec::new(),
                    name: self.name.clone(),
                    fate: Fate::Complete,
                });
            }
            (_, "room-left") => {
                self.in_room = false;
                let stay = self.stays.last_mut().expect("it was in a room");
                stay.left = message.seq;
                let last = stay.got.last_key_value().map_or(stay.entered, |(seq, _)| *seq);
                assert!(message.seq > Some(last), "I3: client {} left at {message:?}", self.id);
            }
            _ => {}
        }
    }

    /// Judges the end of the record.
    fn conclude(mut self, trace: &Trace) -> Story {
        let id = self.id;
        let end = trace.ended();
        if let Some(taken) = trace.taken_at_stop {
            // What was not taken before the stop is not accepted; all the less what is behind it.
            let accepted = self.pending.iter().take_while(|(_, end)| *end <= taken).count();
            self.pending.truncate(accepted);
        }
        self.skip_chats();
        let farewell = self.farewell.as_deref();
        let told_of_stop = farewell == Some("server-stopping");
        check_farewell(id, trace, farewell);
        if trace.session.is_none() {
            assert!(self.stays.is_empty(), "I7: client {id} was refused, and got more than that");
        }
        let (fate, all_answered) = match end {
            // One that never reads does not know.
            None => (if trace.dead { Fate::Cut } else { Fate::Complete }, !trace.dead),
            Some(End::Own | End::Reset) => (Fate::Cut, false),
            Some(End::Eof) if trace.partial => {
                panic!("I15: the stream of client {id} ended in the middle of a frame")
            }
            Some(End::Eof) if told_of_stop => (Fate::Complete, false),
            Some(End::Eof) if trace.session.is_none() => (Fate::Cut, false),
            Some(End::Eof) if farewell.is_some() => (Fate::Cut, false),
            Some(End::Eof) if self.finished => (Fate::UntilGone, !self.last_was_bad),
            Some(End::Eof) => {
                assert!(self.last_was_bad, "I5: client {id} was sent away for nothing");
                (Fate::UntilGone, false)
            }
        };
        assert!(!all_answered || self.pending.is_empty(), "I11: client {id}: {:?}", self.pending);
        if told_of_stop && !self.last_was_bad {
            let left = self.pending.iter().find(|(request, _)| **request != Request::Shutdown);
            assert_eq!(left, None, "I14: client {id} got no answer to what was accepted");
        }
        if trace.witness && trace.taken_at_stop.is_none() {
            assert!(!matches!(end, Some(End::Reset | End::Own)), "I13: witness {id} was cut off");
        }
        if self.in_room {
            self.stays.last_mut().expect("it is in a room").fate = fate;
        }
        Story { stays: self.stays, told_of_stop, cut: fate == Fate::Cut }
    }
}

/// Who reads to the end of its stream was told why it ended, if there is something to tell.
fn check_farewell(id: usize, trace: &Trace, told: Option<&str>) {
    let reasons = &trace.reasons;
    if reasons.is_empty() || (told.is_none() && trace.ended() != Some(End::Eof)) {
        return;
    }
    let fits = reasons.iter().any(|reason| farewell(*reason) == told);
    assert!(fits, "I5b: client {id} was told {told:?} where it was {reasons:?}");
}

fn chat_of(message: &Incoming) -> Heard {
    let id = message.text.split(' ').next().and_then(|id| id.split_once(':'));
    let parse = |(sender, number): (&str, &str)| {
        Some(Heard::Chat { sender: sender.parse().ok()?, number: number.parse().ok()? })
    };
    id.and_then(parse).unwrap_or_else(|| panic!("I7: nobody has said {:?}", message.text))
}
