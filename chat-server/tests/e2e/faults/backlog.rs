//! Members that do not read, or too slowly, and what they still receive: R1 to R5.

use std::thread;
use std::time::{Duration, Instant};

use chat_proto::Incoming;
use chat_server::{CloseReason, LimitKind, Limits, RateLimit};

use crate::support::{Client, End, Scene, frame, in_own_process, wait_until};

const KIB: usize = 1024;
const FRAME: usize = 64 * KIB;

/// Raises the limits on backlogs so far that only those which the test sets are reached.
fn patient(limits: &mut Limits) {
    limits.slow_backlog = 128 * KIB;
    limits.backlog = 8 << 20;
    limits.total_backlog = 64 << 20;
    limits.slow_backlog_time = Duration::from_secs(60);
    limits.linger = Duration::from_secs(20);
    limits.room_pace = RateLimit::per_second(0);
}

/// A talker that numbers its chats of 8 KB.
struct Talker<'a> {
    client: Client,
    said: usize,
    /// The number of members whose leaving it has seen.
    left: usize,
    /// The scene whose witness receives the chats.
    near: Option<&'a Scene>,
}

impl<'a> Talker<'a> {
    fn new(client: Client) -> Self {
        Self { client, said: 0, left: 0, near: None }
    }

    fn near_witness(scene: &'a Scene) -> Self {
        Self { near: Some(scene), ..Self::new(scene.member()) }
    }

    /// Sends this many chats, and waits until they have been carried out and received by the witness, who must not
    /// become slow.
    fn say(&mut self, chats: usize) {
        for n in self.said..self.said + chats {
            self.client.chat(&text(n));
        }
        self.said += chats;
        self.listen();
        if let Some(scene) = self.near {
            wait_until("the witness has received it", || scene.chats() == self.said);
        }
    }

    /// Receives all pending notices. Returns how many members have left in total.
    fn listen(&mut self) -> usize {
        self.client.ask_for_rooms();
        loop {
            let message = self.client.receive();
            if message.kind == "SCRoomsResult" {
                return self.left;
            }
            assert_eq!(message.code.as_deref(), Some("member-left"));
            self.left += 1;
        }
    }

    /// Keeps talking, chat by chat, until the condition holds. Returns the largest backlog in the meantime, in bytes.
    fn say_until(&mut self, scene: &Scene, holds: impl Fn(&Self) -> bool) -> u64 {
        let mut most = 0;
        while !holds(self) {
            self.say(1);
            most = most.max(scene.stats().backlog);
            assert!(self.said < 2_000, "16 MB are more than any backlog may be");
        }
        most
    }
}

fn text(n: usize) -> String {
    format!("{n} {}", "x".repeat(8_000))
}

/// Checks that `messages` begin with the first chats, without a hole; returns their number and the messages
/// after them.
fn prefix(messages: &[Incoming]) -> (usize, &[Incoming]) {
    let chats = messages.iter().take_while(|message| message.kind == "SCChat").count();
    for (n, message) in messages[..chats].iter().enumerate() {
        assert!(message.text == text(n), "chat {n} is missing");
    }
    (chats, &messages[chats..])
}

/// Checks that the client receives a prefix of the chats, the reason and a clean end. Returns the number of chats.
fn expect_cut_off(client: &mut Client) -> usize {
    let (messages, end) = client.until_end();
    let (chats, rest) = prefix(&messages);
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!((rest[0].code.as_deref(), end), (Some("slow-consumer"), End::Clean));
    chats
}

/// Receives chats `from..to`, and nothing else.
fn read(client: &mut Client, from: usize, to: usize) {
    for n in from..to {
        let message = client.receive();
        assert!(message.text == text(n), "chat {n} expected: {:?}", message.code);
    }
}

#[test]
fn r1_a_member_over_its_backlog_gets_a_prefix_and_the_reason() {
    in_own_process(|| {
        let scene = Scene::with(|config| {
            patient(&mut config.limits);
            config.limits.backlog = 256 * KIB;
        });
        let mut slow = scene.slow_member();
        let mut talker = Talker::near_witness(&scene);
        slow.expect_code("member-entered");
        let most = talker.say_until(&scene, |talker| talker.left == 1);
        // Buffers grow by doubling: they are less than twice as large as the backlog.
        assert!(most as usize <= 2 * (256 * KIB + FRAME), "{most}");
        talker.say(10);

        // It finally reads.
        let chats = expect_cut_off(&mut slow);
        assert!(0 < chats && chats < talker.said - 10, "{chats} of {}", talker.said);
        let said = talker.said;
        drop((slow, talker));
        let (heard, stats) = scene.finish();
        assert_eq!((heard.chats, heard.count("member-left")), (said, 2));
        assert_eq!(stats.closed.count(CloseReason::Backlog), 1);
        assert_eq!(stats.limits.count(LimitKind::Linger), 0);
    });
}

#[test]
fn r1_a_member_that_never_reads_is_reset_after_the_linger_time() {
    in_own_process(|| {
        let scene = Scene::with(|config| {
            patient(&mut config.limits);
            config.limits.backlog = 256 * KIB;
            config.limits.linger = Duration::from_millis(200);
        });
        let mut slow = scene.slow_member();
        let mut talker = Talker::near_witness(&scene);
        slow.expect_code("member-entered");
        talker.say_until(&scene, |talker| talker.left == 1);
        wait_until("the linger time is over", || {
            scene.stats().limits.count(LimitKind::Linger) == 1
        });
        let (messages, end) = slow.until_end();
        let (_, rest) = prefix(&messages);
        assert!(rest.is_empty(), "{rest:?}");
        assert_eq!(end, End::Reset, "the client must not take the prefix for everything");
        drop((slow, talker));
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::Backlog), 1);
    });
}

/// The larger the send buffer, the more chats reach a client that reads late.
#[test]
fn r1_the_kernel_takes_no_more_than_the_send_buffer_limit() {
    in_own_process(|| {
        let taken = [8 * KIB, 192 * KIB].map(|size| {
            let scene = Scene::with(|config| {
                patient(&mut config.limits);
                config.limits.backlog = 256 * KIB;
                config.limits.kernel_send_buffer = size;
            });
            let mut slow = scene.slow_member();
            let mut talker = Talker::near_witness(&scene);
            slow.expect_code("member-entered");
            talker.say_until(&scene, |talker| talker.left == 1);
            let chats = expect_cut_off(&mut slow);
            drop((slow, talker));
            scene.finish();
            chats * text(0).len()
        });
        assert!(taken[1] > taken[0] + 100 * KIB, "{taken:?}");
    });
}

/// A member that becomes slow twice, but catches up in between, has the whole time both times. Another, which became
/// slow at the same time and never caught up, is evicted.
#[test]
fn r2_falling_behind_twice_is_not_falling_behind_for_long() {
    in_own_process(|| {
        const TIME: Duration = Duration::from_secs(6);
        let scene = Scene::with(|config| {
            patient(&mut config.limits);
            config.limits.slow_backlog_time = TIME;
        });
        let [mut kept, mut cut] = [(); 2].map(|()| scene.slow_member());
        let mut talker = Talker::near_witness(&scene);
        kept.expect_code("member-entered");
        kept.expect_code("member-entered");
        cut.expect_code("member-entered");

        let began = Instant::now();
        talker.say(100);
        read(&mut kept, 0, 100);
        wait_until("half the time is over", || began.elapsed() > TIME / 2);
        talker.say(100);
        // Nothing more is said, so time alone evicts.
        wait_until("the time of the first burst is over", || talker.listen() == 1);
        assert!(began.elapsed() >= TIME, "not before its time");
        read(&mut kept, 100, 200);
        kept.expect_code("member-left");
        talker.say(10);
        read(&mut kept, 200, 210);
        kept.expect_nothing();

        expect_cut_off(&mut cut);
        drop((kept, cut, talker));
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::SlowBacklog), 1);
    });
}

#[test]
fn r3_a_member_that_reads_drop_by_drop_is_evicted() {
    in_own_process(|| {
        let scene = Scene::with(|config| {
            patient(&mut config.limits);
            // A busy machine takes a second to say all of it.
            config.limits.slow_backlog_time = Duration::from_secs(4);
        });
        let mut slow = scene.slow_member();
        let mut talker = Talker::near_witness(&scene);
        slow.expect_code("member-entered");
        (0..10).for_each(|_| talker.say(25));
        let before = scene.stats().backlog;
        let mut dripped = 0;
        while talker.listen() == 0 {
            slow.drip(100);
            dripped += 100;
            // This sets the speed of the reader; nothing is waited for.
            thread::sleep(Duration::from_millis(1));
            assert!(dripped < 1_500_000, "it never catches up");
        }
        assert!(dripped > 10_000 && before > 1_700_000, "{dripped} of {before}: drop by drop");
        drop((slow, talker));
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::SlowBacklog), 1);
    });
}

/// Four rooms each have a member that does not read. When all backlogs together are too large, the member that stopped
/// first is evicted, and no other.
#[test]
fn r4_b2_the_total_backlog_evicts_the_member_longest_without_reading() {
    in_own_process(|| {
        let scene = Scene::with(|config| {
            patient(&mut config.limits);
            config.limits.kernel_send_buffer = 16 * KIB;
            config.limits.backlog = 4 << 20;
            config.limits.total_backlog = 4 << 20;
        });
        let mut rooms = [70, 110, 30, 0].map(|chats| another_room(&scene, chats));
        let left =
            |rooms: &mut [(Talker<'_>, Client); 4]| rooms.each_mut().map(|room| room.0.listen());
        assert_eq!(left(&mut rooms), [0; 4]);
        let sessions = scene.stats().sessions;
        rooms[3].0.say_until(&scene, |_| scene.stats().sessions < sessions);
        assert_eq!(left(&mut rooms), [1, 0, 0, 0], "its member was the first to stop");
        let sessions = scene.stats().sessions;
        rooms[3].0.say_until(&scene, |_| scene.stats().sessions < sessions);
        assert_eq!(left(&mut rooms), [1, 1, 0, 0], "the next");
        for (talker, slow) in &mut rooms[2..] {
            read(slow, 0, talker.said);
            slow.expect_nothing();
        }
        for (_, slow) in &mut rooms[..2] {
            expect_cut_off(slow);
        }
        drop(rooms);
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::TotalBacklog), 2);
    });
}

/// A room with a talker that has said `chats` chats, and a member that has read none of them.
fn another_room(scene: &Scene, chats: usize) -> (Talker<'static>, Client) {
    let mut talker = scene.server.client();
    let room = talker.enter_new("with a slow reader");
    let mut slow = Client::connect_with_little_room(scene.address());
    slow.enter(room);
    talker.expect_code("member-entered");
    let mut talker = Talker::new(talker);
    talker.say(chats);
    (talker, slow)
}

/// 100,000 requests from a client that reads no answers.
#[test]
fn r5_a_client_that_never_reads_its_answers_is_paused_and_then_evicted() {
    in_own_process(|| {
        const REQUESTS: usize = 100_000;
        let scene = Scene::with(|config| {
            patient(&mut config.limits);
            config.limits.slow_backlog_time = Duration::from_millis(500);
        });
        let before = scene.stats();
        let mut asking = Client::connect_with_little_room(scene.address());
        let mut sending = asking.twin();
        let flood = thread::spawn(move || {
            sending.send_raw(&frame(r#"{"type":"CSLeaveRoom"}"#).repeat(REQUESTS));
        });
        wait_until("it is connected", || scene.stats().sessions > before.sessions);
        let mut most = 0;
        wait_until("it is evicted", || {
            let stats = scene.stats();
            most = most.max(stats.backlog);
            stats.sessions == before.sessions
        });
        // The server stopped reading: answers to 100,000 requests are 12 MB.
        assert!(most < 1 << 20, "{most}");
        let (messages, end) = asking.until_end();
        let (last, answers) = messages.split_last().expect("an answer");
        assert!(answers.iter().all(|answer| answer.code.as_deref() == Some("not-in-room")));
        assert_eq!((last.code.as_deref(), end), (Some("slow-consumer"), End::Clean));
        assert!(answers.len() < REQUESTS / 10, "{}", answers.len());
        flood.join().expect("everything was sent");
        drop(asking);
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::SlowBacklog), 1);
    });
}
