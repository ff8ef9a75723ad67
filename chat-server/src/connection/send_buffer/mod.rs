//! The bytes pending for one connection, in order: the partial-send buffer.

mod segments;

use std::io::{self, ErrorKind, IoSlice};
use std::ops::Range;
use std::rc::Rc;

use chat_core::{Notice, RoomId};
use chat_proto::extended::{Answer, RequestId};
use chat_proto::{Framing, Lang, ServerMessage};

use self::segments::{Segment, Segments};
use crate::net::Socket;
use crate::room_log::Chunk;
use crate::workers::List;

/// Bytes on their way to one connection.
///
/// Room traffic is not copied: it is a reference to a chunk and a range of it. After a partial write, the
/// range begins where the kernel stopped.
#[derive(Debug, Default)]
pub(crate) struct SendBuffer {
    /// No segment is empty.
    segments: Segments,
}

// Every idle connection has one.
const _: () = assert!(size_of::<SendBuffer>() <= 40);

/// How far a flush has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Everything is with the kernel.
    All,
    /// The kernel takes no more; an event will announce when it does.
    Blocked,
    /// The kernel may take more, but the budget of the turn is spent.
    Budget,
    /// The next frame of a list of rooms has to be encoded: see [`SendBuffer::wanted_page`].
    Page,
    /// The result of a job has to come first: see [`SendBuffer::fulfil`].
    Awaited,
}

impl SendBuffer {
    /// Slices given to one `writev` at most.
    const SLICES: usize = 64;

    /// Ranges of up to this many bytes are copied, rather than referring to their chunk.
    const COPIED: usize = 1024;

    /// A segment of answers of at least this many bytes is not appended to.
    const OWN_FULL: usize = 16 * 1024;

    /// Bytes pending, without the part of a list of rooms that is not encoded yet.
    pub(crate) fn pending(&self) -> usize {
        self.segments.pending()
    }

    /// Marks everything pending now as older than the connection's membership of its room.
    pub(crate) fn mark(&mut self) {
        self.segments.mark();
    }

    /// Bytes still pending that the last [`SendBuffer::mark`] marked.
    pub(crate) fn marked(&self) -> usize {
        self.segments.marked()
    }

    /// Memory held for this connection alone, in bytes.
    pub(crate) fn own_memory(&self) -> usize {
        self.segments.own_memory()
    }

    /// Whether a list of rooms, or a part of one, waits to be encoded.
    pub(crate) fn has_waiting_list(&self) -> bool {
        self.segments.has_list()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Memory that the buffer retains, including chunks that others may retain as well, in bytes.
    pub(crate) fn memory(&self) -> usize {
        let mut last = std::ptr::null();
        let shared = self.segments.iter().filter_map(|segment| match segment {
            Segment::Shared { chunk, .. } => {
                let known = std::mem::replace(&mut last, Rc::as_ptr(chunk)) == Rc::as_ptr(chunk);
                (!known).then(|| chunk.memory())
            }
            Segment::Own { .. } | Segment::List(_) | Segment::Awaited(_) => None,
        });
        shared.sum::<usize>() + self.own_memory()
    }

    /// Adds a range of a room's log.
    pub(crate) fn push_shared(&mut self, chunk: &Rc<Chunk>, range: Range<usize>) {
        debug_assert!(!range.is_empty());
        self.segments.push_back(Segment::Shared { chunk: Rc::clone(chunk), range });
    }

    /// Adds a range of a room's log that this connection is handed ahead of the other members. A short range is
    /// copied: a reference would seal the chunk, so that each answer between two broadcasts would cost a chunk, and
    /// every member another segment.
    pub(crate) fn push_part(&mut self, chunk: &Rc<Chunk>, range: Range<usize>) {
        if range.len() > Self::COPIED {
            return self.push_shared(chunk, range);
        }
        self.push_own(|bytes| bytes.extend_from_slice(&chunk.bytes()[range]));
    }

    /// Adds an answer to this connection alone.
    pub(crate) fn push_answer(
        &mut self,
        framing: Framing,
        lang: Lang,
        re: &RequestId,
        notice: &Notice,
        room: Option<(RoomId, u64)>,
    ) {
        let message = ServerMessage::Answer { re, notice, room };
        self.push_own(|bytes| {
            let written = message.write_framed(framing, lang, bytes);
            written.expect("an answer fits a frame: its parts are short");
        });
    }

    /// Adds a message for clients that said hello.
    pub(crate) fn push_extended(&mut self, framing: Framing, answer: &Answer<'_>) {
        self.push_own(|bytes| answer.write_framed(framing, bytes));
    }

    /// Adds a notice to this connection alone.
    pub(crate) fn push_notice(
        &mut self,
        framing: Framing,
        lang: Lang,
        notice: &Notice,
        room: Option<(RoomId, u64)>,
    ) {
        let message = ServerMessage::System { notice, room };
        self.push_own(|bytes| {
            let written = message.write_framed(framing, lang, bytes);
            written.expect("a notice fits a frame: its parts are short");
        });
    }

    /// Adds bytes to this connection alone.
    pub(crate) fn push_bytes(&mut self, added: &[u8]) {
        self.push_own(|bytes| bytes.extend_from_slice(added));
    }

    fn push_own(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        // A segment is freed as a whole, so one that is appended to forever would never be freed.
        let mut write = Some(write);
        self.segments.change_back(|last| match last {
            Segment::Own { bytes, sent: 0 } if bytes.len() < Self::OWN_FULL => {
                write.take().map(|write| write(bytes))
            }
            Segment::Own { bytes, .. } => {
                bytes.shrink_to_fit();
                None
            }
            _ => None,
        });
        if let Some(write) = write {
            let mut bytes = Vec::new();
            write(&mut bytes);
            self.segments.push_back(Segment::Own { bytes, sent: 0 });
        }
    }

    /// Adds a list, to be encoded frame by frame: [`SendBuffer::flush`] asks for each.
    pub(crate) fn push_list(&mut self, list: List) {
        self.segments.push_back(Segment::List(list));
    }

    /// The list whose next frame is wanted now, if one is.
    pub(crate) fn wanted_page(&self) -> Option<&List> {
        match self.segments.front()? {
            Segment::List(list) => Some(list),
            Segment::Shared { .. } | Segment::Own { .. } | Segment::Awaited(_) => None,
        }
    }

    /// Has everything that is added from now on wait for the result of a job.
    pub(crate) fn push_awaited(&mut self, ticket: u64) {
        self.segments.push_back(Segment::Awaited(ticket));
    }

    /// Adds the frame that is the result of a job, in the place that was kept for it.
    pub(crate) fn fulfil(&mut self, ticket: u64, mut bytes: Vec<u8>) {
        bytes.shrink_to_fit();
        self.segments.fulfil(ticket, Segment::Own { bytes, sent: 0 });
    }

    /// Adds the frame that [`SendBuffer::wanted_page`] asked for. `rest`: what is left of the list.
    pub(crate) fn push_page(&mut self, mut bytes: Vec<u8>, rest: Option<List>) {
        let Some(Segment::List(list)) = self.segments.front_mut() else { return };
        if let Some(rest) = rest {
            *list = rest;
        } else {
            self.segments.pop_front();
        }
        // A slow reader may keep it for long.
        bytes.shrink_to_fit();
        self.segments.push_front(Segment::Own { bytes, sent: 0 });
    }

    /// Drops everything except the rest of a partly written frame: the peer gets a whole number of frames. Without a
    /// framing, there is no frame to complete. The first `withheld` bytes count as written, and stay as well.
    pub(crate) fn truncate(&mut self, framing: Option<Framing>, withheld: usize) {
        let end_of_frame = |bytes: &[u8], at| match framing {
            Some(framing) => end_of_frame(framing, bytes, at),
            None => at,
        };
        let Self { mut segments } = std::mem::take(self);
        let mut rest = match segments.pop_front() {
            Some(Segment::Shared { chunk, mut range }) => {
                range.end = end_of_frame(chunk.bytes(), range.start + withheld);
                if range.len() > Self::COPIED {
                    // Members that stopped within the same frame share the rest of it.
                    self.segments = Segments::of(Segment::Shared { chunk, range });
                    return;
                }
                chunk.bytes()[range].to_vec()
            }
            Some(Segment::Own { bytes, sent }) => {
                bytes[sent..end_of_frame(&bytes, sent + withheld)].to_vec()
            }
            Some(Segment::List(_) | Segment::Awaited(_)) | None => Vec::new(),
        };
        if fault!(CutInFrame) {
            rest.clear();
        }
        if fault!(CutFront)
            && let Some(Segment::Shared { chunk, range }) = segments.iter().next_back()
        {
            rest.extend_from_slice(&chunk.bytes()[range.clone()]);
        }
        if !rest.is_empty() {
            self.push_own(|bytes| *bytes = rest);
        }
    }

    /// Writes until everything is written, the kernel takes no more, at least `budget` bytes have been written, or the
    /// next frame of a list of rooms has to be encoded. Subtracts the bytes written from the budget.
    ///
    /// # Errors
    /// Any error of the socket but `WouldBlock` and `Interrupted`; the socket has failed.
    pub(crate) fn flush(
        &mut self,
        socket: &mut impl Socket,
        budget: &mut usize,
    ) -> io::Result<Flushed> {
        while !self.segments.is_empty() {
            if *budget == 0 {
                return Ok(Flushed::Budget);
            }
            if self.wanted_page().is_some() {
                return Ok(Flushed::Page);
            }
            if let Some(Segment::Awaited(_)) = self.segments.front() {
                return Ok(Flushed::Awaited);
            }
            match self.write(socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.consume(written);
                    *budget = budget.saturating_sub(written);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(Flushed::Blocked),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(Flushed::All)
    }

    /// Writes a range of a room's log while nothing else is pending. Bytes that the kernel takes at once, nearly
    /// always all of them, are never added to the buffer.
    ///
    /// # Errors
    /// As [`SendBuffer::flush`].
    pub(crate) fn write_through(
        &mut self,
        socket: &mut impl Socket,
        chunk: &Rc<Chunk>,
        mut range: Range<usize>,
        budget: &mut usize,
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

    /// Writes as many segments as one `writev` takes, up to a list of rooms that is not encoded yet.
    fn write(&self, socket: &mut impl Socket) -> io::Result<usize> {
        let mut bytes = self.segments.iter().map_while(|segment| match segment {
            Segment::Shared { chunk, range } => Some(&chunk.bytes()[range.clone()]),
            Segment::Own { bytes, sent } => Some(&bytes[*sent..]),
            Segment::List(_) | Segment::Awaited(_) => None,
        });
        // There is nearly always one segment; preparing for more would cost more than everything else.
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

    /// Removes `written` bytes from the front.
    fn consume(&mut self, mut written: usize) {
        self.segments.note_written(written);
        while written > 0 {
            let Some(front) = self.segments.front_mut() else { return };
            let consumed = written.min(front.pending());
            written -= consumed;
            if consumed == front.pending() {
                self.segments.pop_front();
                continue;
            }
            match front {
                Segment::Shared { range, .. } => range.start += consumed,
                Segment::Own { sent, .. } => *sent += consumed,
                Segment::List(_) | Segment::Awaited(_) => {
                    debug_assert!(false, "it is encoded before it is written");
                }
            }
        }
    }
}

/// The end of the frame that contains byte `at`, or `at` if a frame ends there. `frames` begins at the start of a
/// frame.
fn end_of_frame(framing: Framing, frames: &[u8], at: usize) -> usize {
    let mut end = 0;
    while end < at {
        let Some(len) = framing.frame_len(&frames[end..]) else { return frames.len() };
        end += len;
    }
    end
}

#[cfg(test)]
impl SendBuffer {
    /// The memory held for this connection alone, counted anew.
    pub(crate) fn count_own_memory(&self) -> usize {
        self.segments.count_own_memory()
    }

    /// The chunks that it refers to, some of them more than once.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &Rc<Chunk>> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Shared { chunk, .. } => Some(chunk),
            Segment::Own { .. } | Segment::List(_) | Segment::Awaited(_) => None,
        })
    }
}

#[cfg(test)]
mod tests;
