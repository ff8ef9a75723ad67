//! A room is a log, a member is a cursor in it.
//!
//! A broadcast is appended once. A *pass* goes over the members and hands each what lies between its
//! cursor and the end of the log, in one write. A pass may be cut into slices, so that a room of
//! thousands does not stall the others; what is said meanwhile goes along with the members still to
//! come, and the next pass brings it to the rest.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use crate::chunk::{Chunk, SpareChunks};
use crate::connection::Place;
use crate::connections::{ConnKey, Connections};
use crate::send_buffer::SendBuffer;
#[cfg(test)]
use crate::simulation::bugs::{Bug, planted};
use crate::socket::Socket;

#[derive(Debug, Default)]
pub(crate) struct RoomLog {
    /// What some member is still to be handed. Consecutive; only the last can be open.
    chunks: VecDeque<Rc<Chunk>>,
    /// How long the log is, from the room's first byte on. No cursor is beyond it.
    end: u64,
    members: Vec<ConnKey>,
    pass: Option<Pass>,
}

/// Members `0..left` have not been visited yet. A visited member's cursor is at `end` or beyond.
#[derive(Debug)]
struct Pass {
    left: usize,
    end: u64,
}

/// How far a flush of a room came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slice {
    /// Every member has been handed everything.
    Finished,
    /// There is more to hand out.
    Unfinished,
}

impl RoomLog {
    /// Makes `key` a member from the present end of the log on.
    pub(crate) fn enter(&mut self, key: ConnKey) -> Cursor {
        self.members.push(key);
        #[cfg(test)]
        if planted(Bug::EarlyCursor) {
            return Cursor { index: self.members.len() - 1, position: 0 };
        }
        Cursor { index: self.members.len() - 1, position: self.end }
    }

    /// Takes out the member at `index`. Returns the member that stands there now instead, if one
    /// does.
    ///
    /// The one that moves comes from the end. If it was visited and moves among those still to be
    /// visited, it is visited twice; the second time it is owed nothing.
    pub(crate) fn leave(&mut self, index: usize) -> Option<ConnKey> {
        self.members.swap_remove(index);
        if let Some(pass) = &mut self.pass {
            pass.left = pass.left.min(self.members.len());
        }
        self.members.get(index).copied()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether every member has been handed everything.
    pub(crate) fn is_clean(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Appends what `encode` writes, for every member but `speaker`.
    pub(crate) fn append(
        &mut self,
        speaker: Option<ConnKey>,
        spare: &mut SpareChunks,
        encode: impl FnOnce(&mut Vec<u8>),
    ) {
        let open = |chunk: &mut Rc<Chunk>| Rc::get_mut(chunk).is_some_and(|c| !c.is_full());
        if !self.chunks.back_mut().is_some_and(open) {
            self.chunks.push_back(spare.take(self.end));
        }
        let last = self.chunks.back_mut().and_then(Rc::get_mut).expect("the last chunk is open");
        last.append(speaker, encode);
        self.end = last.end();
    }

    /// Adds to `send` what `reader` is owed from `cursor` on, and moves the cursor to the end.
    pub(crate) fn hand_out(&self, cursor: &mut Cursor, reader: ConnKey, send: &mut SendBuffer) {
        if cursor.position < self.end {
            for chunk in self.chunks.iter().filter(|chunk| chunk.end() > cursor.position) {
                for piece in chunk.pieces(cursor.position, reader) {
                    send.push_shared(chunk, piece);
                }
            }
            cursor.position = self.end;
        }
    }

    /// What `reader` is owed from `cursor` on, if it is in one piece.
    fn only_piece(&self, cursor: &Cursor, reader: ConnKey) -> Option<(&Rc<Chunk>, Range<usize>)> {
        if self.chunks.len() > 1 {
            return None;
        }
        let chunk = self.chunks.front()?;
        let mut pieces = chunk.pieces(cursor.position, reader);
        let piece = pieces.next()?;
        pieces.next().is_none().then_some((chunk, piece))
    }

    /// Hands at most `visits` members what they are owed, and writes it.
    pub(crate) fn flush<S: Socket>(
        &mut self,
        connections: &mut Connections<S>,
        spare: &mut SpareChunks,
        mut visits: usize,
    ) -> Slice {
        let mut pass = self.pass.take().unwrap_or(Pass { left: self.members.len(), end: self.end });
        while pass.left > 0 && visits > 0 {
            pass.left -= 1;
            visits -= 1;
            let key = self.members[pass.left];
            connections.write(key, |connection, budget| {
                let Some(Place { cursor, .. }) = &mut connection.place else { return Ok(false) };
                if let Some((chunk, range)) = self.only_piece(cursor, key) {
                    cursor.position = self.end;
                    return connection.write_through(chunk, range, budget);
                }
                self.hand_out(cursor, key, &mut connection.send);
                connection.flush(budget)
            });
        }
        if pass.left > 0 {
            self.pass = Some(pass);
            return Slice::Unfinished;
        }
        while self.chunks.front().is_some_and(|chunk| chunk.end() <= pass.end) {
            spare.put(self.chunks.pop_front().expect("it was just looked at"));
        }
        if self.chunks.is_empty() { Slice::Finished } else { Slice::Unfinished }
    }
}

/// Where a member stands in a room and in its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The member's index in the room's list.
    pub(crate) index: usize,
    /// Bytes of the log that the member has been handed, or came too late for.
    position: u64,
}
