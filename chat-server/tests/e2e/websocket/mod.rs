//! WebSockets beside plain frames, and violations of their protocol, over real sockets. `.ci/websocket` adds clients
//! that others have written.

mod client;

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use chat_server::{CloseReason, LimitKind, RateLimit};

use crate::support::{RunningServer, start, wait_until};
use client::{MASK, Received, Web, frame};

const ROOMS: &[u8] = br#"{"type":"CSRooms"}"#;

#[test]
fn a_websocket_and_a_client_of_frames_chat_in_one_room() {
    let server = start();
    let mut plain = server.client();
    plain.be("bob");
    let room = plain.enter_new("차 한잔");

    let mut web = Web::open(server.address());
    web.send(r#"{"type":"CSName","name":"앨리스"}"#);
    web.expect_code("renamed");
    web.send(&format!(r#"{{"type":"CSJoinRoom","roomId":{room}}}"#));
    web.expect_code("room-entered");
    plain.expect_code("member-entered");
    for text in ["안녕하세요 😀", "x", &"가".repeat(40), &"나".repeat(10_000)] {
        web.send(&format!(r#"{{"type":"CSChat","text":"{text}"}}"#));
        plain.expect_chat("앨리스", text);
        plain.chat(text);
        web.expect_chat("bob", text);
    }
    web.send_raw(&frame(0x88, &[0x03, 0xe8]));
    assert_eq!(web.expect_close(1000), [] as [&str; 0]);
    plain.expect_code("member-left");
}

#[test]
fn a_websocket_that_says_no_hello_is_shown_what_was_said() {
    let server = RunningServer::with(|config| config.replay = 2);
    let mut plain = server.client();
    let room = plain.enter_new("tea");
    for text in ["one", "안녕", "three"] {
        plain.chat(text);
    }
    plain.expect_nothing();
    let mut web = Web::open(server.address());
    web.send(&format!(r#"{{"type":"CSJoinRoom","roomId":{room}}}"#));
    web.expect_code("room-entered");
    web.expect_chat("user1", "안녕");
    web.expect_chat("user1", "three");
    plain.expect_code("member-entered");
    plain.chat("live");
    web.expect_chat("user1", "live");
}

/// Even a ping that comes when there is nothing else to do.
#[test]
fn pings_are_answered() {
    let server = start();
    let mut web = Web::open(server.address());
    for len in [0, 1, 125].repeat(20) {
        web.expect_nothing();
        web.send_raw(&frame(0x89, &[b'p'; 125][..len]));
        assert_eq!(web.next(), Received::Pong);
    }
}

/// Violations of the protocol, each with the status code of the close.
fn breaches() -> Vec<(&'static str, Vec<u8>, u16)> {
    let long = [&[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0][..], &MASK].concat();
    let fragments = [frame(0x01, &[b' '; 60_000]), frame(0x80, &[b' '; 5_536])].concat();
    vec![
        ("a reserved bit", frame(0xc1, ROOMS), 1002),
        ("an unknown opcode", frame(0x83, ROOMS), 1002),
        ("no mask", [&[0x81, 18][..], ROOMS].concat(), 1002),
        ("126 for 18", [&[0x81, 0xfe, 0, 18][..], &frame(0x81, ROOMS)[2..]].concat(), 1002),
        ("127 for 65,535", [0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff].to_vec(), 1002),
        ("a length with the highest bit", [0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0].to_vec(), 1002),
        ("a long message", long, 1009),
        ("fragments too long together", fragments, 1009),
        ("a fragmented ping", frame(0x09, b"x"), 1002),
        ("a long ping", frame(0x89, &[b'x'; 126]), 1002),
        ("a continuation of nothing", frame(0x80, b"x"), 1002),
        ("a message in another", [frame(0x01, b"{"), frame(0x81, b"{}")].concat(), 1002),
        ("a text that is not UTF-8", frame(0x81, b"{\"type\":\"\xff\"}"), 1007),
        ("bytes", frame(0x82, ROOMS), 1003),
        ("a close of one byte", frame(0x88, b"x"), 1002),
        ("a close with 1005", frame(0x88, &[0x03, 0xed]), 1002),
        ("a close with a reason that is not UTF-8", frame(0x88, b"\x03\xe8\xff"), 1007),
    ]
}

#[test]
fn w1_w2_w3_w4_w5_w6_w7_w8_a_breach_is_answered_by_its_code_and_what_follows_is_not_done() {
    let server = start();
    let mut witness = server.client();
    let create = frame(0x81, br#"{"type":"CSCreateRoom","title":"late"}"#);
    for (breach, bytes, code) in breaches() {
        for piece in [bytes.len(), 1] {
            let mut web = Web::open(server.address());
            web.expect_nothing();
            for piece in bytes.chunks(piece) {
                web.send_raw(piece);
            }
            web.send_raw(&create);
            let notices = web.expect_close(code);
            assert!(notices.len() <= 1, "{breach}: {notices:?}");
        }
    }
    assert_eq!(witness.rooms(), []);
}

#[test]
fn w7_a_text_is_refused_though_the_rest_of_it_never_comes() {
    let server = start();
    let mut web = Web::open(server.address());
    let late = [&[b' '; 5_000][..], b"\xff", &[b' '; 5_000]].concat();
    web.send_raw(&frame(0x81, &late)[..8 + 5_001]);
    web.expect_close(1007);
}

#[test]
fn p3_a_websocket_stream_split_at_any_byte_means_the_same() {
    let server = start();
    let stream = [
        frame(0x01, "{\"type\":\"CSCreateRoom\",\"title\":\"가 ro".as_bytes()),
        frame(0x89, b"ping"),
        frame(0x80, b"om\"}"),
        frame(0x81, br#"{"type":"CSLeaveRoom"}"#),
    ]
    .concat();
    for at in 0..=stream.len() {
        let mut web = Web::open(server.address());
        web.send_raw(&[&frame(0x81, ROOMS)[..], &stream[..at]].concat());
        assert_eq!(web.receive().kind, "SCRoomsResult");
        web.send_raw(&stream[at..]);
        let mut codes = Vec::new();
        let mut pongs = 0;
        while codes.len() < 2 {
            match web.next() {
                Received::Pong => pongs += 1,
                Received::Text(text) => codes.push(text),
                other => panic!("{other:?}"),
            }
        }
        assert!(codes[0].contains("room-created") && codes[1].contains("room-left"), "{codes:?}");
        assert_eq!(pongs, 1);
        web.expect_nothing();
    }
}

#[test]
fn w9_pings_pongs_and_fragments_count_as_commands() {
    const COUNT: usize = 60;
    let server = RunningServer::with(|config| {
        config.limits.commands = RateLimit { burst: 40, per_second: 60 };
    });
    let at_least = Duration::from_secs(1) * (1 + COUNT as u32 - 40) / 60;
    let fragments = [frame(0x01, b""), frame(0x00, b"").repeat(COUNT - 1), frame(0x80, ROOMS)];
    for (stream, pongs) in [
        ([frame(0x89, b"ping").repeat(COUNT), frame(0x81, ROOMS)].concat(), COUNT),
        ([frame(0x8a, b"pong").repeat(COUNT), frame(0x81, ROOMS)].concat(), 0),
        (fragments.concat(), 0),
    ] {
        let began = Instant::now();
        let mut web = Web::open(server.address());
        web.send_raw(&stream);
        for _ in 0..pongs {
            assert_eq!(web.next(), Received::Pong);
        }
        assert_eq!(web.receive().kind, "SCRoomsResult");
        assert!(began.elapsed() >= at_least, "{:?}", began.elapsed());
    }
    assert!(server.stats().limits.count(LimitKind::Commands) >= 3);
}

#[test]
fn w9_r5_a_client_that_never_reads_its_pongs_is_paused_and_then_evicted() {
    const PINGS: usize = 100_000;
    let server = RunningServer::with(|config| {
        config.limits.slow_backlog_time = Duration::from_millis(500);
        config.limits.linger = Duration::from_secs(20);
    });
    let mut web = Web::open_with_little_room(server.address());
    web.expect_nothing();
    let mut sending = web.twin();
    let flood = thread::spawn(move || sending.write_all(&frame(0x89, &[b'p'; 125]).repeat(PINGS)));
    let mut most = 0;
    wait_until("it is evicted", || {
        let stats = server.stats();
        most = most.max(stats.backlog);
        stats.sessions == 0
    });
    // All pongs together are 12 MB.
    assert!(most < 1 << 20, "{most}");
    web.make_room();
    assert_eq!(web.expect_close(1008), ["slow-consumer"]);
    flood.join().expect("it does not panic").expect("everything was sent");
}

#[test]
fn w10_t1_a_message_that_is_never_completed_times_out() {
    const TIMEOUT: Duration = Duration::from_millis(500);
    let server = RunningServer::with(|config| {
        config.limits.frame_timeout = TIMEOUT;
        config.limits.linger = Duration::from_secs(20);
    });
    let began = Instant::now();
    let begun = frame(0x01, b"{\"type\":");
    // The beginning that each of them sends, and what it then repeats.
    let senders = [
        (&begun[..], frame(0x00, b" ")),
        (&begun, frame(0x00, b"")),
        (&begun, frame(0x89, b"")),
        (&begun, Vec::new()),
        (&begun[..10], Vec::new()),
        (&begun[..6], Vec::new()),
        (&begun[..1], Vec::new()),
        (&frame(0x01, b""), Vec::new()),
    ];
    let mut webs = senders.each_ref().map(|_| Web::open(server.address()));
    for (web, (begun, _)) in webs.iter_mut().zip(&senders) {
        web.expect_nothing();
        web.send_raw(begun);
    }
    wait_until("all have timed out", || {
        for (web, (_, more)) in webs.iter_mut().zip(&senders) {
            web.send_raw(more);
        }
        server.stats().sessions == 0
    });
    assert!(began.elapsed() >= TIMEOUT, "not before its time");
    for web in &mut webs {
        assert_eq!(web.expect_close(1008), ["frame-timeout"]);
    }
    drop(webs);
    wait_until("they are gone", || server.stats().closed.count(CloseReason::FrameTimeout) == 8);
}

#[test]
fn a_websocket_is_told_of_the_stop_and_closed_with_1001() {
    let mut server = RunningServer::with(|_| {});
    let mut web = Web::open(server.address());
    web.expect_nothing();
    server.stop();
    assert_eq!(web.expect_close(1001), ["server-stopping"]);
    drop(web);
    server.join();
}
