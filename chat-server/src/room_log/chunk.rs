//! A piece of a room's log: frames encoded once, shared by everyone who is still owed some of them.

use std::cell::{Cell, OnceCell};
use std::ops::Range;
use std::rc::Rc;

use chat_proto::HEADER_LEN;

use crate::net::ConnKey;

/// Consecutive broadcasts of one room, as bytes.
///
/// A chunk grows only while its room alone holds it. Whoever takes a reference thereby closes it.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// Where in the room's log the chunk begins.
    start: u64,
    bytes: Vec<u8>,
    /// What is not for everyone, in the order of the bytes.
    spoken: Vec<Spoken>,
    /// Counts the chunk, once its room has let go of it and somebody else has not.
    held: OnceCell<Held>,
}

/// Bytes of a chunk that one member does not get, since it said them itself.
#[derive(Debug)]
struct Spoken {
    by: ConnKey,
    range: Range<usize>,
}

impl Chunk {
    /// Bytes after which a chunk is not added to. With the frame that passes this mark, a chunk is
    /// at most twice as long.
    pub(crate) const FULL: usize = 64 * 1024;

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where in the room's log the chunk ends.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Bytes of memory.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity() + self.spoken.capacity() * size_of::<Spoken>()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= Self::FULL
    }

    pub(crate) fn append(&mut self, speaker: Option<ConnKey>, encode: impl FnOnce(&mut Vec<u8>)) {
        let from = self.bytes.len();
        encode(&mut self.bytes);
        let range = from..self.bytes.len();
        let Some(by) = speaker else { return };
        match self.spoken.last_mut() {
            Some(last) if last.by == by && last.range.end == from => last.range.end = range.end,
            _ => self.spoken.push(Spoken { by, range }),
        }
    }

    /// Empties the chunk, to be filled from `start` on; its memory is kept.
    pub(crate) fn restart(&mut self, start: u64) {
        self.start = start;
        self.bytes.clear();
        self.spoken.clear();
    }

    /// The chunk from position `cursor` of the log on, if it is in the chunk.
    pub(crate) fn range_from(&self, cursor: u64) -> Option<Range<usize>> {
        let from = usize::try_from(cursor.checked_sub(self.start)?).ok()?;
        (from < self.bytes.len()).then_some(from..self.bytes.len())
    }

    /// Who is the only one to whom something from position `cursor` of the log on is not for, if
    /// there are not several.
    pub(crate) fn only_speaker_from(&self, cursor: u64) -> Option<Option<ConnKey>> {
        let from = cursor.saturating_sub(self.start) as usize;
        let mut spoken = self.spoken.iter().rev().take_while(|spoken| spoken.range.end > from);
        let Some(last) = spoken.next() else { return Some(None) };
        spoken.all(|spoken| spoken.by == last.by).then_some(Some(last.by))
    }

    /// The parts of the chunk, from position `cursor` of the log on, that `reader` gets.
    pub(crate) fn pieces(
        &self,
        cursor: u64,
        reader: ConnKey,
    ) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut from = cursor.saturating_sub(self.start) as usize;
        let passed = match from {
            0 => 0,
            from => self.spoken.partition_point(|spoken| spoken.range.end <= from),
        };
        let own = self.spoken[passed..].iter().filter(move |spoken| spoken.by == reader);
        let ends = own.map(|spoken| spoken.range.clone());
        let len = self.bytes.len();
        ends.chain(std::iter::once(len..len)).filter_map(move |skipped| {
            let piece = from..skipped.start;
            from = from.max(skipped.end);
            (!piece.is_empty()).then_some(piece)
        })
    }
}

/// Where the frame ends that byte `at` lies in, or `at` if a frame ends just there. `frames` begins
/// with a frame.
pub(crate) fn end_of_frame(frames: &[u8], at: usize) -> usize {
    let mut end = 0;
    while end < at {
        let Some(header) = frames[end..].first_chunk::<HEADER_LEN>() else { return frames.len() };
        end += HEADER_LEN + usize::from(u16::from_be_bytes(*header));
    }
    end
}

/// Memory that is counted in a sum for as long as this lives.
#[derive(Debug)]
struct Held {
    sum: Rc<Cell<usize>>,
    bytes: usize,
}

impl Held {
    fn new(sum: &Rc<Cell<usize>>, bytes: usize) -> Self {
        sum.set(sum.get() + bytes);
        Self { sum: Rc::clone(sum), bytes }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.sum.set(self.sum.get() - self.bytes);
    }
}

/// Chunks that nobody needs, kept for their memory.
#[derive(Debug, Default)]
pub(crate) struct ChunkPool {
    chunks: Vec<Rc<Chunk>>,
    /// What the chunks have room for, together.
    capacity: usize,
    /// The memory of the chunks that could not be kept: their rooms are done with them, but some
    /// connection is not.
    held: Rc<Cell<usize>>,
}

impl ChunkPool {
    /// The most memory kept, in bytes: a chunk of 2 KiB for each of 2,000 rooms that talk in the
    /// same turn.
    const MOST: usize = 4 * 1024 * 1024;

    /// The largest chunk kept, in bytes. A room that says little may get it, and a slow reader hold
    /// it for that little.
    const LARGEST: usize = 8 * 1024;

    /// An empty chunk for a log that is `start` long.
    pub(crate) fn take(&mut self, start: u64) -> Rc<Chunk> {
        let mut chunk = self.chunks.pop().unwrap_or_default();
        self.capacity -= chunk.bytes.capacity();
        Rc::get_mut(&mut chunk).expect("only unshared chunks are kept").restart(start);
        chunk
    }

    /// Keeps the chunk of a room that is done with it, unless somebody is still owed some of it.
    pub(crate) fn put(&mut self, mut chunk: Rc<Chunk>) {
        if Rc::get_mut(&mut chunk).is_none() {
            chunk.held.get_or_init(|| Held::new(&self.held, chunk.size()));
            return;
        }
        let own = chunk.bytes.capacity();
        let capacity = self.capacity + own;
        if own <= Self::LARGEST && capacity <= Self::MOST {
            self.capacity = capacity;
            self.chunks.push(chunk);
        }
    }

    /// Bytes of chunks that only connections hold.
    pub(crate) fn held(&self) -> usize {
        self.held.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(parts: &[(Option<u32>, &str)]) -> Chunk {
        let mut chunk = Chunk::default();
        chunk.restart(100);
        for (speaker, text) in parts {
            let speaker = speaker.map(ConnKey::for_test);
            chunk.append(speaker, |out| out.extend_from_slice(text.as_bytes()));
        }
        chunk
    }

    fn read(chunk: &Chunk, cursor: u64, reader: u32) -> String {
        let pieces = chunk.pieces(cursor, ConnKey::for_test(reader));
        pieces
            .map(|p| std::str::from_utf8(&chunk.bytes()[p]).expect("ASCII"))
            .collect::<Vec<_>>()
            .join("|")
    }

    #[test]
    fn a_reader_gets_everything_but_what_it_said() {
        let chunk =
            chunk(&[(Some(1), "a"), (Some(1), "b"), (Some(2), "c"), (None, "d"), (Some(1), "e")]);
        assert_eq!(read(&chunk, 100, 1), "cd");
        assert_eq!(read(&chunk, 100, 2), "ab|de");
        assert_eq!(read(&chunk, 100, 3), "abcde");
        assert_eq!(chunk.spoken.len(), 3, "what one says in a row is one range");
    }

    #[test]
    fn a_reader_begins_at_its_cursor() {
        let chunk = chunk(&[(Some(1), "ab"), (Some(2), "cd"), (None, "ef")]);
        assert_eq!(read(&chunk, 0, 3), "abcdef");
        assert_eq!(read(&chunk, 102, 1), "cdef");
        assert_eq!(read(&chunk, 104, 2), "ef");
        assert_eq!(read(&chunk, 105, 1), "f");
        assert_eq!(read(&chunk, chunk.end(), 1), "");
    }

    #[test]
    fn the_only_speaker_gets_nothing() {
        assert_eq!(read(&chunk(&[(Some(1), "ab"), (Some(1), "cd")]), 100, 1), "");
    }

    #[test]
    fn a_chunk_that_is_owed_is_not_kept_for_reuse() {
        let mut spare = ChunkPool::default();
        let chunk = spare.take(7);
        let owed = Rc::clone(&chunk);
        spare.put(chunk);
        assert!(spare.chunks.is_empty());
        assert_eq!(spare.held(), owed.size(), "it is counted");
        drop(owed);
        assert_eq!(spare.held(), 0, "for as long as it is held");
        let chunk = spare.take(8);
        spare.put(chunk);
        assert_eq!(spare.chunks.len(), 1);
        assert_eq!(spare.take(9).end(), 9);
    }

    #[test]
    fn the_end_of_a_frame_is_found() {
        let frames = b"\x00\x01a\x00\x00\x00\x02bc";
        let ends: Vec<_> = (0..=frames.len()).map(|at| end_of_frame(frames, at)).collect();
        assert_eq!(ends, [0, 3, 3, 3, 5, 5, 9, 9, 9, 9]);
    }

    #[test]
    fn spare_chunks_keep_only_so_much() {
        let mut spare = ChunkPool::default();
        let mut put = |len| {
            let mut chunk = Chunk::default();
            chunk.append(None, |out| out.resize(len, 0));
            spare.put(Rc::new(chunk));
        };
        put(ChunkPool::LARGEST + 1);
        for _ in 0..1_000 {
            put(ChunkPool::LARGEST);
        }
        assert_eq!(spare.chunks.len(), ChunkPool::MOST / ChunkPool::LARGEST);
        while !spare.chunks.is_empty() {
            spare.take(0);
        }
        assert_eq!(spare.capacity, 0);
    }
}
