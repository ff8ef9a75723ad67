//! A room is a log, a member is a cursor in it.
//!
//! A broadcast is appended once. A *pass* goes over the members and hands each what lies between its
//! cursor and the end of the log, in one write. A pass may be cut into slices, so that a room of
//! thousands does not stall the others; what is said meanwhile goes along with the members still to
//! come, and the next pass brings it to the rest.
//!
//! A member whose kernel takes no more is passed over: it *waits*, its cursor stays, and the log keeps
//! what lies behind it. However many wait, that is kept once, in chunks that are filled to the end.

mod chunk;
mod cursor;

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;
use std::rc::Rc;

use crate::connection::Connections;
use crate::connection::SendBuffer;
use crate::connection::{Connection, Subscription};
use crate::net::ConnKey;
use crate::net::Socket;

pub(crate) use chunk::{Chunk, ChunkPool, end_of_frame};
pub(crate) use cursor::Cursor;

#[derive(Debug, Default)]
pub(crate) struct RoomLog {
    /// What some member is still to be handed. Consecutive; only the last can be open.
    chunks: VecDeque<Kept>,
    /// How long the log is, from the room's first byte on. No cursor is beyond it.
    end: u64,
    /// Up to here every member has been handed everything, but for those that wait.
    handed: u64,
    members: Vec<ConnKey>,
    pass: Option<Pass>,
    /// Members that have fallen behind and are waited for, or were.
    behind: Vec<ConnKey>,
    /// Bytes that the log is going to grow by, as far as can be told.
    expected: usize,
    /// Bytes of memory of the chunks, and what of that is in the sum of all logs.
    size: usize,
    counted: usize,
}

/// A chunk, and how many members wait whose cursors are in it.
#[derive(Debug)]
struct Kept {
    chunk: Rc<Chunk>,
    waiting: usize,
}

/// Members `0..left` have not been visited yet. A visited member's cursor is at `end` or beyond, or
/// the member waits.
#[derive(Debug)]
struct Pass {
    left: usize,
    end: u64,
}

/// What a member is owed that has been handed everything up to `from`, unless it is the speaker:
/// bytes of the last chunk.
#[derive(Debug)]
struct UsualPiece {
    chunk: Rc<Chunk>,
    range: Range<usize>,
    speaker: Option<ConnKey>,
    from: u64,
}

impl UsualPiece {
    fn is_for(&self, reader: ConnKey, cursor: &Cursor) -> bool {
        cursor.position == self.from && !cursor.waits && self.speaker != Some(reader)
    }
}

/// How far a flush of a room came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlushProgress {
    /// Every member has been handed everything.
    Finished,
    /// There is more to hand out.
    Unfinished,
}

impl RoomLog {
    /// Makes `key` a member from the present end of the log on.
    pub(crate) fn enter(&mut self, key: ConnKey) -> Cursor {
        self.members.push(key);
        let position = if fault!(EarlyCursor) { 0 } else { self.end };
        let index = u32::try_from(self.members.len() - 1).expect("descriptors are fewer than 2³²");
        Cursor { index, position, waits: false }
    }

    /// Takes out the member with this cursor. Returns the member that stands at its index now
    /// instead, if one does.
    ///
    /// The one that moves comes from the end. If it was visited and moves among those still to be
    /// visited, it is visited twice; the second time it is owed nothing.
    pub(crate) fn leave(&mut self, mut cursor: Cursor, spare: &mut ChunkPool) -> Option<ConnKey> {
        self.end_wait(&mut cursor, spare);
        self.members.swap_remove(cursor.index as usize);
        if let Some(pass) = &mut self.pass {
            pass.left = pass.left.min(self.members.len());
        }
        self.members.get(cursor.index as usize).copied()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn member_count(&self) -> usize {
        self.members.len()
    }

    /// Whether every member that does not wait has been handed everything.
    pub(crate) fn is_clean(&self) -> bool {
        self.handed == self.end
    }

    /// Bytes that not everyone has been handed who does not wait, or that are going to come.
    pub(crate) fn ahead(&self) -> usize {
        (self.end - self.handed) as usize + self.expected
    }

    /// Notes that a member has fallen behind.
    pub(crate) fn fell_behind(&mut self, key: ConnKey) {
        self.behind.push(key);
    }

    /// Whether the log waits for a member that has fallen behind. It asks about the last one first, and
    /// forgets whom it waits for no longer.
    pub(crate) fn waits_for(&mut self, is_waited_for: impl Fn(ConnKey) -> bool) -> bool {
        while self.behind.pop_if(|key| !is_waited_for(*key)).is_some() {}
        !self.behind.is_empty()
    }

    /// Notes that the log is going to grow by some `bytes`. Returns whether that is the first such
    /// note since [`RoomLog::has_grown`].
    pub(crate) fn expect(&mut self, bytes: usize) -> bool {
        let before = self.expected;
        self.expected += bytes;
        before == 0
    }

    /// To be called when the log has grown by what was expected, or has not and will not.
    pub(crate) fn has_grown(&mut self) {
        self.expected = 0;
    }

    /// Brings the log's memory up to date in `sum`, that of all logs.
    pub(crate) fn count_kept(&mut self, sum: usize) -> usize {
        sum - mem::replace(&mut self.counted, self.size) + self.size
    }

    /// Bytes that a member is owed that waits.
    pub(crate) fn owed(&self, cursor: &Cursor) -> usize {
        if cursor.waits { (self.end - cursor.position) as usize } else { 0 }
    }

    /// Bytes of memory that are kept for a member that waits, and perhaps for others.
    pub(crate) fn keeps_for(&self, cursor: &Cursor) -> usize {
        let first = if cursor.waits { self.chunk_at(cursor.position) } else { self.chunks.len() };
        self.chunks.range(first..).map(|kept| kept.chunk.size()).sum()
    }

    /// Appends what `encode` writes, for every member but `speaker`.
    pub(crate) fn append(
        &mut self,
        speaker: Option<ConnKey>,
        spare: &mut ChunkPool,
        encode: impl FnOnce(&mut Vec<u8>),
    ) {
        let open = |kept: &mut Kept| Rc::get_mut(&mut kept.chunk).is_some_and(|c| !c.is_full());
        if !self.chunks.back_mut().is_some_and(open) {
            let chunk = spare.take(self.end);
            self.size += chunk.size();
            self.chunks.push_back(Kept { chunk, waiting: 0 });
        }
        let last = self.chunks.back_mut().and_then(|kept| Rc::get_mut(&mut kept.chunk));
        let last = last.expect("the last chunk is open");
        self.size -= last.size();
        last.append(speaker, encode);
        self.size += last.size();
        self.end = last.end();
    }

    /// Adds to `send`, by `push`, what `reader` is owed from `cursor` on, and moves the cursor to the end.
    pub(crate) fn hand_out(
        &mut self,
        cursor: &mut Cursor,
        reader: ConnKey,
        send: &mut SendBuffer,
        spare: &mut ChunkPool,
        push: fn(&mut SendBuffer, &Rc<Chunk>, Range<usize>),
    ) {
        if cursor.position == self.end {
            return;
        }
        let first = self.chunk_at(cursor.position);
        for Kept { chunk, .. } in self.chunks.range(first..) {
            for piece in chunk.pieces(cursor.position, reader) {
                push(send, chunk, piece);
            }
        }
        self.end_wait(cursor, spare);
        cursor.position = self.end;
    }

    /// Has the member wait, until it is handed out to.
    fn wait(&mut self, cursor: &mut Cursor) {
        if cursor.position < self.end && !mem::replace(&mut cursor.waits, true) {
            let at = self.chunk_at(cursor.position);
            self.chunks[at].waiting += 1;
        }
    }

    /// To be called when a member waits no longer: its cursor moves, or it leaves.
    fn end_wait(&mut self, cursor: &mut Cursor, spare: &mut ChunkPool) {
        if mem::take(&mut cursor.waits) {
            let at = self.chunk_at(cursor.position);
            self.chunks[at].waiting -= 1;
            self.release(spare);
        }
    }

    /// The index of the chunk that `position` is in, which is not the end of the log.
    fn chunk_at(&self, position: u64) -> usize {
        self.chunks.partition_point(|kept| kept.chunk.end() <= position)
    }

    /// Lets go of the chunks that nobody is to be handed anything of.
    fn release(&mut self, spare: &mut ChunkPool) {
        let done = |kept: &Kept| kept.waiting == 0 && kept.chunk.end() <= self.handed;
        while self.chunks.front().is_some_and(done) {
            let Kept { chunk, .. } = self.chunks.pop_front().expect("it was just looked at");
            self.size -= chunk.size();
            spare.put(chunk);
        }
    }

    /// What nearly every member is owed, if there is such a thing.
    fn usual_piece(&self) -> Option<UsualPiece> {
        let Kept { chunk, .. } = self.chunks.back()?;
        let range = chunk.range_from(self.handed)?;
        let speaker = chunk.only_speaker_from(self.handed)?;
        Some(UsualPiece { chunk: Rc::clone(chunk), range, speaker, from: self.handed })
    }

    /// Hands a member what it is owed, or has it wait. Returns how much it is owed if it waits.
    #[inline(never)]
    fn visit<S>(
        &mut self,
        connection: &mut Connection<S>,
        key: ConnKey,
        spare: &mut ChunkPool,
    ) -> usize {
        let blocked = connection.is_blocked();
        let Some(Subscription { cursor, .. }) = &mut connection.place else { return 0 };
        if blocked {
            self.wait(cursor);
            return self.owed(cursor) + connection.send.len();
        }
        self.hand_out(cursor, key, &mut connection.send, spare, SendBuffer::push_shared);
        0
    }

    /// Hands at most `visits` members what they are owed, and writes it.
    pub(crate) fn flush<S: Socket>(
        &mut self,
        connections: &mut Connections<S>,
        spare: &mut ChunkPool,
        mut visits: usize,
    ) -> FlushProgress {
        let start = || Pass { left: self.members.len(), end: self.end };
        let mut pass = self.pass.take().unwrap_or_else(start);
        let usual = self.usual_piece();
        while pass.left > 0 && visits > 0 {
            pass.left -= 1;
            visits -= 1;
            let key = self.members[pass.left];
            let mut owed = 0;
            connections.write(key, |connection, budget| {
                let blocked = connection.is_blocked();
                let Some(Subscription { cursor, .. }) = &mut connection.place else {
                    return Ok(false);
                };
                if !blocked
                    && let Some(usual) = &usual
                    && usual.is_for(key, cursor)
                {
                    cursor.position = self.end;
                    return connection.write_through(&usual.chunk, usual.range.clone(), budget);
                }
                owed = self.visit(connection, key, spare);
                connection.flush(budget)
            });
            if owed > 0 {
                connections.note_backlog(key, owed);
            }
        }
        drop(usual);
        if pass.left > 0 {
            self.pass = Some(pass);
            return FlushProgress::Unfinished;
        }
        self.handed = pass.end;
        self.release(spare);
        if self.is_clean() { FlushProgress::Finished } else { FlushProgress::Unfinished }
    }

    /// Lets go of everything: nobody is a member any more. Returns as [`RoomLog::count_kept`].
    pub(crate) fn clear(mut self, sum: usize, spare: &mut ChunkPool) -> usize {
        for Kept { chunk, .. } in self.chunks.drain(..) {
            spare.put(chunk);
        }
        self.size = 0;
        self.count_kept(sum)
    }
}

#[cfg(test)]
impl RoomLog {
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &Rc<Chunk>> {
        self.chunks.iter().map(|kept| &kept.chunk)
    }
}
