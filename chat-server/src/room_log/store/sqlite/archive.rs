//! The history for tools: reading it beside a server, checking it, and erasing from it while there is none.

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use chat_core::{RoomId, Title};
use chat_proto::{Lang, Localize, localize};
use rusqlite::{Connection, OptionalExtension};

use super::error::{StoreError, StoreFault};
use super::lock::DirLock;
use super::schema::{FILE, open_to_read, open_to_write, stored};

/// The history in a data directory, to read. A server may be writing it.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    connection: Connection,
}

/// What to erase.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Erase {
    /// Everything that was said in a room, and the room, if it is closed.
    Room(RoomId),
    /// Everything that somebody with exactly this name has said, and the notices about that name.
    Member(String),
}

/// What is wrong in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// The file is damaged, in the words of SQLite.
    File(String),
    /// Something is missing that each history has: the name of it.
    NoMeta(&'static str),
    /// The title of a room is not valid.
    BadTitle(u64),
    /// There are broadcasts of a room that is not there.
    NoRoom(u64),
    /// A room has a broadcast with a number above the last one that it knows of.
    BeyondLast(u64),
    /// A broadcast is not JSON, or has another room or number inside: its room and number.
    BadPayload(u64, u64),
}

impl Localize for Damage {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(words) => localize!(f, lang,
                en: "the file is damaged: {words}",
                ko: "파일이 깨졌어요: {words}"),
            Self::NoMeta(key) => localize!(f, lang,
                en: "meta has no {key}",
                ko: "meta에 {key} 값이 없어요"),
            Self::BadTitle(room) => localize!(f, lang,
                en: "room {room} has an invalid title",
                ko: "방 {room}의 제목이 잘못됐어요"),
            Self::NoRoom(room) => localize!(f, lang,
                en: "there are events of room {room}, but no such room",
                ko: "방 {room}의 기록은 있는데 방이 없어요"),
            Self::BeyondLast(room) => localize!(f, lang,
                en: "room {room} has events above its last_seq",
                ko: "방 {room}에 last_seq보다 뒤의 기록이 있어요"),
            Self::BadPayload(room, seq) => localize!(f, lang,
                en: "event {seq} of room {room} has a malformed payload",
                ko: "방 {room}의 기록 {seq}번의 내용이 잘못됐어요"),
        }
    }
}

/// Events that are read at once, so that no reader keeps the server from reusing its write-ahead log.
const PAGE: usize = 1_000;
/// The most damages of a kind that are reported.
const REPORTED: usize = 20;

const EXPORT: &str = "SELECT seq, json_object('seq', seq, 'at', at, 'kind', kind, 'member', member,
        'text', payload ->> '$.text') FROM events
    WHERE room = ?1 AND seq >= ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4";

impl Archive {
    /// Opens the history in a data directory.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self { path: dir.join(FILE), connection: open_to_read(dir)? })
    }

    /// Passes each broadcast of a room whose number is in the range to `write`, as a line of JSON without its end.
    ///
    /// # Errors
    /// If there is no such room, or it cannot be read. The inner error is that of `write`.
    pub fn export(
        &self,
        room: RoomId,
        range: RangeInclusive<u64>,
        mut write: impl FnMut(&str) -> io::Result<()>,
    ) -> Result<io::Result<()>, StoreError> {
        let failed = StoreError::sql(&self.path);
        let id = stored(room.number());
        if !exists(&self.connection, id).map_err(&failed)? {
            return Err(StoreError::new(&self.path, StoreFault::NoSuchRoom));
        }
        let (mut from, to) = (stored(*range.start()), stored(*range.end()));
        loop {
            let page = self.page(id, from, to).map_err(&failed)?;
            for (_, line) in &page {
                if let Err(error) = write(line) {
                    return Ok(Err(error));
                }
            }
            match page.last() {
                Some((last, _)) if page.len() == PAGE => from = last.saturating_add(1),
                _ => return Ok(Ok(())),
            }
        }
    }

    fn page(&self, room: i64, from: i64, to: i64) -> rusqlite::Result<Vec<(i64, String)>> {
        let mut page = self.connection.prepare(EXPORT)?;
        let rows = page.query_map([room, from, to, stored(PAGE as u64)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        rows.collect()
    }

    /// Checks the file, and what this program relies on. Takes some seconds for a million broadcasts.
    ///
    /// # Errors
    /// If the database cannot even be read.
    pub fn check(&self) -> Result<Vec<Damage>, StoreError> {
        let transaction = self.connection.unchecked_transaction();
        let damages = transaction.and_then(|transaction| check(&transaction));
        damages.map_err(StoreError::sql(&self.path))
    }

    /// Erases from the history of a data directory, so that its files do not hold it any more. Returns the number of
    /// broadcasts.
    ///
    /// # Errors
    /// If a server has the directory, there is no history or no such room, or the database refuses it.
    pub fn erase(dir: &Path, what: &Erase) -> Result<usize, StoreError> {
        // Rather than create one.
        drop(open_to_read(dir)?);
        let _lock = DirLock::take(dir)?;
        let mut connection = open_to_write(dir, true)?;
        let path = dir.join(FILE);
        let erased = erase(&mut connection, what).map_err(StoreError::sql(&path))?;
        erased.ok_or_else(|| StoreError::new(&path, StoreFault::NoSuchRoom))
    }
}

fn exists(connection: &Connection, room: i64) -> rusqlite::Result<bool> {
    let exists = "SELECT EXISTS (SELECT 1 FROM rooms WHERE id = ?1)
        OR EXISTS (SELECT 1 FROM events WHERE room = ?1)";
    connection.query_row(exists, [room], |row| row.get(0))
}

fn erase(connection: &mut Connection, what: &Erase) -> rusqlite::Result<Option<usize>> {
    connection.pragma_update(None, "secure_delete", "ON")?;
    let transaction = connection.transaction()?;
    // It names those who were there.
    transaction.execute("DELETE FROM snapshot", ())?;
    let erased = match what {
        Erase::Room(room) => {
            let room = stored(room.number());
            if !exists(&transaction, room)? {
                return Ok(None);
            }
            transaction
                .execute("DELETE FROM rooms WHERE id = ?1 AND closed IS NOT NULL", [room])?;
            transaction.execute("DELETE FROM events WHERE room = ?1", [room])?
        }
        Erase::Member(name) => transaction.execute(
            "DELETE FROM events WHERE member = ?1 OR (kind <> 'chat' AND json_valid(payload) AND
             ?1 IN (payload ->> '$.member', payload ->> '$.from', payload ->> '$.to'))",
            [name],
        )?,
    };
    transaction.commit()?;
    // Pages that were in use before may still hold copies of what moved.
    connection.execute_batch("VACUUM")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
    Ok(Some(erased))
}

fn check(connection: &Connection) -> rusqlite::Result<Vec<Damage>> {
    let mut damages = Vec::new();
    let mut integrity = connection.prepare("PRAGMA integrity_check(20)")?;
    for words in integrity.query_map((), |row| row.get::<_, String>(0))? {
        damages.extend(Some(words?).filter(|words| words != "ok").map(Damage::File));
    }
    for key in ["epoch", "stamp", "next_room"] {
        let meta = connection.query_row("SELECT 1 FROM meta WHERE key = ?1", [key], |_| Ok(()));
        if meta.optional()?.is_none() {
            damages.push(Damage::NoMeta(key));
        }
    }
    let mut titles = connection.prepare("SELECT id, title FROM rooms")?;
    let mut rows = titles.query(())?;
    while let Some(row) = rows.next()? {
        if Title::new(row.get_ref(1)?.as_str().unwrap_or_default()).is_err() {
            damages.push(Damage::BadTitle(number(row.get(0)?)));
        }
    }
    // Room by room: each is one look into an index.
    let mut next = connection.prepare("SELECT min(room) FROM events WHERE room > ?1")?;
    let mut last = connection.prepare("SELECT last_seq FROM rooms WHERE id = ?1")?;
    let mut highest = connection.prepare("SELECT max(seq) FROM events WHERE room = ?1")?;
    let mut room = i64::MIN;
    while let Some(found) = next.query_row([room], |row| row.get::<_, Option<i64>>(0))? {
        room = found;
        let highest: i64 = highest.query_row([room], |row| row.get(0))?;
        match last.query_row([room], |row| row.get::<_, i64>(0)).optional()? {
            None => damages.push(Damage::NoRoom(number(room))),
            Some(last) if last < highest => damages.push(Damage::BeyondLast(number(room))),
            Some(_) => {}
        }
    }
    let mut payloads = connection.prepare(
        "SELECT room, seq FROM events WHERE CASE WHEN json_valid(payload)
         THEN payload ->> '$.roomId' IS NOT room OR payload ->> '$.seq' IS NOT seq ELSE 1 END
         LIMIT ?1",
    )?;
    for damage in payloads.query_map([stored(REPORTED as u64)], |row| {
        Ok(Damage::BadPayload(number(row.get(0)?), number(row.get(1)?)))
    })? {
        damages.push(damage?);
    }
    Ok(damages)
}

fn number(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

#[cfg(test)]
mod tests;
