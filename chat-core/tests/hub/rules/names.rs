//! Rules about names and who holds them.

use chat_core::{Command, Hub, HubLimits, Input, Name, Role};

use crate::support::{Chat, connect};

#[test]
fn s4_names_are_unique_however_they_are_spelled() {
    let mut chat = Chat::new();
    let (_alice, bob) = (chat.connect_named("Alice"), chat.connect());
    for same in ["Alice", "aLICE", "\u{ff21}lice", "  Alice ", "AIice", "a1ice"] {
        chat.rename(bob, same);
        assert_eq!(chat.inbox(bob), ["name-taken"], "{same}");
    }
    assert_eq!(chat.name(bob), "user2");
}

#[test]
fn a_holder_may_spell_its_own_name_another_way() {
    let mut chat = Chat::new();
    let (alice, bob) = (chat.connect_named("Alice"), chat.connect());
    chat.rename(alice, "ALICE");
    assert_eq!(chat.inbox(alice), ["renamed Alice ALICE"]);
    chat.rename(bob, "Alice");
    assert_eq!(chat.inbox(bob), ["name-taken"]);
}

#[test]
fn s4_a_default_name_cannot_be_taken_by_anyone_else() {
    let mut chat = Chat::new();
    let (ann, bob) = (chat.connect(), chat.connect());
    chat.disconnect(bob);
    for (default, whose) in [("user2", "gone"), ("user3", "yet to come"), ("USER2", "in capitals")]
    {
        chat.rename(ann, default);
        assert_eq!(chat.inbox(ann), ["name-taken"], "{default} is {whose}");
    }
}

#[test]
fn a_session_can_take_its_default_name_back_in_any_spelling() {
    let mut chat = Chat::new();
    let ann = chat.connect_named("ann");
    for (from, to) in [("ann", "user1"), ("user1", "USER1"), ("USER1", "ann"), ("ann", "User1")] {
        chat.rename(ann, to);
        assert_eq!(chat.inbox(ann), [format!("renamed {from} {to}")]);
    }
}

#[test]
fn the_old_name_of_a_renamed_session_is_free() {
    let mut chat = Chat::new();
    let (ann, bob) = (chat.connect_named("ann"), chat.connect());
    for (given_up_for, by_bob) in [("carol", "ann"), ("user1", "carol")] {
        chat.rename(ann, given_up_for);
        chat.rename(bob, by_bob);
        assert_eq!(chat.name(bob), by_bob);
    }
}

#[test]
fn s6_of_two_that_race_for_a_name_exactly_one_gets_it_until_it_goes() {
    let mut chat = Chat::new();
    let (first, second) = (chat.connect(), chat.connect());
    chat.rename(first, "zoe");
    chat.rename(second, "Zoe");
    assert_eq!(chat.inbox(first), ["renamed user1 zoe"]);
    assert_eq!(chat.inbox(second), ["name-taken"]);
    chat.disconnect(first);
    chat.rename(second, "Zoe");
    assert_eq!(chat.inbox(second), ["renamed user2 Zoe"]);
}

#[test]
fn v7_a_reserved_name_is_refused_unless_the_list_is_another() {
    let mut chat = Chat::new();
    let ann = chat.connect_named("ann");
    for reserved in ["server", "Admin", "관리자"] {
        chat.rename(ann, reserved);
        assert_eq!(chat.inbox(ann), ["name-taken"], "{reserved}");
    }
    assert_eq!(chat.name(ann), "ann");
    let mut hub = Hub::new(HubLimits::new());
    let names = "boss".parse().expect("a name");
    hub.apply(0, Input::ReserveNames { names }, &mut Vec::new());
    let session = connect(&mut hub, Role::Operator);
    for (name, expected) in [("Boss", "user1"), ("admin", "admin")] {
        let name = Name::new(name).expect("a name");
        hub.apply(0, Input::Command { session, command: Command::Rename(name) }, &mut Vec::new());
        assert_eq!(hub.name(session).map(Name::as_str), Some(expected));
    }
}
