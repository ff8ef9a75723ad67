//! Names, titles and texts: which are refused, who holds a name, and how long each may be.

use chat_proto::Incoming;

use crate::support::{Client, RunningServer, each_way, frame, json_string, start};

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
fn v1_no_name_is_read_as_somebody_elses_words() {
    let server = start();
    let ([mut a, mut b], _) = server.members();
    for name in [
        "alice:\u{a0}yes",
        "alice： yes",
        "alice∶\u{2009}yes",
        "alice꞉\u{3000}yes",
        "aliceː yes",
        "alice׃ yes",
        "alice left. bob",
        "alice left",
        "alice came in",
        "alice is now called bob",
        "alice left.",
        "alice 님이 나갔어요",
        "alice] yes",
        "[alice",
        "<alice> yes",
        "* alice",
        "\"alice\"",
        "‘alice’",
        "alice| yes",
        "alice > yes",
        "Announcement: tea",
        "alice\u{2028}bob",
        "alice\nbob",
        "alice\u{2800}yes",
    ] {
        a.name(name);
        let text = a.expect_code("bad-name").text;
        assert!(text.is_ascii() && !text.contains("alice"), "{text}");
    }
    a.name("Tom  &\u{3000}Jerry ");
    for client in [&mut a, &mut b] {
        assert_eq!(client.expect_code("renamed").to.as_deref(), Some("Tom & Jerry"));
    }
    a.chat("hello");
    b.expect_chat("Tom & Jerry", "hello");
}

#[test]
fn v2_v5_names_that_people_cannot_tell_apart_are_one() {
    let server = start();
    let [mut a, mut b] = server.clients();
    for (name, likenesses) in [
        ("alice", &["aIice", "a1ice", "AL1CE", "\u{1d41a}lice", "a\u{131}ice"][..]),
        ("Tom", &["ТОМ", "T0M", "torn"]),
        ("Νίκος", &["ΝΊΚΟΣ", "νίκος"]),
        ("straße", &["STRASSE", "strasse", "STRAẞE"]),
        ("ㅇㅇ", &["oo", "00", "OO"]),
    ] {
        a.be(name);
        for likeness in likenesses {
            b.name(likeness);
            b.expect_code("name-taken");
        }
    }
    for mixed in ["аlice", "user١", "Νikos", "김а"] {
        b.name(mixed);
        b.expect_code("bad-name");
    }
    for default in ["userl", "user³", "userO", "ｕｓｅｒ１７", "user1Ⅰ"] {
        b.name(default);
        b.expect_code("name-taken");
    }
}

#[test]
fn v3_people_get_the_names_that_they_type() {
    let server = start();
    let [mut a] = server.clients();
    for name in [
        "ㅇㅇ",
        "ㅋㅋ",
        "김ㅎㅎ",
        "ㄱ",
        "❤️",
        "1️⃣",
        "👨‍👩‍👧‍👦",
        "🇰🇷",
        "👋🏽",
        "★철수★",
        "C++",
        "علی\u{200c}رضا",
    ] {
        a.name(name);
        assert_eq!(a.expect_code("renamed").to.as_deref(), Some(name));
    }
    for (name, named) in [
        ("a\u{200b}", "invisible character U+200B"),
        ("a→b", "symbol U+2192"),
        ("a,b", "punctuation mark U+002C"),
    ] {
        a.name(name);
        let text = a.expect_code("bad-name").text;
        assert!(text.contains(named), "{text}");
    }
}

#[test]
fn v4_names_and_titles_have_ink() {
    let server = start();
    let [mut a] = server.clients();
    for blank in [
        "\u{2800}",
        "\u{3164}",
        "\u{115f}",
        "\u{ffa0}",
        "\u{301}",
        "\u{fe0f}",
        "\u{200d}",
        "\u{e0061}",
        " \u{301}",
    ] {
        a.name(blank);
        a.expect_code("bad-name");
        a.create(blank);
        a.expect_code("bad-title");
    }
    a.create("te\u{200b}a");
    a.expect_code("bad-title");
    assert_eq!(a.rooms(), []);
}

#[test]
fn v7_the_names_of_the_operator_are_reserved() {
    let server = start();
    let [mut a] = server.clients();
    for name in [
        "server",
        "admin",
        "system",
        "Admin",
        "ａｄｍｉｎ",
        "adm1n",
        "ad-min",
        "관리자",
        "서버",
        "운영자",
    ] {
        a.name(name);
        a.expect_code("name-taken");
    }
    let server = RunningServer::with(|config| {
        config.reserved_names = "boss".parse().expect("a name");
    });
    let [mut a] = server.clients();
    a.name("B0SS");
    a.expect_code("name-taken");
    a.be("admin");
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
    // An escaped character takes two bytes on its way out, however it arrived.
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
