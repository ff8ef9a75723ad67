//! Rooms that last, if the limits say so.

use chat_core::{Command, Hub, HubLimits, Input, Notice, Output, Role, RoomEvent, RoomId};
use chat_core::{SessionId, Text, Title};

use crate::support::connect;

fn room(number: u64) -> RoomId {
    RoomId::new(number).expect("above 0")
}

fn create() -> Command {
    Command::Create(Title::new("tea").expect("a title"))
}

fn chat() -> Command {
    Command::Chat(Text::new("hi").expect("a text"))
}

fn send(hub: &mut Hub, now: u64, session: SessionId, command: Command) -> Vec<Output> {
    apply(hub, now, Input::Command { session, command })
}

fn apply(hub: &mut Hub, now: u64, input: Input) -> Vec<Output> {
    let mut outputs = Vec::new();
    hub.apply(now, input, &mut outputs);
    hub.check_invariants();
    outputs
}

/// A hub with at most two rooms, which last, and a session.
fn hub() -> (Hub, SessionId) {
    let mut hub = Hub::new(HubLimits::new().with_rooms(2).with_lasting_rooms(true));
    let session = connect(&mut hub, Role::Guest);
    (hub, session)
}

/// Creates a room, talks in it, and leaves it at `now`.
fn visit(hub: &mut Hub, now: u64, session: SessionId) {
    for command in [create(), chat(), Command::Leave] {
        send(hub, now, session, command);
    }
}

#[test]
fn a_room_in_which_somebody_talked_stays_when_the_last_member_leaves() {
    let (mut hub, ann) = hub();
    send(&mut hub, 5, ann, create());
    send(&mut hub, 5, ann, chat());
    let outputs = send(&mut hub, 6, ann, Command::Leave);
    let [Output::Left { .. }, Output::Reply { room: Some((_, 2)), .. }, broadcast] = &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    let Output::Broadcast { seq: 2, event: RoomEvent::Notice(left), .. } = broadcast else {
        panic!("{outputs:?}")
    };
    assert!(matches!(left, Notice::MemberLeft { .. }), "its history says so");
    let listed: Vec<_> = hub.rooms_after(None).collect();
    assert_eq!((listed.len(), listed[0].member_count, listed[0].members.len()), (1, 0, 0));
    assert!(hub.empty_rooms().eq([(6, room(1))]));

    let outputs = send(&mut hub, 7, ann, Command::Join(room(1)));
    assert!(matches!(outputs[2], Output::Broadcast { seq: 3, .. }), "{outputs:?}");
    assert_eq!(hub.empty_rooms().count(), 0);
    let outputs = apply(&mut hub, 8, Input::Disconnect { session: ann });
    assert!(matches!(outputs[1], Output::Broadcast { seq: 4, .. }), "{outputs:?}");
    assert!(hub.empty_rooms().eq([(8, room(1))]));
}

#[test]
fn a_room_in_which_nobody_talked_closes_after_its_last_member() {
    let (mut hub, ann) = hub();
    send(&mut hub, 0, ann, create());
    let rename = Command::Rename("ann".parse().expect("a name"));
    send(&mut hub, 0, ann, rename);
    let outputs = send(&mut hub, 0, ann, Command::Leave);
    assert_eq!(outputs.last(), Some(&Output::RoomClosed { room: room(1) }));
    assert_eq!(hub.room_count(), 0);
}

#[test]
fn a_new_room_takes_the_place_of_the_one_that_has_been_empty_the_longest() {
    let (mut hub, ann) = hub();
    visit(&mut hub, 20, ann);
    visit(&mut hub, 10, ann);
    let outputs = send(&mut hub, 30, ann, create());
    assert_eq!(outputs[0], Output::RoomClosed { room: room(2) });
    assert!(matches!(outputs[1], Output::Entered { .. }), "{outputs:?}");
    let bob = connect(&mut hub, Role::Guest);
    send(&mut hub, 30, bob, Command::Join(room(1)));
    let carol = connect(&mut hub, Role::Guest);
    let outputs = send(&mut hub, 30, carol, create());
    let refusal = Notice::TooManyRooms { limit: 2 };
    assert_eq!(outputs, [Output::Reply { to: carol, notice: refusal, room: None }]);
}

#[test]
fn an_empty_room_can_be_closed() {
    let (mut hub, ann) = hub();
    visit(&mut hub, 0, ann);
    send(&mut hub, 0, ann, Command::Join(room(1)));
    assert_eq!(apply(&mut hub, 0, Input::CloseRoom { room: room(1) }), [], "ann is in it");
    send(&mut hub, 0, ann, Command::Leave);
    let outputs = apply(&mut hub, 0, Input::CloseRoom { room: room(1) });
    assert_eq!(outputs, [Output::RoomClosed { room: room(1) }]);
    assert_eq!(apply(&mut hub, 0, Input::CloseRoom { room: room(1) }), []);
    assert_eq!(hub.room_count(), 0);
}
