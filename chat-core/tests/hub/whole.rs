//! The whole of a hub, whatever has happened to it: its hash, and its snapshot.

use std::cell::Cell;

use chat_core::{
    Command, EmptyRoom, Hub, HubLimits, Input, Name, OperatorText, Output, RestoreError, Role,
    RoomId, SessionId, Snapshot, Text, Title,
};
use chat_proto::extended::{
    Ask, Feature, Features, Request, RequestId, Resume, ResumeToken, Since,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::config;

/// Few enough rooms to reach the limit.
const ROOMS: usize = 3;

fn session() -> impl Strategy<Value = SessionId> {
    let session = |number: u64| serde_json::from_value(number.into()).expect("a session");
    (1..=8_u64).prop_map(session)
}

fn room() -> impl Strategy<Value = RoomId> {
    (1..=6_u64).prop_map(|room| RoomId::new(room).expect("above 0"))
}

fn token() -> impl Strategy<Value = ResumeToken> {
    (0..=5_u8).prop_map(|byte| ResumeToken::new([byte; 16]))
}

fn command() -> impl Strategy<Value = Command> {
    let names = ["ann", "ANN", "bob", "user2", "User3", "server", "νικος"];
    prop_oneof![
        8 => select(vec!["hi", "안녕\n\"you\""]).prop_map(|text| Command::Chat(Text::new(text).expect("a text"))),
        4 => select(names.to_vec()).prop_map(|name| Command::Rename(Name::new(name).expect("a name"))),
        1 => Just(Command::Rooms),
        4 => select(vec!["tea", "방"]).prop_map(|title| Command::Create(Title::new(title).expect("a title"))),
        6 => room().prop_map(Command::Join),
        4 => Just(Command::Leave),
        1 => Just(Command::Shutdown),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        10 => command().prop_map(Ask::Command),
        2 => room().prop_map(|room| Ask::Join { room, since: Since::Last(3) }),
        1 => room().prop_map(|room| Ask::History { room, since: Since::After(1), limit: 2 }),
        1 => proptest::option::of(room()).prop_map(Ask::Members),
        1 => Just(Ask::Ping),
        1 => Just(Ask::Quit),
    ]
}

fn request() -> impl Strategy<Value = Box<Request>> {
    let id = select(vec!["1", "2", "3"]).prop_map(|id| RequestId::new(id).expect("an id"));
    let ask = prop_oneof![
        9 => ask().prop_map(Ok),
        1 => Just(Err(chat_core::Rejection::Missing(chat_core::Field::Text))),
    ];
    (proptest::option::of(id), ask).prop_map(|(id, ask)| Box::new(Request { id, ask }))
}

fn greet() -> impl Strategy<Value = Input> {
    let features = prop_oneof![
        4 => Just(Features::all()),
        1 => Just(Features::NONE.with(Feature::Ack)),
    ];
    let resume = (proptest::option::of(token()), Just(Some(1)), proptest::option::of(room()));
    let resume = resume.prop_map(|(token, after, room)| Resume { token, after, room });
    let (token, resume) = (proptest::option::of(token()), proptest::option::of(resume));
    (session(), features, token, resume).prop_map(|(session, features, token, resume)| {
        Input::Greet { session, features, token, resume }
    })
}

fn input() -> impl Strategy<Value = Input> {
    let text = OperatorText::new("공지").expect("a text");
    let names =
        prop_oneof!["bob".prop_map(|name| name.parse().expect("names")), Just(Default::default())];
    let announced = text.clone();
    prop_oneof![
        4 => select(vec![Role::Guest, Role::Operator]).prop_map(|role| Input::Connect { role }),
        12 => (session(), command()).prop_map(|(session, command)| Input::Command { session, command }),
        12 => (session(), request()).prop_map(|(session, request)| Input::Request { session, request }),
        6 => greet(),
        1 => session().prop_map(|session| Input::Detach { session }),
        2 => session().prop_map(|session| Input::Disconnect { session }),
        1 => room().prop_map(move |room| Input::Announce { room, text: announced.clone() }),
        1 => Just(Input::AnnounceToAll { text }),
        1 => names.prop_map(|names| Input::ReserveNames { names }),
        1 => room().prop_map(|room| Input::CloseRoom { room }),
    ]
}

/// Limits, and inputs with their times, which may be the same or go back.
fn inputs() -> impl Strategy<Value = (HubLimits, Vec<(u64, Input)>)> {
    let limits = any::<bool>()
        .prop_map(|lasting| HubLimits::new().with_rooms(ROOMS).with_lasting_rooms(lasting));
    (limits, proptest::collection::vec((1..=5_u64, input()), 1..=80))
}

fn apply(hub: &mut Hub, now: u64, input: &Input) -> Vec<Output> {
    let mut outputs = Vec::new();
    hub.apply(now, input.clone(), &mut outputs);
    hub.check_invariants();
    outputs
}

/// What a snapshot is in a file.
fn to_json(hub: &Hub) -> Value {
    serde_json::to_value(hub.snapshot()).expect("a snapshot can be written")
}

fn from_json(limits: HubLimits, json: Value) -> Result<Hub, String> {
    let snapshot: Snapshot = serde_json::from_value(json).map_err(|error| error.to_string())?;
    Hub::restore(limits, snapshot).map_err(|error| error.to_string())
}

#[test]
fn the_same_inputs_lead_to_the_same_outputs_and_the_same_hash() {
    let (hashes, changed) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(config(128));
    let result = runner.run(&inputs(), |(limits, inputs)| {
        let (mut one, mut other) = (Hub::new(limits), Hub::new(limits));
        for (now, input) in &inputs {
            let before = (one.hash(), to_json(&one));
            let json = serde_json::to_string(input).expect("an input can be written");
            let read: Input = serde_json::from_str(&json).expect("and read back");
            prop_assert_eq!(&read, input);
            prop_assert_eq!(apply(&mut one, *now, input), apply(&mut other, *now, &read));
            prop_assert_eq!(one.hash(), other.hash());
            // What changes the state changes the hash, and nothing else does.
            prop_assert_eq!(one.hash() == before.0, to_json(&one) == before.1);
            hashes.set(hashes.get() + 1);
            changed.set(changed.get() + u32::from(one.hash() != before.0));
        }
        Ok(())
    });
    result.expect("for all inputs");
    let (all, changed) = (hashes.get(), changed.get());
    assert!((all / 10..all).contains(&changed), "{changed} of {all} inputs change something");
}

#[test]
fn a_hub_goes_on_from_its_snapshot_as_if_nothing_had_happened() {
    let mut runner = TestRunner::new(config(128));
    let result = runner.run(&(inputs(), 0..=80_usize), |((limits, inputs), at)| {
        let mut hub = Hub::new(limits);
        let (before, after) = inputs.split_at(at.min(inputs.len()));
        for (now, input) in before {
            apply(&mut hub, *now, input);
        }
        let json = to_json(&hub);
        let mut restored = from_json(limits, json.clone()).expect("a snapshot can be restored");
        restored.check_invariants();
        prop_assert_eq!(restored.hash(), hub.hash());
        prop_assert_eq!(to_json(&restored), json);
        for session in hub.sessions() {
            prop_assert_eq!(hub.is_resumable(session), restored.is_resumable(session));
        }
        for (now, input) in after {
            prop_assert_eq!(apply(&mut hub, *now, input), apply(&mut restored, *now, input));
            prop_assert_eq!(restored.hash(), hub.hash());
        }
        Ok(())
    });
    result.expect("for all inputs");
}

/// The values in a document that are not objects or lists.
fn leaves(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Array(items) => items.iter_mut().flat_map(leaves).collect(),
        Value::Object(fields) => fields.values_mut().flat_map(leaves).collect(),
        leaf => vec![leaf],
    }
}

/// Damages a document in one place.
fn damage(document: &mut Value, place: usize, kind: u8) {
    if kind >= 5
        && let Some(Value::Array(items)) = document.get_mut(["rooms", "sessions"][place % 2])
        && !items.is_empty()
    {
        let (item, other) = (place % items.len(), place / 7 % items.len());
        match kind {
            5 => drop(items.remove(item)),
            6 => items.push(items[item].clone()),
            _ => items.swap(item, other),
        }
        return;
    }
    let mut leaves = leaves(document);
    let (count, other) = (leaves.len(), leaves[place * 31 % leaves.len()].clone());
    let leaf = &mut *leaves[place % count];
    *leaf = match kind {
        0 => json!(0),
        1 => json!(u64::MAX),
        2 => Value::Null,
        3 => leaf.as_u64().map_or(json!("ann"), |number| json!(number + 1)),
        _ => other,
    };
}

#[test]
fn a_damaged_snapshot_is_refused_or_makes_a_hub_that_works() {
    let (refused, accepted) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(config(512));
    let places = proptest::collection::vec((0..1000_usize, 0..=7_u8), 1..=2);
    let result = runner.run(&(inputs(), inputs(), places), |((limits, before), more, places)| {
        let mut hub = Hub::new(limits);
        before.iter().for_each(|(now, input)| drop(apply(&mut hub, *now, input)));
        let mut document = to_json(&hub);
        for (place, kind) in places {
            damage(&mut document, place, kind);
        }
        match from_json(limits, document) {
            Err(_) => refused.set(refused.get() + 1),
            Ok(mut hub) => {
                hub.check_invariants();
                more.1.iter().for_each(|(now, input)| drop(apply(&mut hub, *now, input)));
                accepted.set(accepted.get() + 1);
            }
        }
        Ok(())
    });
    result.expect("for all snapshots");
    assert!(refused.get() > 50 && accepted.get() > 10, "{} and {}", refused.get(), accepted.get());
}

/// Recordings hold hashes: another version of the program that has the same rules must come to the same.
#[test]
fn the_hash_of_a_hub_is_the_same_in_every_version() {
    let inputs = r#"[
        {"reserveNames": {"names": ["boss"]}},
        {"connect": {"role": "guest"}},
        {"connect": {"role": "operator"}},
        {"command": {"session": 1, "command": {"type": "CSName", "name": "Ann"}}},
        {"command": {"session": 1, "command": {"type": "CSCreateRoom", "title": "차"}}},
        {"greet": {"session": 2, "features": ["ack", "resume"], "token": "000102030405060708090a0b0c0d0e0f", "resume": null}},
        {"request": {"session": 2, "request": {"id": null, "ask": {"Ok": {"command": {"type": "CSJoinRoom", "roomId": 1}}}}}},
        {"request": {"session": 2, "request": {"id": "x", "ask": {"Ok": {"command": {"type": "CSChat", "text": "안녕"}}}}}},
        {"connect": {"role": "guest"}},
        {"greet": {"session": 3, "features": ["resume"], "token": "0f0e0d0c0b0a09080706050403020100", "resume": {"token": "000102030405060708090a0b0c0d0e0f", "after": 1}}}
    ]"#;
    let mut hub = Hub::new(HubLimits::new());
    for input in serde_json::from_str::<Vec<Input>>(inputs).expect("inputs") {
        apply(&mut hub, 1_700_000_000_000, &input);
    }
    assert_eq!(hub.seq(RoomId::FIRST), Some(2));
    assert_eq!(hub.hash(), 17_987_626_863_530_482_091);
}

#[test]
fn rooms_can_be_restored_without_sessions() {
    let room = |id, seq, empty_since| EmptyRoom {
        id: RoomId::new(id).expect("above 0"),
        title: Title::new("tea").expect("a title"),
        seq,
        empty_since,
    };
    let limits = HubLimits::new().with_rooms(2).with_lasting_rooms(true);
    let stored = [room(7, 70, 3), room(4, 40, 1), room(5, 50, 2)];
    let snapshot = Snapshot::of_rooms(stored.clone(), RoomId::FIRST);
    let mut hub = Hub::restore(limits, snapshot).expect("it can be restored");
    hub.check_invariants();
    let listed: Vec<_> = hub.rooms_after(None).map(|room| room.room_id).collect();
    assert_eq!(listed, [5, 7], "the one that has been empty the longest is beyond the limit");
    apply(&mut hub, 9, &Input::Connect { role: Role::Guest });
    let session = hub.sessions().next().expect("it has begun");
    assert!(!hub.is_resumable(session));
    let create = Command::Create(Title::new("new").expect("a title"));
    let outputs = apply(&mut hub, 9, &Input::Command { session, command: create });
    assert!(matches!(&outputs[..], [Output::RoomClosed { room }, ..] if room.number() == 5));
    assert_eq!(hub.room_of(session).map(RoomId::number), Some(8));

    let twice = Snapshot::of_rooms([room(4, 1, 1), room(4, 1, 1)], RoomId::FIRST);
    let error = Hub::restore(limits, twice).expect_err("a room that is there twice");
    assert_eq!(error, RestoreError::Room(room(4, 0, 0).id));
}
