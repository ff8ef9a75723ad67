//! The rules of rooms, command by command: who receives what, and who receives nothing.

use crate::support::{start, stream_of};

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
