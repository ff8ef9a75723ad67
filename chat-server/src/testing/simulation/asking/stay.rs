//! What a person knows of one stay in a room.

use std::collections::BTreeMap;
use std::ops::Range;

use chat_testing::Event;
use serde_json::Value;

use crate::testing::simulation::asking::event;

/// A stay in a room, as its member knows it.
#[derive(Debug)]
pub(super) struct Stay {
    pub(super) room: u64,
    /// The number of the entry: the member gets what follows.
    pub(super) from: u64,
    /// The number of the leave, if the member knows it.
    pub(super) end: Option<u64>,
    /// Whether the stay has ended, as far as the member knows.
    pub(super) is_over: bool,
    /// What the member has received, in history or live, and what it is known to have said.
    pub(super) known: BTreeMap<u64, Event>,
    /// What the server has said to be missing.
    gaps: Vec<Range<u64>>,
    /// Where what the server has said to follow begins, if the member cannot ask for it: it ends with the next
    /// broadcast.
    rest: Option<u64>,
    /// Whether the member does not know since when it is there, and may not have been told of an earlier leave.
    pub(super) is_guess: bool,
    /// Whether it does not know either where its history begins.
    pub(super) is_vague: bool,
    /// Whether the member has asked for the rest of a history.
    pub(super) is_asking: bool,
    /// The number up to which the stay is complete.
    pub(super) head: u64,
}

/// The part of a history that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    After(u64),
    /// What the server does not know the member to have.
    Unseen,
    Before(u64),
    Last(u64),
}

impl Stay {
    pub(super) fn new(room: u64, from: u64) -> Self {
        let (known, gaps) = (BTreeMap::new(), Vec::new());
        Self {
            room,
            from,
            end: None,
            is_over: false,
            known,
            gaps,
            rest: None,
            is_guess: false,
            is_vague: false,
            is_asking: false,
            head: from,
        }
    }

    /// A stay of which the member has not been told, and that it knows from this history on.
    pub(super) fn beginning(room: u64, history: &Value) -> Self {
        let from = history["from"].as_u64().expect("I17: a history has a beginning");
        let mut stay = Self::new(room, from - 1);
        stay.is_guess = true;
        if history["gap"] == true {
            stay.gaps.push(1..from);
        }
        stay
    }

    /// The number up to which the member knows everything, or that it is missing.
    pub(super) fn mark(&self) -> u64 {
        let mut mark = self.from;
        loop {
            let next = mark + 1;
            match self.gaps.iter().find(|gap| gap.contains(&next)) {
                Some(gap) => mark = gap.end - 1,
                None if self.known.contains_key(&next) => mark = next,
                None => return mark,
            }
        }
    }

    /// What to ask for after a cut. `may_trust` says whether the server may decide what was received.
    pub(super) fn wanted(&self, may_trust: bool) -> Part {
        let mark = self.mark();
        let is_whole = mark == self.last() && !self.is_asking;
        if self.is_vague || (may_trust && is_whole) { Part::Unseen } else { Part::After(mark) }
    }

    /// The highest number that the member knows something of.
    pub(super) fn last(&self) -> u64 {
        self.known.last_key_value().map_or(self.from, |(seq, _)| *seq).max(self.from)
    }

    /// Numbers of the stay that the member knows nothing of.
    pub(super) fn missing(&self) -> impl Iterator<Item = u64> + '_ {
        let end = self.end.map_or(self.head.max(self.last()), |end| end - 1);
        let is_known = !self.is_vague && !self.is_asking;
        (self.from + 1..=end).filter(move |seq| is_known && !self.tells(*seq))
    }

    /// Whether the member knows this number, or that it is missing.
    pub(super) fn tells(&self, seq: u64) -> bool {
        self.known.contains_key(&seq)
            || self.gaps.iter().any(|gap| gap.contains(&seq))
            || self.rest.is_some_and(|rest| rest <= seq)
    }

    /// Notes that the server has said everything up to `head`.
    pub(super) fn ends_at(&mut self, head: u64) {
        if let Some(rest) = self.rest.take() {
            self.gaps.push(rest..head + 1);
        }
        self.head = self.head.max(head);
    }

    /// Notes what the member has just received.
    pub(super) fn hear(&mut self, id: usize, seq: u64, heard: Event) {
        let Self { room, from, .. } = *self;
        let last = self.last();
        assert!(seq > last, "I2: {id} got {seq} of room {room} after {last}, entered at {from}");
        let is_own = matches!(heard, Event::Chat { sender, .. } if sender == id);
        assert!(!is_own, "I4: {id} got its own chat {seq} of room {room}");
        if let Some(rest) = self.rest.take() {
            self.gaps.push(rest..seq);
        }
        self.learn(id, seq, heard);
    }

    /// Notes what is known of a number.
    pub(super) fn learn(&mut self, id: usize, seq: u64, event: Event) {
        let room = self.room;
        if let Some(known) = self.known.get(&seq) {
            assert!(*known == event, "I17: {id} knows {seq} of {room} as {known:?} and {event:?}");
        }
        self.known.insert(seq, event);
    }

    /// Reads an `SCHistory`. Returns the number after which there is more to ask for.
    pub(super) fn read(&mut self, id: usize, part: Part, history: &Value) -> Option<u64> {
        let number =
            |key: &str| history[key].as_u64().unwrap_or_else(|| panic!("I17: {id} got {history}"));
        let (from, to) = (number("from"), number("to"));
        let (more, gap) = (history["more"] == true, history["gap"] == true);
        let events = history["events"].as_array().expect("I17: a history has events");
        assert_eq!(events.len() as u64, to + 1 - from, "I17: {id} got {history}");
        for (seq, told) in (from..).zip(events) {
            let is_dated = told["at"].is_u64() && told["seq"] == seq;
            assert!(is_dated, "I17: {id} got {told} as {seq} of {}", self.room);
            self.learn(id, seq, event(told));
        }
        let about = || format!("{id} asked room {} for {part:?} and got {history}", self.room);
        let after = match part {
            Part::After(after) => after,
            Part::Unseen => self.mark().min(from - 1),
            Part::Before(before) => {
                assert!(to < before || events.is_empty(), "I17: {}", about());
                return None;
            }
            Part::Last(most) => {
                assert!(events.len() as u64 <= most, "I17: {}", about());
                return None;
            }
        };
        let is_exact = from <= after + 1;
        assert!(is_exact != gap || part == Part::Unseen, "I17: {}", about());
        if gap {
            self.gaps.push(after + 1..from);
        }
        if !more {
            self.head = self.head.max(to);
        }
        more.then_some(to)
    }

    /// Notes the number from which on the rest of a history is not asked for, if there is a rest.
    pub(super) fn leave_out(&mut self, from: Option<u64>) {
        self.rest = from;
    }
}
