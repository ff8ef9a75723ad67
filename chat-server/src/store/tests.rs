//! Tests of the store as a whole: what is found again after each kind of end, and what is read.

mod full_disk;
mod killed;
mod power_loss;
mod workload;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::mpsc;

use chat_proto::extended::{Event, HistoryHead, Since};
use chat_testing::Rng;
use rusqlite::Connection;

use super::recovery::{LastEnd, StoredRoom, StoredSnapshot};
use super::*;

pub(super) const DEADLINE: Duration = Duration::from_secs(60);
const ROOM: RoomId = RoomId::FIRST;

/// A data directory that is deleted with it.
pub(super) struct Dir(PathBuf);

impl Dir {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("chat-store-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl std::ops::Deref for Dir {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A store with the news that it has for the reactor.
pub(super) struct Opened {
    pub(super) store: Store,
    news: Receiver<()>,
}

const DURABLE: StoreOptions = StoreOptions { durable: true, history_age: None, history_size: None };

fn open_with(dir: &Path, options: StoreOptions) -> (Opened, Restored) {
    let (tell, news) = mpsc::channel();
    let tell = move || {
        let _ = tell.send(());
    };
    let (store, restored) = Store::open(dir, options, tell).expect("it opens");
    (Opened { store, news }, restored)
}

pub(super) fn open(dir: &Path) -> (Opened, Restored) {
    open_with(dir, DURABLE)
}

impl Opened {
    fn say(&mut self, room: RoomId, seq: u64) {
        let name = Name::new("ann").expect("valid");
        self.store.event(room, seq, 1_000 + seq, Some(&name), &chat(room, seq, "hi"));
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&mut Store) -> bool) {
        let begin = Instant::now();
        while !is_so(&mut self.store) {
            assert!(begin.elapsed() < DEADLINE, "never: {what}");
            let _ = self.news.recv_timeout(Duration::from_millis(100));
        }
    }

    pub(super) fn commit(&mut self) {
        let number = self.store.hand_over().expect("the disk does not fail");
        self.until("committed", |store| store.progress().committed >= number);
    }
}

pub(super) fn chat(room: RoomId, seq: u64, text: &str) -> Vec<u8> {
    format!(r#"{{"type":"SCChat","roomId":{room},"seq":{seq},"member":"ann","text":"{text}"}}"#)
        .into_bytes()
}

pub(super) fn title(title: &str) -> Title {
    Title::new(title).expect("valid")
}

pub(super) fn sql(dir: &Path) -> Connection {
    Connection::open(dir.join("chat.db")).expect("a database")
}

fn refused<T>(result: Result<T, StoreError>) -> StoreError {
    result.err().expect("it is refused")
}

#[test]
fn what_was_said_is_there_after_a_stop_and_numbers_go_on() {
    let dir = Dir::new("stop");
    let (mut opened, first) = open(&dir);
    assert_eq!((first.end, &first.rooms[..], first.next_room), (LastEnd::None, &[][..], ROOM));
    opened.store.room_created(ROOM, &title("tea"), 500);
    opened.store.room_created(ROOM.next(), &title("gone"), 600);
    (1..=3).for_each(|seq| opened.say(ROOM, seq));
    opened.store.hand_over();
    opened.store.room_closed(ROOM.next(), 700);
    opened.store.stop(Some(b"sessions".to_vec()), DEADLINE).expect("it stops");
    let mode = |file: &str| fs::metadata(dir.join(file)).expect(file).permissions().mode() & 0o777;
    assert_eq!(["", "chat.db", "lock", "numbers"].map(mode), [0o700, 0o600, 0o600, 0o600]);
    assert!(!dir.join("chat.db-wal").exists(), "all of it is in one file");

    let (opened, second) = open(&dir);
    assert_eq!((&second.epoch, second.end), (&first.epoch, LastEnd::InOrder));
    let tea =
        StoredRoom { id: ROOM, title: title("tea"), created: 500, last_seq: 3, last_at: 1_003 };
    assert_eq!((&second.rooms[..], second.next_room), (&[tea][..], ROOM.next().next()));
    assert!(
        matches!(second.snapshot, Some(StoredSnapshot { at, bytes }) if at > 0 && bytes == b"sessions")
    );
    let part = opened.store.readers().part(ROOM, Since::Last(50), 200, 4).expect("it reads");
    let (payloads, times): (Vec<_>, Vec<_>) =
        part.events().map(|event| (event.payload.to_vec(), event.at)).unzip();
    assert_eq!(payloads, [1, 2, 3].map(|seq| chat(ROOM, seq, "hi")));
    assert_eq!(
        (&times[..], part.from(), part.more, part.gap),
        (&[1_001, 1_002, 1_003][..], 1, false, false)
    );
    opened.store.stop(None, DEADLINE).expect("it stops");
    assert_eq!(open(&dir).1.snapshot, None, "it is there once");
}

#[test]
fn after_a_kill_no_number_is_used_again() {
    let dir = Dir::new("kill");
    let (mut opened, first) = open(&dir);
    opened.store.room_created(ROOM, &title("tea"), 500);
    opened.say(ROOM, 1);
    opened.commit();
    opened.say(ROOM, 2);
    opened.store.room_created(ROOM.next(), &title("lost"), 600);
    drop(opened);
    let (opened, second) = open(&dir);
    assert_eq!((&second.epoch, second.end), (&first.epoch, LastEnd::Killed));
    assert_eq!(second.next_room, ROOM.next().next(), "members have seen the number");
    assert_eq!((second.rooms.len(), second.rooms[0].last_seq), (1, 1 + SKIP));
    drop(opened);

    // Nothing has been said: nothing can be lost.
    let (mut opened, third) = open(&dir);
    assert_eq!((third.end, third.rooms[0].last_seq), (LastEnd::KilledWhenSettled, 1 + SKIP));
    let next = 2 + SKIP;
    opened.say(ROOM, next);
    opened.commit();
    opened.until("settled", |store| {
        store.hand_over();
        store.numbers.record().is_settled
    });
    drop(opened);
    let (opened, fourth) = open(&dir);
    assert_eq!((fourth.end, fourth.rooms[0].last_seq), (LastEnd::KilledWhenSettled, next));
    assert_eq!(fourth.epoch, first.epoch);
    let readers = opened.store.readers();
    let part = readers.part(ROOM, Since::After(0), 200, next + 1).expect("it reads");
    assert_eq!((part.from(), part.end(), part.more, part.gap), (1, 2, true, false));
    let part = readers.part(ROOM, Since::After(1), 200, next + 1).expect("it reads");
    assert_eq!((part.from(), part.end(), part.more, part.gap), (next, next + 1, false, true));
}

#[test]
fn an_epoch_begins_when_nobody_knows_what_is_lost() {
    let dir = Dir::new("epoch");
    let (mut opened, first) = open(&dir);
    opened.store.room_created(ROOM, &title("tea"), 500);
    opened.say(ROOM, 1);
    opened.commit();
    let copy = dir.join("copy.db");
    let backup = format!("VACUUM INTO '{}'", copy.display());
    sql(&dir).execute_batch(&backup).expect("a backup");
    drop(opened);
    // As after a failure of the machine.
    let path = dir.join("numbers");
    let left = Numbers::left_in(&path).expect("a record");
    Numbers::begin(&path, Record { boot: left.boot + 1, ..left }).expect("it is written");
    let (opened, second) = open(&dir);
    assert_eq!((second.end, second.rooms[0].last_seq), (LastEnd::Unknown, 1 + SKIP));
    assert_ne!(first.epoch, second.epoch);
    opened.store.stop(None, DEADLINE).expect("it stops");

    fs::rename(&copy, dir.join("chat.db")).expect("the backup is restored");
    let (opened, third) = open(&dir);
    assert_eq!((third.end, third.rooms[0].last_seq), (LastEnd::Unknown, 1 + SKIP));
    assert!(third.epoch != first.epoch && third.epoch != second.epoch);
    drop(opened);
    fs::remove_file(&path).expect("it is there");
    let (_, fourth) = open(&dir);
    assert_eq!((fourth.end, fourth.next_room), (LastEnd::Unknown, ROOM.next()));
}

#[test]
fn a_directory_belongs_to_one_process() {
    let dir = Dir::new("lock");
    let (opened, _) = open(&dir);
    let second = Store::open(&dir, DURABLE, || {});
    let pid = std::process::id();
    assert!(matches!(refused(second).fault(), StoreFault::InUse(Some(holder)) if *holder == pid));
    let erased = Archive::erase(&dir, &Erase::Room(ROOM));
    assert!(matches!(refused(erased).fault(), StoreFault::InUse(_)));
    drop(opened);
    open(&dir);
}

#[test]
fn a_schema_is_brought_up_to_date_and_a_newer_one_is_left_alone() {
    let dir = Dir::new("schema");
    fs::create_dir(&*dir).expect("a directory");
    let mut old = sql(&dir);
    old.execute_batch(schema::MIGRATIONS[0]).expect("version 1");
    old.execute_batch(
        "PRAGMA application_id = 1130914164; PRAGMA user_version = 1;
         INSERT INTO rooms VALUES (7, 'old', 1, NULL, 4, 5)",
    )
    .expect("a room");
    let next = [schema::MIGRATIONS[0], "ALTER TABLE rooms ADD COLUMN topic TEXT"];
    schema::migrate(&dir, &mut old, &next).expect("it is brought up to date");
    schema::migrate(&dir, &mut old, &next).expect("once");
    let columns = "SELECT (SELECT user_version FROM pragma_user_version), title, topic FROM rooms";
    let row: (i64, String, Option<String>) = old
        .query_row(columns, (), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("the room is there");
    assert_eq!(row, (2, "old".to_owned(), None));
    let broken = [next[0], next[1], "CREATE TABLE a (b); CREATE TABLE a (b)"];
    assert!(matches!(
        refused(schema::migrate(&dir, &mut old, &broken)).fault(),
        StoreFault::Database(_)
    ));
    let has_a =
        old.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'a'", (), |row| row.get(0));
    assert_eq!(has_a, Ok(0_i64), "all of a step, or nothing");
    drop(old);
    let newer = Store::open(&dir, DURABLE, || {});
    assert!(matches!(refused(newer).fault(), StoreFault::Newer(2)));

    let foreign = Dir::new("foreign");
    fs::create_dir(&*foreign).expect("a directory");
    sql(&foreign).execute_batch("CREATE TABLE a (b)").expect("another program's");
    assert!(matches!(refused(Store::open(&foreign, DURABLE, || {})).fault(), StoreFault::Foreign));
    fs::write(foreign.join("chat.db"), [b'x'; 8192]).expect("it is written");
    assert!(matches!(refused(Store::open(&foreign, DURABLE, || {})).fault(), StoreFault::Foreign));
    assert!(matches!(refused(Archive::open(&foreign.join("none"))).fault(), StoreFault::Missing));
}

/// Whatever is missing, and whatever is asked for: a part has the right broadcasts, and says what is missing.
#[test]
fn a_stored_part_is_exact_or_says_what_is_missing() {
    let dir = Dir::new("part");
    let (mut opened, _) = open(&dir);
    let last = 120;
    let mut stored = vec![Vec::new(); 6];
    for (seed, said) in stored.iter_mut().enumerate() {
        let rng = &mut Rng::new(seed as u64);
        let room = RoomId::new(seed as u64 + 1).expect("above 0");
        opened.store.room_created(room, &title("tea"), 1);
        for seq in 1..last {
            let len = [10, 100, 1_000, 30_000, 65_300][rng.below(5)];
            if seed == 0 || !rng.chance(1, 3) {
                let payload = chat(room, seq, &"x".repeat(len));
                opened.store.event(room, seq, seq, None, &payload);
                said.push((seq, payload));
            }
        }
    }
    opened.commit();
    for (seed, said) in stored.iter().enumerate() {
        let rng = &mut Rng::new(seed as u64);
        let room = RoomId::new(seed as u64 + 1).expect("above 0");
        for _ in 0..200 {
            let (end, limit) = (rng.within(1..last as usize + 10) as u64, rng.within(1..20));
            let seq = rng.below(end as usize + 2) as u64;
            for since in [Since::After(seq), Since::Before(seq), Since::Last(limit)] {
                let part = opened.store.readers().part(room, since, limit, end).expect("it reads");
                check(&part, since, limit, end, said);
            }
        }
    }
}

fn check(
    part: &reading::StoredPart,
    since: Since,
    limit: usize,
    end: u64,
    said: &[(u64, Vec<u8>)],
) {
    let about = format!("{since:?}, limit {limit}, end {end}: {}..{}", part.from(), part.end());
    let events: Vec<_> = part.events().collect();
    let spaces = events.iter().map(Event::space).sum::<usize>();
    assert_eq!(HistoryHead::SPACE - spaces, part.space_left(), "{about}");
    assert!(events.len() <= limit && part.end() <= end, "{about}");
    for (seq, event) in (part.from()..).zip(&events) {
        let expected = said.iter().find(|(number, _)| *number == seq).expect(&about);
        assert_eq!((event.seq, event.at, event.payload), (seq, seq, &expected.1[..]), "{about}");
    }
    let is_told = |seq: u64| (part.from()..part.end()).contains(&seq);
    // Broadcasts that there are and that fit a message, in the range that was asked for.
    let fits = |(seq, payload): &&(u64, Vec<u8>)| {
        Event { seq: *seq, at: *seq, payload }.space() <= HistoryHead::SPACE
    };
    let asked = match since {
        Since::After(seq) => seq + 1..end,
        Since::Before(seq) => 1..seq.min(end),
        Since::Last(_) => 1..end,
    };
    let there: Vec<_> = said.iter().filter(fits).filter(|event| asked.contains(&event.0)).collect();
    match since {
        Since::After(_) => {
            let first = there.first().map_or(end.max(asked.start), |event| event.0);
            assert_eq!(part.gap, asked.start < part.from().min(first), "{about}");
            assert_eq!(there.first().map(|event| event.0), events.first().map(|event| event.seq));
            assert_eq!(part.more, part.end() < end, "{about}");
        }
        _ if asked.is_empty() => assert!(events.is_empty(), "{about}"),
        _ => {
            let last = there.last().map(|event| event.0);
            assert_eq!(last, events.last().map(|event| event.seq), "{about}");
            let has_more = said.iter().any(|event| event.0 < part.from());
            assert_eq!(part.more, has_more, "{about}");
            let is_missing = !is_told(asked.end - 1) || (!has_more && part.from() > 1);
            assert_eq!(part.gap, is_missing, "{about}");
        }
    }
}

/// A disk that takes nothing is not felt: what does not fit memory is given up, told, and the rest goes on by itself.
#[test]
fn a_failing_disk_costs_a_gap_and_no_number() {
    let dir = Dir::new("failing");
    let (mut opened, first) = open(&dir);
    opened.store.room_created(ROOM, &title("tea"), 500);
    opened.say(ROOM, 1);
    opened.commit();
    let other = sql(&dir);
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody else can write now");
    opened.say(ROOM, 2);
    opened.store.hand_over().expect("it waits");
    opened.until("failing", |store| store.progress().is_failing);
    assert!(opened.store.fault().expect("a reason").contains("locked"));
    let payload = chat(ROOM, 3, &"x".repeat(60_000));
    let mut seq = 2;
    while opened.store.progress().lost < 100 {
        seq += 1;
        opened.store.event(ROOM, seq, seq, None, &payload);
        opened.store.hand_over();
        assert!(opened.store.memory() <= 2 * QUEUE, "bounded");
    }
    let young = ROOM.next();
    opened.store.room_created(young, &title("young"), 600);
    opened.say(young, 1);
    assert_eq!(opened.store.hand_over(), None, "one gap, not many");
    other.execute_batch("ROLLBACK").expect("the disk is back");
    drop(other);
    opened.until("recovered", |store| !store.progress().is_failing);
    opened.until("everything is there", |store| store.progress().committed.0 == store.last);
    seq += 1;
    opened.say(ROOM, seq);
    opened.commit();
    let lost = opened.store.progress().lost;
    let readers = opened.store.readers();
    let part = readers.part(ROOM, Since::Last(1), 200, seq + 1).expect("it reads");
    assert_eq!((part.from(), part.gap), (seq, false));
    let part = readers.part(ROOM, Since::Before(seq), 1, seq + 1).expect("it reads");
    assert_eq!((part.end(), part.gap), (seq - lost + 1, true));
    let part = readers.part(young, Since::Last(50), 200, 2).expect("it reads");
    assert_eq!((part.events().count(), part.gap), (0, true));
    drop(opened);
    let (_, second) = open(&dir);
    assert_eq!((second.end, &second.epoch), (LastEnd::Killed, &first.epoch), "nothing is owed");
    let rooms: Vec<_> = second.rooms.iter().map(|room| (room.id, room.last_seq)).collect();
    assert_eq!(rooms, [(ROOM, seq + SKIP), (young, 1 + SKIP)]);
}

#[test]
fn a_kill_while_the_disk_fails_begins_an_epoch() {
    let dir = Dir::new("failed");
    let (mut opened, first) = open(&dir);
    let other = sql(&dir);
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody else can write now");
    opened.say(ROOM, 1);
    opened.store.hand_over();
    opened.until("failing", |store| store.progress().is_failing);
    let payload = chat(ROOM, 2, &"x".repeat(60_000));
    while opened.store.progress().lost == 0 {
        opened.store.event(ROOM, 2, 2, None, &payload);
        opened.store.hand_over();
    }
    let stopped = opened.store.stop(Some(Vec::new()), Duration::from_millis(100));
    assert!(stopped.is_err(), "the next start is as after a kill");
    other.execute_batch("ROLLBACK").expect("the disk is back");
    let (_, second) = open(&dir);
    assert_eq!((second.end, &second.snapshot), (LastEnd::Unknown, &None));
    assert_ne!(second.epoch, first.epoch);
}

#[test]
fn a_stop_waits_for_a_disk_that_comes_back() {
    let dir = Dir::new("stopping");
    let (mut opened, _) = open(&dir);
    opened.store.room_created(ROOM, &title("tea"), 500);
    opened.commit();
    let other = sql(&dir);
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody else can write now");
    opened.say(ROOM, 1);
    opened.store.hand_over();
    opened.until("failing", |store| store.progress().is_failing);
    opened.say(ROOM, 2);
    opened.store.hand_over();
    opened.say(ROOM, 3);
    let release = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        other.execute_batch("ROLLBACK").expect("the disk is back");
    });
    opened.store.stop(Some(b"sessions".to_vec()), DEADLINE).expect("it stops in order");
    release.join().expect("it ends");
    let (opened, restored) = open(&dir);
    assert_eq!((restored.end, restored.rooms[0].last_seq), (LastEnd::InOrder, 3));
    assert!(restored.snapshot.is_some());
    let part = opened.store.readers().part(ROOM, Since::After(0), 200, 4).expect("it reads");
    assert_eq!((part.events().count(), part.gap), (3, false));
}

#[test]
fn what_is_old_or_too_much_is_deleted_and_the_room_stays() {
    let dir = Dir::new("retention");
    let now =
        u64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after it").as_millis());
    let now = now.expect("in range");
    let hour = 3_600_000;
    let (mut opened, _) = open(&dir);
    let other = ROOM.next();
    opened.store.room_created(ROOM, &title("tea"), now);
    opened.store.room_created(other, &title("closed"), now);
    for seq in 1..=2_000 {
        let age = (2_000 - seq) * hour / 100;
        opened.store.event(ROOM, seq, now - age, None, &chat(ROOM, seq, &"x".repeat(500)));
        opened.store.event(other, seq, now - 50 * hour, None, &chat(other, seq, "old"));
    }
    opened.store.room_closed(other, now);
    opened.commit();
    opened.store.stop(None, DEADLINE).expect("it stops");

    let count = |room: RoomId| {
        let count = "SELECT count(*) FROM events WHERE room = ?1";
        let count = sql(&dir).query_row(count, [room.number() as i64], |row| row.get::<_, i64>(0));
        count.expect("it counts")
    };
    let options = StoreOptions { history_age: Some(Duration::from_secs(36_000)), ..DURABLE };
    let (mut opened, _) = open_with(&dir, options);
    opened.until("the old ones are gone", |_| count(other) == 0 && count(ROOM) <= 1_001);
    assert!(count(ROOM) >= 950, "those of the last ten hours stay");
    opened.store.stop(None, DEADLINE).expect("it stops");

    let options = StoreOptions { history_size: Some(400_000), ..DURABLE };
    let (mut opened, restored) = open_with(&dir, options);
    assert_eq!(restored.rooms.len(), 1);
    opened.until("it is small", |store| (1..=400_000).contains(&store.progress().size));
    opened.until("the file shrinks", |_| {
        fs::metadata(dir.join("chat.db")).is_ok_and(|file| file.len() < 600_000)
    });
    let left = count(ROOM);
    assert!((400..700).contains(&left), "{left} of some 1,000: no more than needed is deleted");
    opened.say(ROOM, 2_001);
    opened.commit();
    let part = opened.store.readers().part(ROOM, Since::Last(1), 1, 2_002).expect("it reads");
    assert_eq!((part.from(), part.more), (2_001, true));
    drop(opened);
    assert_eq!(Archive::open(&dir).expect("it opens").check().expect("it reads"), []);
}
