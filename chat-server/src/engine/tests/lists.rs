//! The engine with lists of rooms that wait: what is held for them.

use super::*;

/// An unread list is held whole, though only a few pages of it are pending. When too much is held, those that
/// asked for it are evicted, and the member that made the changes stays.
#[test]
fn s7_lists_that_wait_are_held_and_given_back() {
    const TOTAL: usize = 128 * 1024;
    let mut harness = Harness::new(|config| {
        let limits = &mut config.limits;
        (limits.slow_backlog, limits.backlog, limits.total_backlog) = (TOTAL / 2, TOTAL, TOTAL);
    });
    let members: Vec<_> =
        [CREATE].into_iter().chain([JOIN; 49]).map(|j| harness.member(j)).collect();
    let (changing, changer) = &members[0];
    let asking: Vec<_> = (0..40).map(|_| harness.connect()).collect();
    let held = |harness: &Harness| harness.counters.stats().backlog as usize;
    let mut asked = 0;
    while harness.engine.sessions.len() == members.len() + asking.len() {
        let name = format!(r#"{{"type":"CSName","name":"{asked}"}}"#);
        harness.come(*changing, changer, &[&name]);
        for (key, socket) in &asking {
            socket.0.borrow_mut().is_full = true;
            harness.come(*key, socket, &[ROOMS, ROOMS]);
        }
        asked += 1;
        assert!(held(&harness) <= TOTAL, "{}", held(&harness));
        assert!(asked < 10, "{} bytes held", held(&harness));
        let asking = asking.iter().filter_map(|(key, _)| harness.engine.connections.get(*key));
        let mut sends = asking
            .filter(|asking| !asking.lifecycle.has_left_hub())
            .map(|asking| &asking.outbound.send);
        assert!(sends.all(|send| send.has_waiting_list() && send.pending() < TOTAL / 20));
    }
    assert!(held(&harness) > TOTAL / 2, "they hold {} bytes", held(&harness));
    for (key, _) in &asking {
        harness.engine.socket_failed(*key);
    }
    harness.turns();
    let closed = harness.counters.stats().closed.count(CloseReason::TotalBacklog);
    assert!(closed > 0 && closed < asking.len() as u64 / 2, "{closed} were cut off");
    assert_eq!((held(&harness), harness.engine.connection_count()), (0, members.len()));
    members.iter().for_each(|(_, socket)| drop(socket.take()));
    harness.come(*changing, changer, &[ROOMS]);
    assert_eq!(changer.take(), ["SCRoomsResult"]);
}
