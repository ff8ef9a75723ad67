//! Checks what those who said hello know, after the run: against each other, and against what the others received.

use std::collections::BTreeMap;

use chat_testing::{Checker, Event};

use crate::testing::simulation::asking::Person;

/// The room of the third witness, who receives everything that is said there.
const WITNESSED: u64 = 2;

/// What is known of all rooms.
#[derive(Default)]
struct Truth {
    events: BTreeMap<(u64, u64), Event>,
    /// Where each chat is.
    chats: BTreeMap<(usize, u64), (u64, u64)>,
}

/// Checks a run. Panics with the number of the violated invariant.
pub(in crate::testing::simulation) fn check(
    people: &[Person],
    checker: &Checker,
    rooms: &[u64],
    stopped: bool,
) {
    let mut truth = Truth::default();
    for &room in rooms {
        for (seq, event) in checker.order(room) {
            truth.add(room, seq, event, "I17");
        }
    }
    for person in people {
        for stay in &person.stays {
            for (&seq, event) in &stay.known {
                truth.add(stay.room, seq, event, "I17");
            }
        }
        for said in person.acknowledged.values() {
            truth.add(said.room, said.seq, &said.event, "I18");
        }
    }
    for person in people {
        truth.check_completeness(person);
        truth.check_beginnings(person);
        truth.check_silence(person, stopped);
    }
}

impl Truth {
    fn add(&mut self, room: u64, seq: u64, event: &Event, rule: &str) {
        let at = (room, seq);
        let known = self.events.entry(at).or_insert_with(|| event.clone());
        assert!(known == event, "{rule}: {seq} of room {room} is {known:?} and {event:?}");
        if let Event::Chat { sender, number, .. } = *event {
            let other = *self.chats.entry((sender, number)).or_insert(at);
            assert!(other == at, "I18: {sender}:{number} was said twice, as {other:?} and {at:?}");
        }
    }

    /// Checks that a person knows everything of its stays, or that it is missing, but what it said itself.
    fn check_completeness(&self, person: &Person) {
        let id = person.id;
        let mut unknown = 0;
        for stay in &person.stays {
            for seq in stay.missing() {
                let event = self.events.get(&(stay.room, seq));
                let is_own =
                    event.is_none_or(|e| matches!(e, Event::Chat { sender, .. } if *sender == id));
                assert!(is_own, "I17: {id} does not know {seq} of room {}, {event:?}", stay.room);
                unknown += 1;
            }
        }
        let said = person.unknown;
        assert!(unknown <= said, "I17: {id} said {said} chats, and does not know {unknown}");
    }

    /// Checks that a person that was not told of its entry to a room knows what was said since.
    fn check_beginnings(&self, person: &Person) {
        let id = person.id;
        let came = |event: &Event| {
            let is_name =
                |name| Event::Notice(format!("member-entered: {name} came in.")) == *event;
            person.names.iter().any(is_name)
        };
        let is_own = |event: &Event| matches!(event, Event::Chat { sender, .. } if *sender == id);
        for stay in person.stays.iter().filter(|stay| stay.is_guess && !stay.is_vague) {
            let before = self.events.range((stay.room, 0)..=(stay.room, stay.from)).rev();
            let since: Vec<_> = before.clone().take_while(|(_, event)| !came(event)).collect();
            if since.len() == before.count() {
                // It made the room, or nobody has told of its entry.
                continue;
            }
            for (&(room, seq), event) in since {
                let mut stays = person.stays.iter().filter(|stay| stay.room == room);
                let is_known = is_own(event) || stays.any(|stay| stay.tells(seq));
                assert!(is_known, "I17: {id} was not told of {seq} of room {room}, {event:?}");
            }
        }
    }

    /// Checks that nobody was told of a person that its session was kept, and everybody when it ended.
    fn check_silence(&self, person: &Person, stopped: bool) {
        let id = person.id;
        for stay in person.stays.iter().filter(|stay| !stay.is_guess) {
            let told = |code: &str, what: &str| {
                let notices = person.names.iter().map(move |name| format!("{code}: {name} {what}"));
                notices.map(Event::Notice).collect::<Vec<_>>()
            };
            let (left, came) = (told("member-left", "left."), told("member-entered", "came in."));
            let end = stay.end.unwrap_or_else(|| stay.head.max(stay.last()) + 1);
            let during = self.events.range((stay.room, stay.from + 1)..(stay.room, end));
            for (at, event) in during {
                let is_told = left.contains(event) || came.contains(event);
                assert!(!is_told, "I20: {id} was there, and {event:?} was said at {at:?}");
            }
            let after = self.events.range((stay.room, end)..(stay.room + 1, 0));
            let count = after.take_while(|(_, event)| !came.contains(event));
            let count = count.filter(|(_, event)| left.contains(event)).count();
            assert!(count <= 1, "I20: {id} left {count} times");
            let is_witnessed = stay.room == WITNESSED && !stopped && person.is_gone;
            assert!(count == 1 || !is_witnessed, "I20: {id} is gone, and nobody was told");
        }
    }
}
