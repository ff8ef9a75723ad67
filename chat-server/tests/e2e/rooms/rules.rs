//! The rules of rooms, command by command: who receives what, and who receives nothing.

use crate::support::{RunningServer, start, stream_of, wait_until};

#[test]
fn a_default_name_follows_the_number_of_the_connection() {
    let server = start();
    let [mut a, mut b, mut c] = server.clients();
    let room = a.enter_new("room");
    b.enter(room);
    assert_eq!(a.expect_code("member-entered").text, "user2 came in.");
    c.enter(room);
    assert_eq!(a.rooms_after_notices()[0].members, ["user1", "user2", "user3"]);
}

#[test]
fn a_rename_outside_rooms_is_private() {
    let server = start();
    let [mut a, mut b] = server.clients();
    b.enter_new("room");
    a.name("alice");
    let renamed = a.expect_code("renamed");
    assert_eq!(renamed.text, "user1 is now called alice.");
    assert_eq!((renamed.room_id, renamed.seq), (None, None), "it is no event of a room");
    a.expect_nothing();
    b.expect_nothing();
}

#[test]
fn a_rename_in_a_room_is_announced_to_every_member() {
    let server = start();
    let [mut a, mut b, mut c] = server.clients();
    let room = a.enter_new("room");
    b.enter(room);
    a.expect_code("member-entered");
    b.name("bob");
    for member in [&mut a, &mut b] {
        let renamed = member.expect_code("renamed");
        assert_eq!(renamed.text, "user2 is now called bob.");
        assert_eq!((renamed.room_id, renamed.seq), (Some(room), Some(2)));
        member.expect_nothing();
    }
    c.expect_nothing();
    b.chat("hello");
    a.expect_chat("bob", "hello");
}

#[test]
fn making_a_room_enters_it_and_tells_nobody_else() {
    let server = start();
    let [mut a, mut b] = server.clients();
    a.create("차 한잔");
    let created = a.expect_code("room-created");
    assert_eq!((created.room_id, created.seq), (Some(1), Some(0)));
    assert!(created.text.contains("차 한잔"), "{}", created.text);
    b.expect_nothing();
    let rooms = b.rooms();
    assert_eq!(rooms.len(), 1);
    assert_eq!((rooms[0].room_id, rooms[0].title.as_str()), (1, "차 한잔"));
    assert_eq!((&rooms[0].members[..], rooms[0].member_count), (&["user1".to_owned()][..], 1));
}

#[test]
fn a_member_makes_and_joins_no_other_room() {
    let server = start();
    let [mut a, mut b] = server.clients();
    let first = a.enter_new("first");
    let second = b.enter_new("second");
    for _ in 0..2 {
        a.create("third");
        a.expect_code("already-in-room");
        a.join(second);
        a.expect_code("already-in-room");
        a.join(first);
        a.expect_code("already-in-room");
        a.join(99);
        a.expect_code("already-in-room");
    }
    b.expect_nothing();
    let rooms = a.rooms();
    let found: Vec<_> = rooms.iter().map(|r| (r.room_id, &*r.title, r.member_count)).collect();
    assert_eq!(found, [(first, "first", 1), (second, "second", 1)]);
}

#[test]
fn a_join_is_announced_to_the_sender_and_the_others() {
    let server = start();
    let [mut a, mut b, mut c] = server.clients();
    let room = a.enter_new("room");
    b.be("bob");
    b.join(room);
    let entered = b.expect_code("room-entered");
    assert_eq!((entered.room_id, entered.seq), (Some(room), Some(1)));
    assert!(entered.text.contains("\"room\""), "{}", entered.text);
    b.expect_nothing();
    let notice = a.expect_code("member-entered");
    assert_eq!((notice.room_id, notice.seq), (Some(room), Some(1)), "the same event");
    assert_eq!(notice.text, "bob came in.");
    a.expect_nothing();
    c.expect_nothing();
}

#[test]
fn an_unknown_room_is_refused() {
    let server = start();
    let [mut a] = server.clients();
    for room in [1, 7, u64::MAX] {
        a.join(room);
        a.expect_code("no-such-room");
    }
    assert_eq!(a.rooms(), []);
}

#[test]
fn a_leave_is_announced_to_the_sender_and_the_others() {
    let server = start();
    let [mut a, mut b, mut c] = server.clients();
    let room = a.enter_new("room");
    b.enter(room);
    a.expect_code("member-entered");
    b.leave();
    let left = b.expect_code("room-left");
    assert_eq!((left.room_id, left.seq), (Some(room), Some(2)));
    b.expect_nothing();
    let notice = a.expect_code("member-left");
    assert_eq!((notice.room_id, notice.seq), (Some(room), Some(2)), "the same event");
    assert_eq!(notice.text, "user2 left.");
    a.expect_nothing();
    c.expect_nothing();
    a.chat("alone again");
    a.expect_nothing();
    b.expect_nothing();
}

#[test]
fn s1_s2_leaving_and_talking_outside_a_room_are_refused() {
    let server = start();
    let [mut a, mut b] = server.clients();
    b.enter_new("room");
    for _ in 0..2 {
        a.leave();
        a.expect_code("not-in-room");
        a.chat("hello");
        a.expect_code("not-in-room");
    }
    let room = a.enter_new("another");
    a.leave();
    assert_eq!(a.expect_code("room-left").room_id, Some(room));
    a.chat("hello");
    a.expect_code("not-in-room");
    a.leave();
    a.expect_code("not-in-room");
    b.expect_nothing();
}

#[test]
fn the_last_one_out_removes_the_room() {
    let server = start();
    let ([mut a, mut b], room) = server.members();
    a.leave();
    a.expect_code("room-left");
    b.expect_code("member-left");
    assert_eq!(a.rooms()[0].members, ["user2"], "the room outlives its maker");
    b.leave();
    b.expect_code("room-left");
    assert_eq!(a.rooms(), []);
    a.join(room);
    a.expect_code("no-such-room");
}

#[test]
fn a_chat_reaches_every_other_member_and_nobody_else() {
    let server = start();
    let [mut a, mut b, mut c, mut other, mut outside] = server.clients();
    let room = a.enter_new("room");
    b.enter(room);
    c.enter(room);
    other.enter_new("other room");
    a.expect_code("member-entered");
    a.expect_code("member-entered");
    b.expect_code("member-entered");

    a.chat("hello");
    a.expect_nothing();
    for member in [&mut b, &mut c] {
        let chat = member.expect_chat("user1", "hello");
        assert_eq!((chat.room_id, chat.seq), (Some(room), Some(3)));
        member.expect_nothing();
    }
    other.expect_nothing();
    outside.expect_nothing();
}

#[test]
fn s8_a_chat_in_an_empty_room_is_accepted() {
    let server = start();
    let [mut a, mut b] = server.clients();
    let room = a.enter_new("room");
    a.chat("is there anybody?");
    a.expect_nothing();
    assert_eq!(b.enter(room), 2, "it was an event of the room all the same");
    b.expect_nothing();
}

#[test]
fn events_are_numbered_in_each_room() {
    let server = start();
    let [mut a, mut b, mut c] = server.clients();
    let room = a.enter_new("room");
    let other = c.enter_new("other room");
    assert_eq!(b.enter(room), 1);
    b.chat("two");
    c.chat("one, over there");
    b.name("bob");
    b.chat("four");
    b.leave();
    let codes = ["member-entered", "", "renamed", "", "member-left"];
    for (code, seq) in codes.into_iter().zip(1..) {
        let event = a.receive();
        assert_eq!(event.code.as_deref().unwrap_or(""), code);
        assert_eq!((event.room_id, event.seq), (Some(room), Some(seq)));
    }
    assert_eq!(b.expect_code("renamed").seq, Some(3));
    assert_eq!(b.expect_code("room-left").seq, Some(5));
    c.expect_nothing();
    assert_eq!(b.enter(other), 2);
    assert_eq!(b.rooms().len(), 2);
}

#[test]
fn rooms_are_numbered_from_1_without_reuse() {
    let server = start();
    let [mut a, mut b] = server.clients();
    for number in 1..=5 {
        assert_eq!(a.enter_new("same title"), number);
        a.leave();
        a.expect_code("room-left");
    }
    assert_eq!(a.enter_new("same title"), 6);
    assert_eq!(b.enter_new("same title"), 7, "two rooms may have one title");
    let rooms = a.rooms();
    let found: Vec<_> = rooms.iter().map(|r| (r.room_id, r.title.as_str())).collect();
    assert_eq!(found, [(6, "same title"), (7, "same title")]);
}

#[test]
fn j7_a_room_id_is_an_integer_or_digits_in_a_string() {
    let server = start();
    let [mut a, mut b] = server.clients();
    let room = a.enter_new("room");
    for id in ["1", "\"1\"", "\"01\"", "\"\\u0031\""] {
        b.send(format!(r#"{{"type": "CSJoinRoom", "roomId": {id}}}"#));
        assert_eq!(b.expect_code("room-entered").room_id, Some(room), "{id}");
        b.leave();
        b.expect_code("room-left");
    }
}

#[test]
fn j7_any_other_room_id_is_refused_by_field() {
    let server = RunningServer::with(|config| config.limits.bad_frames.burst = 1_000);
    let [mut a, mut b] = server.clients();
    a.enter_new("room");
    for id in [
        "1.0",
        "1e0",
        "-1",
        "-0",
        "0",
        "null",
        "true",
        "[1]",
        "{}",
        "\"x\"",
        "\" 1\"",
        "\"\"",
        "\"+1\"",
        "\"1.0\"",
        "\"0\"",
        "18446744073709551616",
        "\"18446744073709551616\"",
        "\"１\"",
    ] {
        b.send(format!(r#"{{"type": "CSJoinRoom", "roomId": {id}}}"#));
        let refused = b.expect_code("bad-request");
        assert!(refused.text.contains("\"roomId\""), "{id}: {}", refused.text);
    }
    for id in ["01", "1e400", "+1", "1_0", "0x1", "NaN"] {
        b.send(format!(r#"{{"type": "CSJoinRoom", "roomId": {id}}}"#));
        b.expect_code("bad-request");
    }
    a.expect_nothing();
    b.expect_nothing();
}

#[test]
fn s2_each_change_is_announced_once_however_commands_arrive() {
    let server = start();
    let [mut a, mut b] = server.clients();
    let room = a.enter_new("room");
    let join = r#"{"type": "CSJoinRoom", "roomId": 1}"#;
    let leave = r#"{"type": "CSLeaveRoom"}"#;
    b.send_raw(&stream_of([leave, join, join, leave, leave, join, leave, join]));
    for code in [
        "not-in-room",
        "room-entered",
        "already-in-room",
        "room-left",
        "not-in-room",
        "room-entered",
        "room-left",
        "room-entered",
    ] {
        b.expect_code(code);
    }
    b.expect_nothing();
    for code in ["member-entered", "member-left", "member-entered", "member-left", "member-entered"]
    {
        a.expect_code(code);
    }
    assert_eq!(a.rooms()[0].members, ["user1", "user2"]);
    assert_eq!(a.rooms()[0].room_id, room);
}

#[test]
fn a_member_whose_connection_ends_leaves_the_room() {
    let server = start();
    let ([mut a, mut b, c], room) = server.members();
    drop(c);
    for member in [&mut a, &mut b] {
        let left = member.expect_code("member-left");
        assert_eq!((left.text.as_str(), left.seq), ("user3 left.", Some(3)));
        member.expect_nothing();
    }
    drop(a);
    b.expect_code("member-left");
    drop(b);
    // The room goes with its last member, which nobody is left to be told of.
    let mut d = server.client();
    wait_until("the room is gone", || d.rooms().is_empty());
    d.join(room);
    d.expect_code("no-such-room");
}

#[test]
fn s7_a_room_beyond_the_limit_is_refused_until_one_is_gone() {
    let server = RunningServer::with(|config| config.limits.rooms = 2);
    let [mut a, mut b, mut c] = server.clients();
    a.enter_new("a");
    b.enter_new("b");
    c.create("c");
    assert!(c.expect_code("limit-reached").text.contains('2'), "the limit is named");
    a.leave();
    a.expect_code("room-left");
    assert_eq!(c.enter_new("c"), 3, "a refusal uses up no number");
}
