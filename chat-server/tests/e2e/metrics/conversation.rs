//! The metrics of conversations in which the test knows every message.

use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;

use super::scrape::{connect, expect, get, scrape};
use super::start;
use crate::support::{Client, Program, frame, run_to_end, wait_until};

/// Ann, Bob and Cid meet in a room, and Bob leaves. Checks what has been counted by then.
fn meet(address: SocketAddr, metrics: SocketAddr) -> [Client; 3] {
    let [mut ann, mut bob, mut cid] = [(); 3].map(|()| Client::of(address));
    let room = ann.enter_new("room");
    bob.enter(room);
    ann.expect_code("member-entered");
    cid.enter(room);
    ann.expect_code("member-entered");
    bob.expect_code("member-entered");
    ann.be("ann");
    bob.receive();
    cid.receive();
    for n in 0..5 {
        ann.chat(&format!("{n}"));
        bob.expect_chat("ann", &format!("{n}"));
        cid.expect_chat("ann", &format!("{n}"));
    }
    cid.send("{}");
    cid.receive();
    bob.leave();
    bob.expect_code("room-left");
    ann.expect_code("member-left");
    cid.expect_code("member-left");
    let page = expect(
        metrics,
        &[
            ("chat_connections{state=\"open\"}", 3),
            ("chat_connections{state=\"closing\"}", 0),
            ("chat_connections{state=\"refused\"}", 0),
            ("chat_connections_accepted_total", 3),
            ("chat_rooms", 1),
            ("chat_members", 2),
            ("chat_messages_received_total{type=\"CSChat\"}", 5),
            ("chat_messages_received_total{type=\"CSName\"}", 1),
            ("chat_messages_received_total{type=\"CSRooms\"}", 3),
            ("chat_messages_received_total{type=\"CSCreateRoom\"}", 1),
            ("chat_messages_received_total{type=\"CSJoinRoom\"}", 2),
            ("chat_messages_received_total{type=\"CSLeaveRoom\"}", 1),
            ("chat_messages_received_total{type=\"CSShutdown\"}", 0),
            ("chat_messages_received_total{type=\"rejected\"}", 1),
            // Bob and Cid enter, Ann takes a name and chats five times, Bob leaves.
            ("chat_messages_delivered_total", 1 + 2 + 3 + 5 * 2 + 2),
            ("chat_turn_requests_sum", 14),
            ("chat_requests_pending", 0),
            ("chat_backlog_bytes", 0),
            ("chat_panics_total", 0),
            ("chat_accept_failures_total", 0),
        ],
    );
    let turns = page.value("chat_turn_duration_seconds_count");
    let busy = page.value("chat_turn_requests_count");
    assert!((1.0..=turns.min(14.0)).contains(&busy), "{busy} of {turns} turns took some in");
    [ann, bob, cid]
}

#[test]
fn a_conversation_is_counted() {
    let (program, address, metrics) = start(&[]);
    let [ann, bob, mut cid] = meet(address, metrics);
    drop((ann, bob));
    cid.expect_code("member-left");
    drop(cid);
    expect(
        metrics,
        &[
            ("chat_connections{state=\"open\"}", 0),
            ("chat_connections_closed_total{reason=\"peer-ended\"}", 3),
            ("chat_rooms", 0),
            ("chat_members", 0),
            ("chat_messages_delivered_total", 18 + 1),
        ],
    );
    program.stop();
}

#[test]
fn a_conversation_through_workers_is_counted() {
    let (program, address, metrics) = start(&["--inline=0", "--worker=4"]);
    let people = meet(address, metrics);
    let page = scrape(metrics);
    let waits = page.value("chat_worker_wait_seconds_count");
    let busy = page.value("chat_turn_requests_count");
    assert!(waits > 0.0 && waits <= busy, "{waits} of {busy} turns waited for workers");
    drop(people);
    program.stop();
}

#[test]
fn every_byte_in_and_out_is_counted() {
    let (program, address, metrics) = start(&[]);
    let (mut received, mut sent) = (0, 0);
    for n in 1..20 {
        let mut stream = connect(address);
        let request = frame(r#"{"type": "CSRooms"}"#).repeat(n);
        stream.write_all(&request).expect("it is read");
        let mut answers = vec![0; 37 * n];
        stream.read_exact(&mut answers).expect("it is answered");
        received += request.len() as u64;
        sent += answers.len() as u64;
        expect(
            metrics,
            &[("chat_received_bytes_total", received), ("chat_sent_bytes_total", sent)],
        );
    }
    program.stop();
}

#[test]
fn each_closed_connection_is_counted_by_its_reason() {
    let (program, address, metrics) = start(&["--shutdown-from=nobody"]);
    for _ in 0..3 {
        drop(Client::of(address));
    }
    for _ in 0..2 {
        let mut cut = Client::of(address);
        cut.send_raw(&[0]);
        cut.end_sending();
        cut.expect_end();
    }
    Client::of(address).reset();
    for foreign in [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], &frame("[]"), &frame("{}"), &frame("")] {
        let mut stranger = Client::connect(address);
        stranger.send_raw(foreign);
        stranger.receive();
        stranger.expect_end();
    }
    let mut bad = Client::of(address);
    for _ in 0..21 {
        bad.send("[]");
    }
    bad.whatever_came();
    drop(bad);
    expect(
        metrics,
        &[
            ("chat_connections_closed_total{reason=\"peer-ended\"}", 3),
            ("chat_connections_closed_total{reason=\"peer-ended-in-frame\"}", 2),
            ("chat_connections_closed_total{reason=\"lost\"}", 1),
            ("chat_connections_closed_total{reason=\"bad-input\"}", 5),
            ("chat_connections_closed_total{reason=\"stopped\"}", 0),
            ("chat_limits_reached_total{limit=\"bad_frames\"}", 1),
            ("chat_limits_reached_total{limit=\"linger\"}", 0),
            ("chat_connections_accepted_total", 11),
            ("chat_connections{state=\"open\"}", 0),
            ("chat_connections{state=\"closing\"}", 0),
        ],
    );
    program.stop();
}

#[test]
fn reaching_a_limit_is_counted() {
    let (program, address, metrics) = start(&[]);
    let reached = |limit: &str| {
        scrape(metrics).value(&format!("chat_limits_reached_total{{limit=\"{limit}\"}}"))
    };
    assert_eq!(reached("commands"), 0.0);
    let mut talker = Client::of(address);
    wait_until("reading pauses", || {
        // More than the burst allows.
        talker.send_raw(&frame(r#"{"type": "CSRooms"}"#).repeat(600));
        reached("commands") > 0.0
    });
    drop(talker);
    program.stop();
}

#[test]
fn the_limits_in_force_are_exported() {
    let limits = ["--limit=connections=7", "--limit=rooms=8", "--limit=total-backlog=2MiB"];
    let (_program, _, metrics) = start(&limits);
    let told = [("connections", 7), ("rooms", 8), ("backlog_bytes", 2 << 20)];
    let told = told.map(|(limit, most)| (format!("chat_max_{limit}"), most));
    expect(metrics, &told.each_ref().map(|(name, most)| (name.as_str(), *most)));
}

#[test]
fn health_is_serving_until_the_stop_and_stopping_after_it() {
    let (mut program, address, metrics) = start(&[]);
    let mut client = Client::of(address);
    assert_eq!(get(metrics, "/health"), ("HTTP/1.1 200 OK".to_owned(), "serving\n".to_owned()));
    let flag = format!("--probe={metrics}");
    assert_eq!(run_to_end(&[&flag]), (Some(0), "serving".to_owned(), String::new()));
    client.shutdown();
    client.expect_code("server-stopping");
    client.expect_end();
    let probe = |address: SocketAddr| run_to_end(&[&format!("--probe={address}")]);
    // The server also waits for the client to close its side.
    let stopping = ("HTTP/1.1 503 Service Unavailable".to_owned(), "stopping\n".to_owned());
    wait_until("the server is stopping", || get(metrics, "/health") == stopping);
    expect(
        metrics,
        &[("chat_connections{state=\"open\"}", 0), ("chat_connections{state=\"closing\"}", 1)],
    );
    assert_eq!(probe(metrics), (Some(1), "stopping".to_owned(), String::new()));
    drop(client);
    program.expect_success();
    let (code, output, errors) = probe(metrics);
    assert_eq!((code, output.as_str()), (Some(1), ""), "nobody listens any more");
    assert!(errors.contains(&metrics.to_string()) && errors.contains("--metrics"), "{errors}");
}

#[test]
fn o16_a_log_that_cannot_be_written_ends_nothing_and_its_lines_are_counted() {
    let file = format!("{}/o16.log", env!("CARGO_TARGET_TMPDIR"));
    // A file limited to 4 KiB, and a full disk.
    for (before, to) in [("ulimit -f 8; ", &*file), ("", "/dev/full")] {
        let args = ["--port=0", "--log=debug", "--metrics=127.0.0.1:0"];
        let mut program = Program::start_by_shell(before, &args, &format!(" 2>'{to}'"));
        let address = program.address();
        let metrics = program.next_line();
        let metrics = metrics.strip_prefix("metrics on ").expect("the second line says so");
        let metrics = metrics.parse().expect("an address");
        let mut client = Client::of(address);
        client.enter_new("room");
        wait_until("lines are lost and counted", || {
            drop(Client::of(address));
            scrape(metrics).value("chat_log_lines_dropped_total") > 0.0
        });
        client.expect_nothing();
        program.signal("TERM");
        client.expect_code("server-stopping");
        drop(client);
        assert_eq!(program.wait().0, Some(0));
    }
    let written = fs::read_to_string(&file).expect("it wrote what it could");
    assert!((1..=4096).contains(&written.len()), "{} bytes", written.len());
    assert!(written.contains(" INFO listening"), "{written}");
}
