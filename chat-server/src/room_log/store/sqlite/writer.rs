//! The thread that writes: it takes all that waits, and writes it in one transaction.
//!
//! A commit begins at once after a quiet time, and otherwise some time after the last one began: the more is said, the
//! more a commit carries. Between commits, retention and checkpoints take their small steps. When the disk is full or
//! fails, the writer keeps what it has taken and tries again every second, on a new connection.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql};

use super::batch::{Change, RoomChanges};
use super::queue::{Queue, Stop, Taken, Woken};
use super::retention::{self, Retention};
use super::schema::{reopen_to_write, stored};

/// The time between the beginnings of two commits, at least, when somebody waits for them.
const PAUSE_DURABLE: Duration = Duration::from_millis(5);
/// The same when nobody waits. A killed process loses as much, and the time of a commit.
const PAUSE: Duration = Duration::from_millis(50);
/// The time until the next attempt when the disk fails.
const RETRY: Duration = Duration::from_secs(1);
/// The time without broadcasts after which the reactor learns that everything is in the database.
const QUIET: Duration = Duration::from_secs(1);
/// The bytes, as estimated, that a write-ahead log has before they are moved into the database.
const CHECKPOINT: usize = 8 << 20;
const PAGE: usize = 4096;
/// Pages that a step of the retention changes, as estimated.
const STEP: usize = 64;

/// The thread.
#[derive(Debug)]
pub(super) struct Writer {
    dir: PathBuf,
    durable: bool,
    queue: Arc<Queue>,
    retention: Retention,
    taken: Taken,
    /// The last commit began then.
    begun: Option<Instant>,
    /// Bytes in the write-ahead log, as estimated.
    logged: usize,
    /// The reactor does not know yet that everything is in the database.
    owes_quiet: bool,
}

/// What ends a session with the database.
enum End {
    /// Everything is in the database, and so is the snapshot.
    InOrder,
    Abandoned,
    /// The end has been asked for, but the database fails.
    Failed(rusqlite::Error),
}

impl Writer {
    pub(super) fn new(
        dir: PathBuf,
        durable: bool,
        queue: Arc<Queue>,
        retention: Retention,
    ) -> Self {
        let taken = Taken::default();
        Self { dir, durable, queue, retention, taken, begun: None, logged: 0, owes_quiet: false }
    }

    /// Writes until it is told to end.
    ///
    /// # Errors
    /// If the end was to be in order, and not everything could be written.
    pub(super) fn run(mut self, connection: Connection) -> rusqlite::Result<bool> {
        let (mut connection, mut stop) = (Some(connection), None);
        loop {
            let result = connection
                .take()
                .map_or_else(|| reopen_to_write(&self.dir, self.durable), Ok)
                .and_then(|connection| self.write(&connection, &mut stop));
            let error = match result {
                Ok(End::InOrder) => return Ok(true),
                Ok(End::Abandoned) => return Ok(false),
                Ok(End::Failed(error)) | Err(error) => error,
            };
            self.queue.report.failed(&error);
            if stop.is_none() {
                stop = self.queue.pause(RETRY);
            }
            match &stop {
                Some(Stop::Abandon) => return Ok(false),
                Some(Stop::InOrder(_, deadline)) => {
                    if Instant::now() + RETRY / 4 > *deadline {
                        return Err(error);
                    }
                    std::thread::sleep(RETRY / 4);
                }
                None => {}
            }
        }
    }

    fn write(&mut self, connection: &Connection, stop: &mut Option<Stop>) -> rusqlite::Result<End> {
        let mut statements = Statements::prepare(connection)?;
        if self.taken.is_empty() && self.queue.report.is_failing.load(Ordering::Acquire) {
            // It was no commit that failed, and perhaps none comes soon.
            self.checkpoint(connection)?;
            self.queue.report.committed(self.taken.last, 0, self.durable);
        }
        self.queue.report.size.store(retention::size(connection)?, Ordering::Relaxed);
        loop {
            if !self.taken.is_empty() {
                self.commit(connection, &mut statements)?;
            }
            match stop {
                Some(Stop::Abandon) => return Ok(End::Abandoned),
                // What has come since the writer was told to end.
                Some(Stop::InOrder(..)) if self.queue.take_rest(&mut self.taken) => continue,
                Some(Stop::InOrder(snapshot, _)) => {
                    drop(statements);
                    return Ok(match end(connection, snapshot.as_deref()) {
                        Ok(()) => End::InOrder,
                        Err(error) => End::Failed(error),
                    });
                }
                None => {}
            }
            let pause = if self.durable { PAUSE_DURABLE } else { PAUSE };
            let now = Instant::now();
            let not_before = self.begun.map_or(now, |begun| begun + pause);
            let step = self.retention.next().map(|next| next.saturating_duration_since(now));
            let quiet = self.owes_quiet.then_some(QUIET);
            let patience = step.into_iter().chain(quiet).min();
            match self.queue.take(&mut self.taken, not_before, patience) {
                Woken::Work => {}
                Woken::Timeout if quiet.is_some() && quiet == patience => {
                    self.owes_quiet = false;
                    self.queue.report.quiet(self.taken.last);
                    self.checkpoint(connection)?;
                }
                Woken::Timeout => {}
                Woken::Stop(how) => {
                    // What was taken is lost with a killed process.
                    if matches!(how, Stop::Abandon) {
                        return Ok(End::Abandoned);
                    }
                    *stop = Some(how);
                }
            }
            if stop.is_none() && self.retention.next().is_some_and(|next| next <= Instant::now()) {
                let size = self.retention.step(connection)?;
                self.queue.report.by_age.store(self.retention.by_age, Ordering::Relaxed);
                self.queue.report.by_size.store(self.retention.by_size, Ordering::Relaxed);
                self.queue.report.size.store(size, Ordering::Relaxed);
                self.logged += PAGE * STEP;
                self.owes_quiet = true;
                if self.logged > CHECKPOINT {
                    self.checkpoint(connection)?;
                }
            }
        }
    }

    fn commit(
        &mut self,
        connection: &Connection,
        statements: &mut Statements<'_>,
    ) -> rusqlite::Result<()> {
        self.begun = Some(Instant::now());
        let transaction = connection.unchecked_transaction()?;
        let mut rooms = RoomChanges::default();
        for change in self.taken.batch.changes() {
            if let Change::Event(event) = change {
                statements.event.execute((
                    stored(event.room),
                    stored(event.seq),
                    stored(event.at),
                    Text(kind(event.payload)),
                    event.member.map(Text),
                    Text(event.payload),
                ))?;
            }
            rooms.note(change);
        }
        for (&room, change) in rooms.rooms.iter().chain(&self.taken.lost.rooms) {
            if let Some((title, at)) = &change.created {
                statements.create.execute((stored(room), Text(title), stored(*at)))?;
                statements.next_room.execute([stored(room.saturating_add(1))])?;
            }
            if let Some((seq, at)) = change.last {
                statements.last.execute((stored(room), stored(seq), stored(at)))?;
            }
            if let Some(at) = change.closed {
                statements.close.execute((stored(room), stored(at)))?;
            }
        }
        transaction.commit()?;
        let events = self.taken.batch.events();
        self.logged += self.taken.batch.len() + PAGE * (rooms.rooms.len() + 4);
        self.taken.clear();
        self.owes_quiet = true;
        self.queue.report.committed(self.taken.last, events, self.durable);
        if self.logged > CHECKPOINT {
            self.checkpoint(connection)?;
        }
        Ok(())
    }

    /// Moves what it can from the write-ahead log to the database.
    fn checkpoint(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.logged = 0;
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))?;
        self.queue.report.size.store(retention::size(connection)?, Ordering::Relaxed);
        Ok(())
    }
}

/// Stores the snapshot, and moves everything from the write-ahead log to the database.
fn end(connection: &Connection, snapshot: Option<&[u8]>) -> rusqlite::Result<()> {
    if let Some(bytes) = snapshot {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let at = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let transaction = connection.unchecked_transaction()?;
        transaction.execute("DELETE FROM snapshot", ())?;
        transaction.execute("INSERT INTO snapshot (at, bytes) VALUES (?1, ?2)", (at, bytes))?;
        transaction.commit()?;
    }
    // Also brings all of it to the disk, which commits that nobody waits for do not.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))
}

/// What a broadcast is: `chat`, or the code of a notice. A quotation mark within a string has a backslash before it, so
/// that this finds keys only.
fn kind(payload: &[u8]) -> &[u8] {
    const CHAT: &[u8] = br#"{"type":"SCChat""#;
    const CODE: &[u8] = br#""code":""#;
    if payload.starts_with(CHAT) {
        return b"chat";
    }
    let begin = payload.windows(CODE.len()).position(|window| window == CODE);
    let code = begin.map_or(&[][..], |begin| &payload[begin + CODE.len()..]);
    let code = code.split(|byte| *byte == b'"').next().unwrap_or_default();
    if code.is_empty() { b"notice" } else { code }
}

/// Bytes of UTF-8 as SQLite takes them.
struct Text<'a>(&'a [u8]);

impl ToSql for Text<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

struct Statements<'a> {
    event: Statement<'a>,
    create: Statement<'a>,
    last: Statement<'a>,
    close: Statement<'a>,
    next_room: Statement<'a>,
}

impl<'a> Statements<'a> {
    fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            event: connection.prepare(
                "INSERT OR IGNORE INTO events (room, seq, at, kind, member, payload)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            create: connection.prepare(
                "INSERT OR IGNORE INTO rooms (id, title, created, last_seq, last_at)
                 VALUES (?1, ?2, ?3, 0, ?3)",
            )?,
            last: connection.prepare(
                "UPDATE rooms SET last_seq = max(last_seq, ?2), last_at = ?3 WHERE id = ?1",
            )?,
            close: connection.prepare("UPDATE rooms SET closed = ?2 WHERE id = ?1")?,
            next_room: connection
                .prepare("UPDATE meta SET value = max(value, ?1) WHERE key = 'next_room'")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_broadcast_is_found_and_nobody_can_say_another() {
        let kinds = [
            (r#"{"type":"SCChat","roomId":1,"seq":1,"member":"a","text":"b"}"#, "chat"),
            (r#"{"type":"SCChat","member":"a","text":"\"code\":\"renamed\""}"#, "chat"),
            (r#"{"type":"SCSystemMessage","text":"a left.","code":"member-left"}"#, "member-left"),
            (r#"{"type":"SCSystemMessage","text":"\"code\":\"x\"","code":"renamed"}"#, "renamed"),
            ("{}", "notice"),
        ];
        for (payload, expected) in kinds {
            assert_eq!(kind(payload.as_bytes()), expected.as_bytes(), "{payload}");
        }
    }
}
