//! Names, titles and texts: which are refused, who holds a name, and how long they may be.

use chat_proto::Incoming;

use crate::support::{Client, each_way, frame, json_string, start};

#[test]
fn bytes_of_the_original_client_are_understood() {
    let server = start();
    let [mut a, mut b] = server.clients();
    // As `json.dumps` writes it: with spaces, escapes and surrogate pairs.
    a.send(r#"{"type": "CSName", "name": "\uae40 \ucca0\uc218 \ud83d\ude00"}"#);
    assert_eq!(a.expect_code("renamed").text, "user1 is now called 김 철수 😀.");
    a.send(r#"{"type": "CSCreateRoom", "title": "\ucc28 \ud83c\udf75"}"#);
    a.expect_code("room-created");
    b.send_raw(b"\0\x23{\"type\": \"CSJoinRoom\", \"roomId\": 1}");
    b.expect_code("room-entered");
    a.expect_code("member-entered");
    a.send(r#"{"type": "CSChat", "text": "\uc548\ub155\n\t\"\\ \ud83d\ude00 \u2028"}"#);
    b.expect_chat("김 철수 😀", "안녕\n\t\"\\ 😀 \u{2028}");
    b.send_raw(b"\0\x13{\"type\": \"CSRooms\"}");
    let rooms = b.expect_rooms();
    assert_eq!((&*rooms[0].title, &*rooms[0].members[0]), ("차 🍵", "김 철수 😀"));
    b.send_raw(b"\0\x17{\"type\": \"CSLeaveRoom\"}");
    b.expect_code("room-left");
    a.expect_code("member-left");
}

#[test]
fn the_server_writes_the_original_fields_first() {
    let server = start();
    let [mut a, mut b] = server.clients();
    let next = |client: &mut Client| {
        String::from_utf8(client.next_payload().expect("a message")).expect("JSON is UTF-8")
    };
    a.create("차");
    assert_eq!(
        next(&mut a),
        r#"{"type":"SCSystemMessage","text":"You made room 1, \"차\", and are in it.","code":"room-created","roomId":1,"seq":0,"title":"차"}"#
    );
    b.enter(1);
    assert_eq!(
        next(&mut a),
        r#"{"type":"SCSystemMessage","text":"user2 came in.","code":"member-entered","roomId":1,"seq":1,"member":"user2"}"#
    );
    a.chat("안녕\n😀");
    assert_eq!(
        next(&mut b),
        r#"{"type":"SCChat","member":"user1","text":"안녕\n😀","roomId":1,"seq":2}"#
    );
    b.ask_for_rooms();
    assert_eq!(
        next(&mut b),
        r#"{"type":"SCRoomsResult","rooms":[{"roomId":1,"title":"차","members":["user1","user2"],"memberCount":2}]}"#
    );
    b.create("another");
    assert_eq!(
        next(&mut b),
        r#"{"type":"SCSystemMessage","text":"You are in room 1 already. /leave it first.","code":"already-in-room"}"#
    );
}

#[test]
fn s4_names_that_look_alike_are_one_name() {
    let server = start();
    let [mut a, mut b] = server.clients();
    for (name, likenesses) in [
        ("Alice", &["alice", "ALICE", "\u{ff21}lice", "Alice ", " Alice", "Ａｌｉｃｅ"][..]),
        ("Guido van Rossum", &["guido  van  rossum", "Guido\u{3000}van\u{a0}Rossum"]),
        ("한글", &["\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"]),
    ] {
        a.be(name);
        for likeness in likenesses {
            b.name(likeness);
            let refused = b.expect_code("name-taken");
            assert!(!refused.text.contains(likeness.trim()), "nothing is echoed");
        }
    }
    b.be("Alise");
    a.expect_nothing();
}

#[test]
fn a_name_is_free_once_its_holder_renames_or_leaves() {
    let server = start();
    let [mut a, mut b, mut c] = server.clients();
    a.be("Alice");
    a.be("ALICE");
    b.name("alice");
    b.expect_code("name-taken");
    a.be("bob");
    b.be("alice");
    // The end of a connection is seen by the members of its room.
    a.enter_new("room");
    c.enter(1);
    drop(a);
    c.expect_code("member-left");
    c.be("Bob");
}

#[test]
fn s4_a_default_name_belongs_to_its_connection() {
    let server = start();
    let [mut a, mut b] = server.clients();
    for name in
        ["user1", "USER1", "ｕｓｅｒ１", " user1 ", "user3", "user99999999", "user0", "user01"]
    {
        b.name(name);
        b.expect_code("name-taken");
    }
    a.be("alice");
    b.name("user1");
    b.expect_code("name-taken");
    a.be("user1");
    b.be("user2");
    for name in ["user", "user x", "1user", "userx1"] {
        b.be(name);
    }
}

/// Control characters, separators, and characters that change the direction of text.
const BAD_IN_NAMES: [&str; 14] = [
    "\0", "\n", "\t", "\r", "\x1b", "\x07", "\x7f", "\u{80}", "\u{9b}", "\u{2028}", "\u{2029}",
    "\u{202e}", "\u{2066}", "\u{202a}",
];

#[test]
fn s4_a_bad_name_or_title_is_refused_and_not_echoed() {
    let server = start();
    let [mut a] = server.clients();
    let too_long = [" ".repeat(33), "x".repeat(33), "한".repeat(33), "😀".repeat(33)];
    let with_bad = BAD_IN_NAMES.map(|bad| format!("Zq{bad}Zq"));
    let invisible = ["Zq\u{200b}Zq", "\u{ad}Zq", "\u{feff}Zq"].map(str::to_owned);
    let blank = ["", " ", "\u{3000}\u{a0}"].map(str::to_owned);
    for name in too_long.iter().chain(&with_bad).chain(&invisible).chain(&blank) {
        a.name(name);
        let text = a.expect_code("bad-name").text;
        assert!(!text.contains("Zq") && !text.contains(char::is_control), "{text:?}");
        assert!(text.is_ascii(), "{text}");
    }
    for title in with_bad.iter().chain(&blank).chain(&["x".repeat(101), "글".repeat(101)]) {
        a.create(title);
        let text = a.expect_code("bad-title").text;
        assert!(!text.contains("Zq") && text.is_ascii(), "{text:?}");
    }
    assert_eq!(a.rooms(), [], "and they are no bad frames: the connection is kept");
}

#[test]
fn the_longest_name_and_title_are_32_and_100_characters_of_any_width() {
    let server = start();
    let [mut a, mut b] = server.clients();
    for c in ["x", "한", "😀", "\\"] {
        a.be(&c.repeat(32));
        let title = c.repeat(100);
        a.enter_new(&title);
        let rooms = b.rooms();
        assert_eq!((&*rooms[0].title, &*rooms[0].members[0]), (&*title, &*c.repeat(32)));
        a.leave();
        a.expect_code("room-left");
    }
}

#[test]
fn s5_a_text_holds_newline_and_tab_and_no_other_control() {
    let server = start();
    let ([mut a, mut b], _) = server.members();
    for text in ["\0", "\x1b[2J", "a\rb", "\x07", "\x7f", "\u{9b}2J", "\u{80}", "\x1b]52;c;?\x07"] {
        a.chat(text);
        a.expect_code("bad-text");
    }
    a.chat("");
    a.expect_code("bad-text");
    for text in
        [" ", "\n", "\t두 줄\n", "\u{202e}abc", "\u{200b}", "\u{2028}", "\u{a0}²", "\u{fffd}"]
    {
        a.chat(text);
        b.expect_chat("user1", text);
    }
    a.expect_nothing();
    b.expect_nothing();
}

/// The bytes of an `SCChat` frame besides the text: of `user1` in room 1, at a number of one digit.
const OVERHEAD: usize = r#"{"type":"SCChat","member":"user1","text":"","roomId":1,"seq":2}"#.len();

#[test]
fn p11_a_text_that_just_fits_a_frame_arrives_whole_and_a_longer_one_is_refused() {
    let server = start();
    let ([mut a, mut b], _) = server.members();
    let longest = 65_535 - OVERHEAD;
    // An escaped character takes two bytes on its way out, whatever it took on its way in.
    for (seq, text) in [
        (2, "x".repeat(longest)),
        (3, "x".repeat(longest % 3) + &"한".repeat(longest / 3)),
        (4, "x".repeat(longest % 2) + &"\n".repeat(longest / 2)),
        (5, "x".repeat(longest % 2) + &"\"".repeat(longest / 2)),
        (6, "x".repeat(longest % 4) + &"😀".repeat(longest / 4)),
    ] {
        let raw = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        a.send(format!(r#"{{"type":"CSChat","text":"{raw}x"}}"#));
        assert!(a.expect_code("text-too-long").text.contains("by 1 byte"));
        a.send(format!(r#"{{"type":"CSChat","text":"{raw}"}}"#));
        let payload = b.next_payload().expect("the chat");
        assert_eq!(payload.len(), 65_535, "a frame as long as can be");
        let chat = Incoming::parse(&payload).expect("it is JSON");
        assert!(chat.text == text && chat.seq == Some(seq), "intact");
    }
    a.expect_nothing();
    b.expect_nothing();
}

#[test]
fn p11_a_longer_name_leaves_less_room_for_the_text() {
    let server = start();
    let ([mut a, mut b], _) = server.members();
    a.be(&"\"".repeat(32));
    b.expect_code("renamed");
    let longest = 65_535 - OVERHEAD - (64 - "user1".len());
    a.chat(&"y".repeat(longest + 1));
    a.expect_code("text-too-long");
    a.chat(&"y".repeat(longest));
    assert_eq!(b.next_payload().expect("the chat").len(), 65_535);
}

#[test]
fn s6_a_contested_name_goes_to_one_client() {
    each_way(|server| {
        let mut clients: [Client; 8] = server.clients();
        for round in 0..20 {
            let name = frame(format!(
                r#"{{"type": "CSName", "name": {}}}"#,
                json_string(&format!("wanted {round}"))
            ));
            for client in &mut clients {
                client.send_raw(&name);
            }
            let answers: Vec<_> = clients.iter_mut().map(|c| c.receive().code).collect();
            let winners = answers.iter().filter(|code| code.as_deref() == Some("renamed")).count();
            let losers =
                answers.iter().filter(|code| code.as_deref() == Some("name-taken")).count();
            assert_eq!((winners, losers), (1, 7), "{answers:?}");
        }
    });
}
