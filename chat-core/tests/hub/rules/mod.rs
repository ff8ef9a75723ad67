//! The rules of the chat, one short test each, in the order of the documentation.
//!
//! A line of an inbox begins with `ROOM#NUMBER` if the message is about a room: `1#2 ann: hello` for what ann
//! said in room 1 as its second broadcast, `1#3 member-left ann` for a notice, `rooms 1 games [ann bob] 2` for
//! a list.

mod asking;
mod limits;
mod names;
mod rooms;

use crate::support::Chat;
use chat_core::{Command, OperatorText, Role, RoomId};

/// An empty inbox.
const NOTHING: [&str; 0] = [];

// The table: each command, in no room and in a room.

#[test]
fn name_in_a_room_is_told_to_every_member_the_sender_included() {
    let (mut chat, ann, bob) = Chat::with_ann_and_bob();
    let outside = chat.connect();
    chat.rename(ann, "Ann Lee");
    assert_eq!(chat.inbox(ann), ["1#4 renamed ann Ann Lee"]);
    assert_eq!(chat.inbox(bob), ["1#4 renamed ann Ann Lee"]);
    assert_eq!(chat.inbox(outside), NOTHING);
}

#[test]
fn a_list_is_current_whatever_has_changed_since_the_last_one() {
    let (mut chat, ann, bob) = Chat::with_ann_and_bob();
    let outside = chat.connect();
    let list = |chat: &mut Chat| {
        chat.rooms(outside);
        chat.inbox(outside).concat()
    };
    assert_eq!(list(&mut chat), "rooms 1 games [ann bob] 2");
    chat.rename(bob, "rob");
    assert_eq!(list(&mut chat), "rooms 1 games [ann rob] 2");
    chat.leave(ann);
    assert_eq!(list(&mut chat), "rooms 1 games [rob] 1");
    chat.create(ann, "books");
    assert_eq!(list(&mut chat), "rooms 1 games [rob] 1 2 books [ann] 1");
    chat.disconnect(bob);
    assert_eq!(list(&mut chat), "rooms 2 books [ann] 1");
}

#[test]
fn create_in_no_room_creates_a_room_with_the_sender_in_it() {
    let mut chat = Chat::new();
    let (ann, bob) = (chat.connect(), chat.connect());
    chat.create(ann, "games");
    assert_eq!(chat.inbox(ann), ["1#0 room-created"]);
    assert_eq!(chat.inbox(bob), NOTHING);
    assert_eq!(chat.hub().room_of(ann), RoomId::new(1).ok());
    let title = |chat: &Chat| chat.hub().title(RoomId::FIRST).map(ToString::to_string);
    assert_eq!(title(&chat).as_deref(), Some("games"));
    chat.disconnect(ann);
    assert_eq!(title(&chat), None);
}

#[test]
fn join_in_no_room_is_told_to_the_sender_and_noticed_by_the_others() {
    let (mut chat, ann, bob) = Chat::with_ann_and_bob();
    let carol = chat.connect_named("carol");
    chat.join(carol, 1);
    assert_eq!(chat.inbox(carol), ["1#4 room-entered"]);
    assert_eq!(chat.inbox(ann), ["1#4 member-entered carol"]);
    assert_eq!(chat.inbox(bob), ["1#4 member-entered carol"]);
}

#[test]
fn s2_join_in_a_room_is_refused_even_for_the_same_room() {
    let (mut chat, ann, bob) = Chat::with_ann_and_bob();
    let carol = chat.connect();
    chat.create(carol, "books");
    for room in [1, 2, 3] {
        chat.join(ann, room);
    }
    assert_eq!(chat.inbox(ann), ["already-in-room"; 3]);
    assert_eq!(chat.inbox(bob), NOTHING);
    assert_eq!(chat.hub().room_of(ann), RoomId::new(1).ok());
}

#[test]
fn s2_leave_in_no_room_is_refused() {
    let mut chat = Chat::new();
    let ann = chat.connect();
    chat.leave(ann);
    assert_eq!(chat.inbox(ann), ["not-in-room"]);
}

#[test]
fn s1_chat_in_no_room_is_refused_and_nobody_hears_it() {
    let (mut chat, ann, bob) = Chat::with_ann_and_bob();
    chat.leave(ann);
    chat.inbox(ann);
    chat.inbox(bob);
    chat.say(ann, "hello?");
    assert_eq!(chat.inbox(ann), ["not-in-room"]);
    assert_eq!(chat.inbox(bob), NOTHING);
}

#[test]
fn chat_in_a_room_goes_to_every_other_member_and_not_to_the_sender() {
    let (mut chat, ann, bob) = Chat::with_ann_and_bob();
    let (carol, outside) = (chat.connect(), chat.connect());
    chat.join(carol, 1);
    chat.create(outside, "games");
    for who in [ann, bob, carol, outside] {
        chat.inbox(who);
    }
    chat.say(ann, "안녕\n\t\"all\"");
    assert_eq!(chat.inbox(ann), NOTHING);
    assert_eq!(chat.inbox(bob), ["1#5 ann: 안녕\n\t\"all\""]);
    assert_eq!(chat.inbox(carol), ["1#5 ann: 안녕\n\t\"all\""]);
    assert_eq!(chat.inbox(outside), NOTHING);
}

#[test]
fn s8_chat_of_an_only_member_is_accepted_and_delivered_to_nobody() {
    let mut chat = Chat::new();
    let (ann, bob) = (chat.connect(), chat.connect());
    chat.create(ann, "games");
    chat.say(ann, "echo");
    chat.join(bob, 1);
    assert_eq!(chat.inbox(ann), ["1#0 room-created", "1#2 member-entered user2"]);
    assert_eq!(chat.inbox(bob), ["1#2 room-entered"]);
}

#[test]
fn shutdown_is_for_operators_and_refused_to_others() {
    let mut chat = Chat::new();
    let (guest, operator) = (chat.connect(), chat.connect_as(Role::Operator));
    chat.send(guest, Command::Shutdown);
    assert_eq!(chat.shutdowns(), []);
    chat.send(operator, Command::Shutdown);
    chat.create(operator, "games");
    chat.send(operator, Command::Shutdown);
    assert_eq!(chat.inbox(guest), ["shutdown-refused"]);
    assert_eq!(chat.inbox(operator), ["1#0 room-created"]);
    assert_eq!(chat.shutdowns(), [operator, operator]);
}

// What the operator does.

#[test]
fn an_announcement_to_all_reaches_every_session_and_takes_no_number() {
    let (mut chat, ann, bob) = Chat::with_ann_and_bob();
    let (outside, gone) = (chat.connect(), chat.connect());
    chat.disconnect(gone);
    chat.announce_to_all(operator_text("restart at noon"));
    chat.say(ann, "oh");
    assert_eq!(chat.inbox(ann), ["announcement restart at noon"]);
    assert_eq!(chat.inbox(bob), ["announcement restart at noon", "1#4 ann: oh"]);
    assert_eq!(chat.inbox(outside), ["announcement restart at noon"]);
}

fn operator_text(text: &str) -> OperatorText {
    OperatorText::new(text).expect("a text")
}

// The rules below the table.

#[test]
fn a_session_ends_once_and_is_ignored_afterwards() {
    let (mut chat, ann, bob) = Chat::with_ann_and_bob();
    chat.disconnect(ann);
    chat.inbox(bob);
    chat.disconnect(ann);
    chat.say(ann, "from beyond");
    chat.join(ann, 1);
    chat.rename(ann, "ghost");
    chat.rooms(ann);
    assert_eq!(chat.inbox(bob), NOTHING);
    assert_eq!(chat.take_inbox(ann), None);
}

#[test]
fn the_numbers_of_a_room_rise_by_1_for_chats_and_notices_alike() {
    let (mut chat, ann, bob) = Chat::with_ann_and_bob();
    let carol = chat.connect_named("carol");
    chat.say(ann, "hello");
    chat.rename(ann, "Ann Lee");
    chat.join(carol, 1);
    chat.leave(carol);
    chat.say(ann, "bye");
    chat.disconnect(ann);
    let got = [
        "1#4 ann: hello",
        "1#5 renamed ann Ann Lee",
        "1#6 member-entered carol",
        "1#7 member-left carol",
        "1#8 Ann Lee: bye",
        "1#9 member-left Ann Lee",
    ];
    assert_eq!(chat.inbox(bob), got);
}

#[test]
fn each_room_has_numbers_of_its_own_and_a_refusal_takes_none() {
    let (mut chat, ann, bob) = Chat::with_ann_and_bob();
    let (carol, dave) = (chat.connect(), chat.connect());
    chat.create(carol, "books");
    chat.join(dave, 2);
    chat.join(ann, 2);
    chat.rename(ann, "bob");
    chat.say(ann, "four");
    assert_eq!(chat.inbox(carol), ["2#0 room-created", "2#1 member-entered user4"]);
    assert_eq!(chat.inbox(bob), ["1#4 ann: four"]);
}
