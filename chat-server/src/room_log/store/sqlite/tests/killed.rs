//! `kill -9` at any moment: nothing that is acknowledged as durable is lost, and no number is given twice.

use std::env;

use super::workload::{Reported, Workload};
use super::*;

/// How often to kill. More by the environment.
const KILLS: u64 = 20;

#[test]
fn a_process_killed_at_any_moment_has_lost_nothing_that_it_acknowledged() {
    if let Some((workload, dir)) = Workload::of_this_process() {
        return workload.run(&dir);
    }
    let kills = env::var("CHAT_STORE_KILLS").ok().and_then(|kills| kills.parse().ok());
    let dir = Dir::new("killed");
    let mut reported = Reported::default();
    let (mut killed, mut slowest) = (0, Duration::ZERO);
    for seed in 0..kills.unwrap_or(KILLS) {
        let rng = &mut Rng::new(seed);
        let workload = Workload {
            seed,
            durable: rng.chance(2, 3),
            turns: u64::MAX,
            per_turn: rng.pick(&[1, 20, 400]),
        };
        // From its start on: some are killed while they open the file.
        let time = Duration::from_micros(rng.within(1_000..250_000) as u64);
        let report = workload.run_and_kill(&dir, time);
        killed += u64::from(report.contains("said"));
        reported.add(&report);
        let begin = Instant::now();
        let (opened, restored) = open(&dir);
        slowest = slowest.max(begin.elapsed());
        if let Some(epoch) = &reported.epoch {
            assert_eq!(**epoch, *restored.epoch, "seed {seed}: {:?}", restored.end);
        }
        println!("seed {seed}: {:?}, {} kept in all", restored.end, reported.kept.len());
        reported.check(&dir, &restored);
        if rng.chance(1, 3) {
            opened.store.stop(None, DEADLINE).expect("it stops");
        }
    }
    assert!(killed > KILLS / 2 && reported.kept.len() > 1_000, "{killed} while they wrote");
    let (kept, rooms) = (reported.kept.len(), reported.said.len());
    println!(
        "{killed} killed while they wrote, {kept} broadcasts in {rooms} rooms kept, opened in {slowest:?} at most"
    );
}

/// With as many broadcasts in it as the environment says, or a few.
#[test]
fn a_large_file_opens_at_once_after_a_kill() {
    if let Some((workload, dir)) = Workload::of_this_process() {
        return workload.run(&dir);
    }
    let events = env::var("CHAT_STORE_EVENTS").ok().and_then(|events| events.parse().ok());
    let events: i64 = events.unwrap_or(100_000);
    let dir = Dir::new("large");
    let (mut opened, _) = open(&dir);
    for number in 1..=200 {
        opened.store.room_created(RoomId::new(number).expect("above 0"), &title("tea"), 1);
    }
    opened.store.stop(None, DEADLINE).expect("it stops");
    sql(&dir)
        .execute_batch(&format!(
            "WITH RECURSIVE numbers(n) AS (VALUES(0) UNION ALL SELECT n + 1 FROM numbers LIMIT {events})
             INSERT INTO events SELECT n * 200 / {events} + 1, n % ({events} / 200) + 1, n, 'chat',
             'ann', printf('{{\"type\":\"SCChat\",\"roomId\":%d,\"seq\":%d,\"member\":\"ann\",\"text\":\"%.80c\"}}',
             n * 200 / {events} + 1, n % ({events} / 200) + 1, 'x') FROM numbers;
             UPDATE rooms SET last_seq = {events} / 200;
             PRAGMA wal_checkpoint(TRUNCATE)"
        ))
        .expect("it is filled");
    let size = fs::metadata(dir.join("chat.db")).expect("it is there").len() >> 20;
    let workload = Workload { seed: 1, durable: true, turns: u64::MAX, per_turn: 200 };
    let report = workload.run_and_kill(&dir, Duration::from_secs(2));
    assert!(report.contains("kept"), "it wrote");
    let begin = Instant::now();
    let (opened, restored) = open(&dir);
    let time = begin.elapsed();
    assert!(restored.end == LastEnd::Killed && time < Duration::from_secs(1), "{time:?}");
    let readers = opened.store.readers();
    let mut tails: Vec<_> = (1..=200)
        .map(|number| {
            let begin = Instant::now();
            let room = RoomId::new(number).expect("above 0");
            let part = readers.part(room, Since::Last(50), 200, u64::MAX >> 1).expect("it reads");
            assert_eq!(part.events().count(), 50);
            begin.elapsed()
        })
        .collect();
    tails.sort();
    println!(
        "{events} events, {size} MiB: opened in {time:?}; tail of 50: {:?}, at most {:?}",
        tails[100], tails[199]
    );
    assert!(tails[100] < Duration::from_millis(20), "{:?}", tails[100]);
}
