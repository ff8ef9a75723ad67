//! Reading what was said: a few connections of their own, for the threads of the pool.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chat_core::RoomId;
use chat_proto::extended::{Event, HistoryHead, HistorySpace, Since};
use rusqlite::{Connection, Row};

use super::error::StoreError;
use super::schema::{FILE, open_to_read, stored};

/// Connections that only read. Any thread may use them, as many as like at the same time.
#[derive(Debug)]
pub(crate) struct Readers {
    dir: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// Connections that are kept for the next time.
const IDLE: usize = 8;

/// A part of a stored history: consecutive broadcasts that fit one message.
#[derive(Debug, Default)]
pub(crate) struct StoredPart {
    from: u64,
    bytes: Vec<u8>,
    /// Where each ends in `bytes`, and its time.
    ends: Vec<(usize, u64)>,
    /// As [`HistoryHead`] says: whether the database has others in the direction that was asked for, or should have.
    pub(crate) more: bool,
    /// As [`HistoryHead`] says.
    pub(crate) gap: bool,
}

impl StoredPart {
    /// What there is when nothing can be read: no broadcast up to the number `end`.
    pub(crate) fn nothing(end: u64) -> Self {
        Self { from: end, gap: true, ..Self::default() }
    }

    /// The number of the first broadcast; without any, that of the next.
    pub(crate) fn from(&self) -> u64 {
        self.from
    }

    /// The number after the last broadcast.
    pub(crate) fn end(&self) -> u64 {
        self.from + self.ends.len() as u64
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = Event<'_>> {
        let begins = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        (self.from..).zip(begins.zip(&self.ends)).map(|(seq, (begin, &(end, at)))| Event {
            seq,
            at,
            payload: &self.bytes[begin..end],
        })
    }

    /// The same broadcasts, if they were appended in the reverse order.
    fn reversed(self) -> Self {
        let mut part =
            Self { bytes: Vec::with_capacity(self.bytes.len()), ends: Vec::new(), ..self };
        let begins = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        for (begin, &(end, at)) in begins.zip(&self.ends).collect::<Vec<_>>().into_iter().rev() {
            part.bytes.extend_from_slice(&self.bytes[begin..end]);
            part.ends.push((part.bytes.len(), at));
        }
        part
    }

    fn push(&mut self, event: &Event<'_>) {
        self.bytes.extend_from_slice(event.payload);
        self.ends.push((self.bytes.len(), event.at));
    }
}

impl Readers {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, idle: Mutex::default() }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let found = idle().pop();
        let connection = found.map_or_else(|| open_to_read(&self.dir), Ok)?;
        let result = read(&connection).map_err(StoreError::sql(&self.dir.join(FILE)))?;
        let mut idle = idle();
        if idle.len() < IDLE {
            idle.push(connection);
        }
        Ok(result)
    }

    /// The part of a room's history that was asked for, of its broadcasts before the number `end`: as far as it fits one
    /// message, and at most `limit`.
    ///
    /// `end` is where the memory takes over, or the number of the room's next broadcast: what is not stored up to there
    /// counts as missing.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) fn part(
        &self,
        room: RoomId,
        since: Since,
        limit: usize,
        end: u64,
    ) -> Result<StoredPart, StoreError> {
        self.with(|connection| match since {
            Since::After(seq) => after(connection, room, seq.saturating_add(1), limit, end),
            Since::Before(seq) => before(connection, room, seq, limit, end),
            Since::Last(n) => before(connection, room, u64::MAX, limit.min(n), end),
        })
    }
}

const AFTER: &str = "SELECT seq, at, payload FROM events
    WHERE room = ?1 AND seq >= ?2 AND seq < ?3 ORDER BY seq";
const BEFORE: &str = "SELECT seq, at, payload FROM events
    WHERE room = ?1 AND seq < ?2 ORDER BY seq DESC";
const HAS_BEFORE: &str = "SELECT EXISTS (SELECT 1 FROM events WHERE room = ?1 AND seq < ?2)";

fn event<'a>(row: &'a Row<'_>) -> rusqlite::Result<Event<'a>> {
    Ok(Event {
        seq: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
        at: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
        payload: row.get_ref(2)?.as_bytes()?,
    })
}

fn fits_message(event: &Event<'_>) -> bool {
    event.space() <= HistoryHead::SPACE
}

/// As many broadcasts from `wanted` on as fit, and follow each other.
fn after(
    connection: &Connection,
    room: RoomId,
    wanted: u64,
    limit: usize,
    end: u64,
) -> rusqlite::Result<StoredPart> {
    let mut space = HistorySpace::new(limit);
    let mut part = StoredPart { from: end, ..StoredPart::default() };
    let mut statement = connection.prepare(AFTER)?;
    let mut rows = statement.query([room.number(), wanted, end].map(stored))?;
    while let Some(row) = rows.next()? {
        let event = event(row)?;
        if part.ends.is_empty() {
            // What fits no message is a gap.
            if !fits_message(&event) {
                continue;
            }
            part.from = event.seq;
        }
        if event.seq != part.end() || !space.take(&event) {
            break;
        }
        part.push(&event);
    }
    part.gap = wanted < part.from;
    part.more = part.end() < end;
    Ok(part)
}

/// As many broadcasts before `seq` as fit, and follow each other.
fn before(
    connection: &Connection,
    room: RoomId,
    seq: u64,
    limit: usize,
    end: u64,
) -> rusqlite::Result<StoredPart> {
    let (room, wanted) = (stored(room.number()), seq.min(end));
    let mut space = HistorySpace::new(limit);
    let mut newest_first = StoredPart { from: wanted, ..StoredPart::default() };
    let mut statement = connection.prepare(BEFORE)?;
    let mut rows = statement.query([room, stored(wanted)])?;
    while let Some(row) = rows.next()? {
        let event = event(row)?;
        if newest_first.ends.is_empty() {
            newest_first.from = event.seq;
            if !fits_message(&event) {
                continue;
            }
            newest_first.from += 1;
        }
        if event.seq + 1 != newest_first.from || !space.take(&event) {
            break;
        }
        newest_first.push(&event);
        newest_first.from -= 1;
    }
    let mut part = newest_first.reversed();
    part.more = connection.query_row(HAS_BEFORE, [room, stored(part.from)], |row| row.get(0))?;
    let is_all = limit == 0 || part.from <= 1;
    part.gap = part.end() < wanted || (!part.more && !is_all);
    Ok(part)
}
