//! The rules alone: the cost of commands under the hub's lock.

use std::hint::black_box;

use chat_core::{
    Command, Hub, HubLimits, Input, Name, Output, Role, RoomId, SessionId, Text, Title,
};
use chat_proto::{Framing, write_rooms_page};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// Begins a session.
fn connect(hub: &mut Hub, role: Role) -> SessionId {
    let mut outputs = Vec::new();
    hub.apply(0, Input::Connect { role }, &mut outputs);
    match outputs[..] {
        [Output::Connected { session }] => session,
        _ => panic!("{outputs:?} begins no session"),
    }
}

/// A hub with `rooms` rooms of `members` members, and the first member of each room.
fn hub(rooms: usize, members: usize) -> (Hub, Vec<SessionId>, Vec<Output>) {
    let (mut hub, mut outputs) = (Hub::new(HubLimits::default()), Vec::new());
    let title = Title::new("a room").expect("a title");
    let mut firsts = Vec::new();
    for _ in 0..rooms {
        let first = connect(&mut hub, Role::Guest);
        hub.apply(
            0,
            Input::Command { session: first, command: Command::Create(title.clone()) },
            &mut outputs,
        );
        let room = hub.room_of(first).expect("it made a room");
        for _ in 1..members {
            let next = connect(&mut hub, Role::Guest);
            hub.apply(
                0,
                Input::Command { session: next, command: Command::Join(room) },
                &mut outputs,
            );
        }
        firsts.push(first);
    }
    outputs.clear();
    (hub, firsts, outputs)
}

fn chat(c: &mut Criterion) {
    let text = Text::new(&"x".repeat(64)).expect("a text");
    for (rooms, members) in [(1, 2), (1, 10_000), (500, 2), (10_000, 2)] {
        c.bench_function(&format!("hub-chat/{rooms}x{members}"), |b| {
            let (mut hub, firsts, mut outputs) = hub(rooms, members);
            let mut next = firsts.iter().cycle();
            b.iter_batched(
                || (*next.next().expect("endless"), Command::Chat(text.clone())),
                |(session, command)| {
                    outputs.clear();
                    hub.apply(0, Input::Command { session, command }, &mut outputs);
                },
                BatchSize::SmallInput,
            );
        });
    }
}

fn join_and_leave(c: &mut Criterion) {
    for members in [1, 100, 10_000] {
        c.bench_function(&format!("hub-join-leave/{members}"), |b| {
            let (mut hub, _, mut outputs) = hub(1, members);
            let guest = connect(&mut hub, Role::Guest);
            b.iter(|| {
                outputs.clear();
                hub.apply(
                    0,
                    Input::Command { session: guest, command: Command::Join(RoomId::FIRST) },
                    &mut outputs,
                );
                hub.apply(
                    0,
                    Input::Command { session: guest, command: Command::Leave },
                    &mut outputs,
                );
            });
        });
    }
}

/// The cost of a name is that of its characters, when it is parsed and when it is claimed. The last two are close to
/// the worst names, one allowed and one refused.
fn rename(c: &mut Criterion) {
    for (kind, text) in [
        ("ascii", "Guido van Rossum of Python fame".to_owned()),
        ("korean", "가나다라마바사아자차".to_owned()),
        ("jamo", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}".repeat(5)),
        ("greek", "ΝΊΚΟΣ ΝΊΚΟΣ ΝΊΚΟΣ ΝΊΚΟΣ ΝΊΚΟΣ".to_owned()),
        ("refused", "字".repeat(31) + ":"),
    ] {
        c.bench_function(&format!("hub-rename/{kind}"), |b| {
            let (mut hub, mut outputs) = (Hub::new(HubLimits::default()), Vec::new());
            let guest = connect(&mut hub, Role::Guest);
            b.iter(|| {
                if let Ok(name) = Name::new(black_box(&text)) {
                    outputs.clear();
                    hub.apply(
                        0,
                        Input::Command { session: guest, command: Command::Rename(name) },
                        &mut outputs,
                    );
                }
            });
        });
    }
}

fn list(c: &mut Criterion) {
    for rooms in [10, 1_000, 100_000] {
        let (hub, firsts, _) = hub(rooms, 1);
        let middle = hub.room_of(firsts[rooms / 2]);
        let mut page = Vec::new();
        c.bench_function(&format!("hub-list/frame-of/{rooms}"), |b| {
            b.iter(|| {
                page.clear();
                write_rooms_page(Framing::Length, hub.rooms_after(middle), black_box(&mut page))
            });
        });
    }
}

/// What a recording takes now and then, and a restart once.
fn whole(c: &mut Criterion) {
    for rooms in [10, 1_000, 50_000] {
        let (hub, _, _) = hub(rooms, 2);
        c.bench_function(&format!("hub-hash/{rooms}x2"), |b| b.iter(|| hub.hash()));
    }
}

criterion_group!(benches, chat, join_and_leave, rename, list, whole);
criterion_main!(benches);
