//! A room's log: its broadcasts, encoded once, and the position of each member.
//!
//! A broadcast is appended once, to the last chunk. A member is a cursor; [`RoomLog::drain`] hands it the
//! bytes between its cursor and the end, as references to chunks. A member whose kernel takes no more
//! is *parked*: its cursor stays, and the log retains the chunks from there on, once for all parked
//! members.
//!
//! Nothing here knows about sockets, connections or members: `fanout` decides who is handed what and when, and
//! `connection` keeps the references until they are written.

#[cfg(feature = "store")]
mod backfill;
mod chunk;
mod chunk_pool;
mod cursor;
mod history;
mod memory_share;
#[cfg(not(feature = "store"))]
mod no_backfill;
mod store;

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;
use std::rc::Rc;

use chat_proto::Framing;

#[cfg(feature = "store")]
pub(crate) use backfill::Backfill;
pub(crate) use chunk::Chunk;
pub(crate) use chunk_pool::ChunkPool;
pub(crate) use cursor::Cursor;
pub(crate) use history::{GivenUp, Histories};
#[cfg(not(feature = "store"))]
pub(crate) use no_backfill::Backfill;
pub use store::DataConfig;
#[cfg(feature = "store")]
pub use store::{Archive, Damage, Erase, StoreError, StoreFault};
pub(crate) use store::{BatchNumber, Progress, Store};
#[cfg(feature = "store")]
pub(crate) use store::{LastEnd, Restored, StoredRoom, StoredSnapshot};

use crate::net::ConnKey;

#[derive(Debug, Default)]
pub(crate) struct RoomLog {
    /// The chunks that some member has yet to be handed. Consecutive; only the last can be open.
    chunks: VecDeque<Retained>,
    /// The length of the log in bytes, from the room's first. No cursor is beyond it.
    end: u64,
    /// The position up to which every member has been handed everything, except parked members.
    handed_out: u64,
    /// Memory of `chunks`, in bytes.
    memory: usize,
}

/// A chunk, and how many parked cursors point into it.
#[derive(Debug)]
struct Retained {
    chunk: Rc<Chunk>,
    parked: usize,
}

/// What most members need next: the bytes of the last chunk after `handed_out`.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) chunk: Rc<Chunk>,
    pub(crate) range: Range<usize>,
    speaker: Option<ConnKey>,
    from: u64,
    end: u64,
}

impl Tail {
    /// Moves the cursor to the end if this is exactly what its member needs. Returns whether it is.
    pub(crate) fn advance(&self, reader: ConnKey, cursor: &mut Cursor) -> bool {
        let is_exact =
            cursor.position == self.from && !cursor.parked && self.speaker != Some(reader);
        if is_exact {
            cursor.position = self.end;
        }
        is_exact
    }
}

impl RoomLog {
    /// Chunks that the queue may keep memory for, no matter how few it holds.
    const FEW: usize = 8;

    /// The end of the log, for a member listed at `index`.
    pub(crate) fn cursor_at_end(&self, index: u32) -> Cursor {
        let position = if fault!(EarlyCursor) { 0 } else { self.end };
        Cursor { index, position, parked: false, framing: Framing::Length, is_slow: false }
    }

    /// The length of the log, in bytes.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Whether every member that is not parked has been handed everything.
    pub(crate) fn is_handed_out(&self) -> bool {
        self.handed_out == self.end
    }

    /// Bytes that have yet to be handed out.
    pub(crate) fn unsent(&self) -> usize {
        (self.end - self.handed_out) as usize
    }

    /// Memory of the retained chunks and their queue, in bytes. 0 at rest, when the queue has room for a few chunks at
    /// most.
    pub(crate) fn memory(&self) -> usize {
        if self.chunks.is_empty() {
            0
        } else {
            self.memory + self.chunks.capacity() * size_of::<Retained>()
        }
    }

    /// Bytes that wait for a parked member.
    pub(crate) fn pending(&self, cursor: &Cursor) -> usize {
        if cursor.parked { (self.end - cursor.position) as usize } else { 0 }
    }

    /// Memory retained for a parked member, and perhaps for others, in bytes.
    pub(crate) fn retained_for(&self, cursor: &Cursor) -> usize {
        let first = if cursor.parked { self.chunk_at(cursor.position) } else { self.chunks.len() };
        self.chunks.range(first..).map(|retained| retained.chunk.memory()).sum()
    }

    /// Appends what `encode` writes, for every member but `speaker`.
    pub(crate) fn append(
        &mut self,
        speaker: Option<ConnKey>,
        pool: &mut ChunkPool,
        encode: impl FnOnce(&mut Vec<u8>),
    ) {
        let is_open =
            |last: &mut Retained| Rc::get_mut(&mut last.chunk).is_some_and(|c| !c.is_full());
        if !self.chunks.back_mut().is_some_and(is_open) {
            let chunk = pool.take(self.end);
            self.memory += chunk.memory();
            self.chunks.push_back(Retained { chunk, parked: 0 });
        }
        let last = self.chunks.back_mut().and_then(|last| Rc::get_mut(&mut last.chunk));
        let last = last.expect("the last chunk is open");
        self.memory -= last.memory();
        last.append(speaker, encode);
        self.memory += last.memory();
        self.end = last.end();
    }

    /// The bytes of the last broadcast, which begins at `position`.
    pub(crate) fn last_from(&self, position: u64) -> &[u8] {
        let last = self.chunks.back().map(|last| &last.chunk);
        let range = last.and_then(|chunk| Some((chunk, chunk.range_from(position)?)));
        range.map_or(&[], |(chunk, range)| &chunk.bytes()[range])
    }

    /// Passes everything that `reader` needs from its cursor on to `sink`, and moves the cursor to the end.
    pub(crate) fn drain(
        &mut self,
        cursor: &mut Cursor,
        reader: ConnKey,
        pool: &mut ChunkPool,
        mut sink: impl FnMut(&Rc<Chunk>, Range<usize>),
    ) {
        if cursor.position == self.end {
            return;
        }
        let first = self.chunk_at(cursor.position);
        for Retained { chunk, .. } in self.chunks.range(first..) {
            for range in chunk.ranges_for(reader, cursor.position) {
                sink(chunk, range);
            }
        }
        self.unpark(cursor, pool);
        cursor.position = self.end;
    }

    /// The range that every member that is up to date needs, except the speaker, if it lies in one chunk.
    #[inline]
    pub(crate) fn tail(&self) -> Option<Tail> {
        let Retained { chunk, .. } = self.chunks.back()?;
        let range = chunk.range_from(self.handed_out)?;
        let speaker = chunk.only_speaker_from(self.handed_out)?;
        Some(Tail { chunk: Rc::clone(chunk), range, speaker, from: self.handed_out, end: self.end })
    }

    /// Retains the log from the cursor on, until it is drained or unparked.
    pub(crate) fn park(&mut self, cursor: &mut Cursor) {
        if cursor.position < self.end && !mem::replace(&mut cursor.parked, true) {
            let at = self.chunk_at(cursor.position);
            self.chunks[at].parked += 1;
        }
    }

    /// Stops retaining anything for the cursor.
    pub(crate) fn unpark(&mut self, cursor: &mut Cursor, pool: &mut ChunkPool) {
        if mem::take(&mut cursor.parked) {
            let at = self.chunk_at(cursor.position);
            self.chunks[at].parked -= 1;
            self.release(pool);
        }
    }

    /// Notes that every member that is not parked has been handed everything up to `position`.
    pub(crate) fn handed_out_to(&mut self, position: u64, pool: &mut ChunkPool) {
        self.handed_out = position;
        self.release(pool);
    }

    /// Releases all chunks: the room has no members left.
    pub(crate) fn clear(&mut self, pool: &mut ChunkPool) {
        for Retained { chunk, .. } in self.chunks.drain(..) {
            pool.put(chunk);
        }
        self.memory = 0;
    }

    /// The index of the chunk with the byte at `position`, which is before the end of the log.
    fn chunk_at(&self, position: u64) -> usize {
        self.chunks.partition_point(|retained| retained.chunk.end() <= position)
    }

    /// Releases the chunks at the front that no member needs any more.
    fn release(&mut self, pool: &mut ChunkPool) {
        let is_done = |front: &Retained| front.parked == 0 && front.chunk.end() <= self.handed_out;
        while self.chunks.front().is_some_and(is_done) {
            let Retained { chunk, .. } = self.chunks.pop_front().expect("it was just seen");
            self.memory -= chunk.memory();
            pool.put(chunk);
        }
        if self.chunks.capacity() > Self::FEW.max(4 * self.chunks.len()) {
            self.chunks.shrink_to(2 * self.chunks.len());
        }
    }
}

#[cfg(test)]
impl RoomLog {
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &Rc<Chunk>> {
        self.chunks.iter().map(|retained| &retained.chunk)
    }
}
