//! Rules about names and who holds them.

use crate::support::{Chat, Received};

#[test]
fn s4_names_are_unique_under_the_nickname_profile() {
    let mut chat = Chat::new();
    let (_alice, bob) = (chat.connect_named("Alice"), chat.connect());
    for same in ["Alice", "aLICE", "\u{ff21}lice", "  Alice "] {
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
fn a_name_that_the_profile_does_not_allow_is_refused_and_changes_nothing() {
    let mut chat = Chat::new();
    let ann = chat.connect_named("ann");
    chat.create(ann, "games");
    chat.inbox(ann);
    for invisible in ["\u{200b}", "a\u{200b}b", "\u{ad}", "\u{378}"] {
        chat.rename(ann, invisible);
        assert_eq!(chat.inbox(ann), ["bad-name"], "{invisible:?}");
    }
    assert_eq!(chat.name(ann), "ann");
}

#[test]
fn s4_a_refusal_names_the_rule_and_echoes_nothing_raw() {
    let mut chat = Chat::new();
    let ann = chat.connect();
    chat.rename(ann, "evil\u{200b}name");
    match chat.take_inbox(ann).as_deref() {
        Some([Received::Notice { notice, at: None }]) => {
            let text = notice.to_string();
            assert!(text.contains("names may not hold") && !text.contains("evil"), "{text}");
        }
        other => panic!("one answer and not {other:?}"),
    }
}
