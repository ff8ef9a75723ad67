//! What is old is deleted, in steps so small that nobody waits for one.
//!
//! A sweep goes through the rooms, and deletes from the beginning of each what is older than a time: that of
//! `history_age`, or one that gives up a sixteenth of what is kept, while there is more than `history_size`. No index
//! by time is needed for that: within a room, numbers and times rise together.

use std::time::{Duration, Instant, SystemTime};

use rusqlite::{Connection, OptionalExtension};

use super::schema::stored;
use crate::limits::Limits;

/// What is deleted, when, and how far that has come.
#[derive(Debug)]
pub(super) struct Retention {
    age: Option<Duration>,
    size: Option<u64>,
    sweep: Option<Sweep>,
    next: Instant,
    /// The time of the oldest broadcast, as the last sweep found it.
    oldest: Option<u64>,
    /// Sweeps that were due because of the age, and because of the size.
    pub(super) by_age: u64,
    pub(super) by_size: u64,
}

#[derive(Debug)]
struct Sweep {
    /// What is older than this goes.
    cutoff: u64,
    /// The room to go on with.
    room: i64,
    /// The time of the oldest broadcast that stays, so far.
    oldest: u64,
}

/// Broadcasts that are deleted in a step, at most.
const ROWS: usize = 500;
/// The time after which a step ends.
const TIME: Duration = Duration::from_millis(5);
/// The parts of time between two steps that others get.
const SHARE: u32 = 4;
/// How often the size is checked, and how often the age, at least and at most.
const CHECK: Duration = Duration::from_secs(5);
const CHECK_AGE: Duration = Duration::from_secs(600);
/// Pages that are given back in a step.
const PAGES: u32 = 64;

impl Retention {
    /// Deletes what exceeds [`Limits::history_age`] and [`Limits::history_size`].
    pub(super) fn new(limits: &Limits) -> Self {
        let age = Some(limits.history_age).filter(|age| !age.is_zero());
        let size = Some(limits.history_size as u64).filter(|size| *size > 0);
        Self { age, size, sweep: None, next: Instant::now(), oldest: None, by_age: 0, by_size: 0 }
    }

    /// The time of the next step.
    pub(super) fn next(&self) -> Option<Instant> {
        (self.age.is_some() || self.size.is_some()).then_some(self.next)
    }

    /// Takes a step. Returns the size of the database, in bytes.
    pub(super) fn step(&mut self, connection: &Connection) -> rusqlite::Result<u64> {
        let begin = Instant::now();
        let pages = Pages::of(connection)?;
        if self.sweep.is_none() {
            self.sweep = self.begin(pages.used());
        }
        let mut is_done = true;
        if let Some(mut sweep) = self.sweep.take() {
            if sweep.step(connection, begin)? {
                self.oldest = (sweep.oldest < u64::MAX).then_some(sweep.oldest);
                // The next one knows what is the oldest.
                is_done = self.size.is_none_or(|size| pages.used() <= size);
            } else {
                self.sweep = Some(sweep);
                is_done = false;
            }
        } else if pages.free > PAGES.into() && pages.free > pages.all / 8 {
            // Each row is a page that has been given back.
            let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
            let mut given_back = vacuum.query(())?;
            while given_back.next()?.is_some() {}
            is_done = false;
        }
        self.next = Instant::now()
            + if is_done {
                let age = self.age.map_or(CHECK_AGE, |age| (age / 64).clamp(CHECK, CHECK_AGE));
                if self.size.is_some() { CHECK.min(age) } else { age }
            } else {
                begin.elapsed() * SHARE
            };
        Ok(Pages::of(connection)?.used())
    }

    fn begin(&mut self, used: u64) -> Option<Sweep> {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let by_age = self.age.map(|age| millis(now.saturating_sub(age)));
        let is_over = self.size.is_some_and(|size| used > size);
        let is_old = by_age.is_some_and(|cutoff| self.oldest.is_some_and(|oldest| oldest < cutoff));
        self.by_age += u64::from(is_old);
        self.by_size += u64::from(is_over);
        let by_size = is_over.then(|| {
            // Without that time, this sweep only finds it.
            let oldest = self.oldest?;
            Some(oldest + (millis(now).saturating_sub(oldest) / 16).max(1))
        });
        let cutoff = by_age.max(by_size.map(Option::unwrap_or_default))?;
        Some(Sweep { cutoff, room: 0, oldest: u64::MAX })
    }
}

impl Sweep {
    /// Deletes a little. Returns whether that was the last.
    fn step(&mut self, connection: &Connection, begin: Instant) -> rusqlite::Result<bool> {
        let mut rows = ROWS;
        let transaction = connection.unchecked_transaction()?;
        let mut next = transaction.prepare("SELECT min(room) FROM events WHERE room >= ?1")?;
        let mut first = transaction
            .prepare("SELECT seq, at FROM events WHERE room = ?1 ORDER BY seq LIMIT ?2")?;
        let mut delete = transaction.prepare("DELETE FROM events WHERE room = ?1 AND seq <= ?2")?;
        let mut is_last = false;
        while rows > 0 && begin.elapsed() < TIME {
            let Some(room) = next.query_row([self.room], |row| row.get::<_, Option<i64>>(0))?
            else {
                is_last = true;
                break;
            };
            let (mut last, mut stays) = (None, None);
            let limit = i64::try_from(rows).unwrap_or(i64::MAX) + 1;
            let mut found = first.query([room, limit])?;
            while let Some(row) = found.next()? {
                let (seq, at): (i64, i64) = (row.get(0)?, row.get(1)?);
                let at = u64::try_from(at).unwrap_or(0);
                if at >= self.cutoff || rows == 0 {
                    stays = Some(at);
                    break;
                }
                last = Some(seq);
                rows -= 1;
            }
            drop(found);
            if let Some(last) = last {
                delete.execute([room, last])?;
            }
            if stays.is_some_and(|at| at < self.cutoff) {
                // It goes in the next step.
                self.room = room;
                break;
            }
            self.oldest = self.oldest.min(stays.unwrap_or(u64::MAX));
            self.room = room.saturating_add(1);
        }
        if is_last {
            transaction.execute(
                "DELETE FROM rooms WHERE id IN (SELECT id FROM rooms WHERE closed IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM events WHERE room = rooms.id) LIMIT ?1)",
                [stored(ROWS as u64)],
            )?;
        }
        drop((next, first, delete));
        transaction.commit()?;
        Ok(is_last)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The pages of a database.
#[derive(Debug)]
struct Pages {
    all: u64,
    free: u64,
    size: u64,
}

impl Pages {
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |name: &str| {
            let number =
                connection.query_row(&format!("PRAGMA {name}"), (), |row| row.get::<_, i64>(0));
            number.optional().map(|number| u64::try_from(number.unwrap_or(0)).unwrap_or(0))
        };
        Ok(Self {
            all: number("page_count")?,
            free: number("freelist_count")?,
            size: number("page_size")?,
        })
    }

    /// Bytes of pages that hold something.
    fn used(&self) -> u64 {
        self.all.saturating_sub(self.free) * self.size
    }
}

/// The size of the database, in bytes, without free pages.
pub(super) fn size(connection: &Connection) -> rusqlite::Result<u64> {
    Ok(Pages::of(connection)?.used())
}
