//! Rules about lengths and numbers.

use chat_core::{
    Command, Hub, HubLimits, Input, Name, Notice, Output, Role, RoomEvent, RoomId, Text, Title,
};
use chat_proto::MAX_PAYLOAD;

use super::NOTHING;
use crate::support::{Chat, Received, connect};

#[test]
fn s7_one_room_too_many_is_refused_until_one_is_closed() {
    let mut chat = Chat::with_limits(HubLimits::new().with_rooms(2));
    let (ann, bob, carol) = (chat.connect(), chat.connect(), chat.connect());
    chat.create(ann, "games");
    chat.create(bob, "books");
    chat.create(carol, "films");
    assert_eq!(chat.inbox(carol), ["limit-reached"]);
    assert_eq!(chat.hub().room_of(carol), None);
    chat.leave(bob);
    chat.create(carol, "films");
    assert_eq!(chat.inbox(carol), ["3#0 room-created"]);
}

#[test]
fn of_51_members_50_are_listed_and_51_counted() {
    let mut chat = Chat::new();
    let first = chat.connect();
    chat.create(first, "crowd");
    for _ in 2..=51 {
        let member = chat.connect();
        chat.join(member, 1);
    }
    let outside = chat.connect();
    chat.rooms(outside);
    let listed = match chat.take_inbox(outside).as_deref() {
        Some([Received::Rooms(rooms)]) => rooms[0].clone(),
        other => panic!("one list and not {other:?}"),
    };
    let first_50: Vec<_> = (1..=50).map(|n| format!("user{n}")).collect();
    assert_eq!((listed.members, listed.member_count), (first_50, 51));
}

/// The frame of the tenth broadcast of room 1, without the name of the member and the text.
const CHAT_WITHOUT_WORDS: &str = r#"{"type":"SCChat","member":"","text":"","roomId":1,"seq":10}"#;

#[test]
fn p11_a_text_is_refused_from_the_first_byte_that_does_not_fit_a_frame() {
    // Escapes and characters of several bytes count as in the frame.
    for (name, piece) in [("ann", "x"), ("ann", "\n"), ("O'Brien", "x"), ("안", "é")] {
        let mut chat = Chat::new();
        let (ann, bob) = (chat.connect_named(name), chat.connect());
        chat.create(ann, "games");
        chat.join(bob, 1);
        for _ in 2..10 {
            chat.say(ann, "so that the next number has a digit more");
        }
        chat.inbox(ann);
        chat.inbox(bob);

        let name_len = Text::new(name).expect("a text as well").escaped_len();
        let room_for_text = MAX_PAYLOAD - CHAT_WITHOUT_WORDS.len() - name_len;
        let piece_len = Text::new(piece).expect("a text").escaped_len();
        let mut fits = piece.repeat(room_for_text / piece_len);
        fits.push_str(&"x".repeat(room_for_text % piece_len));

        chat.say(ann, &format!("{fits}x"));
        let refusal = Received::Notice { notice: Notice::TextTooLong { excess: 1 }, at: None };
        assert_eq!(chat.take_inbox(ann), Some(vec![refusal]));
        assert_eq!(chat.inbox(bob), NOTHING);

        chat.say(ann, &fits); // the chat of these tests writes the frame
        assert_eq!(chat.inbox(ann), NOTHING);
        assert_eq!(chat.inbox(bob), [format!("1#10 {name}: {fits}")]);
    }
}

#[test]
fn a_chat_to_10_000_members_is_one_output() {
    let mut hub = Hub::new(HubLimits::default());
    let mut outputs = Vec::new();
    let ann = connect(&mut hub, Role::Guest);
    hub.apply(
        0,
        Input::Command {
            session: ann,
            command: Command::Create(Title::new("stadium").expect("a title")),
        },
        &mut outputs,
    );
    let room = RoomId::FIRST;
    for _ in 2..=10_000 {
        let member = connect(&mut hub, Role::Guest);
        hub.apply(
            0,
            Input::Command { session: member, command: Command::Join(room) },
            &mut outputs,
        );
    }
    assert_eq!(hub.members(room).count(), 10_000);
    hub.check_invariants();

    outputs.clear();
    let text = Text::new("goal!").expect("a text");
    hub.apply(
        0,
        Input::Command { session: ann, command: Command::Chat(text.clone()) },
        &mut outputs,
    );
    let event = RoomEvent::Chat { member: Name::default_for(1), text };
    assert_eq!(outputs, [Output::Broadcast { room, seq: 10_000, at: 0, except: Some(ann), event }]);
}

/// 100,000 people, each with a name and a room, come and go. The invariants bound the capacity of maps.
#[test]
fn r7_a_crowd_that_has_gone_leaves_no_memory_behind() {
    let mut hub = Hub::new(HubLimits::default());
    let mut outputs = Vec::new();
    let title = Title::new("crowd").expect("a title");
    let crowd: Vec<_> = (0..100_000).map(|_| connect(&mut hub, Role::Guest)).collect();
    for (n, &who) in crowd.iter().enumerate() {
        let name = Name::new(&format!("ann {n}")).expect("a name");
        hub.apply(0, Input::Command { session: who, command: Command::Rename(name) }, &mut outputs);
        hub.apply(
            0,
            Input::Command { session: who, command: Command::Create(title.clone()) },
            &mut outputs,
        );
        outputs.clear();
    }
    for (left, &who) in (0..crowd.len()).rev().zip(&crowd) {
        hub.apply(0, Input::Disconnect { session: who }, &mut outputs);
        outputs.clear();
        if left < 10 || left.is_power_of_two() {
            hub.check_invariants();
        }
    }
    assert_eq!((hub.session_count(), hub.room_count()), (0, 0));
}
