//! Room lists taken in parts while rooms come and go.

use std::collections::BTreeSet;

use chat_core::{Command, Hub, HubLimits, Input, Role, RoomEntry, RoomId, SessionId, Title};

use crate::support::connect;
use proptest::prelude::*;

/// A step between two parts of a list: the person with this number makes a room or leaves its own.
type Step = usize;

const PEOPLE: usize = 40;

fn step(hub: &mut Hub, person: SessionId) {
    let title = Title::new("room").expect("a title");
    let command = hub.room_of(person).map_or(Command::Create(title), |_| Command::Leave);
    hub.apply(0, Input::Command { session: person, command }, &mut Vec::new());
}

fn ids(hub: &Hub) -> BTreeSet<u64> {
    hub.rooms_after(None).map(|room| room.room_id).collect()
}

proptest! {
    /// Across the parts, a room that exists throughout is listed exactly once, and any other room at most once, and
    /// only while it exists.
    #[test]
    fn s7_a_list_in_parts_has_each_room_once(
        before in prop::collection::vec(0..PEOPLE, 0..60),
        parts in prop::collection::vec((1_usize..8, prop::collection::vec(0..PEOPLE, 0..6)), 1..20),
    ) {
        let mut hub = Hub::new(HubLimits::default());
        let people: Vec<_> = (0..PEOPLE).map(|_| connect(&mut hub, Role::Guest)).collect();
        before.iter().for_each(|&n: &Step| step(&mut hub, people[n]));
        let (mut always, mut listed, mut after) = (ids(&hub), Vec::new(), None);
        for (len, steps) in &parts {
            let part: Vec<_> = hub.rooms_after(after).take(*len).map(RoomEntry::into_owned).collect();
            let now = ids(&hub);
            prop_assert!(part.iter().all(|room| now.contains(&room.room_id)));
            listed.extend(part.iter().map(|room| room.room_id));
            after = listed.last().map(|&room| RoomId::new(room).expect("above 0"));
            steps.iter().for_each(|&n| step(&mut hub, people[n]));
            always.retain(|room| ids(&hub).contains(room));
        }
        listed.extend(hub.rooms_after(after).map(|room| room.room_id));
        prop_assert!(listed.is_sorted_by(|a, b| a < b), "{:?}", listed);
        prop_assert!(always.iter().all(|room| listed.contains(room)), "{:?} {:?}", always, listed);
    }
}
