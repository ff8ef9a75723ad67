//! What one connection is owed, in order, and the writing of it: the partial-send buffer.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::ops::Range;
use std::rc::Rc;

use chat_core::{Notice, RoomId, RoomList};
use chat_proto::{Lang, ServerMessage, write_rooms_page};

use crate::net::Socket;
use crate::room_log::{Chunk, end_of_frame};

/// Bytes on their way to one connection.
///
/// Room traffic is not copied: it is a reference to a chunk and a range of it. After a partial
/// write the range begins where the kernel stopped, and that is all there is to partial sends.
#[derive(Debug, Default)]
pub(crate) struct SendBuffer {
    /// No segment is empty.
    segments: Segments,
    /// Bytes owed: those in all segments. A list of rooms that is not bytes yet counts as its pages.
    len: usize,
    /// Bytes held for this connection alone: its answers, and all that a list of rooms may keep.
    own: usize,
}

// Every idle connection has one.
const _: () = assert!(size_of::<SendBuffer>() <= 56);

#[derive(Debug)]
enum Segment {
    /// A part of a room's log.
    Shared { chunk: Rc<Chunk>, range: Range<usize> },
    /// Answers to this connection alone, from `sent` on.
    Own { bytes: Vec<u8>, sent: usize },
    /// A list of rooms, or what is left of it: made into bytes a frame at a time when its turn comes.
    Rooms(RoomList),
}

impl Segment {
    /// Bytes that are owed. A list of rooms may be tens of megabytes, and be read as slowly as the peer
    /// can: until it is bytes only its pages count.
    fn len(&self) -> usize {
        match self {
            Self::Shared { range, .. } => range.len(),
            Self::Own { bytes, sent } => bytes.len() - sent,
            Self::Rooms(list) => size_of::<Self>() + list.size(),
        }
    }

    /// Bytes that are held for this connection alone. A list of rooms counts whole: the rooms as they
    /// were then may be in no other list any more.
    fn own(&self) -> usize {
        match self {
            Self::Shared { .. } => 0,
            Self::Own { bytes, sent } => bytes.len() - sent,
            Self::Rooms(list) => size_of::<Self>() + list.memory(),
        }
    }

    const fn is_rooms(&self) -> bool {
        matches!(self, Self::Rooms(_))
    }
}

/// A queue of segments. Nearly always there is one or none, and then nothing is allocated.
#[derive(Debug, Default)]
struct Segments {
    /// `None` only if there is no `rest`.
    first: Option<Segment>,
    /// Those behind it, never an empty queue. Every idle connection has 8 bytes here, not 40.
    rest: Option<Box<Rest>>,
}

#[derive(Debug, Default)]
struct Rest {
    queue: VecDeque<Segment>,
    /// How many of them are lists of rooms.
    lists: usize,
}

impl Segments {
    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.as_ref().map_or(0, |rest| rest.queue.len())
    }

    fn has_rooms(&self) -> bool {
        self.first.as_ref().is_some_and(Segment::is_rooms)
            || self.rest.as_ref().is_some_and(|rest| rest.lists > 0)
    }

    fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn iter(&self) -> impl Iterator<Item = &Segment> {
        self.first.iter().chain(self.rest.iter().flat_map(|rest| rest.queue.iter()))
    }

    fn front_mut(&mut self) -> Option<&mut Segment> {
        self.first.as_mut()
    }

    fn back_mut(&mut self) -> Option<&mut Segment> {
        self.rest.as_mut().and_then(|rest| rest.queue.back_mut()).or(self.first.as_mut())
    }

    fn push_back(&mut self, segment: Segment) {
        if self.first.is_none() {
            self.first = Some(segment);
        } else {
            let rest = self.rest.get_or_insert_default();
            rest.lists += usize::from(segment.is_rooms());
            rest.queue.push_back(segment);
        }
    }

    fn push_front(&mut self, segment: Segment) {
        if let Some(second) = self.first.replace(segment) {
            let rest = self.rest.get_or_insert_default();
            rest.lists += usize::from(second.is_rooms());
            rest.queue.push_front(second);
        }
    }

    fn pop_front(&mut self) {
        self.first = None;
        let Some(rest) = &mut self.rest else { return };
        self.first = rest.queue.pop_front();
        rest.lists -= usize::from(self.first.as_ref().is_some_and(Segment::is_rooms));
        if rest.queue.is_empty() {
            self.rest = None;
        }
    }
}

/// How far a flush came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Everything is with the kernel.
    All,
    /// The kernel takes no more; an event will tell when it does.
    Blocked,
    /// The kernel may take more, but that is enough for one turn.
    Budget,
}

impl SendBuffer {
    /// The most slices given to one `writev`.
    const SLICES: usize = 64;

    /// Bytes of a frame that are copied rather than to hold on to a chunk for them.
    const COPIED: usize = 1024;

    /// Bytes after which a segment of answers is not added to.
    const OWN_FULL: usize = 16 * 1024;

    /// Bytes owed; of a list of rooms that is not bytes yet, only its pages.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes held for this connection alone. A list of rooms that is not bytes yet counts as if no other
    /// shared its rooms, so this may be more than is owed.
    pub(crate) fn own(&self) -> usize {
        self.own
    }

    /// Whether a list of rooms waits, or a part of one, that is not bytes yet.
    pub(crate) fn has_list_waiting(&self) -> bool {
        self.segments.has_rooms()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Bytes of memory that would be given back without what is owed, if nobody else held on to it.
    pub(crate) fn holds(&self) -> usize {
        let mut last = std::ptr::null();
        let shared = self.segments.iter().filter_map(|segment| match segment {
            Segment::Shared { chunk, .. } => {
                let known = std::mem::replace(&mut last, Rc::as_ptr(chunk)) == Rc::as_ptr(chunk);
                (!known).then(|| chunk.size())
            }
            Segment::Own { .. } | Segment::Rooms(_) => None,
        });
        shared.sum::<usize>() + self.own
    }

    /// Adds a part of a room's log.
    pub(crate) fn push_shared(&mut self, chunk: &Rc<Chunk>, range: Range<usize>) {
        debug_assert!(!range.is_empty());
        self.len += range.len();
        self.segments.push_back(Segment::Shared { chunk: Rc::clone(chunk), range });
    }

    /// Adds a part of a room's log that this connection gets before the others. A short one is copied:
    /// whoever holds on to a chunk closes it, and each answer between two broadcasts would make a
    /// chunk, and a segment for every member, of its own.
    pub(crate) fn push_part(&mut self, chunk: &Rc<Chunk>, range: Range<usize>) {
        if range.len() > Self::COPIED {
            return self.push_shared(chunk, range);
        }
        self.push_own(|bytes| bytes.extend_from_slice(&chunk.bytes()[range]));
    }

    /// Adds a notice to this connection alone.
    pub(crate) fn push_notice(&mut self, lang: Lang, notice: &Notice, room: Option<(RoomId, u64)>) {
        let message = ServerMessage::System { notice, room };
        self.push_own(|bytes| {
            message.write(lang, bytes).expect("a notice fits a frame: its parts are short");
        });
    }

    fn push_own(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        // What has been sent of a segment is given back with it: one that is added to for ever would
        // never be.
        let open = |segment: &mut Segment| matches!(segment, Segment::Own { bytes, sent: 0 } if bytes.len() < Self::OWN_FULL);
        if !self.segments.back_mut().is_some_and(open) {
            self.segments.push_back(Segment::Own { bytes: Vec::new(), sent: 0 });
        }
        let Some(Segment::Own { bytes, .. }) = self.segments.back_mut() else { return };
        let before = bytes.len();
        write(bytes);
        let added = bytes.len() - before;
        self.len += added;
        self.own += added;
    }

    /// Adds a list of rooms.
    pub(crate) fn push_rooms(&mut self, list: RoomList) {
        let segment = Segment::Rooms(list);
        self.len += segment.len();
        self.own += segment.own();
        self.segments.push_back(segment);
    }

    /// Drops everything but the rest of a frame that has been begun: what the peer gets is whole
    /// frames from the beginning of what it was owed.
    pub(crate) fn cut(&mut self) {
        let rest = match self.segments.front_mut() {
            Some(Segment::Shared { chunk, range }) => {
                range.end = end_of_frame(chunk.bytes(), range.start);
                if range.len() > Self::COPIED {
                    // Those who stopped at the same frame share what is left of it.
                    let (len, rest) = (range.len(), self.segments.first.take());
                    let segments = Segments { first: rest, rest: None };
                    return *self = Self { segments, len, own: 0 };
                }
                &chunk.bytes()[range.clone()]
            }
            Some(Segment::Own { bytes, sent }) => &bytes[*sent..end_of_frame(bytes, *sent)],
            Some(Segment::Rooms(_)) | None => &[],
        };
        let rest = if fault!(CutInFrame) { &[] } else { rest };
        let mut bytes = rest.to_vec();
        if fault!(CutFront)
            && let Some(Segment::Shared { chunk, range }) =
                self.segments.rest.as_ref().and_then(|rest| rest.queue.back())
        {
            bytes.extend_from_slice(&chunk.bytes()[range.clone()]);
        }
        *self = Self { len: bytes.len(), own: bytes.len(), ..Self::default() };
        if !bytes.is_empty() {
            self.segments.push_back(Segment::Own { bytes, sent: 0 });
        }
    }

    /// Writes until everything is written, the kernel takes no more, or at least `budget` bytes have
    /// been written.
    ///
    /// # Errors
    /// Whatever the socket says that is neither `WouldBlock` nor `Interrupted`; the connection is of
    /// no use then.
    pub(crate) fn flush(&mut self, socket: &mut impl Socket, budget: usize) -> io::Result<Flushed> {
        let mut total = 0;
        while !self.segments.is_empty() {
            if total >= budget {
                return Ok(Flushed::Budget);
            }
            self.encode_rooms_in_front();
            match self.write(socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.consume(written);
                    total += written;
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(Flushed::Blocked),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(Flushed::All)
    }

    /// As to add a part of a room's log and to flush, while nothing else is owed: what the kernel
    /// takes at once, which is nearly always everything, is never added.
    ///
    /// # Errors
    /// As [`SendBuffer::flush`].
    pub(crate) fn write_through(
        &mut self,
        socket: &mut impl Socket,
        chunk: &Rc<Chunk>,
        mut range: Range<usize>,
        budget: usize,
    ) -> io::Result<Flushed> {
        debug_assert!(self.is_empty());
        match socket.write_vectored(&[IoSlice::new(&chunk.bytes()[range.clone()])]) {
            Ok(written) if written == range.len() => return Ok(Flushed::All),
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(_) if fault!(DroppedTail) => return Ok(Flushed::All),
            Ok(written) => range.start += written,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(e) => return Err(e),
        }
        self.push_shared(chunk, range);
        self.flush(socket, budget)
    }

    fn encode_rooms_in_front(&mut self) {
        let Some(front @ Segment::Rooms(_)) = self.segments.front_mut() else { return };
        let (len, own) = (front.len(), front.own());
        let Segment::Rooms(list) = front else { return };
        let mut bytes = Vec::new();
        let count = write_rooms_page(list.iter(), &mut bytes);
        let left = if count == list.len() {
            self.segments.pop_front();
            (0, 0)
        } else {
            // What is sent is kept no longer.
            list.drop_first(count);
            (front.len(), front.own())
        };
        self.len = self.len - len + left.0 + bytes.len();
        self.own = self.own - own + left.1 + bytes.len();
        self.segments.push_front(Segment::Own { bytes, sent: 0 });
    }

    /// Gives the kernel as many segments as it takes at a time, up to a list of rooms that is not
    /// bytes yet.
    fn write(&self, socket: &mut impl Socket) -> io::Result<usize> {
        let mut bytes = self.segments.iter().map_while(|segment| match segment {
            Segment::Shared { chunk, range } => Some(&chunk.bytes()[range.clone()]),
            Segment::Own { bytes, sent } => Some(&bytes[*sent..]),
            Segment::Rooms(_) => None,
        });
        // Nearly always there is one segment; to prepare for more would cost more than the rest.
        if self.segments.len() == 1 {
            return socket.write_vectored(&[IoSlice::new(bytes.next().unwrap_or_default())]);
        }
        let mut slices = [IoSlice::new(&[]); Self::SLICES];
        let mut count = 0;
        for (slice, bytes) in slices.iter_mut().zip(bytes) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        socket.write_vectored(&slices[..count])
    }

    /// Takes `written` bytes off the front.
    fn consume(&mut self, mut written: usize) {
        self.len -= written;
        while written > 0 {
            let Some(front) = self.segments.front_mut() else { return };
            let taken = written.min(front.len());
            if matches!(front, Segment::Own { .. }) {
                self.own -= taken;
            }
            written -= taken;
            if taken == front.len() {
                self.segments.pop_front();
                continue;
            }
            match front {
                Segment::Shared { range, .. } => range.start += taken,
                Segment::Own { sent, .. } => *sent += taken,
                Segment::Rooms(_) => debug_assert!(false, "a list is made into bytes first"),
            }
        }
    }
}

#[cfg(test)]
impl SendBuffer {
    /// Counted anew: the bytes held for this connection alone.
    pub(crate) fn recount_own(&self) -> usize {
        self.segments.iter().map(Segment::own).sum()
    }

    /// The chunks that it holds, some of them more than once.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &Rc<Chunk>> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Shared { chunk, .. } => Some(chunk),
            Segment::Own { .. } | Segment::Rooms(_) => None,
        })
    }
}

#[cfg(test)]
mod tests;
