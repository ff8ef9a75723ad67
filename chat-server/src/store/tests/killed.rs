//! `kill -9` at any moment: nothing that is acknowledged as durable is lost, and no number is given twice.

use std::env;
use std::io::Read;
use std::process::Stdio;

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
        let name = std::thread::current().name().expect("that of the test").to_owned();
        let mut child = workload
            .command(&name, &dir, &[])
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started again");
        let mut output = child.stdout.take().expect("it is piped");
        let reading = std::thread::spawn(move || {
            let mut report = String::new();
            let _ = output.read_to_string(&mut report);
            report
        });
        // From its start on: some are killed while they open the file.
        std::thread::sleep(Duration::from_micros(rng.within(1_000..250_000) as u64));
        child.kill().expect("it runs");
        child.wait().expect("it has ended");
        let report = reading.join().expect("it reads");
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
