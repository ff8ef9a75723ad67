//! Lists of rooms over many pages: whatever happens between two lists, each has every room and member of its
//! time, and never changes.
//!
//! A failure prints the shortest failing sequence it has found, and the seed that runs it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use chat_core::{Command, Hub, HubLimits, Name, Output, Role, RoomEntry, RoomId, RoomList};
use chat_core::{SessionId, Title};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::support::config;

/// What some people do, one after the other. The bounds of a stretch are in thousandths of all people; within
/// it, every `step`th person acts.
#[derive(Debug, Clone)]
enum Act {
    Connect { count: usize },
    Create(Stretch),
    Join(Stretch, u64),
    Leave(Stretch),
    Rename(Stretch),
    Disconnect(Stretch),
    List,
}

#[derive(Debug, Clone)]
struct Stretch {
    from: usize,
    to: usize,
    step: usize,
}

fn act() -> impl Strategy<Value = Act> {
    let near = (0..1000usize, 0..10usize, Just(1)).prop_map(|(from, len, step)| (from, len, step));
    let wide = (0..1000usize, 0..1000usize, 1..5usize);
    let stretch =
        || {
            prop_oneof![3 => near.clone(), 1 => wide.clone()]
                .prop_map(|(from, len, step)| Stretch { from, to: (from + len).min(1000), step })
        };
    prop_oneof![
        2 => (0..600usize).prop_map(|count| Act::Connect { count }),
        4 => stretch().prop_map(Act::Create),
        3 => (stretch(), 0..1000u64).prop_map(|(who, room)| Act::Join(who, room)),
        2 => stretch().prop_map(Act::Leave),
        2 => stretch().prop_map(Act::Rename),
        1 => stretch().prop_map(Act::Disconnect),
        8 => Just(Act::List),
    ]
}

/// A hub, the people connected to it, and the title of every room.
struct Tested {
    hub: Hub,
    people: Vec<SessionId>,
    titles: BTreeMap<RoomId, Title>,
    names: u64,
}

impl Tested {
    fn new() -> Self {
        let hub = Hub::new(HubLimits::default());
        Self { hub, people: Vec::new(), titles: BTreeMap::new(), names: 0 }
    }

    fn ask(&mut self, who: SessionId, command: Command) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.hub.handle(who, command, &mut outputs);
        outputs
    }

    fn of(&self, who: &Stretch) -> Vec<SessionId> {
        let place = |part| part * self.people.len() / 1000;
        self.people[place(who.from)..place(who.to)].iter().copied().step_by(who.step).collect()
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Connect { count } => {
                self.people.extend((0..*count).map(|_| self.hub.connect(Role::Guest)));
            }
            Act::Create(who) => self.of(who).into_iter().for_each(|who| self.create(who)),
            Act::Join(who, room) => {
                let room = RoomId::new(room * self.titles.len() as u64 / 1000 + 1);
                let join = Command::Join(room.expect("above 0"));
                self.of(who).into_iter().for_each(|who| drop(self.ask(who, join.clone())));
            }
            Act::Leave(who) => {
                self.of(who).into_iter().for_each(|who| drop(self.ask(who, Command::Leave)));
            }
            Act::Rename(who) => self.of(who).into_iter().for_each(|who| {
                self.names += 1;
                let name = Name::new(&format!("ann {}", self.names)).expect("a name");
                self.ask(who, Command::Rename(name));
            }),
            Act::Disconnect(who) => {
                let gone = self.of(who);
                gone.iter().for_each(|who| self.hub.disconnect(*who, &mut Vec::new()));
                self.people.retain(|who| !gone.contains(who));
            }
            Act::List => {}
        }
    }

    fn create(&mut self, who: SessionId) {
        if self.hub.room_of(who).is_none() {
            let title = Title::new(&format!("room of {who}")).expect("a title");
            self.ask(who, Command::Create(title.clone()));
            self.titles.insert(self.hub.room_of(who).expect("it made a room"), title);
        }
    }

    fn list(&mut self) -> RoomList {
        let asker = self.hub.connect(Role::Guest);
        let outputs = self.ask(asker, Command::Rooms);
        self.hub.disconnect(asker, &mut Vec::new());
        let [Output::Rooms { rooms, .. }] = &outputs[..] else { panic!("a list is one output") };
        rooms.clone()
    }

    /// Makes the list by visiting every room and member.
    fn plain_list(&self) -> Vec<RoomEntry> {
        let name = |who| self.hub.name(who).expect("a member is connected");
        let entry = |(&room, title): (&RoomId, &Title)| {
            let count = self.hub.members(room).count();
            let members = self.hub.members(room).take(50).map(name);
            (count > 0).then(|| RoomEntry::new(room, title, members, count))
        };
        self.titles.iter().filter_map(entry).collect()
    }
}

fn is_of(list: &RoomList, plain: &[RoomEntry]) -> bool {
    list.len() == plain.len()
        && list.is_empty() == plain.is_empty()
        && list.iter().map(|room| &**room).eq(plain)
}

#[test]
fn any_list_is_the_plain_one_and_stays_it() {
    let config = config(48);
    let seed = config.rng_seed;
    let sequences = (prop::collection::vec(act(), 1..40), 0..2000usize);
    let result = TestRunner::new(config).run(&sequences, |(acts, skip)| {
        let mut tested = Tested::new();
        let mut held = Vec::new();
        tested.act(&Act::Connect { count: 1000 });
        for act in &acts {
            tested.act(act);
            tested.hub.check_invariants();
            if matches!(act, Act::List) {
                let (list, plain) = (tested.list(), tested.plain_list());
                prop_assert!(is_of(&list, &plain), "{} rooms, not {}", list.len(), plain.len());
                prop_assert!(
                    list.iter().skip(skip).map(|room| &**room).eq(plain.iter().skip(skip))
                );
                held.push((list, plain));
            }
        }
        for (list, plain) in &held {
            prop_assert!(is_of(list, plain), "an old list has changed");
        }
        Ok(())
    });
    result.unwrap_or_else(|e| panic!("{e}\nPROPTEST_RNG_SEED={seed} runs it again"));
}

#[test]
fn lists_are_the_same_when_their_rooms_are() {
    let mut tested = Tested::new();
    tested.act(&Act::Connect { count: 600 });
    tested.act(&Act::Create(Stretch { from: 0, to: 1000, step: 1 }));
    let list = tested.list();
    assert_eq!(list, list.iter().cloned().collect());
    assert_ne!(list, list.iter().skip(1).cloned().collect());
    assert_ne!(list, list.iter().skip(1).chain(list.iter().take(1)).cloned().collect());
}

/// The rooms in the last list are freed even if nobody asks for another after a crowd has left.
#[test]
fn the_entries_of_closed_rooms_are_given_back_without_another_list() {
    let mut tested = Tested::new();
    tested.act(&Act::Connect { count: 1000 });
    tested.act(&Act::Create(Stretch { from: 0, to: 1000, step: 1 }));
    let entries: Vec<_> = tested.list().iter().map(Arc::downgrade).collect();
    let held = || entries.iter().filter(|entry| entry.strong_count() > 0).count();
    assert_eq!(held(), 1000, "for the next list");
    tested.act(&Act::Leave(Stretch { from: 0, to: 990, step: 1 }));
    assert!(held() <= 20, "{} entries of 10 rooms", held());
    tested.act(&Act::Leave(Stretch { from: 990, to: 1000, step: 1 }));
    assert_eq!(held(), 0);
}
