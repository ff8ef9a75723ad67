//! The queue inside a send buffer: references to chunks, bytes of its own, and lists of rooms.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use crate::room_log::Chunk;
use crate::workers::List;

#[derive(Debug)]
pub(super) enum Segment {
    /// A range of a room's log.
    Shared { chunk: Rc<Chunk>, range: Range<usize> },
    /// Messages to this connection alone, of which `sent` bytes are written.
    Own { bytes: Vec<u8>, sent: usize },
    /// A list. It is encoded one frame at a time.
    List(List),
    /// The result of a job, which has this number, in place of it.
    Awaited(u64),
}

impl Segment {
    /// Bytes pending. A list of rooms counts once it is encoded.
    pub(super) fn pending(&self) -> usize {
        match self {
            Self::Shared { range, .. } => range.len(),
            Self::Own { bytes, sent } => bytes.len() - sent,
            Self::List(_) | Self::Awaited(_) => 0,
        }
    }

    /// Memory held for this connection alone, in bytes. Buffers count by capacity.
    pub(super) fn own_memory(&self) -> usize {
        match self {
            Self::Shared { .. } | Self::List(_) | Self::Awaited(_) => 0,
            Self::Own { bytes, .. } => bytes.capacity(),
        }
    }

    pub(super) const fn is_list(&self) -> bool {
        matches!(self, Self::List(_) | Self::Awaited(_))
    }
}

/// Segments that a queue may keep memory for, no matter how few it holds.
const FEW: usize = 16;

/// A queue of segments. It nearly always holds at most one, and then allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Segments {
    /// `None` only if there is no `rest`.
    first: Option<Segment>,
    /// The segments after `first`, if there are any. An idle connection has 8 bytes here, not 56.
    rest: Option<Box<Rest>>,
}

#[derive(Debug, Default)]
struct Rest {
    queue: VecDeque<Segment>,
    /// How many of them are lists of rooms.
    lists: usize,
    /// See [`Segment::pending`], for all of them.
    pending: usize,
    /// See [`Segment::own_memory`], for all of them.
    own_memory: usize,
    /// See [`Segments::marked`].
    marked: usize,
}

impl Rest {
    /// Memory of the queue itself, in bytes.
    fn overhead(&self) -> usize {
        size_of::<Self>() + self.queue.capacity() * size_of::<Segment>()
    }

    fn count(&mut self, segment: &Segment) {
        self.lists += usize::from(segment.is_list());
        self.pending += segment.pending();
        self.own_memory += segment.own_memory();
    }

    fn discount(&mut self, segment: &Segment) {
        self.lists -= usize::from(segment.is_list());
        self.pending -= segment.pending();
        self.own_memory -= segment.own_memory();
    }
}

impl Segments {
    /// A queue of one segment.
    pub(super) fn of(segment: Segment) -> Self {
        Self { first: Some(segment), rest: None }
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.as_ref().map_or(0, |rest| rest.queue.len())
    }

    pub(super) fn has_list(&self) -> bool {
        self.first.as_ref().is_some_and(Segment::is_list)
            || self.rest.as_ref().is_some_and(|rest| rest.lists > 0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Segment> {
        self.first.iter().chain(self.rest.iter().flat_map(|rest| rest.queue.iter()))
    }

    pub(super) fn front(&self) -> Option<&Segment> {
        self.first.as_ref()
    }

    pub(super) fn front_mut(&mut self) -> Option<&mut Segment> {
        self.first.as_mut()
    }

    /// Bytes pending in all segments: see [`Segment::pending`].
    pub(super) fn pending(&self) -> usize {
        let rest = self.rest.as_ref().map_or(0, |rest| rest.pending);
        self.first.as_ref().map_or(0, Segment::pending) + rest
    }

    /// Memory of all segments, and of the queue: see [`Segment::own_memory`].
    pub(super) fn own_memory(&self) -> usize {
        let rest = self.rest.as_ref().map_or(0, |rest| rest.own_memory + rest.overhead());
        self.first.as_ref().map_or(0, Segment::own_memory) + rest
    }

    /// Notes how much is pending now.
    pub(super) fn mark(&mut self) {
        let pending = self.pending();
        if pending > 0 {
            self.rest.get_or_insert_default().marked = pending;
        }
    }

    /// Bytes that were pending at the last mark, and still are.
    pub(super) fn marked(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| rest.marked)
    }

    /// Notes that `bytes` bytes leave the front.
    pub(super) fn note_written(&mut self, bytes: usize) {
        if let Some(rest) = &mut self.rest {
            rest.marked = rest.marked.saturating_sub(bytes);
        }
    }

    /// As [`Segments::own_memory`], counted anew.
    #[cfg(test)]
    pub(super) fn count_own_memory(&self) -> usize {
        let overhead = self.rest.as_ref().map_or(0, |rest| rest.overhead());
        self.iter().map(Segment::own_memory).sum::<usize>() + overhead
    }

    /// Changes the last segment, if there is one.
    pub(super) fn change_back<R>(&mut self, change: impl FnOnce(&mut Segment) -> R) -> Option<R> {
        let Some((rest, mut back)) =
            self.rest.as_mut().and_then(|rest| rest.queue.pop_back().map(|back| (rest, back)))
        else {
            return self.first.as_mut().map(change);
        };
        rest.discount(&back);
        let changed = change(&mut back);
        rest.count(&back);
        rest.queue.push_back(back);
        Some(changed)
    }

    /// Puts a segment in the place of the result of a job. Returns whether it was awaited.
    pub(super) fn fulfil(&mut self, ticket: u64, with: Segment) -> bool {
        let is_it = |segment: &Segment| matches!(segment, Segment::Awaited(n) if *n == ticket);
        if self.first.as_ref().is_some_and(is_it) {
            self.first = Some(with);
            return true;
        }
        let Some(rest) = &mut self.rest else { return false };
        let Some(index) = rest.queue.iter().position(is_it) else { return false };
        rest.count(&with);
        let awaited = std::mem::replace(&mut rest.queue[index], with);
        rest.discount(&awaited);
        true
    }

    pub(super) fn push_back(&mut self, segment: Segment) {
        if self.first.is_none() {
            self.first = Some(segment);
        } else {
            let rest = self.rest.get_or_insert_default();
            rest.count(&segment);
            rest.queue.push_back(segment);
        }
    }

    pub(super) fn push_front(&mut self, segment: Segment) {
        if let Some(second) = self.first.replace(segment) {
            let rest = self.rest.get_or_insert_default();
            rest.count(&second);
            rest.queue.push_front(second);
        }
    }

    pub(super) fn pop_front(&mut self) -> Option<Segment> {
        let front = self.first.take();
        if let Some(rest) = &mut self.rest {
            self.first = rest.queue.pop_front();
            if let Some(first) = &self.first {
                rest.discount(first);
            }
            let len = rest.queue.len();
            if len == 0 && (rest.marked == 0 || self.first.is_none()) {
                self.rest = None;
            } else if rest.queue.capacity() > FEW.max(4 * len) {
                rest.queue.shrink_to(2 * len);
            }
        }
        front
    }

    /// Whether there is memory for more than one segment.
    #[cfg(test)]
    pub(super) fn has_rest(&self) -> bool {
        self.rest.is_some()
    }
}
