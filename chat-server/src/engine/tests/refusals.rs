//! The engine and connections beyond the limit: when each is told.

use chat_testing::UPGRADE;

use super::*;
use crate::stats::LimitKind;

/// A server that is full, and the socket of one more connection, whose stream is in this state.
fn full(state: StreamState) -> (Harness, ConnKey, TestSocket) {
    let mut harness = Harness::new(|config| config.limits.connections = 1);
    harness.connect();
    let (key, socket) = harness.connect();
    socket.0.borrow_mut().state = Some(state);
    (harness, key, socket)
}

fn at(millis: u64) -> Instant {
    Instant::START + Duration::from_millis(millis)
}

/// Its request comes a round trip after the first flight of the handshake, however long that takes.
#[test]
fn a_refused_browser_may_take_its_time_over_the_handshake() {
    let (mut harness, key, socket) = full(StreamState::Handshaking);
    harness.turns_at(at(3_000));
    assert_eq!(socket.0.borrow().written, b"", "it is no client of frames yet");
    socket.comes(Come::Opens);
    harness.engine.readable(key, false);
    harness.turns_at(at(3_100));
    harness.turns_at(at(3_300));
    assert_eq!(socket.0.borrow().written, b"", "it has only just been able to speak");
    socket.comes(Come::Bytes(UPGRADE.as_bytes().to_vec()));
    harness.engine.readable(key, false);
    harness.turns_at(at(3_340));
    assert!(socket.0.borrow().written.starts_with(b"HTTP/1.1 503 "));
}

#[test]
fn a_refused_connection_is_told_when_it_has_been_silent_after_its_handshake() {
    let (mut harness, key, socket) = full(StreamState::Handshaking);
    harness.turns_at(at(1_000));
    socket.comes(Come::Opens);
    harness.engine.readable(key, false);
    harness.turns_at(at(1_100));
    harness.turns_at(at(1_400));
    assert_eq!(socket.take(), ["server-full"]);
}

#[test]
fn a_refused_connection_whose_handshake_does_not_end_is_closed() {
    let (mut harness, _, socket) = full(StreamState::Handshaking);
    harness.turns_at(at(300));
    harness.turns_at(at(4_900));
    assert_eq!(harness.engine.connection_count(), 2);
    harness.turns_at(at(5_100));
    assert_eq!(harness.engine.connection_count(), 1);
    assert_eq!(socket.0.borrow().written, b"");
    let stats = harness.counters.stats();
    assert_eq!(stats.closed.count(CloseReason::ServerFull), 1);
    assert_eq!(stats.limits.count(LimitKind::Linger), 1);
}

/// In the pieces in which its first bytes come, or with nothing after the first.
#[test]
fn a_refused_browser_is_told_by_http_in_whatever_pieces_it_asks() {
    for pieces in [&["G", "ET / HTTP/1.1\r\n"][..], &["P", "O", "ST /"], &["G"], &["OP"]] {
        let (mut harness, key, socket) = full(StreamState::Open);
        for piece in pieces {
            assert_eq!(socket.0.borrow().written, b"", "{pieces:?}: the rest is on its way");
            socket.comes(Come::Bytes(piece.as_bytes().to_vec()));
            harness.engine.readable(key, false);
            harness.turns_at(at(100));
        }
        harness.turns_at(at(300));
        assert!(socket.0.borrow().written.starts_with(b"HTTP/1.1 503 "), "{pieces:?}");
    }
}

#[test]
fn a_refused_client_whose_first_frame_looks_like_a_request_is_told_by_a_frame() {
    for pieces in [&["GE{\"type"][..], &["G", "E", "{"], &["X"]] {
        let (mut harness, key, socket) = full(StreamState::Open);
        for piece in pieces {
            socket.comes(Come::Bytes(piece.as_bytes().to_vec()));
            harness.engine.readable(key, false);
            harness.turns_at(at(100));
        }
        assert_eq!(socket.take(), ["server-full"], "{pieces:?}");
    }
}

/// Even if nobody has seen more of the request than its first letter.
#[test]
fn no_refusal_of_head_has_a_body() {
    for (request, has_body) in
        [("HEAD / HTTP/1.1\r\n\r\n", false), ("H", false), ("HEX", true), ("GET /", true)]
    {
        let (mut harness, key, socket) = full(StreamState::Open);
        socket.comes(Come::Bytes(request.as_bytes().to_vec()));
        harness.engine.readable(key, false);
        harness.turns_at(at(300));
        let written = socket.0.borrow().written.clone();
        let is_frame = request == "HEX";
        assert_eq!(written.starts_with(b"HTTP/1.1 503 "), !is_frame, "{request}");
        assert_eq!(!written.ends_with(b"\r\n\r\n"), has_body, "{request}");
    }
    let mut harness = Harness::new(|_| {});
    let (key, socket) = harness.connect();
    socket.comes(Come::Bytes(b"HEAD / HTTP/1.1\r\nHost: ".to_vec()));
    harness.engine.readable(key, false);
    harness.turns_at(at(0));
    harness.turns_at(at(60_000));
    let written = socket.0.borrow().written.clone();
    assert!(written.starts_with(b"HTTP/1.1 408 ") && written.ends_with(b"\r\n\r\n"));
}
