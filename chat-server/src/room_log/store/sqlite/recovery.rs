//! What a server finds when it opens a data directory, and how numbers go on from there.
//!
//! Within an epoch, the number of a room, and that of a broadcast in a room, never means two different things. After an
//! end in order, everything is in the database, and numbers go on without a gap. After any other end, what was said last
//! may be missing in the database although members have seen it:
//!
//! | the last server | numbers |
//! |---|---|
//! | ended in order | go on |
//! | was killed when everything was in the database | go on |
//! | was killed | those of rooms go on, since they were noted first ([`numbers`](super::numbers)); those of broadcasts skip more than can have been waiting ([`SKIP`]) |
//! | was killed while the disk had failed, so that any number of broadcasts was given up | the same, and a new epoch begins |
//! | ended with the machine, so that the notes may be old | the same, and a new epoch begins |
//! | wrote another database than the one that is here, such as a restored copy | the same, and a new epoch begins |
//!
//! What is skipped looks like what is lost: a gap, which a history tells.

use std::path::Path;

use chat_core::{RoomId, Title};
use rusqlite::{Connection, OptionalExtension, Transaction};

use super::error::StoreError;
use super::numbers::{Numbers, Record, boot, random};
use super::schema::{FILE, stored};

/// What was found.
#[derive(Debug)]
pub(crate) struct Restored {
    /// Room ids and numbers mean something only within one.
    pub(crate) epoch: Box<str>,
    /// How the last server ended.
    pub(crate) end: LastEnd,
    /// The open rooms, the lowest number first.
    pub(crate) rooms: Vec<StoredRoom>,
    /// The number of the next room.
    pub(crate) next_room: RoomId,
    /// What the last server left, if it ended in order. It is here once.
    pub(crate) snapshot: Option<StoredSnapshot>,
}

/// A room that was open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredRoom {
    pub(crate) id: RoomId,
    pub(crate) title: Title,
    /// When it was created, in ms since 1970.
    pub(crate) created: u64,
    /// The number before that of the next broadcast. Numbers may have been skipped.
    pub(crate) last_seq: u64,
    /// When something was last said in it; before that, when it was created.
    pub(crate) last_at: u64,
}

/// What a server leaves to the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredSnapshot {
    /// In ms since 1970.
    pub(crate) at: u64,
    pub(crate) bytes: Vec<u8>,
}

/// How the last server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastEnd {
    /// There was none.
    None,
    /// In order.
    InOrder,
    /// It was killed, and nothing is lost.
    KilledWhenSettled,
    /// It was killed, and broadcasts may be lost.
    Killed,
    /// Nobody knows what is lost: the machine failed, or the disk did, or the database is another one.
    Unknown,
}

/// The numbers that each room skips after a server was killed: more than there can be broadcasts that wait.
pub(super) const SKIP: u64 = 1 << 20;

/// Reads what the last server left, and begins anew. The file of the numbers is on the disk when this returns.
pub(super) fn recover(
    dir: &Path,
    connection: &mut Connection,
) -> Result<(Restored, Numbers), StoreError> {
    let path = dir.join("numbers");
    let left = Numbers::left_in(&path);
    let failed = StoreError::io(&path);
    let (stamp, new_epoch) = (random().map_err(&failed)?, random().map_err(&failed)?);
    // Half of the numbers are negative to SQLite.
    let begin = Begin { stamp: stamp >> 1, new_epoch, boot: boot() };
    let restored = connection
        .transaction()
        .and_then(|transaction| {
            let restored = begin.restore(&transaction, left)?;
            transaction.commit()?;
            Ok(restored)
        })
        .map_err(StoreError::sql(&dir.join(FILE)))?;
    let record = Record {
        next_room: restored.next_room.number(),
        is_clean: false,
        is_settled: true,
        has_lost: false,
        stamp: begin.stamp,
        boot: begin.boot,
    };
    let numbers = Numbers::begin(&path, record).map_err(failed)?;
    Ok((restored, numbers))
}

/// What a new beginning needs to know.
struct Begin {
    stamp: u64,
    new_epoch: u64,
    boot: u128,
}

impl Begin {
    fn restore(
        &self,
        transaction: &Transaction<'_>,
        left: Option<Record>,
    ) -> rusqlite::Result<Restored> {
        let epoch: Option<String> = meta(transaction, "epoch")?;
        let stamp: Option<i64> = meta(transaction, "stamp")?;
        // A process that is killed here comes to the second stamp only: it has not begun.
        let stamp_before: Option<i64> = meta(transaction, "stamp_before")?;
        let left_stamp = left.map(|left| stored(left.stamp));
        let is_same = left_stamp.is_some() && [stamp, stamp_before].contains(&left_stamp);
        let end = match (&epoch, left) {
            (None, _) => LastEnd::None,
            (_, Some(left)) if is_same => self.last_end(&left),
            _ => LastEnd::Unknown,
        };
        let epoch = match (epoch, end) {
            (Some(epoch), LastEnd::InOrder | LastEnd::KilledWhenSettled | LastEnd::Killed) => epoch,
            _ => format!("{:016x}", self.new_epoch),
        };
        if matches!(end, LastEnd::Killed | LastEnd::Unknown) {
            transaction.execute(
                "UPDATE rooms SET last_seq = last_seq + ?1 WHERE closed IS NULL",
                [stored(SKIP)],
            )?;
        }
        let next_room = next_room(transaction)?.max(left.map_or(1, |left| left.next_room));
        let next_room = RoomId::new(next_room).unwrap_or(RoomId::FIRST);
        let snapshot = take_snapshot(transaction)?.filter(|_| end == LastEnd::InOrder);
        let set = "INSERT INTO meta (key, value) VALUES (?1, ?2)
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        transaction.execute(set, ("epoch", &epoch))?;
        transaction.execute(set, ("stamp", stored(self.stamp)))?;
        transaction.execute(set, ("stamp_before", left_stamp))?;
        transaction.execute(set, ("next_room", stored(next_room.number())))?;
        let rooms = rooms(transaction)?;
        Ok(Restored { epoch: epoch.into(), end, rooms, next_room, snapshot })
    }

    fn last_end(&self, left: &Record) -> LastEnd {
        if left.is_clean {
            LastEnd::InOrder
        } else if left.has_lost || left.boot != self.boot || self.boot == 0 {
            LastEnd::Unknown
        } else if left.is_settled {
            LastEnd::KilledWhenSettled
        } else {
            LastEnd::Killed
        }
    }
}

fn meta<T: rusqlite::types::FromSql>(
    connection: &Connection,
    key: &str,
) -> rusqlite::Result<Option<T>> {
    let value =
        connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0));
    Ok(value.optional()?.flatten())
}

/// The lowest number that no room in the database has had.
fn next_room(connection: &Connection) -> rusqlite::Result<u64> {
    let noted = meta(connection, "next_room")?.unwrap_or(1);
    let last: i64 = connection.query_row(
        "SELECT max(ifnull((SELECT max(id) FROM rooms), 0), ifnull((SELECT max(room) FROM events), 0))",
        (),
        |row| row.get(0),
    )?;
    Ok(u64::try_from(last.saturating_add(1).max(noted)).unwrap_or(1))
}

fn take_snapshot(connection: &Connection) -> rusqlite::Result<Option<StoredSnapshot>> {
    let snapshot = connection.query_row("SELECT at, bytes FROM snapshot", (), |row| {
        let at = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
        Ok(StoredSnapshot { at, bytes: row.get(1)? })
    });
    let snapshot = snapshot.optional()?;
    connection.execute("DELETE FROM snapshot", ())?;
    Ok(snapshot)
}

fn rooms(connection: &Connection) -> rusqlite::Result<Vec<StoredRoom>> {
    let mut rooms = connection.prepare(
        "SELECT id, title, created, last_seq, last_at FROM rooms WHERE closed IS NULL ORDER BY id",
    )?;
    let number = |row: &rusqlite::Row<'_>, column| {
        row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or(0))
    };
    let rooms = rooms.query_map((), |row| {
        let (Ok(id), title) = (RoomId::new(number(row, 0)?), row.get::<_, String>(1)?) else {
            return Ok(None);
        };
        // An operator may have changed it.
        let title = Title::new(&title).or_else(|_| Title::new(&format!("room {id}")));
        let Ok(title) = title else { return Ok(None) };
        let (created, last_seq, last_at) = (number(row, 2)?, number(row, 3)?, number(row, 4)?);
        Ok(Some(StoredRoom { id, title, created, last_seq, last_at }))
    })?;
    rooms.filter_map(Result::transpose).collect()
}
