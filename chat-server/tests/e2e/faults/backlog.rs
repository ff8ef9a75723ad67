//! Who does not read, or too slowly: R1 to R5, and what such a peer still gets.

use std::thread;
use std::time::{Duration, Instant};

use chat_proto::Incoming;
use chat_server::{CloseReason, LimitKind, Limits};

use crate::support::{Client, End, Scene, frame, in_own_process, wait_until};

const KIB: usize = 1024;
const FRAME: usize = 64 * KIB;

/// Of all limits about what is owed only those that the test sets are reached.
fn patient(limits: &mut Limits) {
    limits.slow_backlog = 128 * KIB;
    limits.backlog = 8 << 20;
    limits.total_backlog = 64 << 20;
    limits.slow_backlog_time = Duration::from_secs(60);
    limits.linger = Duration::from_secs(20);
}

/// A talker that numbers its chats of 8 KB.
struct Talker<'a> {
    client: Client,
    said: usize,
    /// How many it has heard leave.
    left: usize,
    /// Whose witness hears it.
    near: Option<&'a Scene>,
}

impl<'a> Talker<'a> {
    fn new(client: Client) -> Self {
        Self { client, said: 0, left: 0, near: None }
    }

    fn near_witness(scene: &'a Scene) -> Self {
        Self { near: Some(scene), ..Self::new(scene.member()) }
    }

    /// Says so many chats, and waits until they have been carried out, and heard by the witness, who
    /// is not to be one of the slow ones.
    fn say(&mut self, chats: usize) {
        for n in self.said..self.said + chats {
            self.client.chat(&text(n));
        }
        self.said += chats;
        self.listen();
        if let Some(scene) = self.near {
            wait_until("the witness has heard it", || scene.chats() == self.said);
        }
    }

    /// Hears the notices that there are; returns how many have left since the beginning.
    fn listen(&mut self) -> usize {
        self.client.ask_for_rooms();
        loop {
            let message = self.client.next();
            if message.kind == "SCRoomsResult" {
                return self.left;
            }
            assert_eq!(message.code.as_deref(), Some("member-left"));
            self.left += 1;
        }
    }

    /// Talks on, chat by chat. Returns the most bytes that were held on the way.
    fn say_until(&mut self, scene: &Scene, is_so: impl Fn(&Self) -> bool) -> u64 {
        let mut most = 0;
        while !is_so(self) {
            self.say(1);
            most = most.max(scene.stats().backlog);
            assert!(self.said < 2_000, "16 MB are more than anybody may be owed");
        }
        most
    }
}

fn text(n: usize) -> String {
    format!("{n} {}", "x".repeat(8_000))
}

/// The chats among `messages` are the first ones, without a hole; returns how many there are, and
/// what comes behind them.
fn prefix(messages: &[Incoming]) -> (usize, &[Incoming]) {
    let chats = messages.iter().take_while(|message| message.kind == "SCChat").count();
    for (n, message) in messages[..chats].iter().enumerate() {
        assert!(message.text == text(n), "chat {n} is missing");
    }
    (chats, &messages[chats..])
}

/// The client gets the first chats, the reason and a clean end; returns how many chats.
fn expect_cut_off(client: &mut Client) -> usize {
    let (messages, end) = client.until_end();
    let (chats, rest) = prefix(&messages);
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!((rest[0].code.as_deref(), end), (Some("slow-consumer"), End::Clean));
    chats
}

/// Reads `from..to`, and nothing else.
fn read(client: &mut Client, from: usize, to: usize) {
    for n in from..to {
        let message = client.next();
        assert!(message.text == text(n), "chat {n} expected: {:?}", message.code);
    }
}

#[test]
fn r1_one_that_is_owed_too_much_is_told_so_and_has_got_a_beginning_without_a_hole() {
    in_own_process(|| {
        let scene = Scene::with(|config| {
            patient(&mut config.limits);
            config.limits.backlog = 256 * KIB;
        });
        let mut slow = scene.slow_member();
        let mut talker = Talker::near_witness(&scene);
        slow.expect_code("member-entered");
        let most = talker.say_until(&scene, |talker| talker.left == 1);
        // Memory grows by doubling: what is held for what is owed is less than twice as much.
        assert!(most as usize <= 2 * (256 * KIB + FRAME), "{most}");
        talker.say(10);

        // It reads at last.
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
fn r1_one_that_never_reads_is_reset_when_its_time_is_over() {
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
        wait_until("it is not waited for any longer", || {
            scene.stats().limits.count(LimitKind::Linger) == 1
        });
        let (messages, end) = slow.until_end();
        let (_, rest) = prefix(&messages);
        assert!(rest.is_empty(), "{rest:?}");
        assert_eq!(end, End::Reset, "it is not to take what it got for everything");
        drop((slow, talker));
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::Backlog), 1);
    });
}

/// What a kernel takes is as much as it is allowed, beside what the other one takes.
#[test]
fn r1_who_does_not_read_has_what_the_kernel_may_take() {
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

/// One that falls behind twice, with everything read in between, has its whole time each time; one
/// that fell behind with it the first time and stayed so does not.
#[test]
fn r2_to_be_behind_twice_is_not_to_be_behind_for_long() {
    in_own_process(|| {
        const TIME: Duration = Duration::from_secs(2);
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
        // Nothing more is said: to be behind is enough.
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
fn r3_one_that_reads_drop_by_drop_is_cut_off() {
    in_own_process(|| {
        let scene = Scene::with(|config| {
            patient(&mut config.limits);
            config.limits.slow_backlog_time = Duration::from_secs(1);
        });
        let mut slow = scene.slow_member();
        let mut talker = Talker::near_witness(&scene);
        slow.expect_code("member-entered");
        (0..10).for_each(|_| talker.say(25));
        let before = scene.stats().backlog;
        let mut dripped = 0;
        while talker.listen() == 0 {
            slow.drip(200);
            dripped += 200;
            // That is how slow it is; nothing is waited for.
            thread::sleep(Duration::from_millis(1));
            assert!(dripped < 1_500_000, "it never stops being behind");
        }
        assert!(dripped > 10_000 && before > 1_700_000, "{dripped} of {before}: drop by drop");
        drop((slow, talker));
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::SlowBacklog), 1);
    });
}

/// Four rooms in each of which one does not read: when all together are owed too much, the one that
/// is owed the most goes, and nobody else.
#[test]
fn r4_of_all_that_are_owed_too_much_the_greatest_goes_first() {
    in_own_process(|| {
        let scene = Scene::with(|config| {
            patient(&mut config.limits);
            config.limits.kernel_send_buffer = 16 * KIB;
            config.limits.backlog = 4 << 20;
            config.limits.total_backlog = 4 << 20;
        });
        let mut rooms = [110, 70, 30, 0].map(|chats| another_room(&scene, chats));
        let left =
            |rooms: &mut [(Talker<'_>, Client); 4]| rooms.each_mut().map(|room| room.0.listen());
        assert_eq!(left(&mut rooms), [0; 4]);
        let sessions = scene.stats().sessions;
        rooms[3].0.say_until(&scene, |_| scene.stats().sessions < sessions);
        assert_eq!(left(&mut rooms), [1, 0, 0, 0], "with 880 KB it is owed the most");
        rooms[3].0.say_until(&scene, |talker| talker.left == 1);
        assert_eq!(left(&mut rooms), [1, 0, 0, 1], "it has been owed the most itself since");
        for (talker, slow) in &mut rooms[1..3] {
            read(slow, 0, talker.said);
            slow.expect_nothing();
        }
        for index in [0, 3] {
            expect_cut_off(&mut rooms[index].1);
        }
        drop(rooms);
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::TotalBacklog), 2);
    });
}

/// A room with a talker that has said so much, and one that has read none of it.
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

/// 100,000 requests that need an answer, from one that reads no answer.
#[test]
fn r5_one_that_does_not_read_its_own_answers_is_read_no_further_and_then_cut_off() {
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
        wait_until("it is there", || scene.stats().sessions > before.sessions);
        let mut most = 0;
        wait_until("it is cut off", || {
            let stats = scene.stats();
            most = most.max(stats.backlog);
            stats.sessions == before.sessions
        });
        // What it sent meanwhile was not even read: answers to 100,000 requests are 12 MB.
        assert!(most < 1 << 20, "{most}");
        let (messages, end) = asking.until_end();
        let (last, answers) = messages.split_last().expect("it was answered");
        assert!(answers.iter().all(|answer| answer.code.as_deref() == Some("not-in-room")));
        assert_eq!((last.code.as_deref(), end), (Some("slow-consumer"), End::Clean));
        assert!(answers.len() < REQUESTS / 10, "{}", answers.len());
        flood.join().expect("all was sent, to nobody");
        drop(asking);
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::SlowBacklog), 1);
    });
}
