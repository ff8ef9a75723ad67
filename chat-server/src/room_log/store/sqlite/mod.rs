//! What was said, and the rooms, on the disk: they outlive the process (`--data`).
//!
//! [`Store`] belongs to the reactor, which never waits for it: broadcasts and rooms are appended to a batch, which goes
//! to the thread of the `writer` once a turn. [`Readers`] belong to everybody: the threads of the pool read what was
//! said. [`Archive`] is for tools beside a server, or without one.
//!
//! `lock` keeps other processes away. `schema` is the database; `recovery` finds what the last server left, and with
//! `numbers` sees to it that no number is given twice. `batch` and `queue` are the way to the `writer`, and `retention`
//! is what that does in between. Nothing here knows about connections, or sends anything.
//!
//! # When the disk fails
//!
//! The writer tries again every second. Meanwhile up to [`QUEUE`] bytes wait. Beyond that, what is newest is given up,
//! and counted; when the disk has recovered, the rooms and their numbers are written nevertheless, and the gap shows in
//! the history.

mod archive;
mod batch;
mod error;
mod lock;
mod numbers;
mod queue;
mod reading;
mod recovery;
mod retention;
mod schema;
mod writer;

use std::mem;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use batch::Batch;
use chat_core::{Name, RoomId, Title};
use lock::DirLock;
use numbers::{Numbers, Record};
use queue::{Queue, Stop};
use recovery::SKIP;
use retention::Retention;
use writer::Writer;

pub use archive::{Archive, Damage, Erase};
pub use error::{StoreError, StoreFault};
pub(crate) use reading::{Readers, StoredPart};
pub(crate) use recovery::{LastEnd, Restored, StoredRoom, StoredSnapshot};

use crate::limits::Limits;

/// Bytes that wait for the disk, at most. As many again may be on their way to it.
const QUEUE: usize = 8 << 20;

/// Bytes that a broadcast takes in a batch, at least: as a JSON object, it has its type, a room and a number.
const LEAST: usize = Batch::LEAST_OF_EVENT + r#"{"type":"x","roomId":1,"seq":1}"#.len();

// What waits, what is on its way, and the batch of one turn.
const _: () = assert!((3 * QUEUE / LEAST) as u64 <= SKIP);

/// A directory for rooms, and what is said in them, which outlive the process that way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataConfig {
    /// The directory. It is created if it is missing. One server at a time can have it.
    pub dir: PathBuf,
    /// Whether a chat is acknowledged only when it would outlive a power failure. Default: when it is accepted; it is on
    /// its way to the disk then.
    pub is_durable: bool,
}

impl DataConfig {
    /// A directory from which a failure of power may take what was said last.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), is_durable: false }
    }

    /// Sets whether a chat is acknowledged only when it would outlive a power failure.
    #[must_use]
    pub fn with_durable(mut self, is_durable: bool) -> Self {
        self.is_durable = is_durable;
        self
    }
}

/// The number of a hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct BatchNumber(u64);

/// How far the writer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Everything handed over up to this number is in the database; if it [`is_durable`](DataConfig::is_durable), it
    /// outlives a power failure.
    pub(crate) committed: BatchNumber,
    /// The disk is full or fails. [`Store::fault`] says more.
    pub(crate) is_failing: bool,
    /// Broadcasts written since the start.
    pub(crate) written: u64,
    /// Broadcasts given up since the start, because the disk failed or was too slow.
    pub(crate) lost: u64,
    /// Bytes of the database, without those that can be used again. 0 until that has been measured.
    pub(crate) size: u64,
    /// Times that something was too old, and that the database was too large.
    pub(crate) deletions: [u64; 2],
}

/// The reactor's end of the store.
///
/// Dropping it without [`stop`](Store::stop) is an end like that of a killed process.
#[derive(Debug)]
pub(crate) struct Store {
    batch: Batch,
    /// The number of the last hand-over.
    last: u64,
    lost: u64,
    /// The number of the last hand-over that was given up.
    lost_at: u64,
    /// Some of what was noted since the last call of `hand_over` has been given up.
    has_lost: bool,
    numbers: Numbers,
    queue: Arc<Queue>,
    readers: Arc<Readers>,
    /// How the writer has ended.
    ended: Receiver<rusqlite::Result<bool>>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens a data directory, and creates it if it is missing. Starts the writer's thread.
    ///
    /// That calls `tell`, from then on, whenever the reactor should look at [`progress`](Self::progress) and hand over,
    /// be it nothing: after each commit if it `is_durable`, when the disk begins or ceases to fail, and when nothing has come
    /// for a second.
    ///
    /// # Errors
    /// If another process has the directory, or the system or the database refuses it.
    pub(crate) fn open(
        data: &DataConfig,
        limits: &Limits,
        tell: impl Fn() + Send + Sync + 'static,
    ) -> Result<(Self, Restored), StoreError> {
        let &DataConfig { ref dir, is_durable } = data;
        // The writer keeps it, even if it outlives this process's patience.
        let lock = DirLock::take(dir)?;
        let mut connection = schema::open_to_write(dir, is_durable)?;
        let (restored, numbers) = recovery::recover(dir, &mut connection)?;
        let queue = Arc::new(Queue::new(QUEUE, Box::new(tell)));
        let retention = Retention::new(limits);
        let writer = Writer::new(dir.to_owned(), is_durable, queue.clone(), retention);
        let (end, ended) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("chat-store".to_owned())
            .spawn(move || {
                let _lock = lock;
                let _ = end.send(writer.run(connection));
            })
            .map_err(StoreError::io(dir))?;
        let store = Self {
            batch: Batch::default(),
            last: 0,
            lost: 0,
            lost_at: 0,
            has_lost: false,
            numbers,
            queue,
            readers: Arc::new(Readers::new(dir.to_owned())),
            ended,
            thread: Some(thread),
        };
        Ok((store, restored))
    }

    /// Notes a new room. Call it before anybody learns of its number.
    pub(crate) fn room_created(&mut self, room: RoomId, title: &Title, at: u64) {
        self.numbers.change(|record| {
            record.next_room = record.next_room.max(room.next().number());
            record.is_settled = false;
        });
        self.batch.created(room, title, at);
    }

    /// Notes that a room is gone. Its broadcasts stay until they are too old.
    pub(crate) fn room_closed(&mut self, room: RoomId, at: u64) {
        self.begin();
        self.batch.closed(room, at);
    }

    /// Notes a broadcast, with who said it, unless it is a notice. Call it before anybody gets the broadcast.
    pub(crate) fn event(
        &mut self,
        room: RoomId,
        seq: u64,
        at: u64,
        member: Option<&Name>,
        payload: &[u8],
    ) {
        self.begin();
        self.batch.event(room, seq, at, member, payload);
        if self.batch.len() > QUEUE / 2 {
            self.submit();
        }
    }

    fn begin(&mut self) {
        if self.numbers.record().is_settled {
            self.numbers.change(|record| record.is_settled = false);
        }
    }

    /// Hands over to the writer what has been noted since the last call. Call it once a turn.
    ///
    /// Returns the number to wait for in [`Progress::committed`], or `None` if any of it had to be given up, since the
    /// disk fails.
    pub(crate) fn hand_over(&mut self) -> Option<BatchNumber> {
        let report = &self.queue.report;
        let Record { has_lost, is_settled, .. } = *self.numbers.record();
        if has_lost && report.committed.load(Ordering::Acquire) >= self.lost_at {
            // The database knows their numbers.
            self.numbers.change(|record| record.has_lost = false);
        }
        if !self.batch.is_empty() {
            self.submit();
        } else if !is_settled && report.quiet.load(Ordering::Acquire) == self.last {
            self.numbers.change(|record| record.is_settled = true);
        }
        let has_lost = mem::take(&mut self.has_lost);
        (!has_lost).then_some(BatchNumber(self.last))
    }

    fn submit(&mut self) {
        let events = self.batch.events();
        self.last += 1;
        if !self.queue.hand_over(&mut self.batch, self.last) {
            self.has_lost = true;
            self.lost += events;
            self.lost_at = self.last;
            self.numbers.change(|record| record.has_lost = true);
        }
    }

    /// How far the writer has come.
    pub(crate) fn progress(&self) -> Progress {
        let report = &self.queue.report;
        Progress {
            committed: BatchNumber(report.committed.load(Ordering::Acquire)),
            is_failing: report.is_failing.load(Ordering::Acquire) || self.numbers.has_failed,
            written: report.events.load(Ordering::Relaxed),
            lost: self.lost,
            size: report.size.load(Ordering::Relaxed),
            deletions: [&report.by_age, &report.by_size].map(|count| count.load(Ordering::Relaxed)),
        }
    }

    /// The last error of the disk or the database, in the words of SQLite.
    pub(crate) fn fault(&self) -> Option<String> {
        self.queue.report.fault()
    }

    /// Memory of what waits, in bytes. Up to [`QUEUE`] more are on their way to the disk.
    pub(crate) fn memory(&self) -> usize {
        self.batch.memory() + self.queue.memory()
    }

    /// Connections for those who read.
    pub(crate) fn readers(&self) -> &Arc<Readers> {
        &self.readers
    }

    /// Writes everything, and what is to be left to the next server; then ends. Waits no longer than `patience`.
    ///
    /// # Errors
    /// If something could not be written. The next start is then as after a kill, and `snapshot` is not there.
    pub(crate) fn stop(
        mut self,
        snapshot: Option<Vec<u8>>,
        patience: Duration,
    ) -> Result<(), StoreError> {
        self.hand_over();
        let deadline = Instant::now() + patience;
        self.queue.stop(Stop::InOrder(snapshot, deadline));
        let dir = self.readers.dir().to_owned();
        let result = match self.ended.recv_timeout(patience) {
            Ok(Ok(_)) => self.numbers.end().map_err(StoreError::io(&dir)),
            Ok(Err(error)) => Err(StoreError::sql(&dir)(error)),
            // It waits for a disk that does not answer: nobody else should wait for it.
            Err(_) => {
                self.thread = None;
                Err(StoreError::new(&dir, StoreFault::Stalled))
            }
        };
        drop(self);
        result
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.queue.stop(Stop::Abandon);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
