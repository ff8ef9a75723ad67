//! The members of a room that receive the same bytes: their log, and the passes that hand it to them.

use crate::connection::{Connection, Connections, Flushed, Writer, write_cost};
use crate::net::{ConnKey, Socket};
use crate::room_log::{ChunkPool, Cursor, RoomLog};

/// The members of a room that share a framing, and the log of broadcasts in that framing.
#[derive(Debug, Default)]
pub(super) struct Audience {
    pub(super) log: RoomLog,
    members: Vec<ConnKey>,
    /// The unfinished pass, if any.
    pass: Option<Pass>,
}

/// A walk over all members that hands each the bytes between its cursor and the end of the log.
///
/// Members `0..left` have yet to be visited. A visited member's cursor is at `end` or beyond, or it is
/// parked.
#[derive(Debug)]
struct Pass {
    left: usize,
    end: u64,
}

/// Progress of handing out a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlushProgress {
    /// Every member has been handed everything, or is parked.
    Finished,
    /// There is more to hand out.
    Unfinished,
}

impl Audience {
    /// Members that the list may keep memory for, no matter how few there are.
    const FEW: usize = 16;

    /// Adds a member, starting at the current end of the log.
    pub(super) fn join(&mut self, key: ConnKey) -> Cursor {
        let index = u32::try_from(self.members.len()).expect("descriptors are fewer than 2³²");
        self.members.push(key);
        self.log.cursor_at_end(index)
    }

    /// Removes the member with this cursor. Returns the member now listed at its index, if any: the last member takes
    /// the place of the one removed.
    ///
    /// A visited member that moves among those yet to be visited is visited twice, and needs nothing the second time.
    pub(super) fn remove(&mut self, mut cursor: Cursor, pool: &mut ChunkPool) -> Option<ConnKey> {
        self.log.unpark(&mut cursor, pool);
        self.members.swap_remove(cursor.index as usize);
        if self.members.capacity() > Self::FEW.max(4 * self.members.len()) {
            self.members.shrink_to(2 * self.members.len());
        }
        if let Some(pass) = &mut self.pass {
            pass.left = pass.left.min(self.members.len());
        }
        if self.members.is_empty() {
            self.log.clear(pool);
        }
        self.members.get(cursor.index as usize).copied()
    }

    pub(super) fn member_count(&self) -> usize {
        self.members.len()
    }

    /// Whether there is an unfinished pass.
    pub(super) fn is_in_pass(&self) -> bool {
        self.pass.is_some()
    }

    /// Hands members what they need and writes it, within the `left` writes of the turn: see [`write_cost`].
    pub(super) fn flush<S: Socket>(
        &mut self,
        connections: &mut Connections<S>,
        writer: &mut Writer,
        pool: &mut ChunkPool,
        left: &mut usize,
    ) -> FlushProgress {
        let start = || Pass { left: self.members.len(), end: self.log.end() };
        let mut pass = self.pass.take().unwrap_or_else(start);
        let tail = self.log.tail();
        let cost = write_cost(self.log.unsent());
        let visits = pass.left.min(left.div_ceil(cost));
        *left = left.saturating_sub(visits * cost);
        for _ in 0..visits {
            pass.left -= 1;
            let key = self.members[pass.left];
            let mut pending = 0;
            writer.write(connections, key, |connection, budget| {
                let blocked = connection.outbound.is_blocked();
                let Some(subscription) = &mut connection.subscription else {
                    return Ok(Flushed::All);
                };
                if !blocked
                    && let Some(tail) = &tail
                    && tail.advance(key, &mut subscription.cursor)
                {
                    return connection.write_through(&tail.chunk, tail.range.clone(), budget);
                }
                pending = self.visit(connection, key, pool);
                connection.flush(budget)
            });
            if pending > 0 {
                writer.note_pending(key, pending);
            }
        }
        drop(tail);
        if pass.left > 0 {
            self.pass = Some(pass);
            return FlushProgress::Unfinished;
        }
        self.log.handed_out_to(pass.end, pool);
        if self.log.is_handed_out() { FlushProgress::Finished } else { FlushProgress::Unfinished }
    }

    /// Moves what a member needs into its send buffer, or parks it. Returns the bytes pending for it if
    /// it is parked.
    #[inline(never)]
    fn visit<S>(
        &mut self,
        connection: &mut Connection<S>,
        key: ConnKey,
        pool: &mut ChunkPool,
    ) -> usize {
        let Connection { outbound, subscription: Some(subscription), .. } = connection else {
            return 0;
        };
        let cursor = &mut subscription.cursor;
        if outbound.is_blocked() {
            self.log.park(cursor);
            return self.log.pending(cursor) + outbound.send.pending();
        }
        self.log.drain(cursor, key, pool, |chunk, range| outbound.send.push_shared(chunk, range));
        0
    }
}
