//! The engine with lists of rooms that wait: what is held for them.

use super::*;

/// A list that nobody reads is held whole, though it is owed as a few pages; when there is too much of
/// that, those that hold it go, and who made the changes stays.
#[test]
fn s7_lists_that_wait_are_held_and_given_back() {
    const TOTAL: usize = 128 * 1024;
    let mut bench = Bench::new(|config| {
        let limits = &mut config.limits;
        (limits.slow_backlog, limits.backlog, limits.total_backlog) = (TOTAL / 2, TOTAL, TOTAL);
    });
    let members: Vec<_> = [CREATE].into_iter().chain([JOIN; 49]).map(|j| bench.member(j)).collect();
    let (changing, changer) = &members[0];
    let asking: Vec<_> = (0..40).map(|_| bench.connect()).collect();
    let held = |bench: &Bench| bench.counters.stats().backlog as usize;
    let mut asked = 0;
    while bench.engine.sessions.len() == members.len() + asking.len() {
        let name = format!(r#"{{"type":"CSName","name":"{asked}"}}"#);
        bench.come(*changing, changer, &[&name]);
        for (key, socket) in &asking {
            socket.0.borrow_mut().is_full = true;
            bench.come(*key, socket, &[ROOMS, ROOMS]);
        }
        asked += 1;
        assert!(held(&bench) <= TOTAL, "{}", held(&bench));
        assert!(asked < 10, "{} bytes held", held(&bench));
        let asking = asking.iter().filter_map(|(key, _)| bench.engine.connections.get(*key));
        let mut sends = asking
            .filter(|asking| !asking.lifecycle.has_left_hub())
            .map(|asking| &asking.outbound.send);
        assert!(sends.all(|send| send.has_waiting_list() && send.pending() < TOTAL / 20));
    }
    assert!(held(&bench) > TOTAL / 2, "they hold {} bytes", held(&bench));
    for (key, _) in &asking {
        bench.engine.socket_failed(*key);
    }
    bench.turns();
    let closed = bench.counters.stats().closed.count(CloseReason::TotalBacklog);
    assert!(closed > 0 && closed < asking.len() as u64 / 2, "{closed} were cut off");
    assert_eq!((held(&bench), bench.engine.connection_count()), (0, members.len()));
    members.iter().for_each(|(_, socket)| drop(socket.take()));
    bench.come(*changing, changer, &[ROOMS]);
    assert_eq!(changer.take(), ["SCRoomsResult"]);
}
