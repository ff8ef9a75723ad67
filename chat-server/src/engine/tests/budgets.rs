//! The budgets of a connection: a peer that exceeds them is delayed, and no other peer is.

use chat_proto::websocket::{self, Opcode};
use chat_testing::UPGRADE;

use super::*;
use crate::limits::RateLimit;
use crate::stats::LimitKind;

impl Harness {
    /// Gives the engine its turns up to `end`, each at the time that it asked for.
    fn turns_until(&mut self, end: Duration) {
        let end = Instant::START + end;
        while let Some(now) = self.engine.next_deadline().filter(|now| *now <= end) {
            self.turns_at(now);
        }
        self.turns_at(end);
    }
}

/// Chats of 8 KiB each, sent outside of any room, so that each is refused.
fn long_chats(count: usize) -> Vec<u8> {
    let text = "x".repeat(8 * 1024 - 2 - r#"{"type":"CSChat","text":""}"#.len());
    frame(format!(r#"{{"type":"CSChat","text":"{text}"}}"#)).repeat(count)
}

#[test]
fn b4_bytes_beyond_the_budget_are_delayed_and_none_is_dropped() {
    const KIB: u32 = 1024;
    let mut harness = Harness::new(|config| {
        config.limits.input = RateLimit { burst: 64 * KIB, per_second: 16 * KIB };
    });
    let (key, socket) = harness.connect();
    socket.comes(Come::Bytes(long_chats(64)));
    harness.engine.readable(key, false);
    harness.turns();
    // The last read may exceed the budget by its own length.
    let mut answered = socket.take().len();
    assert!((8..=16).contains(&answered), "{answered} of 64 at once");
    for second in 1..=30 {
        harness.turns_until(Duration::from_secs(second));
        answered += socket.take().len();
        let allowed = 16 + 2 * second as usize;
        assert!(answered <= allowed, "{answered} after {second} s");
    }
    assert_eq!(answered, 64, "none is dropped");
    assert!(harness.counters.stats().limits.count(LimitKind::Input) > 0);
}

#[test]
fn b4_a_frame_in_many_pieces_costs_commands() {
    let mut harness = Harness::new(|config| {
        config.limits.commands = RateLimit { burst: 8, per_second: 1 };
    });
    let (key, socket) = harness.connect();
    let (_, other) = harness.connect();
    let mut reads = 0;
    for byte in frame(ROOMS).iter().cycle().take(200) {
        socket.comes(Come::Bytes(vec![*byte]));
        let before = socket.unread();
        harness.engine.readable(key, false);
        harness.turns();
        reads += before - socket.unread();
    }
    // Eight commands pay for 32 reads that complete no frame; each 20th read completes one.
    assert!((20..=32).contains(&reads), "{reads} reads");
    harness.turns_until(Duration::from_secs(200));
    assert_eq!(socket.unread(), 0, "all is read later");
    assert_eq!(other.take(), [""; 0]);
}

#[test]
fn b7_a_connection_over_its_answer_budget_is_not_read() {
    let mut harness = Harness::new(|config| {
        config.limits.answers = RateLimit { burst: 1_000, per_second: 100 };
    });
    let (key, socket) = harness.connect();
    socket.comes(Come::Bytes(frame(r#"{"type":"CSLeaveRoom"}"#).repeat(100)));
    harness.engine.readable(key, false);
    let mut sent = 0;
    for second in 0..400 {
        harness.turns_until(Duration::from_secs(second));
        sent += socket.0.borrow().written.len();
        let answers = socket.take().len();
        // One answer may exceed the budget.
        assert!(sent <= 1_200 + 100 * second as usize, "{sent} bytes after {second} s");
        if socket.unread() == 0 && answers == 0 && second > 300 {
            break;
        }
    }
    assert!(harness.counters.stats().limits.count(LimitKind::Answers) > 0);
    assert!(sent > 10_000, "none is dropped: {sent} bytes");
}

/// Each ping arrives in time, although every read ends in the middle of one.
#[test]
fn p6_pings_that_straddle_reads_are_in_time() {
    let mut harness = Harness::new(|config| config.limits.frame_timeout = Duration::from_secs(1));
    let (key, socket) = harness.connect();
    socket.comes(Come::Bytes(UPGRADE.as_bytes().to_vec()));
    harness.engine.readable(key, false);
    harness.turns();
    let mut ping = Vec::new();
    websocket::write_masked(&mut ping, Opcode::Ping, *b"MASK", b"are you there?");
    let (begin, end) = ping.split_at(ping.len() / 2);
    socket.comes(Come::Bytes(begin.to_vec()));
    for tenth in 0..50 {
        harness.engine.readable(key, false);
        harness.turns_until(Duration::from_millis(100 * tenth));
        socket.comes(Come::Bytes([end, begin].concat()));
    }
    let written = String::from_utf8_lossy(&socket.0.borrow().written).into_owned();
    assert_eq!(written.matches("are you there?").count(), 49, "{written}");
}

/// A flood of fragments or control frames within a message gives it no more time, not even while the rest of the flood
/// waits for the budget.
#[test]
fn p6_a_message_is_late_however_much_comes_within_it() {
    for opcode in [Opcode::Continuation, Opcode::Ping, Opcode::Pong] {
        let mut harness = Harness::new(|config| {
            config.limits.frame_timeout = Duration::from_secs(3);
            config.limits.commands = RateLimit { burst: 40, per_second: 20 };
        });
        let (key, socket) = harness.connect();
        socket.comes(Come::Bytes(UPGRADE.as_bytes().to_vec()));
        harness.engine.readable(key, false);
        harness.turns();
        let (mut begin, mut within) = (Vec::new(), Vec::new());
        websocket::write_masked(&mut begin, Opcode::Text, *b"MASK", b"{");
        websocket::write_masked(&mut within, opcode, *b"MASK", b"");
        // Neither is the last of its message.
        begin[0] &= 0x7f;
        within[0] &= if opcode == Opcode::Continuation { 0x7f } else { 0xff };
        socket.comes(Come::Bytes([begin, within.repeat(10_000)].concat()));
        harness.engine.readable(key, false);
        harness.turns();
        let timeouts = |harness: &Harness| {
            let written = &socket.0.borrow().written;
            let is_told = String::from_utf8_lossy(written).contains("frame-timeout");
            (is_told, harness.engine.session_count())
        };
        harness.turns_until(Duration::from_millis(2_900));
        assert_eq!(timeouts(&harness), (false, 1), "{opcode:?}");
        harness.turns_until(Duration::from_millis(3_200));
        assert_eq!(timeouts(&harness), (true, 0), "{opcode:?}");
    }
}

/// As records of TLS do that have no content, while more of them wait to be read.
#[test]
fn p6_what_brings_nothing_gives_a_frame_no_more_time_and_is_paid_for() {
    let mut harness = Harness::new(|config| {
        config.limits.frame_timeout = Duration::from_secs(3);
        config.limits.commands = RateLimit { burst: 8, per_second: 1 };
    });
    let (key, socket) = harness.connect();
    socket.comes(Come::Bytes(b"\0\x12{".to_vec()));
    harness.engine.readable(key, false);
    harness.engine.turn(Instant::START);
    socket.0.borrow_mut().state = Some(StreamState::Ready);
    harness.engine.readable(key, false);
    harness.turns();
    assert!(harness.counters.stats().limits.count(LimitKind::Commands) > 0, "it waits");
    harness.turns_until(Duration::from_millis(2_900));
    assert_eq!(socket.take(), [""; 0]);
    // There is always more of it, also to be discarded.
    for millis in [3_010, 3_020, 3_030] {
        harness.engine.turn(Instant::START + Duration::from_millis(millis));
    }
    assert_eq!(socket.take(), ["frame-timeout"]);
}
