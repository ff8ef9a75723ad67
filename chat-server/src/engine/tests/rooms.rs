//! Large rooms, and what waits for them.

use super::*;

/// Four talkers say 1.6 MB in a room of 31 members, of which a turn writes to only one. The talkers are not read while
/// so much waits that even a member that reads all the time would get too large a backlog.
#[test]
fn talkers_wait_for_a_large_room_and_readers_are_kept() {
    const CHATS: usize = 20;
    const SLOW: usize = 128 * 1024;
    let mut harness = Harness::new(|config| {
        config.limits.writes_per_room_and_turn = 1;
        config.limits.slow_backlog = SLOW;
    });
    let members: Vec<_> =
        [CREATE].into_iter().chain([JOIN; 30]).map(|j| harness.member(j)).collect();
    members.iter().for_each(|(_, socket)| drop(socket.take()));
    let text = "x".repeat(20_000);
    let chats = frame(format!(r#"{{"type":"CSChat","text":"{text}"}}"#)).repeat(CHATS);
    for (key, socket) in &members[..4] {
        socket.comes(Come::Bytes(chats.clone()));
        harness.engine.readable(*key, false);
    }
    let mut most = 0;
    while harness.engine.wants_turn() {
        harness.engine.turn(Instant::START);
        most = most.max(harness.counters.stats().backlog as usize);
    }
    // The limit, and one read of each talker.
    assert!(most <= 2 * (SLOW + 4 * 64 * 1024), "{most} bytes waited");
    for (index, (_, socket)) in members.iter().enumerate() {
        assert_eq!(socket.take().len(), CHATS * if index < 4 { 3 } else { 4 });
    }
}
