//! Tests of the store as a whole: what is found again after each kind of end, and what is read.

mod failing;
mod full_disk;
mod killed;
mod parts;
mod power_loss;
mod workload;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use chat_proto::extended::Since;
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

fn open_with(dir: &Path, is_durable: bool, change: impl FnOnce(&mut Limits)) -> (Opened, Restored) {
    let data = DataConfig::new(dir).with_durable(is_durable);
    let mut limits = Limits { history_size: 0, ..Limits::default() };
    change(&mut limits);
    let (tell, news) = mpsc::channel();
    let tell = move || {
        let _ = tell.send(());
    };
    let (store, restored) = Store::open(&data, &limits, tell).expect("it opens");
    (Opened { store, news }, restored)
}

pub(super) fn open(dir: &Path) -> (Opened, Restored) {
    open_with(dir, true, |_| {})
}

fn try_open(dir: &Path) -> Result<(Store, Restored), StoreError> {
    Store::open(&DataConfig::new(dir), &Limits::default(), || {})
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
    let second = try_open(&dir);
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
    let newer = try_open(&dir);
    assert!(matches!(refused(newer).fault(), StoreFault::Newer(2)));

    let foreign = Dir::new("foreign");
    fs::create_dir(&*foreign).expect("a directory");
    sql(&foreign).execute_batch("CREATE TABLE a (b)").expect("another program's");
    assert!(matches!(refused(try_open(&foreign)).fault(), StoreFault::Foreign));
    fs::write(foreign.join("chat.db"), [b'x'; 8192]).expect("it is written");
    assert!(matches!(refused(try_open(&foreign)).fault(), StoreFault::Foreign));
    assert!(matches!(refused(Archive::open(&foreign.join("none"))).fault(), StoreFault::Missing));
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
    let age = Duration::from_secs(36_000);
    let (mut opened, _) = open_with(&dir, true, |limits| limits.history_age = age);
    opened.until("the old ones are gone", |_| count(other) == 0 && count(ROOM) <= 1_001);
    assert!(count(ROOM) >= 950, "those of the last ten hours stay");
    opened.store.stop(None, DEADLINE).expect("it stops");

    let (mut opened, restored) = open_with(&dir, true, |limits| limits.history_size = 400_000);
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
