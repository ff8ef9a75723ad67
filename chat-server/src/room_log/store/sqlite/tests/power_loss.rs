//! Power fails at any moment: files are as the kernel could have left them.
//!
//! strace records every write and every sync of a process. Whatever was written to a file after its last sync may be on
//! the disk or not, in any order, and the last sectors of a write may be missing. From that, each simulated failure
//! builds the directory that a machine could find when it starts again, and opens it.

use std::collections::BTreeSet;
use std::env;
use std::process::{Command, Stdio};

use super::workload::{Reported, Workload, stored};
use super::*;

/// Failures for each of four recordings. More by the environment.
const FAILURES: usize = 20;

/// The bytes of a disk that are written as one.
const SECTOR: usize = 512;

#[test]
fn a_power_failure_takes_only_what_nobody_was_promised() {
    if let Some((workload, dir)) = Workload::of_this_process() {
        return workload.run(&dir);
    }
    let is_there = Command::new("strace").args(["-qq", "-e", "trace=none", "true"]).output();
    if !is_there.is_ok_and(|run| run.status.success()) {
        println!("skipped: there is no strace here, or it may not trace");
        return;
    }
    let failures = env::var("CHAT_STORE_FAILURES").ok().and_then(|number| number.parse().ok());
    let (mut opened, mut kept, mut lost) = (0, 0, 0);
    for seed in 0..4 {
        let durable = seed % 2 == 0;
        let dir = Dir::new(&format!("power-{seed}"));
        let calls = record(Workload { seed, durable, turns: 200, per_turn: 40 }, &dir);
        let rng = &mut Rng::new(seed);
        for _ in 0..failures.unwrap_or(FAILURES) {
            let at = rng.below(calls.len() + 1);
            let found = Dir::new(&format!("power-{seed}-found"));
            let reported = fail(&calls[..at], rng, &found);
            let stored = check(&found, &reported, durable);
            opened += 1;
            kept += stored;
            lost += reported.kept.len().saturating_sub(stored);
        }
    }
    println!("{opened} failures: {kept} broadcasts kept, {lost} lost, none of them promised");
    assert!(lost > 0, "the simulation loses what is not synced");
}

/// Opens what a machine found, and checks it. Returns how many broadcasts there are.
fn check(found: &Path, reported: &Reported, durable: bool) -> usize {
    // Another boot.
    let path = found.join("numbers");
    if let Some(left) = Numbers::left_in(&path) {
        Numbers::begin(&path, Record { boot: left.boot ^ 1, ..left }).expect("it is written");
    }
    let (opened, restored) = open(found);
    let known = match restored.end {
        LastEnd::InOrder => reported.clone(),
        _ => {
            assert!(matches!(restored.end, LastEnd::None | LastEnd::Unknown), "{restored:?}");
            let new = reported.epoch.as_deref() != Some(&*restored.epoch);
            assert!(new, "a new epoch, since numbers may repeat");
            Reported { last_room: 0, said: [].into(), ..reported.clone() }
        }
    };
    let promised =
        if durable || restored.end == LastEnd::InOrder { known.kept.clone() } else { Vec::new() };
    Reported { kept: promised, ..known }.check(found, &restored);
    let stored: BTreeSet<_> = stored(found).into_keys().collect();
    for &(room, seq) in &stored {
        assert!(seq == 1 || stored.contains(&(room, seq - 1)), "{seq} of room {room} is no prefix");
        assert!(reported.said.get(&room).is_some_and(|last| seq <= *last), "nobody said it");
    }
    drop(opened);
    stored.len()
}

/// A call that matters to a disk, or to somebody who has been promised something.
#[derive(Debug)]
enum Call {
    Created(String),
    Written {
        file: String,
        at: usize,
        bytes: Vec<u8>,
    },
    Cut {
        file: String,
        len: usize,
    },
    Removed(String),
    /// A file or directory has been synced.
    Synced(String),
    Told(Vec<u8>),
}

/// Runs a process that writes in a directory, and records its calls.
fn record(workload: Workload, dir: &Path) -> Vec<Call> {
    let log = Dir::new(&format!("trace-{}", workload.seed));
    fs::create_dir_all(&*log).expect("a directory");
    let log = log.join("log");
    let calls = "trace=openat,write,pwrite64,ftruncate,fsync,fdatasync,unlink,unlinkat,rename,renameat2,fallocate";
    let under = ["strace", "-f", "-qq", "-y", "-xx", "-s", "1000000", "-e", calls, "-o"];
    let under = [&under[..], &[log.to_str().expect("UTF-8")]].concat();
    let name = std::thread::current().name().expect("that of the test").to_owned();
    let run = workload.command(&name, dir, &under).stdout(Stdio::piped()).output();
    let run = run.expect("strace runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = fs::read_to_string(&log).expect("it is read");
    let calls = calls_of(&text, dir);
    assert!(calls.iter().filter(|call| matches!(call, Call::Synced(_))).count() > 5);
    calls
}

fn calls_of(log: &str, dir: &Path) -> Vec<Call> {
    let mut begun = std::collections::HashMap::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let (thread, call) = line.split_once(' ').expect("a thread and a call");
        let call = call.trim_start();
        if let Some((begin, _)) = call.split_once(" <unfinished ...>") {
            begun.insert(thread, begin);
        } else if let Some((_, rest)) =
            call.strip_prefix("<... ").and_then(|c| c.split_once(" resumed>"))
        {
            let begin = begun.remove(thread).expect("it began");
            calls.extend(call_of(&format!("{begin}{rest}"), dir));
        } else {
            calls.extend(call_of(call, dir));
        }
    }
    calls
}

/// The call of a line such as `pwrite64(5</path>, "\x41", 1, 0) = 1`, in which all strings and paths are in `\xNN`.
fn call_of(line: &str, dir: &Path) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let (args, result) = rest.rsplit_once(" = ")?;
    if result.starts_with('-') {
        return None;
    }
    let args = args.trim_end().strip_suffix(')')?;
    // The path of the descriptor that comes first.
    let path = |text: &str| {
        let (_, path) = text.split_once('<')?;
        String::from_utf8(unescaped(path.split_once('>')?.0)).ok()
    };
    let own = |path: String| {
        let rest = Path::new(&path).strip_prefix(dir).ok()?;
        Some(rest.to_str()?.to_owned())
    };
    let string = |text: &str| unescaped(text.split('"').nth(1).unwrap_or_default());
    let last = || args.rsplit(", ").next()?.parse::<usize>().ok();
    let named = |text: &str| own(String::from_utf8(string(text)).ok()?);
    match name {
        "write" if args.starts_with("1<") => Some(Call::Told(string(args))),
        "pwrite64" => {
            Some(Call::Written { file: own(path(args)?)?, at: last()?, bytes: string(args) })
        }
        "ftruncate" => Some(Call::Cut { file: own(path(args)?)?, len: last()? }),
        "fsync" | "fdatasync" => Some(Call::Synced(own(path(args)?)?)),
        "openat" if args.contains("O_CREAT") => Some(Call::Created(named(args)?)),
        "unlink" | "unlinkat" => Some(Call::Removed(named(args)?)),
        "rename" | "renameat2" | "fallocate" => {
            assert!(own(path(args).unwrap_or_default()).is_none(), "not simulated: {line}");
            None
        }
        _ => None,
    }
}

fn unescaped(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1);
    digits.map(|digits| u8::from_str_radix(digits, 16).expect("two digits")).collect()
}

/// A file as it is in the kernel, and as it may be on the disk.
#[derive(Debug, Default)]
struct Simulated {
    /// What is on the disk for certain.
    synced: Vec<u8>,
    /// What has been done since, in order.
    since: Vec<Change>,
    /// Whether the directory knows it for certain.
    is_known: bool,
}

#[derive(Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Cut(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, new) => {
                let end = at + new.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*at..end].copy_from_slice(new);
            }
            Self::Cut(len) => bytes.resize(*len, 0),
        }
    }
}

/// Fills a directory with what a machine could find after these calls, and returns what had been reported.
fn fail(calls: &[Call], rng: &mut Rng, found: &Path) -> Reported {
    let mut files: BTreeMap<&str, Simulated> = BTreeMap::new();
    let (mut removed, mut report) = (BTreeMap::new(), Vec::new());
    for call in calls {
        match call {
            Call::Created(file) => {
                files.entry(file).or_default();
            }
            Call::Written { file, at, bytes } => {
                files.entry(file).or_default().since.push(Change::Write(*at, bytes.clone()));
            }
            Call::Cut { file, len } => {
                files.entry(file).or_default().since.push(Change::Cut(*len));
            }
            Call::Removed(file) => {
                removed.extend(files.remove(&file[..]).map(|simulated| (&file[..], simulated)));
            }
            Call::Synced(file) if file.is_empty() => {
                files.values_mut().for_each(|file| file.is_known = true);
                removed.clear();
            }
            Call::Synced(file) => {
                let file = files.entry(file).or_default();
                for change in file.since.drain(..) {
                    change.apply(&mut file.synced);
                }
            }
            Call::Told(bytes) => report.extend_from_slice(bytes),
        }
    }
    fs::create_dir_all(found).expect("a directory");
    for (name, file) in removed {
        if rng.chance(1, 2) {
            files.entry(name).or_insert(file);
        }
    }
    for (name, file) in files {
        // The memory that processes share is no file that anybody relies on.
        if name.ends_with("-shm") || !(file.is_known || rng.chance(1, 2)) {
            continue;
        }
        fs::write(found.join(name), on_disk(file, rng)).expect("it is written");
    }
    let mut reported = Reported::default();
    reported.add(&String::from_utf8_lossy(&report));
    reported
}

/// What a disk could hold of a file: everything that was synced, and some of what came afterwards.
fn on_disk(file: Simulated, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = file.synced;
    let likely = rng.below(5);
    for mut change in file.since {
        if !rng.chance(likely, 4) {
            continue;
        }
        if let Change::Write(_, new) = &mut change
            && rng.chance(1, 4)
        {
            new.truncate(rng.below(new.len() / SECTOR + 1) * SECTOR);
        }
        change.apply(&mut bytes);
    }
    bytes
}
