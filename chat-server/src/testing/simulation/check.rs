//! All records together against the invariants: the rooms as their members saw them.

use std::collections::{BTreeMap, BTreeSet};

use crate::testing::simulation::replay::{Fate, Heard, Stay, replay};
use crate::testing::simulation::trace::End;
use crate::testing::simulation::world::Run;

/// The most turns that a chat takes from one witness to the other: to be read in pieces, and to be
/// told of among others.
const MOST_TURNS: u64 = 40;

/// Checks a run. Panics with the number of an invariant that it breaks.
pub(super) fn check(run: &Run) {
    let wait = run.longest_wait;
    assert!(wait <= MOST_TURNS, "I13: a witness waited {wait} turns for what another one said");
    let mut rooms = BTreeMap::<u64, Vec<Stay>>::new();
    let mut cut = BTreeSet::new();
    for (id, trace) in run.traces.iter().enumerate() {
        let story = replay(id, trace);
        if run.stopped && trace.witness {
            assert!(story.told_of_stop, "I14: witness {id} was not told of the stop");
            assert_eq!(trace.ended(), Some(End::Eof), "I14: witness {id} got no clean end");
        }
        if story.cut {
            cut.insert(id);
        }
        for stay in story.stays {
            rooms.entry(stay.room).or_default().push(stay);
        }
    }
    for stays in rooms.values() {
        check_room(stays, &cut);
    }
}

fn check_room(stays: &[Stay], cut: &BTreeSet<usize>) {
    let mut log = BTreeMap::<u64, &Heard>::new();
    for stay in stays {
        for (seq, heard) in &stay.got {
            let known = *log.entry(*seq).or_insert(heard);
            assert_eq!(known, heard, "I2: number {seq} of room {} is two things", stay.room);
        }
    }
    let own: Vec<_> = stays.iter().map(place_own).collect();
    check_chats(&log, stays, cut);
    for (stay, own) in stays.iter().zip(&own) {
        check_own(&log, stays, stay, own);
        check_complete(&log, stay, own);
    }
}

/// Finds the numbers that a member's own chats have: those that it did not get.
fn place_own(stay: &Stay) -> BTreeMap<u64, u64> {
    let Stay { client, room, .. } = stay;
    let last = stay.got.last_key_value().map_or(stay.entered, |(seq, _)| *seq);
    let end = stay.left.unwrap_or(last + 1);
    let holes: Vec<_> = (stay.entered + 1..end).filter(|seq| !stay.got.contains_key(seq)).collect();
    let (missing, said) = (holes.len(), stay.said.len());
    let rule = if stay.fate == Fate::Cut { "I5b" } else { "I5" };
    assert!(missing <= said, "{rule}: client {client} missed some of room {room}: {holes:?}");
    if stay.left.is_some() {
        assert_eq!(missing, said, "I6: client {client} said that many in room {room}");
    }
    holes.into_iter().zip(stay.said.iter().copied()).collect()
}

/// Each chat was said in that room, and stands there once.
fn check_chats(log: &BTreeMap<u64, &Heard>, stays: &[Stay], cut: &BTreeSet<usize>) {
    let said: BTreeSet<_> = stays
        .iter()
        .flat_map(|stay| stay.said.iter().map(|number| (stay.client, *number)))
        .collect();
    let mut seen = BTreeSet::new();
    for (seq, heard) in log {
        if let Heard::Chat { sender, number } = heard {
            let is_new = seen.insert((*sender, *number));
            assert!(is_new, "I6: {sender}:{number} stands twice, the second time as {seq}");
            let in_room = said.contains(&(*sender, *number));
            let unaware = cut.contains(sender);
            assert!(in_room || unaware, "I7: {sender}:{number} was not said in this room");
        }
    }
}

/// What a member said was heard by the others under the numbers that the member did not get, and in
/// the order in which it was said.
fn check_own(log: &BTreeMap<u64, &Heard>, stays: &[Stay], stay: &Stay, own: &BTreeMap<u64, u64>) {
    let sender = stay.client;
    for (seq, number) in own {
        let number = *number;
        if let Some(heard) = log.get(seq) {
            let expected = Heard::Chat { sender, number };
            assert_eq!(**heard, expected, "I5: client {sender} did not get {seq}");
        }
    }
    if stay.left.is_some() || stay.fate != Fate::Complete {
        return;
    }
    let last = stay.got.last_key_value().map_or(stay.entered, |(seq, _)| *seq);
    let heard_by_all = stays.iter().any(|other| {
        other.client != sender
            && other.fate == Fate::Complete
            && other.left.is_none()
            && other.entered <= last
    });
    let heard: BTreeSet<_> = log.values().collect();
    let is_heard = |number: u64| heard.contains(&&Heard::Chat { sender, number });
    let trailing = &stay.said[own.len()..];
    let count = trailing.iter().take_while(|number| is_heard(**number)).count();
    let later = trailing[count..].iter().find(|number| is_heard(**number));
    assert!(later.is_none(), "I6: {sender}:{later:?} was heard, one before it was not");
    if heard_by_all {
        assert_eq!(count, trailing.len(), "I6: a chat of client {sender} was lost");
    }
}

/// A member that was there to the end, or until it was gone, got everything but its own.
fn check_complete(log: &BTreeMap<u64, &Heard>, stay: &Stay, own: &BTreeMap<u64, u64>) {
    if stay.fate == Fate::Cut || stay.left.is_some() {
        return;
    }
    let client = stay.client;
    let gone = Heard::Notice("member-left".to_owned(), format!("{} left.", stay.name));
    let last = stay.got.last_key_value().map_or(stay.entered, |(seq, _)| *seq);
    for (seq, heard) in log.range(stay.entered + 1..) {
        // Nobody may have heard that it was gone: then nobody has heard that number.
        let unheard = *seq > last && *seq > stay.entered + 1 && !log.contains_key(&(seq - 1));
        if stay.fate == Fate::UntilGone && (**heard == gone || unheard) {
            return;
        }
        let is_own = own.contains_key(seq)
            || matches!(heard, Heard::Chat { sender, .. } if *sender == client);
        let room = stay.room;
        assert!(
            is_own || stay.got.contains_key(seq),
            "I5: client {client} did not get {seq} of room {room}: {heard:?}"
        );
    }
}
