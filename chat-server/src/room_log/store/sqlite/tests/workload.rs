//! A process that writes under load, to be killed, and what it says about itself.
//!
//! It reports on standard output: `room N` and `said ROOM SEQ` before it hands anything over, as members would learn of
//! it, and `kept ROOM SEQ` once the store says that it is in the database.

use std::collections::VecDeque;
use std::env;
use std::io::{self, Read, Write};
use std::process::{Command, Stdio};

use super::*;

/// Names the directory in the environment of a process that writes.
const WRITES_IN: &str = "CHAT_STORE_WRITES_IN";

/// What a process writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Workload {
    pub(super) seed: u64,
    pub(super) durable: bool,
    /// The turns after which it ends in order.
    pub(super) turns: u64,
    /// Broadcasts of a turn, at most.
    pub(super) per_turn: usize,
}

impl Workload {
    /// What to start: this test, `under` another command, as the process that writes.
    pub(super) fn command(self, test: &str, dir: &Path, under: &[&str]) -> Command {
        let program = env::current_exe().expect("this program has a path");
        let program = program.to_str().expect("a path in UTF-8");
        let words = [under, &[program, test, "--exact", "--nocapture"]].concat();
        let Self { seed, durable, turns, per_turn } = self;
        let workload = format!("{}|{seed}|{durable}|{turns}|{per_turn}", dir.display());
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env(WRITES_IN, workload);
        command
    }

    /// Starts the process that writes, kills it after that time, and returns what it has reported.
    pub(super) fn run_and_kill(self, dir: &Path, time: Duration) -> String {
        let name = thread::current().name().expect("that of the test").to_owned();
        let command = self.command(&name, dir, &[]).stdout(Stdio::piped()).spawn();
        let mut child = command.expect("this program can be started again");
        let mut output = child.stdout.take().expect("it is piped");
        let reading = thread::spawn(move || {
            let mut report = String::new();
            let _ = output.read_to_string(&mut report);
            report
        });
        thread::sleep(time);
        child.kill().expect("it runs");
        child.wait().expect("it has ended");
        reading.join().expect("it reads")
    }

    /// The workload and the directory of this process, if it is one that writes.
    pub(super) fn of_this_process() -> Option<(Self, PathBuf)> {
        let workload = env::var(WRITES_IN).ok()?;
        let mut parts = workload.split('|');
        let dir = parts.next()?.into();
        let seed = parts.next()?.parse().ok()?;
        let durable = parts.next()?.parse().ok()?;
        let turns = parts.next()?.parse().ok()?;
        let per_turn = parts.next()?.parse().ok()?;
        Some((Self { seed, durable, turns, per_turn }, dir))
    }

    /// Writes, and reports.
    pub(super) fn run(self, dir: &Path) {
        let (mut opened, restored) = open_with(dir, self.durable, |_| {});
        let rng = &mut Rng::new(self.seed);
        let mut report = format!("\nepoch {}\n", restored.epoch);
        let mut rooms: Vec<_> = restored.rooms.iter().map(|r| (r.id, r.last_seq)).collect();
        let mut next_room = restored.next_room;
        let mut waiting = VecDeque::new();
        for turn in 0..self.turns {
            if rooms.len() < 5 || rng.chance(1, 50) {
                opened.store.room_created(next_room, &title("tea"), 1);
                report += &format!("room {next_room}\n");
                rooms.push((next_room, 0));
                next_room = next_room.next();
            }
            let mut said = Vec::new();
            for _ in 0..rng.within(1..self.per_turn + 1) {
                let at = rng.below(rooms.len());
                let (room, last) = &mut rooms[at];
                *last += 1;
                opened.store.event(*room, *last, turn, None, &payload(*room, *last));
                report += &format!("said {room} {last}\n");
                said.push((*room, *last));
            }
            tell(&mut report);
            let number = opened.store.hand_over().expect("nothing is given up");
            waiting.push_back((number, said));
            // As slow as the disk, so that nothing is given up.
            while waiting.len() > 20 {
                let _ = opened.news.recv_timeout(Duration::from_millis(5));
                report_kept(&opened.store, &mut waiting, &mut report);
            }
            report_kept(&opened.store, &mut waiting, &mut report);
        }
        opened.store.stop(None, DEADLINE).expect("it stops");
        waiting.iter().flat_map(|(_, said)| said).for_each(|(room, seq)| {
            report += &format!("kept {room} {seq}\n");
        });
        tell(&mut report);
    }
}

type Waiting = VecDeque<(BatchNumber, Vec<(RoomId, u64)>)>;

fn report_kept(store: &Store, waiting: &mut Waiting, report: &mut String) {
    let committed = store.progress().committed;
    while waiting.front().is_some_and(|(number, _)| *number <= committed) {
        for (room, seq) in waiting.pop_front().into_iter().flat_map(|(_, said)| said) {
            *report += &format!("kept {room} {seq}\n");
        }
    }
}

fn tell(report: &mut String) {
    let mut output = io::stdout();
    output.write_all(report.as_bytes()).and_then(|()| output.flush()).expect("somebody reads");
    report.clear();
}

/// What is said in a room under a number: some are long.
fn payload(room: RoomId, seq: u64) -> Vec<u8> {
    let len = if seq.is_multiple_of(64) { 3_000 } else { 40 + seq % 100 };
    chat(room, seq, &"x".repeat(len as usize))
}

/// What processes have reported.
#[derive(Debug, Default, Clone)]
pub(super) struct Reported {
    pub(super) epoch: Option<String>,
    /// The last room that anybody has heard of.
    pub(super) last_room: u64,
    /// The last number of each room that anybody has heard of.
    pub(super) said: BTreeMap<u64, u64>,
    /// What was said to be in the database.
    pub(super) kept: Vec<(u64, u64)>,
}

impl Reported {
    /// Adds a report.
    ///
    /// # Panics
    /// If a number is there for the second time.
    pub(super) fn add(&mut self, report: &str) {
        // The last line may be cut off.
        let lines = report.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        for line in lines {
            let words: Vec<_> = line.split_whitespace().collect();
            let number = |at: usize| words[at].parse::<u64>().expect("a number");
            match words.first().copied() {
                Some("epoch") => {
                    let epoch = words[1].to_owned();
                    let known = self.epoch.get_or_insert_with(|| epoch.clone());
                    assert_eq!(*known, epoch, "nothing has happened that calls for another");
                }
                Some("room") => {
                    assert!(number(1) > self.last_room, "the number of a room repeats: {line}");
                    self.last_room = number(1);
                }
                Some("said") => {
                    let last = self.said.entry(number(1)).or_default();
                    assert!(number(2) > *last, "a number repeats: {line}, after {last}");
                    *last = number(2);
                }
                Some("kept") => self.kept.push((number(1), number(2))),
                _ => {}
            }
        }
    }

    /// Checks that everything that was said to be in the database is, as it was said, and that numbers go on beyond all
    /// that were heard of.
    pub(super) fn check(&self, dir: &Path, restored: &Restored) {
        let stored = stored(dir);
        for &(room, seq) in &self.kept {
            assert!(stored.contains_key(&(room, seq)), "{seq} of room {room} is lost");
        }
        assert!(restored.next_room.number() > self.last_room, "a room would get a known number");
        for room in &restored.rooms {
            let said = self.said.get(&room.id.number()).copied().unwrap_or(0);
            assert!(room.last_seq >= said, "{said} of {room:?} would be used again");
        }
        assert_eq!(Archive::open(dir).expect("it opens").check().expect("it reads"), []);
    }
}

/// Everything that is in a database, as far as it is as it was said.
pub(super) fn stored(dir: &Path) -> BTreeMap<(u64, u64), ()> {
    let connection = sql(dir);
    let mut events = connection.prepare("SELECT room, seq, payload FROM events").expect("a query");
    let events = events.query_map((), |row| {
        let payload: String = row.get(2)?;
        Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64, payload))
    });
    let events = events.expect("it reads").map(|event| event.expect("it reads"));
    let as_said = events.map(|(room, seq, found)| {
        let id = RoomId::new(room).expect("above 0");
        assert!(found.as_bytes() == payload(id, seq), "{seq} of room {room} is another: {found}");
        ((room, seq), ())
    });
    as_said.collect()
}
