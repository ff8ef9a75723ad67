//! Clients that ask for long lists of rooms and do not read them: S7.

use std::time::Duration;

use chat_proto::Incoming;
use chat_server::CloseReason;

use crate::support::{Client, End, Scene, in_own_process, wait_until};

const KIB: usize = 1024;

/// The list of so many rooms is 150 KB on the wire, in three frames, and 200 KB in memory.
const ROOMS: usize = 300;

/// Clients ask for the list after each change and never read. Their lists together are more than the total
/// backlog may be, though each client stays below its own limits.
#[test]
fn s7_unread_lists_of_rooms_evict_their_askers_and_nobody_else() {
    in_own_process(|| {
        const ASKING: usize = 6;
        const TOTAL: usize = 448 * KIB;
        let scene = Scene::with(|config| {
            let limits = &mut config.limits;
            limits.kernel_send_buffer = 4 * KIB;
            (limits.slow_backlog, limits.backlog, limits.total_backlog) = (128 * KIB, TOTAL, TOTAL);
            limits.slow_backlog_time = Duration::from_secs(60);
            limits.linger = Duration::from_secs(20);
        });
        let mut makers = make_rooms(&scene);
        let mut asking = [(); ASKING].map(|()| Client::connect_with_little_room(scene.address()));
        // The makers and three witnesses.
        let others = ROOMS as u64 + 3;
        let all = others + ASKING as u64;
        wait_until("all are connected", || scene.stats().sessions == all);

        let (mut rounds, mut most) = (0, 0);
        while scene.stats().sessions == all {
            assert!(rounds < 100, "{most} bytes are the largest backlog so far");
            makers[0].be(&rounds.to_string());
            asking.iter_mut().for_each(Client::ask_for_rooms);
            most = most.max(scene.stats().backlog);
            rounds += 1;
        }
        assert!(most <= (TOTAL + 64 * KIB) as u64, "{most}");

        // They read at last: the evicted ones a prefix and the reason, the others all their lists.
        asking.iter().for_each(Client::end_sending);
        let cut_off = asking.iter_mut().map(|client| is_cut_off(client, rounds)).filter(|cut| *cut);
        let cut_off = cut_off.count();
        assert!(cut_off > 0, "some are");
        wait_until("all others are still connected", || scene.stats().sessions == others);
        assert_eq!(makers[0].rooms().len(), ROOMS + 2, "with those of the witnesses");
        drop((makers, asking));
        let (_, stats) = scene.finish();
        // A client that had half-closed by then is counted for that reason.
        let counted = stats.closed.count(CloseReason::TotalBacklog);
        assert!((1..=cut_off as u64).contains(&counted), "{counted} of {cut_off}");
    });
}

/// A maker for each of the rooms, whose titles are as long as allowed.
fn make_rooms(scene: &Scene) -> Vec<Client> {
    let mut makers: Vec<_> = (0..ROOMS).map(|_| Client::connect(scene.address())).collect();
    makers.iter_mut().for_each(|maker| maker.create(&"😀".repeat(100)));
    for maker in &mut makers {
        maker.expect_code("room-created");
    }
    makers
}

/// Reads to the end, and tells whether the client was evicted. If not, it has received so many complete
/// lists. An evicted client whose backlog is again the largest is reset.
fn is_cut_off(client: &mut Client, lists: usize) -> bool {
    let (messages, end) = client.until_end();
    if end == End::Reset {
        return true;
    }
    assert_eq!(end, End::Clean);
    let is_page = |message: &&Incoming| message.kind == "SCRoomsResult";
    let pages = || messages.iter().take_while(is_page);
    let rooms: usize = pages().map(|page| page.rooms.len()).sum();
    let whole = pages().filter(|page| !page.more).count();
    match &messages[pages().count()..] {
        [] => {
            assert_eq!((whole, rooms), (lists, lists * (ROOMS + 2)));
            false
        }
        [why] => {
            assert_eq!(why.code.as_deref(), Some("slow-consumer"));
            assert!(whole < lists);
            true
        }
        more => panic!("nothing comes after the lists: {more:?}"),
    }
}
